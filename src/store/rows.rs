//! Every row of a store, as it stands there, on its way to another one or into a backup.
//!
//! Rows go in [`Piece`]s. What goes is every column of every table, seals and all: it takes no seal key and no device, and
//! nothing of it is judged. Each table ends with the number of its rows and the SHA-256 over them, and whoever takes them in
//! reads them back and compares.
//!
//! # A row in bytes
//!
//! Its columns in the order of the table's head, each by a byte for what it is: 0 for NULL; 1 for bytes and 2 for text (UTF-8),
//! with the length (four bytes) and the bytes themselves; 3 for an integer (eight bytes). Numbers have the highest byte first.

use serde::{Deserialize, Serialize};

use super::Error;
use crate::custody::{Hash, Head};

/// The tables, each after those that it refers to, with the order in which rows are read.
pub(super) const TABLES: [(&str, &str); 14] = [
    ("root_key", "id"),
    ("root_key_version", "id, version"),
    ("adapter", "id"),
    ("adapter_setting", "id, kind"),
    ("adapter_quota", "id"),
    ("adapter_usage", "id"),
    ("client_certificate", "fingerprint"),
    ("access_token", "id"),
    ("managed_object", "ordinal"),
    ("index_term", "term, ordinal"),
    ("custody_record", "sequence"),
    ("custody_hash", "level, position"),
    ("custody_checkpoint", "size"),
    ("custody_head", "id"),
];

/// Tables that are about the database and the servers that share it, and not about what they keep: they stay behind.
pub(super) const LEFT_BEHIND: [&str; 5] = [
    "_sqlx_migrations",
    "feed_position",
    "identity_generation",
    "lease",
    "schema_compatibility",
];

/// Rows of about so many bytes go together.
pub(super) const BATCH: usize = 1 << 18;

/// A part of all rows of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The first: the head of the custody log at that moment.
    Begin(Head),
    /// Rows of this table follow.
    Table(TableHead),
    /// Rows, one behind the other; see [the form of a row](self).
    Rows(Vec<u8>),
    /// The table is at its end.
    TableEnd(TableEnd),
    /// The last: everything was sent.
    End,
}

/// A table and its columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableHead {
    /// Its name.
    pub name: String,
    /// Its columns, in the order in which rows have them.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub kind: Kind,
}

/// What a column has in it, beside NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Bytes.
    Bytes,
    /// Text.
    Text,
    /// A number of 64 bits.
    Integer,
}

/// What a table was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableEnd {
    /// The number of its rows.
    pub rows: u64,
    /// SHA-256 over the bytes of all of them.
    pub sha256: Hash,
}

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Bytes(Option<Vec<u8>>),
    Text(Option<String>),
    Integer(Option<i64>),
}

impl Kind {
    /// By the name of a type of either database.
    pub(super) fn of_type(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "bytea" | "blob" => Some(Self::Bytes),
            "text" => Some(Self::Text),
            "bigint" | "integer" => Some(Self::Integer),
            _ => None,
        }
    }
}

impl TableHead {
    /// The statement that reads all rows of these columns.
    pub(super) fn select(&self, order: &str) -> String {
        format!("SELECT {} FROM {} ORDER BY {order}", self.names(), self.name)
    }

    /// The names of its columns, with commas.
    pub(super) fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }

    /// How many rows there are in these bytes.
    pub fn count(&self, rows: &[u8]) -> Result<u64, Error> {
        let mut rows = Rows::of(&self.columns, rows);
        let mut number = 0;
        while rows.next()?.is_some() {
            number += 1;
        }
        Ok(number)
    }
}

impl Value {
    /// Appends it to the bytes of its row.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), Error> {
        let (tag, bytes) = match self {
            Self::Bytes(Some(bytes)) => (1, bytes.as_slice()),
            Self::Text(Some(text)) => (2, text.as_bytes()),
            Self::Integer(Some(number)) => {
                out.push(3);
                out.extend_from_slice(&number.to_be_bytes());
                return Ok(());
            }
            Self::Bytes(None) | Self::Text(None) | Self::Integer(None) => {
                out.push(0);
                return Ok(());
            }
        };
        let length = u32::try_from(bytes.len()).map_err(|_| Error::Unfit {
            what: "a column of a row",
            why: "it is longer than 4 GiB".to_owned(),
        })?;
        out.push(tag);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(bytes);
        Ok(())
    }
}

