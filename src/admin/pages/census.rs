//! How many keys are in which state. A state can come with the hour, so each key is looked at: in the background where
//! there are many, once for all who ask.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;

use super::super::Administration;
use crate::kmip::ttlv::DateTime;
use crate::store::Error;

/// How long a page waits for the count.
const PATIENCE: Duration = Duration::from_secs(2);
/// For how long a count is shown before there is another.
const FRESH: time::Duration = time::Duration::seconds(60);
/// Keys that are read at a time.
const PAGE: u32 = 1_000;

/// What was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) at: OffsetDateTime,
    /// Each adapter with the number of its keys by state.
    pub(super) adapters: Vec<(String, BTreeMap<String, u64>)>,
}

/// The last count, and the one that goes on.
#[derive(Default)]
pub(super) struct Census(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    last: Option<Counted>,
    under_way: Option<watch::Receiver<bool>>,
}

impl Census {
    /// The numbers, as of a minute ago at most where they can be had in a moment; else the last ones, if there are any.
    pub(super) async fn counted(&self, administration: &Arc<Administration>) -> Option<Counted> {
        let mut done = {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(last) = &kept.last
                && OffsetDateTime::now_utc() - last.at < FRESH
            {
                return kept.last.clone();
            }
            kept.under_way
                .get_or_insert_with(|| start(Arc::clone(&self.0), Arc::clone(administration)))
                .clone()
        };
        let _ = tokio::time::timeout(PATIENCE, done.wait_for(|done| *done)).await;
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.last.clone()
    }
}

fn start(kept: Arc<Mutex<Kept>>, administration: Arc<Administration>) -> watch::Receiver<bool> {
    let (done, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let counted = count(&administration).await;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        match counted {
            Ok(counted) => kept.last = Some(counted),
            Err(error) => tracing::warn!(%error, "the keys can't be counted for the auditor's overview"),
        }
        kept.under_way = None;
        done.send_replace(true);
    });
    receiver
}

async fn count(administration: &Administration) -> Result<Counted, Error> {
    let store = administration.store();
    let at = OffsetDateTime::now_utc();
    let now = DateTime::from(at);
    let mut adapters = Vec::new();
    for adapter in store.adapters().await?.rows {
        let mut states = BTreeMap::new();
        let mut after = None;
        loop {
            let page = store.locate(adapter.id, &[], after, PAGE).await?;
            for row in &page.rows {
                let state = row
                    .object
                    .state(now)
                    .map_or_else(|| "no state".to_owned(), |state| state.to_string());
                *states.entry(state).or_default() += 1;
            }
            if !page.refused.is_empty() {
                *states.entry("changed by another hand".to_owned()).or_default() += page.refused.len() as u64;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        adapters.push((adapter.name, states));
    }
    Ok(Counted { at, adapters })
}
