//! All rows that the custody log tells of, as of one moment.

use futures_util::TryStreamExt as _;
use sqlx::FromRow;

use super::custody;
use super::dialect::{self, Connection, Pool, Row};
use super::read::columns;
use crate::custody::IdentityFacts;
use crate::store::table::{AdapterColumns, CertificateColumns, KeyColumns, RootKeyColumns, Sealed};
use crate::store::{Error, RowsAt};

const READ: &str = "read the rows of the store";

pub(in crate::store) async fn rows_at(readers: &Pool) -> Result<RowsAt, Error> {
    let mut transaction = dialect::snapshot(readers).await.map_err(Error::database(READ))?;
    // The first read fixes the moment for all that follow.
    let size = custody::head(&mut *transaction).await?.tree.size();
    let mut keys = Vec::new();
    {
        let mut rows = sqlx::query("SELECT * FROM managed_object ORDER BY ordinal").fetch(&mut *transaction);
        while let Some(row) = rows.try_next().await.map_err(Error::database(READ))? {
            keys.extend(columns::<KeyColumns>(&row).ok().and_then(|row| row.facts()));
        }
    }
    let mut identities = Vec::new();
    let into = &mut identities;
    claimed::<RootKeyColumns>(&mut transaction, "SELECT * FROM root_key ORDER BY name", into).await?;
    claimed::<AdapterColumns>(&mut transaction, "SELECT * FROM adapter ORDER BY name", into).await?;
    claimed::<CertificateColumns>(
        &mut transaction,
        "SELECT * FROM client_certificate ORDER BY fingerprint",
        into,
    )
    .await?;
    Ok(RowsAt {
        size,
        keys,
        identities,
    })
}

/// What the rows of a table claim.
async fn claimed<T>(
    connection: &mut Connection,
    sql: &'static str,
    into: &mut Vec<IdentityFacts>,
) -> Result<(), Error>
where
    T: Sealed + for<'r> FromRow<'r, Row>,
    for<'v> IdentityFacts: From<&'v T::Value>,
{
    let rows = sqlx::query(sql)
        .fetch_all(connection)
        .await
        .map_err(Error::database(READ))?;
    let values = rows
        .iter()
        .filter_map(|row| columns::<T>(row).ok()?.claimed().ok());
    into.extend(values.map(|value| IdentityFacts::from(&value)));
    Ok(())
}
