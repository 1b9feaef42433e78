//! What is PostgreSQL's own in the SQL of [`super::sql`]: its types, and statements that go to the server together, since
//! each way there and back costs more than the statement.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::{PgConnection, Transaction};
use tokio::sync::watch;

use super::sql::custody::integer;
use crate::store::table::KeyColumns;
use crate::store::{Appended, CustodyHead, Elsewhere, Error};

pub(super) use super::PostgresStore as DatabaseStore;
pub(super) use super::lifeline::Connections as Pool;
pub(super) use sqlx::postgres::PgRow as Row;
pub(super) use sqlx::{PgConnection as Connection, Postgres as Db};

/// What all servers have done in the database.
#[expect(clippy::unnecessary_wraps, reason = "other databases are one server's alone")]
pub(super) fn elsewhere(store: &DatabaseStore) -> Option<watch::Receiver<Elsewhere>> {
    Some(store.elsewhere.clone())
}

/// Takes on what is nobody's, or whose time is over by the clock of the database, or goes on with one's own.
pub(super) async fn lease(
    store: &DatabaseStore,
    name: &str,
    holder: &str,
    term: Duration,
) -> Result<bool, Error> {
    let term = i64::try_from(term.as_micros()).unwrap_or(i64::MAX);
    let taken = sqlx::query(
        "INSERT INTO lease (name, holder, until) \
         VALUES ($1, $2, CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) + $3) \
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
         WHERE lease.holder = excluded.holder OR lease.until + $3 < excluded.until",
    )
    .bind(name)
    .bind(holder)
    .bind(term)
    .execute(&store.readers)
    .await
    .map_err(Error::database("take on a lease"))?;
    Ok(taken.rows_affected() > 0)
}

/// How far a feed of the custody log is.
pub(super) async fn feed_position(store: &DatabaseStore, name: &str) -> Result<Option<String>, Error> {
    sqlx::query_scalar("SELECT position FROM feed_position WHERE name = $1")
        .bind(name)
        .fetch_optional(&store.readers)
        .await
        .map_err(Error::database("read the position of a feed"))
}

/// Keeps how far a feed of the custody log is.
pub(super) async fn keep_feed_position(
    store: &DatabaseStore,
    name: &str,
    position: &str,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO feed_position (name, position) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET position = excluded.position",
    )
    .bind(name)
    .bind(position)
    .execute(&store.readers)
    .await
    .map_err(Error::database("keep the position of a feed"))?;
    Ok(())
}

/// Which index leads a search, the planner knows.
pub(super) fn led_by(_index: &str) -> String {
    String::new()
}

/// A transaction that reads, and sees all as of one moment.
pub(super) async fn snapshot(readers: &Pool) -> sqlx::Result<Transaction<'static, Db>> {
    readers
        .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
}

/// What `step` comes to, unless the database falls silent meanwhile.
pub(super) async fn while_reached<T>(
    readers: &Pool,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let lifeline = readers.lifeline();
    lifeline.unless_cut(Error::database("answer"), step).await
}

/// The names of all tables.
pub(super) async fn tables(connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.tables \
         WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'",
    )
    .fetch_all(connection)
    .await
}

/// The columns of a table with their types, in its own order.
pub(super) async fn columns(
    connection: &mut PgConnection,
    table: &str,
) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as(
        "SELECT column_name::text, data_type::text FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
    )
    .bind(table)
    .fetch_all(connection)
    .await
}

/// Writes a new key and its index; neither where its identifier is taken.
pub(super) async fn insert_key(
    connection: &mut PgConnection,
    columns: KeyColumns,
    terms: &BTreeSet<Vec<u8>>,
) -> Result<u64, Error> {
    let terms: Vec<&[u8]> = terms.iter().map(Vec::as_slice).collect();
    let inserted: i64 = sqlx::query_scalar(
        "WITH written AS (INSERT INTO managed_object (ordinal, id, adapter, root_key, root_key_version, wrap_profile, \
         revision, sealed_by, seal, wrapped, document) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (id) DO NOTHING RETURNING ordinal), \
         indexed AS (INSERT INTO index_term (term, ordinal) \
         SELECT terms.term, written.ordinal FROM written, unnest($12) AS terms (term)) \
         SELECT count(*) FROM written",
    )
    .bind(columns.ordinal)
    .bind(columns.id)
    .bind(columns.adapter)
    .bind(columns.root_key)
    .bind(columns.root_key_version)
    .bind(columns.wrap_profile)
    .bind(columns.revision)
    .bind(columns.sealed_by)
    .bind(columns.seal)
    .bind(columns.wrapped)
    .bind(columns.document)
    .bind(terms)
    .fetch_one(connection)
    .await
    .map_err(Error::database("write a new key"))?;
    Ok(inserted.unsigned_abs())
}

/// Moves the head and appends the records.
pub(super) async fn append(
    connection: &mut PgConnection,
    appended: &Appended,
    from: &CustodyHead,
    to: &CustodyHead,
) -> Result<(), Error> {
    let mut sequences = Vec::with_capacity(appended.records.len());
    for (record, _) in &appended.records {
        sequences.push(integer(record.sequence, "a sequence number")?);
    }
    let (records, terms) = (appended.records.iter(), appended.records.iter());
    let (leaves, bytes): (Vec<&[u8]>, Vec<&[u8]>) = records
        .map(|(record, _)| (&record.leaf.0[..], &record.bytes[..]))
        .unzip();
    let (objects, clients): (Vec<Option<&str>>, Vec<Option<&[u8]>>) = terms
        .map(|(_, terms)| {
            (
                terms.object.as_deref(),
                terms.client.as_ref().map(|client| &client.0[..]),
            )
        })
        .unzip();
    let moved = sqlx::query(
        "WITH moved AS (UPDATE custody_head SET size = $1, root = $2, frontier = $3, anchor_size = $4, anchor = $5 \
         WHERE id = 1 AND size = $6 AND root = $7 RETURNING id) \
         INSERT INTO custody_record (sequence, leaf, record, object, client) \
         SELECT appended.* FROM moved, unnest($8, $9, $10, $11, $12) AS appended (sequence, leaf, record, object, client)",
    )
    .bind(integer(to.tree.size(), "the log's size")?)
    .bind(to.tree.root().0.to_vec())
    .bind(to.tree.to_bytes())
    .bind(integer(to.anchor.size(), "the anchor's size")?)
    .bind(to.anchor.to_bytes())
    .bind(integer(from.tree.size(), "the log's size")?)
    .bind(from.tree.root().0.to_vec())
    .bind(sequences)
    .bind(leaves)
    .bind(bytes)
    .bind(objects)
    .bind(clients)
    .execute(connection)
    .await
    .map_err(Error::database("append to the custody log"))?;
    if moved.rows_affected() == 0 {
        return Err(Error::HeadMoved);
    }
    Ok(())
}
