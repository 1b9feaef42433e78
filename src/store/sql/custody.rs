//! The custody log as a database keeps it: records and what they are found by, hashes, checkpoints.

use sqlx::{AssertSqlSafe, Executor, QueryBuilder};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::custody::{CompactRange, Hash, Head, StoredRecord, TileHash};
use crate::store::{CustodyHead, CustodyKept, Error, RecordFilter, SearchFrom, StoredCheckpoint};

use super::dialect::{self, Connection, Db, Pool};

const READ: &str = "read the custody log";
/// The most rows that one statement writes: SQLite takes 32,766 parameters, PostgreSQL 65,535.
pub(in crate::store) const ROWS: usize = 4096;

type RecordRow = (i64, Vec<u8>, Vec<u8>);
type CheckpointRow = (i64, i64, String);

pub(in crate::store) async fn head(executor: impl Executor<'_, Database = Db>) -> Result<CustodyHead, Error> {
    let (size, root, frontier, anchor_size, anchor): (i64, Vec<u8>, Vec<u8>, i64, Vec<u8>) =
        sqlx::query_as("SELECT size, root, frontier, anchor_size, anchor FROM custody_head WHERE id = 1")
            .fetch_one(executor)
            .await
            .map_err(Error::database("read the head of the custody log"))?;
    let range = |size: i64, bytes: &[u8]| {
        let size = u64::try_from(size).map_err(|_| Error::BrokenHead {
            what: format!("its size is {size}"),
        })?;
        CompactRange::from_bytes(size, bytes).map_err(|error| Error::BrokenHead {
            what: error.to_string(),
        })
    };
    let head = CustodyHead {
        tree: range(size, &frontier)?,
        anchor: range(anchor_size, &anchor)?,
    };
    if head.tree.root().0 != root.as_slice() {
        let what = format!(
            "its root is {}, and its hashes give {}",
            hex::encode(root),
            head.tree.root()
        );
        return Err(Error::BrokenHead { what });
    }
    Ok(head)
}

/// The head as a transaction finds it.
pub(in crate::store) fn found((size, root): (i64, Vec<u8>)) -> Result<Head, Error> {
    let broken = |what: String| Error::BrokenHead { what };
    Ok(Head {
        size: u64::try_from(size).map_err(|_| broken(format!("its size is {size}")))?,
        root: root
            .try_into()
            .map(Hash)
            .map_err(|root: Vec<u8>| broken(format!("its root has {} bytes", root.len())))?,
    })
}

pub(in crate::store) async fn tail(
    readers: &Pool,
    limit: u32,
) -> Result<(CustodyHead, Vec<StoredRecord>), Error> {
    let mut transaction = dialect::snapshot(readers).await.map_err(Error::database(READ))?;
    let head = head(&mut *transaction).await?;
    let records = records(&mut *transaction, head.anchor.size(), limit).await?;
    Ok((head, records))
}

pub(in crate::store) async fn records(
    executor: impl Executor<'_, Database = Db>,
    from: u64,
    limit: u32,
) -> Result<Vec<StoredRecord>, Error> {
    let rows: Vec<RecordRow> = sqlx::query_as(
        "SELECT sequence, leaf, record FROM custody_record WHERE sequence >= $1 ORDER BY sequence LIMIT $2",
    )
    .bind(clamped(from))
    .bind(i64::from(limit))
    .fetch_all(executor)
    .await
    .map_err(Error::database(READ))?;
    rows.into_iter().map(record).collect()
}

pub(in crate::store) async fn search(
    readers: &Pool,
    filter: &RecordFilter,
    from: SearchFrom,
    limit: u32,
) -> Result<Vec<StoredRecord>, Error> {
    let client = match filter.client.as_ref().map(|client| client.parse::<Hash>()) {
        None => None,
        Some(Ok(client)) => Some(client),
        // Nobody has such a certificate.
        Some(Err(_)) => return Ok(Vec::new()),
    };
    if filter.object.as_ref().is_some_and(|object| object.contains('\0')) {
        // No object is called so.
        return Ok(Vec::new());
    }
    let sql = search_statement(filter.object.is_some(), client.is_some(), from);
    let mut query = sqlx::query_as(AssertSqlSafe(sql));
    if let Some(object) = &filter.object {
        query = query.bind(object);
    }
    if let Some(client) = client {
        query = query.bind(client.0.to_vec());
    }
    let (SearchFrom::Number(number) | SearchFrom::Before(number)) = from;
    let rows: Vec<RecordRow> = query
        .bind(clamped(number))
        .bind(i64::from(limit))
        .fetch_all(readers)
        .await
        .map_err(Error::database("search the custody log"))?;
    rows.into_iter().map(record).collect()
}

/// How many objects one statement asks for.
const OBJECTS: usize = 256;

