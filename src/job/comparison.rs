//! The comparison: whether each key's row in the database is the one that the custody log says, and, in
//! `identities`, whether adapters, certificates, root keys and access tokens are.
//!
//! The seal of a row tells who wrote it, the log which one was written last. Whoever can write to the database and has got
//! hold of a seal key, or has kept an older row, writes a row that is sealed well; here it is found. So is a row that was
//! deleted. What is found is recorded as `store.tampered`, and `claviger status` tells it; nothing is put right by itself.
//!
//! The log itself is not believed either: its hashes are made again, and must be those of its head.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use uuid::Uuid;

use crate::adapter::{Adapter, AdapterId};
use crate::custody::{Actor, AdapterFacts, Event, EventName, ObjectFacts, RowFault};
use crate::recorder::Recorder;
use crate::store::{KeyRow, Store};

use super::identities::{self, IdentityFinding};
use super::ledger::{LedgerError, Reading, give_way};

/// After the start, until root keys are open and the first requests are served.
const FIRST: Duration = Duration::from_secs(20);
/// Between two comparisons.
const REST: Duration = Duration::from_hours(24);
/// Rows that are read at a time.
const BATCH: u32 = 256;
/// How often a key that is written meanwhile is looked at again.
const LOOKS: usize = 8;
/// The most findings of one comparison that are told and recorded one by one.
const FINDINGS: usize = 1000;

/// A key whose row is not as the log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFinding {
    /// Its adapter, where that is known.
    pub adapter: Option<AdapterId>,
    /// The key.
    pub key: Uuid,
    /// What is wrong.
    pub fault: RowFault,
}

/// What a comparison found.
#[derive(Clone, Debug)]
pub struct Compared {
    /// When it began.
    pub began_at: OffsetDateTime,
    /// When it ended.
    pub ended_at: OffsetDateTime,
    /// How many records it read.
    pub records: u64,
    /// How many rows it compared.
    pub rows: u64,
    /// How many it could not judge: their root key is closed, or only records of an early form tell of them.
    pub not_judged: u64,
    /// How many are not as the log says.
    pub wrong: u64,
    /// Those, up to a bound.
    pub findings: Vec<RowFinding>,
    /// The adapters, client certificates, root keys and access tokens whose rows are not as the log says.
    pub identities: Vec<IdentityFinding>,
}

/// The comparison. A clone is the same one.
#[derive(Clone)]
pub struct Comparison {
    store: Arc<dyn Store>,
    recorder: Recorder,
    last: Arc<Mutex<Last>>,
    /// What was recorded since the start, so that it is not recorded each day anew.
    told: Arc<tokio::sync::Mutex<HashSet<String>>>,
}

/// What became of the last comparison, and of the last that could be made.
#[derive(Default)]
struct Last {
    compared: Option<Arc<Compared>>,
    failure: Option<String>,
}

impl Comparison {
    /// The comparison over this store.
    pub fn new(store: Arc<dyn Store>, recorder: Recorder) -> Self {
        Self {
            store,
            recorder,
            last: Arc::default(),
            told: Arc::default(),
        }
    }

    /// Compares soon, and then every day, until it is dropped.
    pub(super) async fn run(self) {
        tokio::time::sleep(FIRST).await;
        loop {
            // An error is told by then.
            let _ = self.compare().await;
            tokio::time::sleep(REST).await;
        }
    }

    /// What the last comparison found.
    pub fn compared(&self) -> Option<Arc<Compared>> {
        self.last().compared.clone()
    }

    /// Why the last one could not be made, where that is so.
    pub fn failure(&self) -> Option<String> {
        self.last().failure.clone()
    }

