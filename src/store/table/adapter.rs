//! The table of adapters.

use sqlx::FromRow;

use super::{Sealed, microseconds, moment, shown, uuid};
use crate::adapter::Adapter;
use crate::store::Error;
use crate::store::seal::Columns;

#[derive(FromRow)]
pub(in crate::store) struct AdapterColumns {
    pub(in crate::store) id: Vec<u8>,
    pub(in crate::store) name: String,
    pub(in crate::store) description: String,
    pub(in crate::store) root_key: Vec<u8>,
    pub(in crate::store) created_at: i64,
    pub(in crate::store) created_by: Option<String>,
    pub(in crate::store) seal: Vec<u8>,
}

impl AdapterColumns {
    pub(in crate::store) fn of(adapter: &Adapter) -> Result<Self, Error> {
        Ok(Self {
            id: adapter.id.uuid().as_bytes().to_vec(),
            name: adapter.name.clone(),
            description: adapter.description.clone(),
            root_key: adapter.root_key.uuid().as_bytes().to_vec(),
            created_at: microseconds(adapter.created_at)?,
            created_by: adapter.created_by.clone(),
            seal: Vec::new(),
        })
    }
}

impl Sealed for AdapterColumns {
    const TABLE: &'static str = "adapter";
    type Value = Adapter;

    fn shown_id(&self) -> String {
        shown(&self.id)
    }

    fn sealed_by(&self) -> &[u8] {
        &self.root_key
    }

    fn columns(&self) -> Columns {
        Columns::of(Self::TABLE)
            .blob(&self.id)
            .text(&self.name)
            .text(&self.description)
            .blob(&self.root_key)
            .integer(self.created_at)
            .added(self.created_by.as_deref())
    }

    fn seal(&self) -> &[u8] {
        &self.seal
    }

    fn value(self, _: &Columns) -> Result<Adapter, String> {
        Ok(Adapter {
            id: uuid(&self.id, "the identifier")?.into(),
            name: self.name,
            description: self.description,
            root_key: uuid(&self.root_key, "the root key")?.into(),
            created_at: moment(self.created_at)?,
            created_by: self.created_by,
        })
    }
}
