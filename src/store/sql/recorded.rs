//! What is recorded of root keys, read without any seal key.

use crate::adapter::{RootKey, VersionState};
use crate::store::Error;
use crate::store::table::{RootKeyColumns, RootKeyVersionColumns, Sealed};

use super::dialect::Connection;

/// Every version of every root key that is not destroyed, as the rows claim: their seals are not looked at. (Of a destroyed root
/// key the present version is kept: the seal key is under it.)
pub(in crate::store) async fn root_keys(connection: &mut Connection) -> Result<Vec<RootKey>, Error> {
    let rows: Vec<RootKeyColumns> = sqlx::query_as("SELECT * FROM root_key ORDER BY name")
        .fetch_all(&mut *connection)
        .await
        .map_err(Error::database("read root keys"))?;
    let mut recorded = Vec::new();
    for row in rows {
        let present = row.claimed()?;
        let rows: Vec<RootKeyVersionColumns> =
            sqlx::query_as("SELECT * FROM root_key_version WHERE id = $1 ORDER BY version")
                .bind(present.id.uuid().as_bytes().to_vec())
                .fetch_all(&mut *connection)
                .await
                .map_err(Error::database("read versions of root keys"))?;
        for row in rows {
            let version = row.claimed()?;
            if version.state == VersionState::Kept {
                recorded.push(present.at(&version));
            }
        }
        recorded.push(present);
    }
    Ok(recorded)
}