    /// Compares now, or after a comparison that is under way, and records what it finds.
    pub async fn compare(&self) -> Result<Arc<Compared>, LedgerError> {
        let mut told = self.told.lock().await;
        let result = self.compare_alone(&mut told).await;
        let mut last = self.last();
        match &result {
            Ok(compared) => {
                *last = Last {
                    compared: Some(Arc::clone(compared)),
                    failure: None,
                }
            }
            Err(error) => {
                tracing::error!(%error, "the rows of keys can't be compared with the custody log");
                last.failure = Some(error.to_string());
            }
        }
        result
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn compare_alone(&self, told: &mut HashSet<String>) -> Result<Arc<Compared>, LedgerError> {
        let began_at = OffsetDateTime::now_utc();
        let mut reading = Reading::begin(&*self.store).await?;
        reading.read_on(&*self.store).await?;
        let mut compared = Compared {
            began_at,
            ended_at: began_at,
            records: 0,
            rows: 0,
            not_judged: 0,
            wrong: 0,
            findings: Vec::new(),
            identities: Vec::new(),
        };
        let adapters = self.store.adapters().await?.rows;
        let mut suspects = Vec::new();
        for adapter in &adapters {
            self.look_through(adapter, &mut reading, &mut compared, &mut suspects)
                .await?;
        }
        for (adapter, key) in suspects {
            let fault = self.judge(adapter, key, &mut reading).await?;
            found(&mut compared, Some(adapter), key, fault);
        }
        let missing: Vec<_> = reading.ledger.missing().collect();
        for (key, fault) in missing {
            // Its adapter may have been deleted meanwhile, which the log says by now.
            let is_there = self.store.is_taken(key).await?;
            reading.read_on(&*self.store).await?;
            if is_there {
                compared.not_judged += 1;
            } else if reading.ledger.has(key) {
                found(&mut compared, None, key, Some(fault));
            }
        }
        compared.identities = identities::compare(&*self.store, &mut reading).await?;
        for IdentityFinding { row, fault } in &compared.identities {
            tracing::error!(row, %fault, "a row is not as the custody log says");
        }
        compared.records = reading.tree.size();
        compared.ended_at = OffsetDateTime::now_utc();
        self.record(&compared, &adapters, told).await;
        Ok(Arc::new(compared))
    }

    /// Compares all rows of an adapter with the log as far as it was read. What does not fit may have been written since.
    async fn look_through(
        &self,
        adapter: &Adapter,
        reading: &mut Reading,
        compared: &mut Compared,
        suspects: &mut Vec<(AdapterId, Uuid)>,
    ) -> Result<(), LedgerError> {
        let mut after = None;
        loop {
            let began = Instant::now();
            let page = self.store.locate(adapter.id, &[], after, BATCH).await?;
            // A row that its seal refuses is recorded by whoever asks for it.
            compared.not_judged += page.refused.len() as u64;
            for row in &page.rows {
                compared.rows += 1;
                match row.facts().map(|facts| reading.ledger.compare(&facts)) {
                    Some(Some(Ok(()))) => {}
                    Some(Some(Err(_))) => suspects.push((adapter.id, row.object.id())),
                    Some(None) | None => compared.not_judged += 1,
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
            give_way(began).await;
        }
    }

    /// What is wrong with a row, once the log was read as far as the row can have been written.
    async fn judge(
        &self,
        adapter: AdapterId,
        key: Uuid,
        reading: &mut Reading,
    ) -> Result<Option<RowFault>, LedgerError> {
        let mut before = None;
        for _ in 0..LOOKS {
            let row = match self.store.key(adapter, key).await {
                Ok(row) => row,
                // It is not as the log says, and is not as the seal says either; whoever asks for it has that recorded.
                Err(error) if error.is_of_one_change() => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let Some(facts) = row.as_ref().and_then(KeyRow::facts) else {
                return Ok(None);
            };
            // The record was read after the row: where the row is still the same, the record is not behind it.
            if before == Some(facts.sha256) {
                return Ok(reading.ledger.compare(&facts).and_then(Result::err));
            }
            before = Some(facts.sha256);
            reading.read_on(&*self.store).await?;
            if !matches!(reading.ledger.compare(&facts), Some(Err(_))) {
                return Ok(None);
            }
        }
        Ok(None)
    }

    async fn record(&self, compared: &Compared, adapters: &[Adapter], told: &mut HashSet<String>) {
        for finding in &compared.findings {
            let what = format!("key {}: {}", finding.key, finding.fault);
            if told.contains(&what) {
                continue;
            }
            let mut event = Event::new(EventName::StoreTampered, Actor::Server)
                .failed(finding.fault.to_string())
                .detail("compared", "custody-log");
            event.object = Some(ObjectFacts {
                identifier: finding.key.hyphenated().to_string(),
                ..ObjectFacts::default()
            });
            let adapter = adapters
                .iter()
                .find(|adapter| Some(adapter.id) == finding.adapter);
            event.adapter = adapter.map(|adapter| AdapterFacts {
                id: adapter.id.uuid(),
                name: adapter.name.clone(),
            });
            self.tell(event, what, told).await;
        }
        for IdentityFinding { row, fault } in &compared.identities {
            let what = format!("{row}: {fault}");
            if told.contains(&what) {
                continue;
            }
            let event = Event::new(EventName::StoreTampered, Actor::Server)
                .failed(fault.to_string())
                .detail("compared", "custody-log")
                .detail("row", row.as_str());
            self.tell(event, what, told).await;
        }
    }

    async fn tell(&self, event: Event, what: String, told: &mut HashSet<String>) {
        match self.recorder.commit(Vec::new(), event).await {
            Ok(_) => {
                told.insert(what);
            }
            Err(error) => tracing::error!(%error, what, "what the comparison found can't be recorded"),
        }
    }
}

fn found(compared: &mut Compared, adapter: Option<AdapterId>, key: Uuid, fault: Option<RowFault>) {
    let Some(fault) = fault else { return };
    tracing::error!(%key, %fault, "a key's row is not as the custody log says");
    compared.wrong += 1;
    if compared.findings.len() < FINDINGS {
        compared.findings.push(RowFinding { adapter, key, fault });
    }
}
