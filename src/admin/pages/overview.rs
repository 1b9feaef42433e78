//! Custody at a glance.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use time::OffsetDateTime;

use super::super::{api, root_key_resource, status};
use super::Pages;
use super::failure::Failure;
use super::frame::{Frame, grouped, moment, page};
use super::use_record::Visitor;
use crate::custody::{Checkpoint, SignedNote};
use crate::recorder::CheckpointStatus;

#[derive(Template)]
#[template(path = "pages/overview.html")]
struct Overview {
    frame: Frame,
    version: String,
    since: String,
    problems: Vec<String>,
    log: Log,
    root_keys: Vec<RootKey>,
    adapters: Vec<Adapter>,
    states: Option<States>,
}

/// The log and how far it is signed.
struct Log {
    size: String,
    root: String,
    origin: String,
    checkpoint: Option<Signed>,
    /// The key that signs, as text.
    key: Option<String>,
    signature: &'static str,
    is_software: bool,
    failure: Option<String>,
    cosigned: Option<String>,
    witnesses: Vec<Witness>,
}

struct Signed {
    size: String,
    time: String,
    /// How many records are under none yet.
    lag: u64,
    signers: Vec<String>,
}

struct Witness {
    name: String,
    trouble: Option<String>,
}

struct RootKey {
    key: api::RootKey,
    created: String,
}

struct Adapter {
    name: String,
    root_key: String,
    clients: u64,
    objects: String,
}

struct States {
    at: String,
    names: Vec<String>,
    adapters: Vec<(String, Vec<String>)>,
}

/// `GET /`
pub(super) async fn show(
    State(pages): State<Arc<Pages>>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    match made(&pages, &visitor).await {
        Ok(shown) => page(&shown),
        Err(failure) => failure.answer(&visitor),
    }
}

async fn made(pages: &Pages, visitor: &Visitor) -> Result<Overview, Failure> {
    let administration = &pages.administration;
    let store = administration.store();
    let mut status = status::status(administration, &visitor.actor()).await?;
    let found = store.root_keys().await?.rows;
    let adapters = store.adapters().await?.rows;
    let counts = store.key_counts().await?;
    let mut clients: BTreeMap<_, u64> = BTreeMap::new();
    for certificate in store.certificates(None).await?.rows {
        *clients.entry(certificate.adapter).or_default() += 1;
    }
    let names: BTreeMap<_, _> = found
        .iter()
        .map(|root_key| (root_key.id, root_key.name.clone()))
        .collect();
    let mut root_keys = Vec::new();
    for root_key in found {
        let key = root_key_resource::resource(administration, root_key, &adapters).await?;
        root_keys.push(RootKey {
            created: moment(key.created_at),
            key,
        });
    }
    let adapters = adapters.into_iter().map(|adapter| Adapter {
        root_key: names.get(&adapter.root_key).cloned().unwrap_or_default(),
        clients: clients.get(&adapter.id).copied().unwrap_or_default(),
        objects: grouped(counts.get(&adapter.id).copied().unwrap_or_default().objects),
        name: adapter.name,
    });
    // After what may have written records, so that the size is not behind what the page tells.
    let signed = administration.recorder().checkpoints().borrow().clone();
    let head = store.custody_head().await?.head();
    if signed.key.is_none() {
        status.problems.push("nothing signs the custody log".to_owned());
    }
    Ok(Overview {
        frame: Frame::new("Overview", "overview", visitor),
        version: status.version,
        since: moment(status.started_at),
        problems: status.problems,
        log: log(signed, head.size, head.root.to_string()),
        adapters: adapters.collect(),
        root_keys,
        states: pages.census.counted(administration).await.map(states),
    })
}

fn log(status: CheckpointStatus, size: u64, root: String) -> Log {
    let note = status
        .latest
        .as_ref()
        .and_then(|latest| latest.note.parse::<SignedNote>().ok());
    let checkpoint = note
        .as_ref()
        .and_then(|note| note.text.parse::<Checkpoint>().ok());
    let lag = status.lag(size);
    let failure = status.failure.as_ref().map(|failure| {
        let minutes = (OffsetDateTime::now_utc() - failure.since).whole_minutes();
        format!(
            "since {} ({minutes} minutes): {}",
            moment(failure.since),
            failure.why
        )
    });
    Log {
        size: grouped(size),
        root,
        origin: checkpoint.map(|checkpoint| checkpoint.origin).unwrap_or_default(),
        checkpoint: status.latest.as_ref().map(|latest| Signed {
            size: grouped(latest.size),
            time: moment(latest.time),
            lag,
            signers: note
                .map(|note| {
                    note.signatures
                        .iter()
                        .map(|signature| signature.name.clone())
                        .collect()
                })
                .unwrap_or_default(),
        }),
        signature: status.key.as_ref().map_or("", |key| key.signature_type().name()),
        is_software: status
            .key
            .as_ref()
            .is_some_and(|key| key.name().ends_with("/software")),
        key: status.key.map(|key| key.to_string()),
        failure,
        cosigned: status.cosigned.map(grouped),
        witnesses: status
            .witnesses
            .into_iter()
            .map(|witness| Witness {
                name: witness.name,
                trouble: witness.trouble,
            })
            .collect(),
    }
}

/// A table of adapters by states, of those states that any key is in.
fn states(counted: super::census::Counted) -> States {
    let every = counted
        .adapters
        .iter()
        .flat_map(|(_, states)| states.keys().cloned());
    let mut names: Vec<String> = every.collect();
    names.sort_by_key(|name| (place(name), name.clone()));
    names.dedup();
    let adapters = counted.adapters.into_iter().map(|(adapter, states)| {
        let number = |name| grouped(states.get(name).copied().unwrap_or_default());
        (adapter, names.iter().map(number).collect())
    });
    States {
        at: moment(counted.at),
        adapters: adapters.collect(),
        names,
    }
}

/// The place of a state in a key's life.
fn place(name: &str) -> usize {
    const ORDER: [&str; 6] = [
        "Pre-Active",
        "Active",
        "Deactivated",
        "Compromised",
        "Destroyed",
        "Destroyed Compromised",
    ];
    ORDER
        .iter()
        .position(|known| *known == name)
        .unwrap_or(ORDER.len())
}
