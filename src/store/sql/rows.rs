//! All rows of the database, out of it and into it.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _};
use tokio::sync::mpsc;

use super::dialect::{self, Connection, Db, Pool, Row};
use crate::custody::{Hash, Head};
use crate::store::Error;
use crate::store::rows::{
    BATCH, Column, Kind, LEFT_BEHIND, Piece, Rows, TABLES, TableEnd, TableHead, Value, unlike,
};

/// Rows that one statement writes. No table has more than 20 columns, and SQLite takes 32,766 parameters.
const ROWS: usize = 500;

/// Sends every row, all as of one moment.
pub(in crate::store) async fn send(readers: &Pool, out: &mpsc::Sender<Piece>) -> Result<(), Error> {
    let begun = dialect::snapshot(readers).await;
    let mut snapshot = begun.map_err(Error::database("begin a transaction"))?;
    let tables = dialect::tables(&mut snapshot).await;
    let tables = tables.map_err(Error::database("list tables"))?;
    let is_known = |table: &&String| {
        LEFT_BEHIND.contains(&table.as_str()) || TABLES.iter().any(|(known, _)| known == table)
    };
    if let Some(table) = tables.iter().find(|table| !is_known(table)) {
        return Err(unlike(format!(
            "there is a table {table} that would not be brought over"
        )));
    }
    let head: (i64, Vec<u8>) = sqlx::query_as("SELECT size, root FROM custody_head WHERE id = 1")
        .fetch_one(&mut *snapshot)
        .await
        .map_err(Error::database("read the head of the custody log"))?;
    give(out, Piece::Begin(head_of(head)?)).await?;
    for (table, order) in TABLES {
        let head = TableHead {
            name: table.to_owned(),
            columns: columns(&mut snapshot, table).await?,
        };
        give(out, Piece::Table(head.clone())).await?;
        let end = read(&mut snapshot, &head, order, Some(out)).await?;
        give(out, Piece::TableEnd(end)).await?;
    }
    give(out, Piece::End).await
}

fn head_of((size, root): (i64, Vec<u8>)) -> Result<Head, Error> {
    let broken = |what: &str| Error::BrokenHead {
        what: what.to_owned(),
    };
    Ok(Head {
        size: u64::try_from(size).map_err(|_| broken("its size is negative"))?,
        root: Hash(root.try_into().map_err(|_| broken("its root has not 32 bytes"))?),
    })
}

async fn give(out: &mpsc::Sender<Piece>, piece: Piece) -> Result<(), Error> {
    let given = out.send(piece).await;
    given.map_err(|_| unlike("nobody takes the rows any more"))
}

/// Takes all of it into a database with nothing in it, and gives the number of rows of each table.
pub(in crate::store) async fn fill(
    connection: &mut Connection,
    pieces: &mut mpsc::Receiver<Piece>,
) -> Result<BTreeMap<&'static str, u64>, Error> {
    require_empty(connection).await?;
    let mut filled = BTreeMap::new();
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Begin(_) => {}
            Piece::Table(head) => {
                let known = TABLES.iter().find(|(table, _)| *table == head.name);
                let (table, order) = *known.ok_or_else(|| {
                    unlike(format!(
                        "it has a table {:?} that this version does not know; take the version that made it, or a newer one",
                        head.name
                    ))
                })?;
                require_columns(&columns(connection, table).await?, &head)?;
                let rows = take_in(connection, &head, order, pieces).await?;
                if filled.insert(table, rows).is_some() {
                    return Err(unlike(format!("it has the table {table} twice")));
                }
            }
            Piece::End if filled.contains_key("custody_head") => return Ok(filled),
            Piece::End => return Err(unlike("it has no head of the custody log")),
            Piece::Rows(_) | Piece::TableEnd(_) => return Err(unlike("it has rows of no table")),
        }
    }
    Err(unlike("it broke off before its end"))
}

async fn require_empty(connection: &mut Connection) -> Result<(), Error> {
    let root_keys: i64 = sqlx::query_scalar("SELECT count(*) FROM root_key")
        .fetch_one(&mut *connection)
        .await
        .map_err(Error::database("look at what is there"))?;
    // Its head is replaced by the one that is brought.
    let taken = sqlx::query("DELETE FROM custody_head WHERE id = 1 AND size = 0")
        .execute(connection)
        .await
        .map_err(Error::database("make room"))?;
    if root_keys != 0 || taken.rows_affected() != 1 {
        return Err(Error::NotEmpty);
    }
    Ok(())
}

