//! What is recorded of root keys, read beside running servers and without any seal key.

use sqlx::{ConnectOptions as _, Connection as _};

use super::sql::recorded;
use super::{Error, PostgresOptions};
use crate::adapter::RootKey;

/// Every version of every root key in this database that is not destroyed, as the rows claim; see
/// [`recorded_root_keys`](crate::store::recorded_root_keys).
pub async fn recorded_root_keys_at(options: &PostgresOptions) -> Result<Vec<RootKey>, Error> {
    let options = options.writable().await.map_err(Error::database("connect"))?;
    let mut connection = options.connect().await.map_err(Error::database("connect"))?;
    let recorded = recorded::root_keys(&mut connection).await;
    // What is left to do is to close; a failure there takes nothing from what was read.
    let _ = connection.close().await;
    recorded
}
