//! Pruning: what of the custody log goes for good, and what of it stays.

use crate::custody::TILE_WIDTH;
use crate::store::Error;

use super::custody::{integer, kept};
use super::dialect::Connection;

/// Lets go of the records before this number.
pub(in crate::store) async fn let_go(connection: &mut Connection, below: u64) -> Result<(), Error> {
    const BOUNDARY: &str = "set how far the custody log is pruned";
    let (pruned, most): (i64, i64) =
        sqlx::query_as("SELECT prune_below, anchor_size FROM custody_head WHERE id = 1")
            .fetch_one(&mut *connection)
            .await
            .map_err(Error::database(BOUNDARY))?;
    let (pruned, most) = (pruned.unsigned_abs(), most.unsigned_abs());
    if !below.is_multiple_of(TILE_WIDTH) || below < pruned || below > most {
        return Err(Error::NotPrunable { below, pruned, most });
    }
    sqlx::query("UPDATE custody_head SET prune_below = $1 WHERE id = 1")
        .bind(integer(below, "a record's number")?)
        .execute(connection)
        .await
        .map_err(Error::database(BOUNDARY))?;
    Ok(())
}

/// Takes away the oldest of those that were let go, and gives the number of the first that is left.
pub(in crate::store) async fn records(connection: &mut Connection, limit: u32) -> Result<u64, Error> {
    const PRUNE: &str = "prune the custody log";
    let kept = kept(&mut *connection).await?;
    let end = kept.prune_below.min(kept.from.saturating_add(limit.into()));
    if end <= kept.from {
        return Ok(kept.from);
    }
    let before = integer(end, "a record's number")?;
    for statement in [
        "INSERT INTO custody_hash (level, position, hash) \
         SELECT 0, sequence, leaf FROM custody_record WHERE sequence < $1",
        "DELETE FROM custody_record WHERE sequence < $1",
    ] {
        sqlx::query(statement)
            .bind(before)
            .execute(&mut *connection)
            .await
            .map_err(Error::database(PRUNE))?;
    }
    Ok(end)
}

/// Takes away the checkpoints over these numbers of records.
pub(in crate::store) async fn checkpoints(connection: &mut Connection, sizes: &[u64]) -> Result<(), Error> {
    for size in sizes {
        sqlx::query("DELETE FROM custody_checkpoint WHERE size = $1")
            .bind(integer(*size, "a checkpoint's size")?)
            .execute(&mut *connection)
            .await
            .map_err(Error::database("thin checkpoints out"))?;
    }
    Ok(())
}
