//! Connecting: what each connection is set to, and the schema.

use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, Executor as _, PgPool};

use super::lifeline::Lifeline;
use super::sql::schema;
use super::{Error, PostgresOptions};
use crate::store::schema::known;

/// How long a caller waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(10);

/// A connection that rested for longer is asked whether it is there before it is used.
const FRESH: Duration = Duration::from_secs(1);

/// What each connection is set to. A commit is answered once it is on the disk, and on that of a synchronous standby, whatever
/// the server's own setting is. A server that is cut off in the middle of a transaction holds up the others for less long than they
/// wait.
const SETTINGS: &str = "\
    SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = '5s'; \
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// What each connection of somebody who only reads is set to.
const READING: &str = "SET default_transaction_read_only = on";

/// The connections, on a database whose schema is up to date.
pub(super) async fn pool(options: &PostgresOptions, lifeline: &Lifeline) -> Result<PgPool, Error> {
    let pool = connect(options, lifeline, SETTINGS).await?;
    schema::bring_up_to_date(&pool, migrations(), &options.to_string()).await?;
    Ok(pool)
}

/// The connections of somebody who only reads: the schema stays as it is, and must not be older than this program.
pub(super) async fn reading_pool(options: &PostgresOptions, lifeline: &Lifeline) -> Result<PgPool, Error> {
    let pool = connect(options, lifeline, READING).await?;
    let (migrations, database) = (migrations(), options.to_string());
    let mut connection = pool.acquire().await.map_err(Error::database("connect"))?;
    let found = schema::require_served(&mut connection, &migrations, &database).await?;
    let known = known(&migrations);
    if found < known {
        let why = format!(
            "it has schema {found}, and this program reads schema {known}: use the version of its servers, or start a server \
             of this version first"
        );
        return Err(Error::Schema { database, why });
    }
    drop(connection);
    Ok(pool)
}

async fn connect(
    options: &PostgresOptions,
    lifeline: &Lifeline,
    settings: &'static str,
) -> Result<PgPool, Error> {
    let lifeline = lifeline.clone();
    PgPoolOptions::new()
        .acquire_timeout(ACQUIRE)
        .max_connections(options.connections)
        // One that was used a moment ago is there still; to ask it is another way there and back.
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| {
            Box::pin(async move {
                if metadata.idle_for > FRESH {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        // One to a database that has fallen silent would be waited for; it is given up.
        .after_release(move |_, _| {
            let is_cut = lifeline.is_cut();
            Box::pin(async move { Ok(!is_cut) })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection.execute(settings).await?;
                Ok(())
            })
        })
        .connect_with(options.writable().await.map_err(Error::database("connect"))?)
        .await
        .map_err(Error::database("connect"))
}

/// The schemas that this program knows.
pub(super) fn migrations() -> Migrator {
    sqlx::migrate!("src/store/postgres/migrations")
}
