//! Many keys that are revoked or destroyed by a list, in the background: each in a commit of its own with a record of its own.
//!
//! There is no state but the keys' own rows. What an end of the server broke off is begun again with the same list: what was
//! done by then is left as it is. Of a list the server remembers how far it is and what became of each line, until it ends.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use futures_util::future::join_all;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::ending::{self, End, Ending, NotEnded};
use super::ledger::give_way;
use super::unused::{UnusedError, last_use};
use crate::adapter::{Adapter, AdapterId};
use crate::custody::{AdapterFacts, Event, EventName, Hash, ObjectFacts};
use crate::kmip::ttlv::DateTime;
use crate::recorder::{self, Recorder};
use crate::store::Store;

/// Lists that are remembered, those under way besides.
const REMEMBERED: usize = 8;
/// Lines that are worked on at a time, so that their commits are one group.
const AT_A_TIME: usize = 32;

/// A key on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyListLine {
    /// The name of its adapter.
    pub adapter: String,
    /// Its Unique Identifier.
    pub key: Uuid,
    /// How many records the custody log had when the list was made; none where that is not known.
    pub as_of: Option<u64>,
}

/// What is to be done by a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOrder {
    /// To each key.
    pub end: End,
    /// Only to know what would be done.
    pub dry_run: bool,
    /// Also to keys that were fetched since the list was made, and to those in use.
    pub force: bool,
    /// The keys.
    pub lines: Vec<KeyListLine>,
}

impl KeyOrder {
    /// What the order is known by: SHA-256 over all that it says, line by line.
    pub fn digest(&self) -> Hash {
        let mut hash = Sha256::new();
        let (end, force, dry_run) = (self.end, self.force, self.dry_run);
        hash.update(format!(
            "claviger key list v1\n{end} force={force} dry-run={dry_run}\n"
        ));
        let mut text = String::new();
        for line in &self.lines {
            text.clear();
            let as_of = line
                .as_of
                .map_or_else(|| "-".to_owned(), |as_of| as_of.to_string());
            let _ = writeln!(text, "{} {} {as_of}", line.adapter, line.key);
            hash.update(&text);
        }
        Hash(hash.finalize().into())
    }
}

/// What becomes of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was done, or would be.
    Done,
    /// The key is as it was, for this reason.
    Refused(String),
    /// It was allowed, and did not work.
    Failed(String),
}

/// How far a list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyListStatus {
    /// Whether it waits for another administrator.
    pub waits: bool,
    /// When it ended; none before that.
    pub ended_at: Option<OffsetDateTime>,
    /// Lines that were done, or would be.
    pub done: u64,
    /// Lines that were refused.
    pub refused: u64,
    /// Lines that failed.
    pub failed: u64,
    /// Why it broke off, where it did.
    pub failure: Option<String>,
}

/// An order and how far it is.
pub struct KeyList {
    /// The order.
    pub order: KeyOrder,
    /// What it is known by.
    pub digest: Hash,
    /// When it was asked for.
    pub asked_at: OffsetDateTime,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_begun: bool,
    ended_at: Option<OffsetDateTime>,
    verdicts: Vec<Verdict>,
    failure: Option<String>,
}

impl KeyList {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far it is.
    pub fn status(&self) -> KeyListStatus {
        let state = self.state();
        let count =
            |of: fn(&Verdict) -> bool| state.verdicts.iter().filter(|verdict| of(verdict)).count() as u64;
        KeyListStatus {
            waits: !state.is_begun,
            ended_at: state.ended_at,
            done: count(|verdict| matches!(verdict, Verdict::Done)),
            refused: count(|verdict| matches!(verdict, Verdict::Refused(_))),
            failed: count(|verdict| matches!(verdict, Verdict::Failed(_))),
            failure: state.failure.clone(),
        }
    }

    /// At most `limit` verdicts, in the order of the lines, from line `from` on; fewer where it is not so far.
    pub fn verdicts(&self, from: usize, limit: usize) -> Vec<Verdict> {
        let state = self.state();
        state.verdicts.iter().skip(from).take(limit).cloned().collect()
    }

    /// Says that it is begun; false where it was before.
    fn begin(&self) -> bool {
        !std::mem::replace(&mut self.state().is_begun, true)
    }
}

