//! What ends a wait for a database that has fallen silent.
//!
//! A connection that was cut without a word is no error to whoever waits for an answer on it: the system tries to get through
//! for a quarter of an hour. So whether the database answers is found out on a connection of its own (`watching`), and once it
//! does not, every wait ends, and so does each that is begun, until it answers again.

use std::io;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use sqlx::pool::{CloseEvent, PoolConnection};
use sqlx::postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Describe, Either, Execute, Executor, PgPool, Postgres, SqlStr, Transaction};
use tokio::sync::watch;

/// Tells whether the database has fallen silent.
#[derive(Clone, Debug)]
pub(super) struct Lifeline(watch::Receiver<bool>);

impl Lifeline {
    /// One to a database that answers, and what says when it does not any more.
    pub(super) fn new() -> (watch::Sender<bool>, Self) {
        let (silence, is_silent) = watch::channel(false);
        (silence, Self(is_silent))
    }

    /// Whether the database has fallen silent.
    pub(super) fn is_cut(&self) -> bool {
        *self.0.borrow()
    }

    /// What `step` comes to, or an error made by `failed` as soon as the database has fallen silent.
    pub(super) async fn unless_cut<T, E>(
        &self,
        failed: impl FnOnce(sqlx::Error) -> E,
        step: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut is_silent = self.0.clone();
        tokio::select! {
            biased;
            // Whoever would say so is gone once the store is closed, which ends every step by itself.
            Ok(_) = is_silent.wait_for(|is_silent| *is_silent) => Err(failed(silence())),
            done = step => done,
        }
    }
}

fn silence() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(
        io::ErrorKind::TimedOut,
        "it does not answer any more; is it out of reach of this server?",
    ))
}

/// Connections whose statements end where the database falls silent.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    pool: PgPool,
    lifeline: Lifeline,
}

impl Connections {
    pub(super) const fn new(pool: PgPool, lifeline: Lifeline) -> Self {
        Self { pool, lifeline }
    }

    pub(super) const fn lifeline(&self) -> &Lifeline {
        &self.lifeline
    }

    /// The connections as they are.
    pub(super) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// One of the connections, to keep for a while. What is asked on it has to mind the [`Lifeline`] by itself.
    pub(super) async fn acquire(&self) -> sqlx::Result<PoolConnection<Postgres>> {
        self.lifeline.unless_cut(|error| error, self.pool.acquire()).await
    }

    /// Comes to its end when the connections are closed.
    pub(super) fn close_event(&self) -> CloseEvent {
        self.pool.close_event()
    }

    /// Begins a transaction. What is done in it has to mind the [`Lifeline`] by itself.
    pub(super) async fn begin_with(
        &self,
        statement: &'static str,
    ) -> sqlx::Result<Transaction<'static, Postgres>> {
        let begun = self.pool.begin_with(statement);
        self.lifeline.unless_cut(|error| error, begun).await
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

impl<'p> Executor<'p> for &'_ Connections {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let lifeline = self.lifeline.clone();
        let rows = self.pool.fetch_many(query);
        stream::try_unfold((rows, lifeline), |(mut rows, lifeline)| async move {
            let next = lifeline.unless_cut(|error| error, rows.try_next()).await?;
            Ok(next.map(|row| (row, (rows, lifeline))))
        })
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let lifeline = self.lifeline.clone();
        let row = self.pool.fetch_optional(query);
        Box::pin(async move { lifeline.unless_cut(|error| error, row).await })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'p: 'e,
    {
        self.pool.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>>
    where
        'p: 'e,
    {
        self.pool.describe(sql)
    }
}
