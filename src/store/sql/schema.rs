//! The schema of a database, and whether this program can work with it.

use sqlx::migrate::Migrator;

use super::dialect::{Connection, Db};
use crate::store::{Error, schema};

/// Brings the schema up to date. One that a newer program has changed already is left as it is, and accepted where the database
/// says that this program can work with it.
pub(in crate::store) async fn bring_up_to_date(
    pool: &sqlx::Pool<Db>,
    mut migrations: Migrator,
    database: &str,
) -> Result<(), Error> {
    migrations.set_ignore_missing(true);
    let migrated = migrations.run(pool).await;
    migrated.map_err(|error| schema::unfit(database, &error))?;
    let mut connection = pool.acquire().await.map_err(Error::database("connect"))?;
    require_served(&mut connection, &migrations, database)
        .await
        .map(drop)
}

/// Refuses a database whose schema is newer than this program can work with. Gives its schema.
pub(in crate::store) async fn require_served(
    connection: &mut Connection,
    migrations: &Migrator,
    database: &str,
) -> Result<i64, Error> {
    let (found, oldest): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT coalesce(max(version), 0) FROM _sqlx_migrations), oldest FROM schema_compatibility WHERE id = 1",
    )
    .fetch_one(connection)
    .await
    .map_err(Error::database("read its schema"))?;
    let known = schema::known(migrations);
    if oldest > known {
        return Err(Error::NewerSchema {
            database: database.to_owned(),
            found,
            oldest,
            known,
        });
    }
    if found > known {
        tracing::info!(
            database,
            found,
            known,
            "the database has the schema of a newer version, with which this one can work"
        );
    }
    Ok(found)
}
