//! What is recorded of root keys, read beside a running server or without one, and without any seal key: for whoever
//! only compares it with a device.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::Error;
use super::open::{BUSY, beside};
use super::sql::recorded;
use crate::adapter::RootKey;

/// Every version of every root key in the database at `path` that is not destroyed, as the rows claim: their seals are
/// not looked at. (Of a destroyed root key the present version is kept: the seal key is under it.)
///
/// Writes nothing and makes no file. A database of another schema than this server's is refused.
pub async fn recorded_root_keys(path: &Path) -> Result<Vec<RootKey>, Error> {
    // Without a write-ahead log nobody has the database open, and it is read as it is; SQLite would make files beside it
    // otherwise.
    let is_open = beside(path, "-wal").exists();
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .immutable(!is_open)
        .busy_timeout(BUSY)
        .pragma("trusted_schema", "OFF")
        .disable_statement_logging();
    let mut connection = options.connect().await.map_err(Error::database("open"))?;
    let recorded = recorded::root_keys(&mut connection).await;
    // What is left to do is to close; a failure there takes nothing from what was read.
    let _ = connection.close().await;
    recorded
}
