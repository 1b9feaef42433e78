//! The table of managed objects.

use sqlx::FromRow;
use uuid::Uuid;

use super::{Sealed, number, shown, uuid};
use crate::adapter::{AdapterId, RootKeyId};
use crate::custody::RowFacts;
use crate::key::{ManagedObject, WrapProfile, WrappedKek};
use crate::store::seal::Columns;
use crate::store::{Error, KeyRow, WrappedUnder};

#[derive(FromRow)]
pub(in crate::store) struct KeyColumns {
    pub(in crate::store) ordinal: i64,
    pub(in crate::store) id: Vec<u8>,
    pub(in crate::store) adapter: Vec<u8>,
    pub(in crate::store) root_key: Option<Vec<u8>>,
    pub(in crate::store) root_key_version: Option<i64>,
    pub(in crate::store) wrap_profile: Option<String>,
    pub(in crate::store) revision: i64,
    pub(in crate::store) sealed_by: Vec<u8>,
    pub(in crate::store) seal: Vec<u8>,
    pub(in crate::store) wrapped: Option<Vec<u8>>,
    pub(in crate::store) document: String,
}

impl KeyColumns {
    /// The columns of a row that is to be written, without a seal.
    pub(in crate::store) fn of(
        row: &KeyRow,
        ordinal: i64,
        revision: i64,
        sealed_by: RootKeyId,
    ) -> Result<Self, Error> {
        let document = serde_json::to_string(&row.object).map_err(|error| Error::Unfit {
            what: "the object",
            why: error.to_string(),
        })?;
        let wrapped = row.wrapped.as_ref();
        Ok(Self {
            ordinal,
            id: row.object.id().as_bytes().to_vec(),
            adapter: row.object.adapter().as_bytes().to_vec(),
            root_key: wrapped.map(|wrapped| wrapped.root_key.uuid().as_bytes().to_vec()),
            root_key_version: wrapped.map(|wrapped| wrapped.version.into()),
            wrap_profile: wrapped.map(|wrapped| wrapped.kek.profile.to_string()),
            revision,
            sealed_by: sealed_by.uuid().as_bytes().to_vec(),
            seal: Vec::new(),
            wrapped: wrapped.map(|wrapped| wrapped.kek.bytes.clone()),
            document,
        })
    }

    /// What the custody log would say of the row; none where it is no row of a key.
    pub(in crate::store) fn facts(&self) -> Option<RowFacts> {
        Some(RowFacts {
            identifier: Uuid::from_slice(&self.id).ok()?,
            revision: u64::try_from(self.revision).ok()?,
            sha256: self.columns().digest(),
        })
    }

    /// Whether the row claims, in its column or in its document, to be of this adapter. Where it does not, it is none of
    /// that adapter's business, and nothing is said of it.
    pub(in crate::store) fn claims(&self, adapter: AdapterId) -> bool {
        self.adapter == adapter.uuid().as_bytes()
            || serde_json::from_str::<ManagedObject>(&self.document)
                .is_ok_and(|object| object.adapter() == adapter.uuid())
    }
}

impl Sealed for KeyColumns {
    const TABLE: &'static str = "managed_object";
    type Value = KeyRow;

    fn shown_id(&self) -> String {
        shown(&self.id)
    }

    fn sealed_by(&self) -> &[u8] {
        &self.sealed_by
    }

    fn columns(&self) -> Columns {
        Columns::of(Self::TABLE)
            .integer(self.ordinal)
            .blob(&self.id)
            .blob(&self.adapter)
            .optional(self.root_key.as_deref(), Columns::blob)
            .optional(self.root_key_version, Columns::integer)
            .optional(self.wrap_profile.as_deref(), Columns::text)
            .integer(self.revision)
            .blob(&self.sealed_by)
            .optional(self.wrapped.as_deref(), Columns::blob)
            .text(&self.document)
    }

    fn seal(&self) -> &[u8] {
        &self.seal
    }

    fn value(self, columns: &Columns) -> Result<KeyRow, String> {
        let object: ManagedObject = serde_json::from_str(&self.document)
            .map_err(|error| format!("its document cannot be read: {error}"))?;
        if object.id() != uuid(&self.id, "the identifier")? {
            return Err(format!("its document is that of {}", object.id()));
        }
        if object.adapter() != uuid(&self.adapter, "the adapter")? {
            return Err(format!("its document is of adapter {}", object.adapter()));
        }
        let wrapped = match (
            self.root_key,
            self.root_key_version,
            self.wrap_profile,
            self.wrapped,
        ) {
            (Some(root_key), Some(version), Some(profile), Some(bytes)) => Some(WrappedUnder {
                root_key: uuid(&root_key, "the root key")?.into(),
                version: number(version, "the root key's version")?,
                kek: WrappedKek {
                    profile: WrapProfile::from_name(&profile)
                        .ok_or_else(|| format!("no wrap profile is called {profile:?}"))?,
                    bytes,
                },
            }),
            (None, None, None, None) => None,
            _ => return Err("of the columns of its wrapped key, some are there and some are not".into()),
        };
        Ok(KeyRow {
            object,
            wrapped,
            revision: number(self.revision, "the revision")?,
            digest: Some(columns.digest()),
            ordinal: number(self.ordinal, "the ordinal")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{adapter, keys, tampered};
    use super::*;
    use crate::store::suite::fixture::{row, seal_key};

    type Change<'a> = (&'a str, Box<dyn Fn(&mut KeyColumns) + 'a>);

    /// A row that this server would never write, with a good seal: as after a defect of our own.
    #[test]
    fn a_row_whose_columns_and_document_disagree_is_refused_in_spite_of_its_seal() {
        let adapter = adapter();
        let other = row(&adapter, &[]);
        let changes: Vec<Change<'_>> = vec![
            (
                "is that of",
                Box::new(|columns| columns.id = other.object.id().as_bytes().to_vec()),
            ),
            (
                "is of adapter",
                Box::new(|columns| columns.adapter = Uuid::now_v7().as_bytes().to_vec()),
            ),
            (
                "cannot be read",
                Box::new(|columns| columns.document = "{}".into()),
            ),
            ("some are not", Box::new(|columns| columns.wrapped = None)),
            (
                "no wrap profile",
                Box::new(|columns| columns.wrap_profile = Some("rot13".into())),
            ),
            (
                "version is -1",
                Box::new(|columns| columns.root_key_version = Some(-1)),
            ),
            ("revision is -1", Box::new(|columns| columns.revision = -1)),
        ];
        for (expected, change) in changes {
            let mut columns = KeyColumns::of(&row(&adapter, &[]), 1, 1, adapter.root_key).unwrap();
            change(&mut columns);
            columns.seal = columns.columns().seal(&seal_key(1)).to_vec();
            let what = tampered(columns.open(&keys(&adapter)));
            assert!(what.contains(expected), "{what}");
        }
    }
}
