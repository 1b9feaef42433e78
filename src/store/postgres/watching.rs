//! What other servers have done in the database: told by `NOTIFY`, and looked for where nobody tells.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::PostgresOptions;
use crate::store::{Elsewhere, Error};

/// The channel of notifications.
const CHANNEL: &str = "claviger";
/// Between two looks.
const POLL: Duration = Duration::from_millis(500);
/// After so long without an answer the database is taken for gone, and may be elsewhere.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many looks until it is tried again to listen, where the database could not be listened to.
const LISTEN_AGAIN: u32 = 20;

/// What the database has now.
pub(super) async fn look(pool: &PgPool) -> Result<Elsewhere, sqlx::Error> {
    let (size, identities): (i64, i64) = sqlx::query_as(
        "SELECT head.size, generation.number FROM custody_head AS head, identity_generation AS generation \
         WHERE head.id = 1 AND generation.id = 1",
    )
    .fetch_one(pool)
    .await?;
    Ok(Elsewhere {
        identities: identities.unsigned_abs(),
        size: size.unsigned_abs(),
        outages: 0,
    })
}

/// Keeps `known` as the database is, until the connections are closed.
pub(super) async fn follow(pool: PgPool, options: PostgresOptions, known: watch::Sender<Elsewhere>) {
    let mut listener = None;
    let (mut looks, mut outages) = (0_u32, 0);
    let mut is_lost = false;
    loop {
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
        let found = timeout(PATIENCE, look(&pool)).await;
        match found.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Ok(found) => {
                outages += u64::from(is_lost);
                is_lost = false;
                known.send_if_modified(|known| {
                    let found = Elsewhere { outages, ..found };
                    let is_new = *known != found;
                    *known = found;
                    is_new
                });
            }
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => {
                if !is_lost {
                    tracing::warn!(%error, "what other servers change can't be seen until the database answers");
                }
                is_lost = true;
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
pub(super) async fn tell(pool: &PgPool) -> Result<(), Error> {
    sqlx::query("SELECT pg_notify($1, '')")
        .bind(CHANNEL)
        .execute(pool)
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
