//! The keys of an adapter, the last created first.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use time::OffsetDateTime;

use super::super::api;
use super::super::keys::{resource, root_key_names};
use super::Pages;
use super::failure::Failure;
use super::frame::{Frame, page};
use super::use_record::Visitor;
use crate::kmip::ttlv::DateTime;
use crate::store::Cursor;

/// Keys on a page.
const PAGE: u32 = 100;

/// Which keys are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
pub(super) struct Asked {
    adapter: String,
    after: String,
}

#[derive(Template)]
#[template(path = "pages/keys.html")]
struct KeysPage {
    frame: Frame,
    /// Each adapter with whether its keys are shown.
    adapters: Vec<(String, bool)>,
    adapter: String,
    keys: Vec<Key>,
    tampered: Vec<String>,
    next: Option<String>,
}

struct Key {
    id: String,
    name: String,
    object_type: String,
    state: String,
    under: String,
}

impl Key {
    fn of(key: api::Key) -> Self {
        let named = |name: &str| key.attributes.iter().find(|attribute| attribute.name == name);
        let name = named("x-Name").or_else(|| named("Name"));
        Self {
            id: key.id.to_string(),
            name: name.map(|attribute| attribute.value.clone()).unwrap_or_default(),
            under: key
                .wrapped_under
                .map(|under| format!("{}, version {}", under.root_key.name, under.version))
                .unwrap_or_default(),
            object_type: key.object_type,
            state: key.state.unwrap_or_default(),
        }
    }
}

/// `GET /keys`
pub(super) async fn show(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let shown = match query {
        Ok(Query(asked)) => made(&pages, &visitor, &asked).await,
        Err(rejection) => Err(Failure::bad_request(rejection.body_text())),
    };
    match shown {
        Ok(shown) => page(&shown),
        Err(failure) => failure.answer(&visitor),
    }
}

async fn made(pages: &Pages, visitor: &Visitor, asked: &Asked) -> Result<KeysPage, Failure> {
    let administration = &pages.administration;
    let store = administration.store();
    let (adapters, mut tampered) = administration
        .trusted_by(store.adapters().await?, &visitor.actor())
        .await?;
    let is_asked = |name: &str| name == asked.adapter;
    let adapter = if asked.adapter.is_empty() {
        adapters.first()
    } else {
        let found = adapters.iter().find(|adapter| is_asked(&adapter.name));
        Some(found.ok_or_else(|| Failure::not_found(format!("There is no adapter {}.", asked.adapter)))?)
    };
    let mut shown = KeysPage {
        frame: Frame::new("Keys", "keys", visitor),
        adapter: adapter.map(|adapter| adapter.name.clone()).unwrap_or_default(),
        adapters: Vec::new(),
        keys: Vec::new(),
        tampered: Vec::new(),
        next: None,
    };
    if let Some(adapter) = adapter {
        let after = Some(&asked.after).filter(|after| !after.is_empty());
        let after: Option<Cursor> = after.map(|after| after.parse()).transpose().map_err(|_| {
            Failure::bad_request(format!(
                "“{}” is not the beginning of a page of keys.",
                asked.after
            ))
        })?;
        let located = store.locate(adapter.id, &[], after, PAGE).await?;
        let found: Vec<_> = located.refused.iter().map(ToString::to_string).collect();
        administration
            .record_tampering_found_by(&found, &visitor.actor())
            .await?;
        tampered.extend(found);
        let now = DateTime::from(OffsetDateTime::now_utc());
        let root_keys = root_key_names(administration).await?;
        let rows = located.rows.iter();
        shown.keys = rows
            .map(|row| Key::of(resource(row, &adapter.name, now, &root_keys)))
            .collect();
        shown.next = located.next.map(|next| next.to_string());
    }
    shown.adapters = adapters
        .into_iter()
        .map(|adapter| {
            let is_shown = adapter.name == shown.adapter;
            (adapter.name, is_shown)
        })
        .collect();
    shown.tampered = tampered;
    Ok(shown)
}
