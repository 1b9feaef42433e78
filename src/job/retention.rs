//! Retention: which records of the custody log may go by the operator's policy, and their way out.
//!
//! What goes is told first. Records of the actor `server` (`custody.carry`) tell again how the rows of keys are that no later
//! record tells of; then one record (`custody.prune`) says what is let go, by whom and who approved. After it the records are
//! taken away, part after part; where the server ends meanwhile, the next one goes on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::Notify;

use super::Feeds;
use super::ledger::{LedgerError, Reading};
use crate::adapter::AdapterId;
use crate::custody::{Actor, AdapterFacts, EARLY, Event, EventName, Hash, Record, TILE_WIDTH};
use crate::recorder::{self, Recorder};
use crate::store::{self, Change, Store};

/// How often it is looked for what is left to be done.
const REST: Duration = Duration::from_hours(1);
/// The most rows, or identifiers, that one record tells again.
const ROWS: usize = 512;

/// What the operator allows. Without it, nothing is ever let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// What is younger stays.
    pub keep: Duration,
    /// Whether records may go that no bundle has.
    pub without_archive: bool,
}

/// A part of the log that is in a bundle, which whoever names it has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// SHA-256 of the file.
    pub sha256: Hash,
    /// The number of its first record.
    pub from: u64,
    /// How many records the log has by it.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// What may go now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prunable {
    /// The number of the first record that the log has.
    pub kept_from: u64,
    /// The number of the first record that was not let go yet.
    pub from: u64,
    /// The number of the first record that stays: `from` where none may go.
    pub below: u64,
    /// What keeps more from going, in words.
    pub because: String,
    /// The times of the first record that goes and of the last.
    pub times: Option<(OffsetDateTime, OffsetDateTime)>,
    /// The root over the records before `below`.
    pub root: Hash,
}

