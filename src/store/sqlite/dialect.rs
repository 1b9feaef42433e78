//! What is SQLite's own in the SQL of [`super::sql`]: its types, and statements that go to its thread together.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::sqlite::SqliteConnection;
use sqlx::{QueryBuilder, Sqlite, SqlitePool, Transaction};
use tokio::sync::watch;

use super::sql::custody::{ROWS, integer};
use super::sql::key::TERMS;
use super::writer::Statement;
use crate::custody::StoredRecord;
use crate::store::table::KeyColumns;
use crate::store::{Appended, CustodyHead, Elsewhere, Error, RecordTerms};

pub(super) use super::SqliteStore as DatabaseStore;
pub(super) use sqlx::sqlite::SqliteRow as Row;
pub(super) use sqlx::{Sqlite as Db, SqliteConnection as Connection, SqlitePool as Pool};

/// The store is one server's alone.
pub(super) const fn elsewhere(_store: &DatabaseStore) -> Option<watch::Receiver<Elsewhere>> {
    None
}

/// The store is one server's alone.
#[expect(clippy::unused_async, reason = "other databases are asked")]
pub(super) async fn lease(
    _store: &DatabaseStore,
    _name: &str,
    _holder: &str,
    _term: Duration,
) -> Result<bool, Error> {
    Ok(true)
}

/// The store is one server's alone, which keeps the positions of feeds in files.
#[expect(clippy::unused_async, reason = "other databases are asked")]
pub(super) async fn feed_position(_store: &DatabaseStore, _name: &str) -> Result<Option<String>, Error> {
    Ok(None)
}

/// The store is one server's alone, which keeps the positions of feeds in files.
#[expect(clippy::unused_async, reason = "other databases are told")]
pub(super) async fn keep_feed_position(
    _store: &DatabaseStore,
    _name: &str,
    _position: &str,
) -> Result<(), Error> {
    Ok(())
}

/// Has this index lead a search: SQLite has no statistics of a table that nobody analysed.
pub(super) fn led_by(index: &str) -> String {
    format!(" INDEXED BY {index}")
}

/// A transaction that reads, and sees all as of one moment.
pub(super) async fn snapshot(readers: &SqlitePool) -> sqlx::Result<Transaction<'static, Db>> {
    readers.begin().await
}

/// What `step` comes to: a file is never out of reach without an error.
pub(super) async fn while_reached<T>(
    _readers: &Pool,
    step: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    step.await
}

/// The names of all tables.
pub(super) async fn tables(connection: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
        .fetch_all(connection)
        .await
}

/// The columns of a table with their types, in its own order.
pub(super) async fn columns(
    connection: &mut SqliteConnection,
    table: &str,
) -> sqlx::Result<Vec<(String, String)>> {
    sqlx::query_as("SELECT name, type FROM pragma_table_info($1) ORDER BY cid")
        .bind(table)
        .fetch_all(connection)
        .await
}

/// Writes a new key and its index; neither where its identifier is taken. One statement after the other, but sent at once:
/// each way to the thread of the database costs more than the statement.
pub(super) async fn insert_key(
    connection: &mut SqliteConnection,
    columns: KeyColumns,
    terms: &BTreeSet<Vec<u8>>,
) -> Result<u64, Error> {
    let mut insert = QueryBuilder::<Sqlite>::new(
        "INSERT INTO managed_object (ordinal, id, adapter, root_key, root_key_version, wrap_profile, revision, \
         sealed_by, seal, wrapped, document) ",
    );
    let ordinal = columns.ordinal;
    insert.push_values([columns], |mut row, columns| {
        row.push_bind(columns.ordinal)
            .push_bind(columns.id)
            .push_bind(columns.adapter)
            .push_bind(columns.root_key)
            .push_bind(columns.root_key_version)
            .push_bind(columns.wrap_profile)
            .push_bind(columns.revision)
            .push_bind(columns.sealed_by)
            .push_bind(columns.seal)
            .push_bind(columns.wrapped)
            .push_bind(columns.document);
    });
    insert.push(" ON CONFLICT (id) DO NOTHING");
    let terms: Vec<&Vec<u8>> = terms.iter().collect();
    for (place, terms) in terms.chunks(TERMS).enumerate() {
        // Of the statement before: the key, or the terms before these.
        let before = if place == 0 { 1 } else { TERMS };
        insert.push("; INSERT INTO index_term (term, ordinal) SELECT column1, column2 FROM (");
        insert.push_values(terms, |mut entry, term| {
            entry.push_bind(&term[..]).push_bind(ordinal);
        });
        insert.push(format_args!(") WHERE changes() = {before}"));
    }
    let inserted = insert
        .build()
        .execute(connection)
        .await
        .map_err(Error::database("write a new key"))?;
    Ok(inserted.rows_affected())
}

/// The statement that moves the head and appends the records. It is for whoever holds the lock, and has looked where the head is.
/// Where the records are very many, the first of them are written here.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    appended: &Appended,
    to: &CustodyHead,
) -> Result<Statement, Error> {
    let mut chunks = appended.records.chunks(ROWS);
    let last = chunks.next_back();
    for records in chunks {
        let mut append = Statement::new("");
        push_records(&mut append, records)?;
        let written = append.build().execute(&mut *connection).await;
        written.map_err(Error::database("append to the custody log"))?;
    }
    let mut append = Statement::new("UPDATE custody_head SET size = ");
    append
        .push_bind(integer(to.tree.size(), "the log's size")?)
        .push(", root = ")
        .push_bind(to.tree.root().0.to_vec())
        .push(", frontier = ")
        .push_bind(to.tree.to_bytes())
        .push(", anchor_size = ")
        .push_bind(integer(to.anchor.size(), "the anchor's size")?)
        .push(", anchor = ")
        .push_bind(to.anchor.to_bytes())
        .push(" WHERE id = 1");
    if let Some(records) = last {
        append.push("; ");
        push_records(&mut append, records)?;
    }
    Ok(append)
}

fn push_records(statement: &mut Statement, records: &[(StoredRecord, RecordTerms)]) -> Result<(), Error> {
    let rows = records
        .iter()
        .map(|(record, terms)| Ok((integer(record.sequence, "a sequence number")?, record, terms)))
        .collect::<Result<Vec<_>, Error>>()?;
    statement
        .push("INSERT INTO custody_record (sequence, leaf, record, object, client) ")
        .push_values(rows, |mut row, (sequence, record, terms)| {
            row.push_bind(sequence)
                .push_bind(&record.leaf.0[..])
                .push_bind(&record.bytes[..])
                .push_bind(terms.object.as_deref())
                .push_bind(terms.client.as_ref().map(|client| &client.0[..]));
        });
    Ok(())
}