fn require_columns(here: &[Column], head: &TableHead) -> Result<(), Error> {
    match head.columns.iter().find(|column| !here.contains(column)) {
        None => Ok(()),
        Some(column) => Err(unlike(format!(
            "its table {} has a column {:?} that this version does not know; take the version that made it, or a newer one",
            head.name, column.name
        ))),
    }
}

/// Writes the rows of a table, reads them back and compares them with what was sent.
async fn take_in(
    connection: &mut Connection,
    head: &TableHead,
    order: &str,
    pieces: &mut mpsc::Receiver<Piece>,
) -> Result<u64, Error> {
    let table = &head.name;
    loop {
        match pieces.recv().await {
            Some(Piece::Rows(bytes)) => {
                let mut rows = Rows::of(&head.columns, &bytes);
                let mut waiting = Vec::with_capacity(ROWS);
                while let Some(row) = rows.next()? {
                    waiting.push(row);
                    if waiting.len() == ROWS {
                        insert(connection, head, std::mem::take(&mut waiting)).await?;
                    }
                }
                if !waiting.is_empty() {
                    insert(connection, head, waiting).await?;
                }
            }
            Some(Piece::TableEnd(sent)) => {
                let arrived = read(connection, head, order, None).await?;
                if arrived.rows != sent.rows {
                    return Err(unlike(format!(
                        "{table} has {} rows, and had {}",
                        arrived.rows, sent.rows
                    )));
                }
                if arrived.sha256 != sent.sha256 {
                    return Err(unlike(format!("the rows of {table} are not what they were")));
                }
                return Ok(sent.rows);
            }
            Some(_) | None => return Err(unlike(format!("it broke off within the table {table}"))),
        }
    }
}

async fn insert(connection: &mut Connection, head: &TableHead, rows: Vec<Vec<Value>>) -> Result<(), Error> {
    let mut insert = QueryBuilder::<Db>::new(format!("INSERT INTO {} ({}) ", head.name, head.names()));
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
        .execute(connection)
        .await
        .map_err(Error::database("write rows"))?;
    Ok(())
}

/// The columns of a table, in its own order.
async fn columns(connection: &mut Connection, table: &str) -> Result<Vec<Column>, Error> {
    let found = dialect::columns(connection, table).await;
    let found = found.map_err(Error::database("list columns"))?;
    let column = |(name, of_type): (String, String)| match Kind::of_type(&of_type) {
        Some(kind) => Ok(Column { name, kind }),
        None => Err(unlike(format!(
            "the column {name} of {table} has the type {of_type}"
        ))),
    };
    found.into_iter().map(column).collect()
}

/// Reads all rows of a table and tells what they are; sends them where somebody takes them.
async fn read(
    connection: &mut Connection,
    head: &TableHead,
    order: &str,
    out: Option<&mpsc::Sender<Piece>>,
) -> Result<TableEnd, Error> {
    let mut rows = sqlx::query(AssertSqlSafe(head.select(order))).fetch(connection);
    let mut batch = Vec::with_capacity(BATCH + (BATCH >> 2));
    let mut hash = Sha256::new();
    let mut number = 0;
    loop {
        let row: Option<Row> = rows.try_next().await.map_err(Error::database("read rows"))?;
        let is_last = row.is_none();
        if let Some(row) = row {
            for (place, column) in head.columns.iter().enumerate() {
                value(&row, place, column.kind)
                    .map_err(Error::database("read rows"))?
                    .write(&mut batch)?;
            }
            number += 1;
        }
        if batch.len() >= BATCH || (is_last && !batch.is_empty()) {
            hash.update(&batch);
            if let Some(out) = out {
                give(out, Piece::Rows(batch.clone())).await?;
            }
            batch.clear();
        }
        if is_last {
            return Ok(TableEnd {
                rows: number,
                sha256: Hash(hash.finalize().into()),
            });
        }
    }
}

fn value(row: &Row, place: usize, kind: Kind) -> sqlx::Result<Value> {
    Ok(match kind {
        Kind::Bytes => Value::Bytes(row.try_get(place)?),
        Kind::Text => Value::Text(row.try_get(place)?),
        Kind::Integer => Value::Integer(row.try_get(place)?),
    })
}
