//! The way of a whole database from SQLite to PostgreSQL: row by row as they are, seals and all, and each compared afterwards.
//!
//! It needs no seal key and no device. What is compared is every column of every row, and the log: its hashes, made again from
//! the records that were copied, must give its head.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, QueryBuilder, Row as _, SqlitePool};

use super::{Error, PostgresStore, SqliteStore, Store};
use crate::custody::{CompactRange, Head, leaf_hash};

/// The tables, each after those that it refers to, with the order in which rows are read.
const TABLES: [(&str, &str); 14] = [
    ("root_key", "id"),
    ("root_key_version", "id, version"),
    ("adapter", "id"),
    ("adapter_setting", "id, kind"),
    ("adapter_quota", "id"),
    ("adapter_usage", "id"),
    ("client_certificate", "fingerprint"),
    ("access_token", "id"),
    ("managed_object", "ordinal"),
    ("index_term", "term, ordinal"),
    ("custody_record", "sequence"),
    ("custody_hash", "level, position"),
    ("custody_checkpoint", "size"),
    ("custody_head", "id"),
];

/// The tables that tell of the database itself, and which each has for itself.
const OWN_TABLES: [&str; 2] = ["_sqlx_migrations", "schema_compatibility"];

/// Rows that one statement writes. No table has more than 20 columns, and PostgreSQL takes 65,535 parameters.
const ROWS: usize = 500;
/// Records, and their hashes, that are read at a time.
const PAGE: u32 = 4096;

/// What was brought over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The number of rows of each table.
    pub rows: BTreeMap<&'static str, u64>,
    /// The head of the log, which its records give.
    pub head: Head,
}

/// A column as both databases have it.
struct Column {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Bytes,
    Text,
    Integer,
}

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Bytes(Option<Vec<u8>>),
    Text(Option<String>),
    Integer(Option<i64>),
}

/// Brings everything over, in one transaction, and compares it with what it was.
///
/// Nobody may write to either meanwhile. Fails with [`Error::NotEmpty`] where there is something already, with
/// [`Error::Unlike`] where what arrived is not what was sent; nothing is left there then.
pub async fn migrate(from: &SqliteStore, to: &PostgresStore) -> Result<Migrated, Error> {
    require_known_tables(from.readers()).await?;
    let begun = to.readers().begin().await;
    let mut transaction = begun.map_err(Error::database("begin a transaction"))?;
    require_empty(&mut transaction).await?;
    let mut rows = BTreeMap::new();
    for (table, order) in TABLES {
        let columns = columns(&mut transaction, table).await?;
        require_known_columns(from.readers(), table, &columns).await?;
        copy(from.readers(), &mut transaction, table, order, &columns).await?;
        let number = compare(from.readers(), &mut transaction, table, order, &columns).await?;
        rows.insert(table, number);
    }
    transaction.commit().await.map_err(Error::database("commit"))?;
    let head = verify(to).await?;
    Ok(Migrated { rows, head })
}

/// A table that this does not know of would be left behind.
async fn require_known_tables(from: &SqlitePool) -> Result<(), Error> {
    let found: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
            .fetch_all(from)
            .await
            .map_err(Error::database("list tables"))?;
    let known: BTreeSet<&str> = TABLES.iter().map(|(table, _)| *table).chain(OWN_TABLES).collect();
    match found.iter().find(|table| !known.contains(table.as_str())) {
        None => Ok(()),
        Some(table) => Err(Error::Unlike {
            what: format!("there is a table {table} that would not be brought over"),
        }),
    }
}

/// So would a column, which a newer program has made.
async fn require_known_columns(from: &SqlitePool, table: &str, columns: &[Column]) -> Result<(), Error> {
    let found: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info($1)")
        .bind(table)
        .fetch_all(from)
        .await
        .map_err(Error::database("list columns"))?;
    let is_known = |found: &String| columns.iter().any(|column| column.name == *found);
    match found.iter().find(|found| !is_known(found)) {
        None => Ok(()),
        Some(column) => Err(Error::Unlike {
            what: format!("there is a column {column} of {table} that would not be brought over"),
        }),
    }
}

async fn require_empty(to: &mut PgConnection) -> Result<(), Error> {
    let size: i64 = sqlx::query_scalar("SELECT size FROM custody_head WHERE id = 1 FOR UPDATE")
        .fetch_one(&mut *to)
        .await
        .map_err(Error::database("look at what is there"))?;
    let root_keys: i64 = sqlx::query_scalar("SELECT count(*) FROM root_key")
        .fetch_one(&mut *to)
        .await
        .map_err(Error::database("look at what is there"))?;
    if size != 0 || root_keys != 0 {
        return Err(Error::NotEmpty);
    }
    // Its head is replaced by the one that is brought over.
    sqlx::query("DELETE FROM custody_head")
        .execute(to)
        .await
        .map_err(Error::database("make room"))?;
    Ok(())
}

