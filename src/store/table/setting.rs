//! The table of what is set for all objects of an adapter.

use sqlx::FromRow;

use super::{Sealed, shown, uuid};
use crate::adapter::{AdapterId, RootKeyId};
use crate::store::seal::Columns;
use crate::store::{Setting, SettingKind};

#[derive(FromRow)]
pub(in crate::store) struct SettingColumns {
    /// The adapter.
    pub(in crate::store) id: Vec<u8>,
    pub(in crate::store) kind: String,
    pub(in crate::store) document: Vec<u8>,
    pub(in crate::store) sealed_by: Vec<u8>,
    pub(in crate::store) seal: Vec<u8>,
}

impl SettingColumns {
    pub(in crate::store) fn of(
        adapter: AdapterId,
        kind: SettingKind,
        document: Vec<u8>,
        sealed_by: RootKeyId,
    ) -> Self {
        Self {
            id: adapter.uuid().as_bytes().to_vec(),
            kind: kind.name().to_owned(),
            document,
            sealed_by: sealed_by.uuid().as_bytes().to_vec(),
            seal: Vec::new(),
        }
    }
}

impl Sealed for SettingColumns {
    const TABLE: &'static str = "adapter_setting";
    type Value = Setting;

    fn shown_id(&self) -> String {
        format!("{} {}", shown(&self.id), self.kind)
    }

    fn sealed_by(&self) -> &[u8] {
        &self.sealed_by
    }

    fn columns(&self) -> Columns {
        Columns::of(Self::TABLE)
            .blob(&self.id)
            .text(&self.kind)
            .blob(&self.document)
            .blob(&self.sealed_by)
    }

    fn seal(&self) -> &[u8] {
        &self.seal
    }

    fn value(self, _: &Columns) -> Result<Setting, String> {
        let kind = SettingKind::ALL
            .into_iter()
            .find(|kind| kind.name() == self.kind)
            .ok_or_else(|| format!("there is no setting {:?}", self.kind))?;
        Ok(Setting {
            adapter: uuid(&self.id, "the identifier")?.into(),
            kind,
            document: self.document,
        })
    }
}