/// The lists. A clone is the same ones.
#[derive(Clone)]
pub struct KeyLists {
    store: Arc<dyn Store>,
    recorder: Recorder,
    ending: Ending,
    lists: Arc<Mutex<VecDeque<Arc<KeyList>>>>,
}

impl KeyLists {
    pub(super) fn new(store: Arc<dyn Store>, recorder: Recorder, ending: Ending) -> Self {
        Self {
            store,
            recorder,
            ending,
            lists: Arc::default(),
        }
    }

    /// The list of this digest.
    pub fn find(&self, digest: Hash) -> Option<Arc<KeyList>> {
        let lists = self.lists();
        lists.iter().find(|list| list.digest == digest).cloned()
    }

    /// Remembers an order in the place of one like it. It is not begun. None where one like it is under way.
    pub fn enter(&self, order: KeyOrder) -> Option<Arc<KeyList>> {
        let digest = order.digest();
        let mut lists = self.lists();
        let is_under_way = |list: &KeyList| {
            let state = list.state();
            state.is_begun && state.ended_at.is_none()
        };
        if lists
            .iter()
            .any(|list| list.digest == digest && is_under_way(list))
        {
            return None;
        }
        lists.retain(|list| list.digest != digest);
        while lists.len() >= REMEMBERED
            && let Some(oldest) = lists.iter().position(|list| !is_under_way(list))
        {
            lists.remove(oldest);
        }
        let list = Arc::new(KeyList {
            order,
            digest,
            asked_at: OffsetDateTime::now_utc(),
            state: Mutex::default(),
        });
        lists.push_back(Arc::clone(&list));
        Some(list)
    }

    fn lists(&self) -> MutexGuard<'_, VecDeque<Arc<KeyList>>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out an order in the background. `event` is one of whoever asked, with who approved. False where it was begun
    /// already.
    pub fn begin(&self, list: &Arc<KeyList>, event: Event) -> bool {
        if !list.begin() {
            return false;
        }
        let (this, list) = (self.clone(), Arc::clone(list));
        // Nobody waits for it at the server's end: a recorder that stops is what ends it.
        tokio::spawn(async move {
            let failure = this.work(&list, &event).await.err();
            if let Some(error) = &failure {
                tracing::error!(%error, list = %list.digest, "keys on a list are left as they were");
            }
            let mut state = list.state();
            state.failure = failure.map(|error| error.to_string());
            state.ended_at = Some(OffsetDateTime::now_utc());
        });
        true
    }

    async fn work(&self, list: &KeyList, event: &Event) -> Result<(), NotEnded> {
        let (order, digest) = (&list.order, list.digest);
        let told = |name| {
            let event = Event {
                name,
                ..event.clone()
            };
            event.detail("list", digest.to_string())
        };
        if !order.dry_run {
            let begin = told(EventName::KeyListBegin)
                .detail("end", order.end.name())
                .detail("force", order.force.to_string())
                .detail("keys", order.lines.len().to_string());
            self.recorder.commit(Vec::new(), begin).await?;
        }
        let adapters = self.store.adapters().await?.rows;
        let adapters: HashMap<_, _> = adapters
            .into_iter()
            .map(|adapter| (adapter.name.clone(), adapter))
            .collect();
        let of_key = told(match order.end {
            End::Revoke => EventName::KeyRevoke,
            End::Destroy => EventName::KeyDelete,
        });
        for lines in order.lines.chunks(AT_A_TIME) {
            let began = Instant::now();
            let under_way = lines.iter().map(|line| {
                let adapter = adapters.get(&line.adapter);
                self.line(order, line, adapter, &of_key)
            });
            for verdict in join_all(under_way).await {
                list.state().verdicts.push(verdict?);
            }
            give_way(began).await;
        }
        if !order.dry_run {
            let status = list.status();
            let end = told(EventName::KeyListEnd)
                .detail("done", status.done.to_string())
                .detail("refused", status.refused.to_string())
                .detail("failed", status.failed.to_string());
            self.recorder.commit(Vec::new(), end).await?;
        }
        Ok(())
    }