/// Why nothing is let go.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetentionError {
    /// The configuration has no policy.
    #[error("the configuration has no [custody.retention], and without a stated policy nothing is pruned")]
    NoPolicy,
    /// No archive was named, and the policy wants one.
    #[error(
        "no bundle was named that has the records, and `without_archive` is not set in [custody.retention]"
    )]
    NoArchive,
    /// An archive is not one of this log.
    #[error(
        "the bundle {sha256} is not of this log: over {size} records it has the root {found}, and the log has {expected}"
    )]
    OtherLog {
        /// SHA-256 of the file.
        sha256: Hash,
        /// The number of records.
        size: u64,
        /// Its root.
        found: Hash,
        /// The log's.
        expected: Hash,
    },
    /// Nothing may go.
    #[error("no record may go: {0}")]
    Nothing(String),
    /// The log can't be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The log is not whole.
    #[error(transparent)]
    Log(#[from] LedgerError),
    /// The log can't be written.
    #[error(transparent)]
    Recorder(#[from] recorder::Error),
}

/// The retention of the custody log. A clone is the same one.
#[derive(Clone)]
pub struct Retention {
    /// What the operator allows.
    pub policy: Option<RetentionPolicy>,
    store: Arc<dyn Store>,
    recorder: Recorder,
    is_due: Arc<Notify>,
    failure: Arc<Mutex<Option<String>>>,
}

impl Retention {
    /// The retention of this log, by no policy yet.
    pub fn new(store: Arc<dyn Store>, recorder: Recorder) -> Self {
        Self {
            policy: None,
            store,
            recorder,
            is_due: Arc::default(),
            failure: Arc::default(),
        }
    }

    /// Why the last attempt to take away what was let go, or what is spare, broke off.
    pub fn failure(&self) -> Option<String> {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes away what was let go and what is spare, at the start, each hour and when it is told to, until it is dropped.
    pub(super) async fn run(self) {
        let mut thinned = 0;
        loop {
            let done = self.work(&mut thinned).await;
            if let Err(error) = &done {
                tracing::error!(%error, "what is to go of the custody log is still there");
            }
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) =
                done.err().map(|error| error.to_string());
            // Whoever tells of new work is heard at once.
            let _ = tokio::time::timeout(REST, self.is_due.notified()).await;
        }
    }

    async fn work(&self, thinned: &mut u64) -> Result<(), recorder::Error> {
        self.recorder.prune().await?;
        *thinned = self
            .recorder
            .thin_checkpoints(*thinned, OffsetDateTime::now_utc())
            .await?;
        Ok(())
    }

    /// What may go by the policy, of what these bundles have. Where none is given, they are not looked at.
    pub async fn prunable(
        &self,
        archives: &[Archive],
        feeds: &Feeds,
        now: OffsetDateTime,
    ) -> Result<Prunable, RetentionError> {
        let policy = self.policy.ok_or(RetentionError::NoPolicy)?;
        let store = &*self.store;
        let (kept, head) = (store.custody_kept().await?, store.custody_head().await?);
        let from = kept.from.max(kept.prune_below);
        let old = store::custody_number_at(store, now - policy.keep).await?;
        let mut limits = vec![
            (old, "what comes after it is younger than `keep`".to_owned()),
            (
                head.anchor.size(),
                "a start of the server reads what comes after it".to_owned(),
            ),
        ];
        limits.extend(self.signed());
        limits.extend(feeds.status().into_iter().map(|(name, status)| {
            (
                status.next,
                format!("the feed {name} has not delivered what comes after it"),
            )
        }));
        if !archives.is_empty() {
            let end = self.archived(from, archives).await?;
            limits.push((end, "no bundle that was named has what comes after it".to_owned()));
        }
        let (limit, because) = limits
            .into_iter()
            .min_by_key(|(limit, _)| *limit)
            .unwrap_or_default();
        let below = (limit - limit % TILE_WIDTH).max(from);
        let times = if below > from {
            Some((self.time(from).await?, self.time(below - 1).await?))
        } else {
            None
        };
        Ok(Prunable {
            kept_from: kept.from,
            from,
            below,
            because: format!("record {limit} bounds it: {because}"),
            times,
            root: store::custody_root(store, below).await?,
        })
    }

    /// Lets go of what may go, as this event's actor and approvers agreed. Gives the number of the first record that stays.
    pub async fn let_go(
        &self,
        archives: &[Archive],
        feeds: &Feeds,
        now: OffsetDateTime,
        event: Event,
    ) -> Result<u64, RetentionError> {
        let policy = self.policy.ok_or(RetentionError::NoPolicy)?;
        if archives.is_empty() && !policy.without_archive {
            return Err(RetentionError::NoArchive);
        }
        let going = self.prunable(archives, feeds, now).await?;
        let Some((first, last)) = going.times else {
            return Err(RetentionError::Nothing(going.because));
        };
        let mut reading = Reading::begin(&*self.store).await?;
        reading.read_on(&*self.store).await?;
        for carry in self.carries(&reading, going.below).await? {
            self.recorder.commit(Vec::new(), carry).await?;
        }
        let mut event = event
            .detail("from", going.from.to_string())
            .detail("below", going.below.to_string())
            .detail("root", going.root.to_string())
            .detail("first", told(first))
            .detail("last", told(last))
            .detail("keep_seconds", policy.keep.as_secs().to_string());
        if archives.is_empty() {
            event = event.detail("archive", "none");
        }
        for (number, archive) in archives.iter().enumerate() {
            event = event.detail(
                format!("archive_{}", number + 1),
                format!(
                    "sha256 {}, records from {} of {}:{}",
                    archive.sha256, archive.from, archive.size, archive.root
                ),
            );
        }
        let below = going.below;
        self.recorder
            .commit(vec![Change::PruneRecords { below }], event)
            .await?;
        self.is_due.notify_one();
        Ok(below)
    }

    /// What is not signed stays: nothing proves later what it was. Nor does what too few witnesses have seen go.
    fn signed(&self) -> Vec<(u64, String)> {
        let status = self.recorder.checkpoints().borrow().clone();
        let latest = status.latest.map_or(0, |latest| latest.size);
        let mut limits = vec![(latest, "no checkpoint is over what comes after it".to_owned())];
        if !status.witnesses.is_empty() {
            let cosigned = status.cosigned.unwrap_or(0);
            limits.push((
                cosigned,
                "too few witnesses have seen what comes after it".to_owned(),
            ));
        }
        limits
    }

    /// How far these bundles have the log, without a gap.
    async fn archived(&self, from: u64, archives: &[Archive]) -> Result<u64, RetentionError> {
        let size = self.store.custody_head().await?.tree.size();
        let mut sorted: Vec<_> = archives.iter().collect();
        sorted.sort_by_key(|archive| archive.from);
        let mut end = from;
        for archive in sorted {
            // Beyond its end, the log has no root that could be the same.
            let expected = store::custody_root(&*self.store, archive.size.min(size)).await?;
            if archive.root != expected {
                return Err(RetentionError::OtherLog {
                    sha256: archive.sha256,
                    size: archive.size,
                    found: archive.root,
                    expected,
                });
            }
            if archive.from <= end {
                end = end.max(archive.size);
            }
        }
        Ok(end)
    }

    async fn carries(&self, reading: &Reading, below: u64) -> Result<Vec<Event>, store::Error> {
        let (rows, early) = reading.ledger.to_carry(below);
        let mut carries = Vec::new();
        for (id, rows) in rows {
            let adapter = match id {
                Some(id) => {
                    let found = self.store.adapter(AdapterId::from(id)).await;
                    // Its name is for people; a row of it that is not sound is told of by whoever reads it.
                    let name = found.ok().flatten().map(|adapter| adapter.name);
                    Some(AdapterFacts {
                        id,
                        name: name.unwrap_or_default(),
                    })
                }
                None => None,
            };
            for rows in rows.chunks(ROWS) {
                let mut event = carry(below);
                event.adapter.clone_from(&adapter);
                event.rows = rows.to_vec();
                carries.push(event);
            }
        }
        for early in early.chunks(ROWS) {
            let names: Vec<_> = early.iter().map(ToString::to_string).collect();
            carries.push(carry(below).detail(EARLY, names.join(" ")));
        }
        Ok(carries)
    }

    async fn time(&self, number: u64) -> Result<OffsetDateTime, store::Error> {
        let found = self.store.custody_records(number, 1).await?;
        let broken = |what: String| store::Error::Tampered {
            table: "custody_record",
            id: number.to_string(),
            what,
        };
        let stored = found.first().filter(|stored| stored.sequence == number);
        let stored = stored.ok_or_else(|| broken("it is missing".into()))?;
        let record = Record::from_bytes(&stored.bytes).map_err(|error| broken(error.to_string()))?;
        Ok(record.time)
    }
}

fn carry(below: u64) -> Event {
    Event::new(EventName::CustodyCarry, Actor::Server).detail("below", below.to_string())
}

fn told(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}