pub(in crate::store) async fn latest(
    readers: &Pool,
    objects: &[Uuid],
    from: u64,
    before: u64,
) -> Result<Vec<StoredRecord>, Error> {
    let mut found = Vec::with_capacity(objects.len());
    for objects in objects.chunks(OBJECTS) {
        let mut query = QueryBuilder::<Db>::new("WITH wanted (object) AS (");
        query.push_values(objects, |mut wanted, object| {
            wanted.push_bind(object.hyphenated().to_string());
        });
        // One step down the index for each, however many records there are about it.
        query
            .push(
                ") SELECT record.sequence, record.leaf, record.record FROM wanted JOIN custody_record AS record \
                 ON record.sequence = (SELECT about.sequence FROM custody_record AS about \
                 WHERE about.object = wanted.object AND about.sequence >= ",
            )
            .push_bind(clamped(from))
            .push(" AND about.sequence < ")
            .push_bind(clamped(before))
            .push(" ORDER BY about.sequence DESC LIMIT 1)");
        let rows: Vec<RecordRow> = query
            .build_query_as()
            .fetch_all(readers)
            .await
            .map_err(Error::database("search the custody log"))?;
        for row in rows {
            found.push(record(row)?);
        }
    }
    Ok(found)
}

/// The statement of a search. An object has fewer records than a client: where both are asked for, its index leads.
pub(in crate::store) fn search_statement(object: bool, client: bool, from: SearchFrom) -> String {
    let leading = match (object, client) {
        (true, _) => dialect::led_by("custody_record_by_object"),
        (false, true) => dialect::led_by("custody_record_by_client"),
        (false, false) => String::new(),
    };
    let mut conditions = Vec::new();
    if object {
        conditions.push("object =");
    }
    if client {
        conditions.push("client =");
    }
    let order = match from {
        SearchFrom::Number(_) => {
            conditions.push("sequence >=");
            "ASC"
        }
        SearchFrom::Before(_) => {
            conditions.push("sequence <");
            "DESC"
        }
    };
    let limit = conditions.len() + 1;
    let conditions: Vec<String> = conditions
        .into_iter()
        .zip(1..)
        .map(|(condition, number)| format!("{condition} ${number}"))
        .collect();
    format!(
        "SELECT sequence, leaf, record FROM custody_record{leading} WHERE {} ORDER BY sequence {order} LIMIT ${limit}",
        conditions.join(" AND ")
    )
}

pub(in crate::store) async fn hashes(
    readers: &Pool,
    level: u8,
    first: u64,
    count: u32,
) -> Result<Vec<Hash>, Error> {
    let query = if level == 0 {
        // Of records that were pruned, the leaves are with the other hashes.
        sqlx::query_as(
            "SELECT position, hash FROM custody_hash WHERE level = 0 AND position >= $1 \
             UNION ALL SELECT sequence, leaf FROM custody_record WHERE sequence >= $1 ORDER BY 1 LIMIT $2",
        )
    } else {
        sqlx::query_as(
            "SELECT position, hash FROM custody_hash WHERE level = $1 AND position >= $2 ORDER BY position LIMIT $3",
        )
        .bind(i64::from(level))
    };
    let rows: Vec<(i64, Vec<u8>)> = query
        .bind(clamped(first))
        .bind(i64::from(count))
        .fetch_all(readers)
        .await
        .map_err(Error::database("read hashes of the custody log"))?;
    let in_order = (clamped(first)..).zip(rows);
    in_order
        .take_while(|(expected, (position, _))| expected == position)
        .map(|(position, (_, hash))| {
            hash.try_into()
                .map(Hash)
                .map_err(|hash: Vec<u8>| Error::Tampered {
                    table: if level == 0 {
                        "custody_record"
                    } else {
                        "custody_hash"
                    },
                    id: position.to_string(),
                    what: format!("its hash has {} bytes", hash.len()),
                })
        })
        .collect()
}

pub(in crate::store) async fn hash_count(readers: &Pool, level: u8) -> Result<u64, Error> {
    let count: i64 =
        sqlx::query_scalar("SELECT coalesce(max(position) + 1, 0) FROM custody_hash WHERE level = $1")
            .bind(i64::from(level))
            .fetch_one(readers)
            .await
            .map_err(Error::database("count hashes of the custody log"))?;
    Ok(count.unsigned_abs())
}

pub(in crate::store) async fn kept(executor: impl Executor<'_, Database = Db>) -> Result<CustodyKept, Error> {
    let (from, prune_below): (i64, i64) = sqlx::query_as(
        "SELECT coalesce((SELECT min(sequence) FROM custody_record), size), prune_below FROM custody_head WHERE id = 1",
    )
    .fetch_one(executor)
    .await
    .map_err(Error::database(READ))?;
    Ok(CustodyKept {
        from: from.unsigned_abs(),
        prune_below: prune_below.unsigned_abs(),
    })
}