/// Reads rows out of their bytes.
pub(super) struct Rows<'a> {
    columns: &'a [Column],
    rest: &'a [u8],
}

impl<'a> Rows<'a> {
    pub(super) const fn of(columns: &'a [Column], bytes: &'a [u8]) -> Self {
        Self { columns, rest: bytes }
    }

    /// The next row; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Value>>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        if self.columns.is_empty() {
            return Err(unlike("a table without columns has rows"));
        }
        let columns = self.columns.iter();
        columns
            .map(|column| self.rest_value(column.kind))
            .collect::<Result<Vec<_>, _>>()
            .map(Some)
    }

    fn rest_value(&mut self, kind: Kind) -> Result<Value, Error> {
        let [tag] = self.take()?;
        Ok(match (tag, kind) {
            (0, Kind::Bytes) => Value::Bytes(None),
            (0, Kind::Text) => Value::Text(None),
            (0, Kind::Integer) => Value::Integer(None),
            (1, Kind::Bytes) => Value::Bytes(Some(self.take_counted()?.to_vec())),
            (2, Kind::Text) => {
                let text = std::str::from_utf8(self.take_counted()?);
                Value::Text(Some(text.map_err(|_| unlike("a text is not UTF-8"))?.to_owned()))
            }
            (3, Kind::Integer) => Value::Integer(Some(i64::from_be_bytes(self.take()?))),
            _ => return Err(unlike("a row has another kind of value than its column")),
        })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (first, rest) = self.rest.split_first_chunk().ok_or_else(|| unlike(SHORT))?;
        self.rest = rest;
        Ok(*first)
    }

    fn take_counted(&mut self) -> Result<&'a [u8], Error> {
        let length = u32::from_be_bytes(self.take()?) as usize;
        let (first, rest) = self.rest.split_at_checked(length).ok_or_else(|| unlike(SHORT))?;
        self.rest = rest;
        Ok(first)
    }
}

const SHORT: &str = "a row ends before its last column";

/// What was sent is not what can be taken in.
pub(super) fn unlike(what: impl Into<String>) -> Error {
    Error::Unlike { what: what.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> TableHead {
        let column = |name: &str, kind| Column {
            name: name.to_owned(),
            kind,
        };
        TableHead {
            name: "t".to_owned(),
            columns: vec![
                column("a", Kind::Bytes),
                column("b", Kind::Text),
                column("c", Kind::Integer),
            ],
        }
    }

    #[test]
    fn a_row_comes_back_as_it_went() {
        let rows = [
            vec![
                Value::Bytes(Some(vec![0, 255])),
                Value::Text(Some("ä".to_owned())),
                Value::Integer(Some(-7)),
            ],
            vec![Value::Bytes(None), Value::Text(None), Value::Integer(None)],
            vec![
                Value::Bytes(Some(Vec::new())),
                Value::Text(Some(String::new())),
                Value::Integer(Some(i64::MAX)),
            ],
        ];
        let mut bytes = Vec::new();
        for value in rows.iter().flatten() {
            value.write(&mut bytes).unwrap();
        }
        let head = head();
        let mut read = Rows::of(&head.columns, &bytes);
        for row in rows {
            assert_eq!(read.next().unwrap(), Some(row));
        }
        assert_eq!(read.next().unwrap(), None);
        assert_eq!(head.count(&bytes).unwrap(), 3);
    }

    #[test]
    fn a_row_that_was_cut_short_is_refused() {
        let mut bytes = Vec::new();
        for value in [
            Value::Bytes(Some(vec![1, 2, 3])),
            Value::Text(Some("text".to_owned())),
            Value::Integer(Some(1)),
        ] {
            value.write(&mut bytes).unwrap();
        }
        for length in 1..bytes.len() {
            assert!(head().count(&bytes[..length]).is_err(), "{length}");
        }
        bytes[0] = 2;
        assert!(head().count(&bytes).is_err(), "another kind of value");
    }
}
