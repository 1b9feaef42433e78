//! The table of adapters' quotas.

use std::num::NonZeroU32;

use sqlx::FromRow;

use super::{Sealed, number, shown, uuid};
use crate::adapter::{AdapterId, Quota, RootKeyId};
use crate::store::Error;
use crate::store::seal::Columns;

#[derive(FromRow)]
pub(in crate::store) struct QuotaColumns {
    /// The adapter.
    pub(in crate::store) id: Vec<u8>,
    pub(in crate::store) keys: Option<i64>,
    pub(in crate::store) requests_per_second: Option<i64>,
    pub(in crate::store) connections: Option<i64>,
    pub(in crate::store) sealed_by: Vec<u8>,
    pub(in crate::store) seal: Vec<u8>,
}

impl QuotaColumns {
    pub(in crate::store) fn of(
        adapter: AdapterId,
        quota: &Quota,
        sealed_by: RootKeyId,
    ) -> Result<Self, Error> {
        let keys = quota.keys.map(i64::try_from).transpose();
        Ok(Self {
            id: adapter.uuid().as_bytes().to_vec(),
            keys: keys.map_err(|error| Error::Unfit {
                what: "the number of keys",
                why: error.to_string(),
            })?,
            requests_per_second: quota.requests_per_second.map(|number| number.get().into()),
            connections: quota.connections.map(|number| number.get().into()),
            sealed_by: sealed_by.uuid().as_bytes().to_vec(),
            seal: Vec::new(),
        })
    }
}

impl Sealed for QuotaColumns {
    const TABLE: &'static str = "adapter_quota";
    type Value = (AdapterId, Quota);

    fn shown_id(&self) -> String {
        shown(&self.id)
    }

    fn sealed_by(&self) -> &[u8] {
        &self.sealed_by
    }

    fn columns(&self) -> Columns {
        Columns::of(Self::TABLE)
            .blob(&self.id)
            .optional(self.keys, Columns::integer)
            .optional(self.requests_per_second, Columns::integer)
            .optional(self.connections, Columns::integer)
            .blob(&self.sealed_by)
    }

    fn seal(&self) -> &[u8] {
        &self.seal
    }

    fn value(self, _: &Columns) -> Result<(AdapterId, Quota), String> {
        let positive = |column: Option<i64>, what| {
            let number = column.map(|column| number::<u32>(column, what)).transpose()?;
            number
                .map(|number| NonZeroU32::new(number).ok_or_else(|| format!("{what} is 0")))
                .transpose()
        };
        let quota = Quota {
            keys: self
                .keys
                .map(|keys| number(keys, "the number of keys"))
                .transpose()?,
            requests_per_second: positive(self.requests_per_second, "the number of requests")?,
            connections: positive(self.connections, "the number of connections")?,
        };
        Ok((uuid(&self.id, "the adapter")?.into(), quota))
    }
}
