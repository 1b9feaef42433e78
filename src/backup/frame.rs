//! What a backup has in it, part by part.

use std::io::Write;

use zeroize::Zeroizing;

use super::Error;
use crate::store::Piece;

/// The longest part, in bytes: a batch of rows has a quarter of a megabyte, or one row.
const LONGEST: u32 = 64 << 20;

/// A part of a backup.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    /// A file of the configuration.
    File {
        /// Where it was.
        path: String,
        /// What was in it.
        content: Zeroizing<Vec<u8>>,
    },
    /// A part of the store's rows. [`Piece::Begin`] is not among them: the header says it.
    Rows(Piece),
}

/// Writes a part.
pub fn write_part(part: &Part, out: &mut impl Write) -> Result<(), Error> {
    let json = |value: serde_json::Result<Vec<u8>>| {
        value
            .map(Zeroizing::new)
            .map_err(|error| Error::contradiction(error.to_string()))
    };
    let (kind, bytes) = match part {
        Part::File { path, content } => {
            let length = u16::try_from(path.len());
            let length = length.map_err(|_| Error::contradiction(format!("the path {path} is too long")))?;
            let mut bytes = Zeroizing::new(Vec::with_capacity(2 + path.len() + content.len()));
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(path.as_bytes());
            bytes.extend_from_slice(content);
            (1, bytes)
        }
        Part::Rows(Piece::Table(head)) => (2, json(serde_json::to_vec(head))?),
        Part::Rows(Piece::Rows(rows)) => return write_frame(3, rows, out),
        Part::Rows(Piece::TableEnd(end)) => (4, json(serde_json::to_vec(end))?),
        Part::Rows(Piece::End) => (5, Zeroizing::default()),
        Part::Rows(Piece::Begin(_)) => return Ok(()),
    };
    write_frame(kind, &bytes, out)
}

fn write_frame(kind: u8, bytes: &[u8], out: &mut impl Write) -> Result<(), Error> {
    let length = u32::try_from(bytes.len())
        .ok()
        .filter(|length| *length <= LONGEST);
    let length = length.ok_or_else(|| Error::contradiction(format!("a part has {} bytes", bytes.len())))?;
    out.write_all(&[kind])
        .and_then(|()| out.write_all(&length.to_be_bytes()))
        .and_then(|()| out.write_all(bytes))
        .map_err(Error::writing)
}

/// Reads the next part; `take` gives so many bytes of what was decrypted.
pub fn read_part(mut take: impl FnMut(&mut [u8]) -> Result<(), Error>) -> Result<Part, Error> {
    let mut head = [0; 5];
    take(&mut head)?;
    let [kind, length @ ..] = head;
    let length = u32::from_be_bytes(length);
    if length > LONGEST {
        return Err(Error::contradiction(format!("a part has {length} bytes")));
    }
    let mut bytes = Zeroizing::new(vec![0; length as usize]);
    take(&mut bytes)?;
    let unreadable = |error: serde_json::Error| Error::contradiction(format!("a table: {error}"));
    Ok(match kind {
        1 => file(bytes)?,
        2 => Part::Rows(Piece::Table(serde_json::from_slice(&bytes).map_err(unreadable)?)),
        3 => Part::Rows(Piece::Rows(std::mem::take(&mut *bytes))),
        4 => Part::Rows(Piece::TableEnd(
            serde_json::from_slice(&bytes).map_err(unreadable)?,
        )),
        5 if bytes.is_empty() => Part::Rows(Piece::End),
        _ => return Err(Error::contradiction(format!("a part is of kind {kind}"))),
    })
}

fn file(mut bytes: Zeroizing<Vec<u8>>) -> Result<Part, Error> {
    let short = || Error::contradiction("a file has no path");
    let (length, rest) = bytes.split_first_chunk::<2>().ok_or_else(short)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let path = rest.get(..length).ok_or_else(short)?;
    let path = std::str::from_utf8(path)
        .map_err(|_| Error::contradiction("the path of a file is not UTF-8"))?
        .to_owned();
    bytes.drain(..2 + length);
    Ok(Part::File { path, content: bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::custody::Hash;
    use crate::store::{Column, Kind, TableEnd, TableHead};

    #[test]
    fn every_part_comes_back_as_it_went() {
        let parts = [
            Part::File {
                path: "/etc/claviger/ä.toml".to_owned(),
                content: Zeroizing::new(vec![0, 1, 255]),
            },
            Part::Rows(Piece::Table(TableHead {
                name: "adapter".to_owned(),
                columns: vec![Column {
                    name: "id".to_owned(),
                    kind: Kind::Bytes,
                }],
            })),
            Part::Rows(Piece::Rows(vec![1, 0, 0, 0, 1, 7])),
            Part::Rows(Piece::TableEnd(TableEnd {
                rows: 1,
                sha256: Hash([9; 32]),
            })),
            Part::Rows(Piece::End),
        ];
        let mut bytes = Vec::new();
        for part in &parts {
            write_part(part, &mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        for part in parts {
            let read = read_part(|out| {
                let (first, behind) = rest.split_at(out.len());
                out.copy_from_slice(first);
                rest = behind;
                Ok(())
            });
            assert_eq!(read.unwrap(), part);
        }
        assert!(rest.is_empty());
    }
}