    /// Does what is to be done to one key. An error ends the whole list.
    async fn line(
        &self,
        order: &KeyOrder,
        line: &KeyListLine,
        adapter: Option<&Adapter>,
        event: &Event,
    ) -> Result<Verdict, NotEnded> {
        let Some(adapter) = adapter else {
            return Ok(refused("there is no such adapter"));
        };
        let why_not = match self.judge(order, line, adapter.id).await {
            Ok(why_not) => why_not,
            Err(error) => return verdict(Err(error)),
        };
        if let Some(why) = why_not {
            return Ok(Verdict::Refused(why));
        }
        if order.dry_run {
            return Ok(Verdict::Done);
        }
        let mut event = event.clone();
        event.adapter = Some(AdapterFacts {
            id: adapter.id.uuid(),
            name: adapter.name.clone(),
        });
        let done = self
            .ending
            .carry_out(order.end, adapter.id, line.key, order.force, &event)
            .await;
        if let Err(NotEnded::Store(error)) = &done
            && error.is_of_one_change()
        {
            event.object = Some(ObjectFacts {
                identifier: line.key.hyphenated().to_string(),
                ..ObjectFacts::default()
            });
            self.recorder
                .commit(Vec::new(), event.failed(error.to_string()))
                .await?;
        }
        verdict(done)
    }

    /// Why a key is left as it is; none where nothing is against it.
    async fn judge(
        &self,
        order: &KeyOrder,
        line: &KeyListLine,
        adapter: AdapterId,
    ) -> Result<Option<String>, NotEnded> {
        let Some(mut row) = self.store.key(adapter, line.key).await? else {
            let why = if self.store.is_taken(line.key).await? {
                "the key is of another adapter"
            } else {
                "there is no such key"
            };
            return Ok(Some(why.to_owned()));
        };
        let now = DateTime::from(OffsetDateTime::now_utc());
        match ending::apply(order.end, &mut row, order.force, now) {
            Ok(()) if order.force => Ok(None),
            Ok(()) => self.since_the_list(line).await,
            Err(why @ NotEnded::Active { .. }) => Ok(Some(format!("{why}: revoke it first"))),
            Err(why @ (NotEnded::Already { .. } | NotEnded::Unfit(_))) => Ok(Some(why.to_string())),
            Err(error) => Err(error),
        }
    }

    /// Whether a client had the key since the list was made, in words; none where none had.
    async fn since_the_list(&self, line: &KeyListLine) -> Result<Option<String>, NotEnded> {
        let Some(as_of) = line.as_of else {
            return Ok(Some(
                "the list does not say by which records it was made, so that it is not known whether the key was fetched since"
                    .to_owned(),
            ));
        };
        let size = self.store.custody_head().await?.tree.size();
        if as_of > size {
            return Ok(Some(format!(
                "the list was made by {as_of} records, and the custody log has {size}: it is of another log"
            )));
        }
        if as_of < self.store.custody_kept().await?.from {
            return Ok(Some(
                "records since the list was made were pruned, so that it is not known whether the key was fetched since"
                    .to_owned(),
            ));
        }
        match last_use(&*self.store, line.key, as_of, u64::MAX).await {
            Ok(None) => Ok(None),
            Ok(Some(record)) => Ok(Some(format!(
                "{} had it since the list was made (record {})",
                record.actor.name(),
                record.sequence
            ))),
            Err(UnusedError::Store(error)) => Err(error.into()),
            Err(error) => Ok(Some(error.to_string())),
        }
    }
}

fn refused(why: &str) -> Verdict {
    Verdict::Refused(why.to_owned())
}

/// What is said of one key; the error of a store or a log that serves nobody ends the list.
fn verdict(done: Result<(), NotEnded>) -> Result<Verdict, NotEnded> {
    match done {
        Ok(()) => Ok(Verdict::Done),
        Err(NotEnded::Store(error)) if error.is_of_one_change() => Ok(Verdict::Failed(error.to_string())),
        Err(NotEnded::Recorder(error @ (recorder::Error::Conflict(_) | recorder::Error::Change(_)))) => {
            Ok(Verdict::Failed(error.to_string()))
        }
        Err(error @ (NotEnded::Store(_) | NotEnded::Recorder(_))) => Err(error),
        Err(why) => Ok(Verdict::Refused(why.to_string())),
    }
}