async fn columns(to: &mut PgConnection, table: &str) -> Result<Vec<Column>, Error> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT column_name::text, data_type::text FROM information_schema.columns \
         WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
    )
    .bind(table)
    .fetch_all(to)
    .await
    .map_err(Error::database("list columns"))?;
    let column = |(name, data_type): (String, String)| {
        let kind = match data_type.as_str() {
            "bytea" => Kind::Bytes,
            "text" => Kind::Text,
            "bigint" => Kind::Integer,
            other => {
                let what = format!("the column {name} of {table} has the type {other}");
                return Err(Error::Unlike { what });
            }
        };
        Ok(Column { name, kind })
    };
    rows.into_iter().map(column).collect()
}

fn select(table: &str, order: &str, columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    format!("SELECT {} FROM {table} ORDER BY {order}", names.join(", "))
}

/// Reads the values of a row, of whichever database.
macro_rules! values {
    ($row:expr, $columns:expr) => {
        $columns
            .iter()
            .enumerate()
            .map(|(place, column)| {
                Ok(match column.kind {
                    Kind::Bytes => Value::Bytes($row.try_get(place)?),
                    Kind::Text => Value::Text($row.try_get(place)?),
                    Kind::Integer => Value::Integer($row.try_get(place)?),
                })
            })
            .collect::<sqlx::Result<Vec<Value>>>()
    };
}

async fn copy(
    from: &SqlitePool,
    to: &mut PgConnection,
    table: &'static str,
    order: &str,
    columns: &[Column],
) -> Result<(), Error> {
    let statement = select(table, order, columns);
    let mut rows = sqlx::query(AssertSqlSafe(statement)).fetch(from);
    let mut waiting = Vec::with_capacity(ROWS);
    loop {
        let row: Option<SqliteRow> = rows.try_next().await.map_err(Error::database("read rows"))?;
        let is_last = row.is_none();
        if let Some(row) = row {
            waiting.push(values!(row, columns).map_err(Error::database("read rows"))?);
        }
        if waiting.len() == ROWS || (is_last && !waiting.is_empty()) {
            insert(to, table, columns, std::mem::take(&mut waiting)).await?;
        }
        if is_last {
            return Ok(());
        }
    }
}

async fn insert(
    to: &mut PgConnection,
    table: &str,
    columns: &[Column],
    rows: Vec<Vec<Value>>,
) -> Result<(), Error> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut insert = QueryBuilder::<Postgres>::new(format!("INSERT INTO {table} ({}) ", names.join(", ")));
    insert.push_values(rows, |mut row, values| {
        for value in values {
            match value {
                Value::Bytes(bytes) => row.push_bind(bytes),
                Value::Text(text) => row.push_bind(text),
                Value::Integer(number) => row.push_bind(number),
            };
        }
    });
    insert
        .build()
        .persistent(false)
        .execute(to)
        .await
        .map_err(Error::database("write rows"))?;
    Ok(())
}

/// Reads both side by side, and gives the number of rows.
async fn compare(
    from: &SqlitePool,
    to: &mut PgConnection,
    table: &'static str,
    order: &str,
    columns: &[Column],
) -> Result<u64, Error> {
    let statement = select(table, order, columns);
    let mut sent = sqlx::query(AssertSqlSafe(statement.clone())).fetch(from);
    let mut arrived = sqlx::query(AssertSqlSafe(statement)).fetch(to);
    let mut number = 0;
    loop {
        let sent: Option<SqliteRow> = sent.try_next().await.map_err(Error::database("read rows"))?;
        let arrived: Option<PgRow> = arrived.try_next().await.map_err(Error::database("read rows"))?;
        let (sent, arrived) = match (sent, arrived) {
            (None, None) => return Ok(number),
            (Some(sent), Some(arrived)) => (sent, arrived),
            _ => {
                let what = format!("{table} has another number of rows than it had");
                return Err(Error::Unlike { what });
            }
        };
        let sent = values!(sent, columns).map_err(Error::database("read rows"))?;
        let arrived = values!(arrived, columns).map_err(Error::database("read rows"))?;
        if sent != arrived {
            let what = format!("row {number} of {table} is not what it was");
            return Err(Error::Unlike { what });
        }
        number += 1;
    }
}

/// Makes the hashes of the log again. Of records that were pruned there are the leaves alone.
async fn verify(store: &PostgresStore) -> Result<Head, Error> {
    let head = store.custody_head().await?;
    let mut tree = CompactRange::new();
    while tree.size() < head.tree.size() {
        let leaves = store.custody_hashes(0, tree.size(), PAGE).await?;
        if leaves.is_empty() {
            let what = format!("record {} of the custody log is missing", tree.size());
            return Err(Error::Unlike { what });
        }
        for leaf in leaves {
            tree.append(leaf);
        }
    }
    if tree != head.tree {
        let what = format!(
            "the log has the root {}, and its records give {}",
            head.tree.root(),
            tree.root()
        );
        return Err(Error::BrokenHead { what });
    }
    let mut next = 0;
    loop {
        let records = store.custody_records(next, PAGE).await?;
        let Some(last) = records.last() else {
            return Ok(head.head());
        };
        next = last.sequence + 1;
        if let Some(changed) = records
            .iter()
            .find(|record| leaf_hash(&record.bytes) != record.leaf)
        {
            let what = format!(
                "record {} of the custody log does not give its hash",
                changed.sequence
            );
            return Err(Error::Unlike { what });
        }
    }
}