pub(in crate::store) async fn latest_checkpoint(
    executor: impl Executor<'_, Database = Db>,
) -> Result<Option<StoredCheckpoint>, Error> {
    let row: Option<CheckpointRow> =
        sqlx::query_as("SELECT size, time, note FROM custody_checkpoint ORDER BY size DESC LIMIT 1")
            .fetch_optional(executor)
            .await
            .map_err(Error::database("read the latest checkpoint"))?;
    row.map(checkpoint).transpose()
}

pub(in crate::store) async fn checkpoints(
    readers: &Pool,
    from_size: u64,
    limit: u32,
) -> Result<Vec<StoredCheckpoint>, Error> {
    let rows: Vec<CheckpointRow> = sqlx::query_as(
        "SELECT size, time, note FROM custody_checkpoint WHERE size >= $1 ORDER BY size LIMIT $2",
    )
    .bind(clamped(from_size))
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await
    .map_err(Error::database("read checkpoints"))?;
    rows.into_iter().map(checkpoint).collect()
}

pub(in crate::store) async fn put_hashes(
    connection: &mut Connection,
    hashes: &[TileHash],
) -> Result<(), Error> {
    for hashes in hashes.chunks(ROWS) {
        let rows = hashes
            .iter()
            .map(|each| Ok((each.level, integer(each.index, "a tile's place")?, each.hash)))
            .collect::<Result<Vec<_>, Error>>()?;
        let mut insert = QueryBuilder::<Db>::new("INSERT INTO custody_hash (level, position, hash) ");
        insert.push_values(rows, |mut row, (level, position, hash)| {
            row.push_bind(i64::from(level))
                .push_bind(position)
                .push_bind(hash.0.to_vec());
        });
        insert.push(" ON CONFLICT (level, position) DO UPDATE SET hash = excluded.hash");
        insert
            .build()
            .execute(&mut *connection)
            .await
            .map_err(Error::database("keep hashes of the custody log"))?;
    }
    Ok(())
}

pub(in crate::store) async fn put_checkpoint(
    connection: &mut Connection,
    checkpoint: &StoredCheckpoint,
    before: Option<u64>,
) -> Result<(), Error> {
    let time = checkpoint.time.unix_timestamp_nanos() / 1000;
    let kept = sqlx::query(
        "INSERT INTO custody_checkpoint (size, time, note) SELECT $1, $2, $3 \
         WHERE (SELECT max(size) FROM custody_checkpoint) IS NOT DISTINCT FROM $4",
    )
    .bind(integer(checkpoint.size, "a checkpoint's size")?)
    .bind(i64::try_from(time).map_err(|_| Error::Unfit {
        what: "a checkpoint's time",
        why: format!("{} is out of range", checkpoint.time),
    })?)
    .bind(&checkpoint.note)
    .bind(
        before
            .map(|size| integer(size, "a checkpoint's size"))
            .transpose()?,
    )
    .execute(connection)
    .await
    .map_err(Error::database("keep a checkpoint"))?;
    require_one(kept.rows_affected())
}

pub(in crate::store) async fn replace_checkpoint(
    connection: &mut Connection,
    checkpoint: &StoredCheckpoint,
    note: &str,
) -> Result<(), Error> {
    let replaced = sqlx::query("UPDATE custody_checkpoint SET note = $1 WHERE size = $2 AND note = $3")
        .bind(note)
        .bind(integer(checkpoint.size, "a checkpoint's size")?)
        .bind(&checkpoint.note)
        .execute(connection)
        .await
        .map_err(Error::database("keep a checkpoint's signatures"))?;
    require_one(replaced.rows_affected())
}

fn require_one(rows: u64) -> Result<(), Error> {
    if rows == 0 { Err(Error::HeadMoved) } else { Ok(()) }
}

fn record((sequence, leaf, bytes): RecordRow) -> Result<StoredRecord, Error> {
    let broken = |what| Error::Tampered {
        table: "custody_record",
        id: sequence.to_string(),
        what,
    };
    Ok(StoredRecord {
        sequence: u64::try_from(sequence).map_err(|_| broken("its number is negative".into()))?,
        leaf: leaf
            .try_into()
            .map(Hash)
            .map_err(|leaf: Vec<u8>| broken(format!("its leaf has {} bytes", leaf.len())))?,
        bytes,
    })
}

fn checkpoint((size, time, note): CheckpointRow) -> Result<StoredCheckpoint, Error> {
    let broken = |what: &str| Error::Tampered {
        table: "custody_checkpoint",
        id: size.to_string(),
        what: what.to_owned(),
    };
    Ok(StoredCheckpoint {
        size: u64::try_from(size).map_err(|_| broken("its size is negative"))?,
        time: OffsetDateTime::from_unix_timestamp_nanos(i128::from(time) * 1000)
            .map_err(|_| broken("its time is out of range"))?,
        note,
    })
}

/// A number as a condition has it: beyond the range there is nothing.
fn clamped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(in crate::store) fn integer(value: u64, what: &'static str) -> Result<i64, Error> {
    i64::try_from(value).map_err(|_| Error::Unfit {
        what,
        why: format!("{value} is too great"),
    })
}
