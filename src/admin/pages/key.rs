//! One key: its life as a timeline, who has had it, and whether its row is the one that the log says.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::api;
use super::super::keys::{resource, root_key_names};
use super::Pages;
use super::failure::Failure;
use super::frame::{Frame, grouped, page};
use super::life::Life;
use super::use_record::Visitor;
use crate::custody::ObjectFacts;
use crate::kmip::ttlv::DateTime;
use crate::store::{Error, KeyRow, Store};

#[derive(Template)]
#[template(path = "pages/key.html")]
struct KeyPage {
    frame: Frame,
    identifier: String,
    life: Life,
    records: String,
    row: Option<api::Key>,
    /// What the last record says, where there is no row any more.
    object: Option<ObjectFacts>,
    names: BTreeMap<String, String>,
    comparison: Comparison,
}

/// Whether the row of the database is the one that the log says.
enum Comparison {
    Same(u64),
    Other(u64),
    /// The log names no digest.
    Unnamed,
    /// There is no row.
    NoRow,
    /// The row is refused, or can't be judged.
    Refused(String),
}

/// `GET /keys/{identifier}`
pub(super) async fn show(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    Path(identifier): Path<String>,
) -> Response {
    match made(&pages, &visitor, identifier).await {
        Ok(shown) => page(&shown),
        Err(failure) => failure.answer(&visitor),
    }
}

async fn made(pages: &Pages, visitor: &Visitor, identifier: String) -> Result<KeyPage, Failure> {
    let administration = &pages.administration;
    let store = administration.store();
    let (mut found, mut life) = looked_up(store, &identifier).await?;
    // A key that is in use may be written between the two reads.
    if let (Ok(Some((_, row))), Some((digest, _))) = (&found, life.row)
        && row.digest != Some(digest)
    {
        (found, life) = looked_up(store, &identifier).await?;
    }
    if life.records == 0 && matches!(found, Ok(None)) {
        return Err(
            Failure::not_found(format!("No record of this log is about a key {identifier}.")).remedy(
                "Give the Unique Identifier of the key as KMIP has it, or look for it among the keys.",
            ),
        );
    }
    let now = DateTime::from(OffsetDateTime::now_utc());
    let (row, comparison) = match found {
        Ok(Some((adapter, row))) => {
            let comparison = match life.row {
                Some((digest, sequence)) if row.digest == Some(digest) => Comparison::Same(sequence),
                Some((_, sequence)) => Comparison::Other(sequence),
                None => Comparison::Unnamed,
            };
            let root_keys = root_key_names(administration).await?;
            (Some(resource(&row, &adapter, now, &root_keys)), comparison)
        }
        Ok(None) => (None, Comparison::NoRow),
        Err(error) => {
            if matches!(error, Error::Tampered { .. }) {
                administration
                    .record_tampering_found_by(&[error.to_string()], &visitor.actor())
                    .await?;
            }
            (None, Comparison::Refused(error.to_string()))
        }
    };
    let names = life
        .object
        .as_ref()
        .map(|object| object.attributes.clone())
        .unwrap_or_default();
    let title = names.get("x-Name").cloned().unwrap_or_else(|| identifier.clone());
    Ok(KeyPage {
        frame: Frame::new(format!("Key {title}"), "keys", visitor),
        records: grouped(life.records),
        object: life.object.clone(),
        identifier,
        life,
        row,
        names,
        comparison,
    })
}

type FoundRow = Result<Option<(String, KeyRow)>, Error>;

/// The row of an object, with the name of its adapter, and then the records about it.
async fn looked_up(store: &dyn Store, identifier: &str) -> Result<(FoundRow, Life), Error> {
    let row = row(store, identifier).await;
    Ok((row, Life::of(store, identifier).await?))
}

async fn row(store: &dyn Store, identifier: &str) -> FoundRow {
    let Ok(id) = identifier.parse::<Uuid>() else {
        return Ok(None);
    };
    for adapter in store.adapters().await?.rows {
        if let Some(row) = store.key(adapter.id, id).await? {
            return Ok(Some((adapter.name, row)));
        }
    }
    Ok(None)
}
