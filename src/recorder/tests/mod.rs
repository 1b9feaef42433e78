//! What is acknowledged is kept, what is refused left no trace, and the log verifies, whatever breaks.

mod crash;
mod epoch;
mod fault;
pub(crate) mod faulty;
mod group;
mod retention;
mod shared;
mod start;

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::{Committed, Error, NodeFacts, QUEUE, Recorder};
use crate::custody::{Actor, Event, EventName, Hash, Record, StoredRecord, Verified, verify};
use crate::store::sqlite_tests::SqliteMaker;
use crate::store::suite::Fixture;
use crate::store::{Change, Store};
use faulty::{Faulty, Plan};

pub(crate) fn node() -> NodeFacts {
    NodeFacts {
        name: "node-1".to_owned(),
        server_version: "0.1.0".to_owned(),
        configuration_sha256: Some(Hash([7; 32])),
    }
}

/// An event that can be told from others.
pub(crate) fn event(mark: impl Display) -> Event {
    Event::new(EventName::KmipGet, Actor::Server).detail("mark", format!("{mark}"))
}

/// A recorder on a store that fails when it is told to.
pub(crate) struct House {
    pub(crate) fixture: Fixture<SqliteMaker>,
    pub(crate) recorder: Recorder,
    pub(crate) plan: Arc<Plan>,
    gate: Arc<Semaphore>,
}

impl House {
    pub(crate) async fn new() -> Self {
        let fixture = Fixture::<SqliteMaker>::new().await;
        let (plan, gate) = (Arc::new(Plan::default()), Arc::new(Semaphore::new(1)));
        let store = Faulty {
            inner: Arc::clone(&fixture.store),
            plan: Arc::clone(&plan),
            gate: Arc::clone(&gate),
        };
        let recorder = Recorder::start(Arc::new(store), node()).await.unwrap();
        Self {
            fixture,
            recorder,
            plan,
            gate,
        }
    }

    /// Starts these commits so that the first waits for its transaction, and the others come meanwhile; gives their results.
    /// `planned` is called once all of them wait.
    async fn gathered(
        &self,
        entries: Vec<(Vec<Change>, Event)>,
        planned: impl AsyncFnOnce(&mut Vec<JoinHandle<Result<Committed, Error>>>),
    ) -> Vec<JoinHandle<Result<Committed, Error>>> {
        let closed = self.gate.acquire().await.unwrap();
        let begins = self.plan.begins.load(Ordering::Relaxed);
        let behind = entries.len() - 1;
        let mut waiting = Vec::new();
        for (changes, event) in entries {
            let recorder = self.recorder.clone();
            waiting.push(tokio::spawn(async move { recorder.commit(changes, event).await }));
            // The writer takes the first and stands at the gate with it.
            while self.plan.begins.load(Ordering::Relaxed) == begins {
                tokio::task::yield_now().await;
            }
        }
        while self.recorder.entries.capacity() != QUEUE - behind {
            tokio::task::yield_now().await;
        }
        planned(&mut waiting).await;
        drop(closed);
        waiting
    }

    fn commits(&self) -> usize {
        self.plan.commits.load(Ordering::Relaxed)
    }

    pub(crate) async fn verified(&self) -> (Vec<Record>, Verified) {
        verified(&*self.fixture.store).await
    }

    /// Stops the recorder and starts another on the same database, opened anew.
    async fn restarted(&self) -> Recorder {
        self.recorder.stop().await;
        Recorder::start(self.fixture.reopened().await, node())
            .await
            .unwrap()
    }
}

async fn stored(store: &dyn Store) -> Vec<StoredRecord> {
    store.custody_records(0, 1_000_000).await.unwrap()
}

/// The whole log, verified.
pub(crate) async fn verified(store: &dyn Store) -> (Vec<Record>, Verified) {
    let head = store.custody_head().await.unwrap().head();
    let mut stored = stored(store).await;
    stored.truncate(usize::try_from(head.size).unwrap());
    let verified = verify(&stored, &head).unwrap();
    let records = stored
        .iter()
        .map(|stored| Record::from_bytes(&stored.bytes).unwrap())
        .collect();
    (records, verified)
}

fn marks(records: &[Record]) -> Vec<&str> {
    records
        .iter()
        .map(|record| record.details["mark"].as_str())
        .collect()
}
