//! One record: in words, field by field, byte by byte, and where it stands in the log.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;

use super::Pages;
use super::failure::Failure;
use super::fields::{Group, groups};
use super::frame::{Frame, grouped, moment, page};
use super::search::read;
use super::use_record::Visitor;
use crate::custody::{Record, StoredRecord, leaf_hash};
use crate::store::Store;

#[derive(Template)]
#[template(path = "pages/record.html")]
struct RecordPage {
    frame: Frame,
    sequence: u64,
    previous: Option<u64>,
    next: Option<u64>,
    said: Option<String>,
    object: Option<String>,
    /// Why the bytes are not those that were logged.
    broken: Option<String>,
    leaf: String,
    checkpoint: Option<Covering>,
    groups: Vec<Group>,
    bytes: String,
}

/// The checkpoint that a record is proven by.
struct Covering {
    size: String,
    time: String,
}

/// `GET /records/{sequence}`
pub(super) async fn show(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    Path(sequence): Path<String>,
) -> Response {
    match made(&pages, &visitor, &sequence).await {
        Ok(shown) => page(&shown),
        Err(failure) => failure.answer(&visitor),
    }
}

async fn made(pages: &Pages, visitor: &Visitor, sequence: &str) -> Result<RecordPage, Failure> {
    let store = pages.administration.store();
    let stored = stored(store, sequence).await?;
    let checkpoint = store.custody_checkpoint().await?;
    let size = store.custody_head().await?.tree.size();
    let kept = store.custody_kept().await?;
    let record = read(&stored);
    let broken = if leaf_hash(&stored.bytes) != stored.leaf {
        Some(
            "Its bytes are not those that were logged: their hash is another than the one kept beside them."
                .to_owned(),
        )
    } else if record
        .as_ref()
        .is_none_or(|record| record.sequence != stored.sequence)
    {
        Some("Its bytes are no record of this place in a form that this program knows.".to_owned())
    } else {
        None
    };
    Ok(RecordPage {
        frame: Frame::new(format!("Record {}", stored.sequence), "records", visitor),
        sequence: stored.sequence,
        previous: stored
            .sequence
            .checked_sub(1)
            .filter(|number| *number >= kept.from),
        next: Some(stored.sequence + 1).filter(|next| *next < size),
        said: record.as_ref().map(Record::deed),
        object: record
            .and_then(|record| record.object)
            .map(|object| object.identifier),
        broken,
        leaf: stored.leaf.to_string(),
        checkpoint: checkpoint
            .filter(|checkpoint| checkpoint.size > stored.sequence)
            .map(|checkpoint| Covering {
                size: grouped(checkpoint.size),
                time: moment(checkpoint.time),
            }),
        groups: groups(&stored.bytes),
        bytes: String::from_utf8_lossy(&stored.bytes).into_owned(),
    })
}

/// The record of a number, as a path has it.
pub(super) async fn stored(store: &dyn Store, sequence: &str) -> Result<StoredRecord, Failure> {
    let missing = || {
        Failure::not_found(format!("There is no record {sequence} in this log."))
            .remedy("Records are numbered from 0; the search shows the last ones first.")
    };
    let number: u64 = sequence.parse().map_err(|_| missing())?;
    // The store counts in 63 bits.
    if i64::try_from(number).is_err() {
        return Err(missing());
    }
    let found = store.custody_records(number, 1).await?.into_iter().next();
    if let Some(stored) = found.filter(|stored| stored.sequence == number) {
        return Ok(stored);
    }
    let kept = store.custody_kept().await?;
    if number < kept.from {
        return Err(Failure::not_found(format!(
            "Record {number} was pruned: the log has its hash, and no more."
        ))
        .remedy("Ask for the bundle that it was kept in; the record of the pruning names it."));
    }
    Err(missing())
}
