//! The database: what it keeps, the trait over it, and the seal of a row.
//!
//! [`Store`] is the reading half, for everybody. The writing half is the recorder's alone: a change is written together
//! with the custody record that tells of it, or not at all.
//!
//! # The seal
//!
//! Rows of keys, root keys, adapters, their settings, quotas and certificates carry a seal: an HMAC over all their columns, under a seal key
//! that the device keeps wrapped ([`SealKeys`]). Each read verifies it before anything else looks at the row. A row
//! that was changed, or moved to another identifier or adapter, by another hand is [`Error::Tampered`]; its neighbours
//! are not harmed. An entry of the index that leads to the wrong key is found out by that key's row.
//!
//! What a seal cannot tell, because nothing is there that could be wrong: a row that was deleted, an index entry that
//! was deleted (the key is still read by its identifier), and an older row put back, be it in the place of a newer one
//! or after it was deleted. For these the custody log has every change, and the digest of each key's row
//! ([`KeyRow::digest`]) after each event.

mod bundle;
mod change;
mod custody;
mod database;
mod elsewhere;
mod error;
mod index;
mod inventory;
mod migration;
mod postgres;
mod quota;
mod reading;
mod row;
mod rows;
mod schema;
mod seal;
mod setting;
mod sqlite;
#[cfg(test)]
pub(crate) mod suite;
mod table;
mod writing;

pub use bundle::{BundleError, BundleRange, write_bundle};
pub use change::Change;
pub use custody::{
    Appended, CustodyHead, CustodyKept, RecordFilter, RecordTerms, SearchFrom, StoredCheckpoint,
    custody_consistency, custody_inclusion, custody_number_at, custody_root, custody_tiles, custody_tree,
};
pub use database::Database;
pub use elsewhere::Elsewhere;
pub use error::Error;
pub use inventory::RowsAt;
pub use migration::{Migrated, migrate, verify_log};
#[cfg(test)]
pub(crate) use postgres::tests as postgres_tests;
pub use postgres::{PostgresOptions, PostgresStore, recorded_root_keys_at};
pub use quota::QuotaUse;
pub use reading::{KeyCount, KeyCounts, Store};
pub use row::{Cursor, KeyRow, Listing, Located, WrappedUnder};
pub use rows::{Column, Kind, Piece, TableEnd, TableHead};
pub use seal::{SealKey, SealKeys, UnverifiedRootKey};
pub use setting::{Setting, SettingKind, Settings};
#[cfg(test)]
pub(crate) use sqlite::tests as sqlite_tests;
pub use sqlite::{SqliteStore, recorded_root_keys};
pub use writing::{Applied, WriteStore, WriteTransaction};
