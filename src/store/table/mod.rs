//! The sealed tables: their columns as a database gives them, and the way from columns to values and back.
//!
//! One function a table lists the columns that are sealed, for reading and writing alike. What a database gives is
//! raw: bytes of any length, numbers of any size. It becomes a value only after the seal was verified.

mod adapter;
mod certificate;
mod key;
mod life;
mod quota;
mod root_key;
mod root_key_version;
mod setting;
mod token;

use time::OffsetDateTime;
use uuid::Uuid;

use super::seal::Columns;
use super::{Error, SealKeys};
use crate::adapter::RootKeyId;

pub(super) use adapter::AdapterColumns;
pub(super) use certificate::CertificateColumns;
pub(super) use key::KeyColumns;
pub(super) use quota::QuotaColumns;
pub(super) use root_key::RootKeyColumns;
pub(super) use root_key_version::RootKeyVersionColumns;
pub(super) use setting::SettingColumns;
pub(super) use token::TokenColumns;

/// A row of a sealed table.
pub(super) trait Sealed: Sized {
    /// The table.
    const TABLE: &'static str;
    /// What a good row stands for.
    type Value;

    /// The identifier, for messages.
    fn shown_id(&self) -> String;
    /// The root key whose seal key the row is sealed with.
    fn sealed_by(&self) -> &[u8];
    /// All columns but the seal.
    fn columns(&self) -> Columns;
    /// The seal.
    fn seal(&self) -> &[u8];
    /// The value of columns whose seal is good. An error says what does not fit.
    fn value(self, columns: &Columns) -> Result<Self::Value, String>;

    /// Verifies the seal, then makes the value.
    fn open(self, keys: &SealKeys) -> Result<Self::Value, Error> {
        let id = self.shown_id();
        let tampered = |what| Error::Tampered {
            table: Self::TABLE,
            id: id.clone(),
            what,
        };
        let root_key = RootKeyId::from(uuid(self.sealed_by(), "the root key").map_err(tampered)?);
        let columns = self.columns();
        columns.verify(&*keys.get(root_key)?, self.seal(), &id)?;
        self.value(&columns).map_err(tampered)
    }

    /// What the row claims, its seal not looked at: for comparing it with a device, and for nothing else.
    fn claimed(self) -> Result<Self::Value, Error> {
        let (id, columns) = (self.shown_id(), self.columns());
        self.value(&columns).map_err(|what| Error::Tampered {
            table: Self::TABLE,
            id,
            what,
        })
    }
}

fn shown(id: &[u8]) -> String {
    Uuid::from_slice(id).map_or_else(|_| hex::encode(id), |id| id.to_string())
}

fn uuid(bytes: &[u8], what: &str) -> Result<Uuid, String> {
    Uuid::from_slice(bytes).map_err(|_| format!("{what} has {} bytes and not 16", bytes.len()))
}

fn number<T: TryFrom<i64>>(value: i64, what: &str) -> Result<T, String> {
    T::try_from(value).map_err(|_| format!("{what} is {value}"))
}

/// A time as a column has it.
pub(super) fn microseconds(time: OffsetDateTime) -> Result<i64, Error> {
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1000)).map_err(|_| Error::Unfit {
        what: "a time",
        why: format!("{time} is out of range"),
    })
}

fn moment(microseconds: i64) -> Result<OffsetDateTime, String> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(microseconds) * 1000)
        .map_err(|_| format!("{microseconds} is no time"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::Adapter;
    use crate::store::suite::fixture::{THEN, seal_key};

    pub(super) fn adapter() -> Adapter {
        Adapter::new("east", "", RootKeyId::new(), THEN).unwrap()
    }

    pub(super) fn keys(adapter: &Adapter) -> SealKeys {
        let keys = SealKeys::new();
        keys.insert(adapter.root_key, seal_key(1));
        keys
    }

    pub(super) fn tampered(result: Result<impl Sized, Error>) -> String {
        match result.err() {
            Some(Error::Tampered { what, .. }) => what,
            other => panic!("{other:?}"),
        }
    }
}
