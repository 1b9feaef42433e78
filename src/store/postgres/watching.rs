//! What other servers have done in the database: told by `NOTIFY`, and looked for where nobody tells.

use std::time::Duration;

use sqlx::postgres::PgListener;
use sqlx::{ConnectOptions as _, Executor, PgConnection, PgPool, Postgres};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::PostgresOptions;
use super::lifeline::Connections;
use crate::store::{Elsewhere, Error};

/// The channel of notifications.
const CHANNEL: &str = "claviger";
/// Between two looks.
const POLL: Duration = Duration::from_millis(500);
/// After so long without an answer the database is taken for gone, and may be elsewhere.
const PATIENCE: Duration = Duration::from_secs(2);
/// After so many looks without an answer nobody waits for it any more.
const LOST: u32 = 2;
/// So many looks until it is tried again to listen, where the database could not be listened to.
const LISTEN_AGAIN: u32 = 20;

/// What the database has now.
pub(super) async fn look(executor: impl Executor<'_, Database = Postgres>) -> Result<Elsewhere, sqlx::Error> {
    let (size, identities): (i64, i64) = sqlx::query_as(
        "SELECT head.size, generation.number FROM custody_head AS head, identity_generation AS generation \
         WHERE head.id = 1 AND generation.id = 1",
    )
    .fetch_one(executor)
    .await?;
    Ok(Elsewhere {
        identities: identities.unsigned_abs(),
        size: size.unsigned_abs(),
        outages: 0,
    })
}

/// The same, on a connection of its own: it is not to wait for those who have much to ask. One that failed is given up.
async fn look_on(own: &mut Option<PgConnection>, pool: &PgPool) -> Result<Elsewhere, sqlx::Error> {
    let mut connection = match own.take() {
        Some(connection) => connection,
        None => pool.connect_options().connect().await?,
    };
    let found = look(&mut connection).await?;
    *own = Some(connection);
    Ok(found)
}

/// Keeps `known` as the database is, and `silence` as whether it answers, until the connections are closed.
pub(super) async fn follow(
    pool: PgPool,
    options: PostgresOptions,
    known: watch::Sender<Elsewhere>,
    silence: watch::Sender<bool>,
) {
    let (mut listener, mut own) = (None, None);
    let (mut looks, mut outages, mut failures) = (0_u32, 0, 0_u32);
    while !pool.is_closed() {
        if listener.is_none() && looks.is_multiple_of(LISTEN_AGAIN) {
            listener = timeout(PATIENCE, listen(&pool)).await.unwrap_or(None);
        }
        looks = looks.wrapping_add(1);
        let is_listening = match &mut listener {
            Some(listener) => !matches!(timeout(POLL, listener.recv()).await, Ok(Err(_))),
            None => false,
        };
        if !is_listening {
            listener = None;
            sleep(POLL).await;
        }
        let found = timeout(PATIENCE, look_on(&mut own, &pool)).await;
        match found.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Ok(found) => {
                outages += u64::from(failures > 0);
                failures = 0;
                if silence.send_replace(false) {
                    tracing::info!("the database answers again");
                }
                known.send_if_modified(|known| {
                    let found = Elsewhere { outages, ..found };
                    let is_new = *known != found;
                    *known = found;
                    is_new
                });
            }
            Err(error) => {
                if failures == 0 {
                    tracing::warn!(%error, "what other servers change can't be seen until the database answers");
                }
                failures = failures.saturating_add(1);
                if failures == LOST {
                    tracing::error!("the database does not answer: what waits for it is given up");
                    silence.send_replace(true);
                    // It may never hear of what came meanwhile.
                    listener = None;
                }
                // Another server may have taken the place of the one that was written to.
                if options.may_move()
                    && let Ok(found) = options.writable().await
                {
                    pool.set_connect_options(found);
                }
            }
        }
    }
}

/// Tells the other servers that there is something to look at. Where nobody can be told, they look by themselves.
pub(super) async fn tell(connections: &Connections) -> Result<(), Error> {
    sqlx::query("SELECT pg_notify($1, '')")
        .bind(CHANNEL)
        .execute(connections)
        .await
        .map_err(Error::database("tell other servers of a change"))?;
    Ok(())
}

async fn listen(pool: &PgPool) -> Option<PgListener> {
    let listening = async {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        Ok::<_, sqlx::Error>(listener)
    };
    match listening.await {
        Ok(listener) => Some(listener),
        Err(error) => {
            tracing::debug!(%error, "the database can't be listened to, and is looked at twice a second");
            None
        }
    }
}
