//! Any sequence of changes and crashes: what was acknowledged is there, and the log verifies.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use super::super::{Error, Recorder};
use super::{event, node, verified};
use crate::kmip::ttlv::DateTime;
use crate::store::sqlite_tests::SqliteMaker;
use crate::store::suite::fixture::row;
use crate::store::suite::{Fixture, Maker};
use crate::store::{self, Change, KeyRow, WriteStore};

#[derive(Clone, Copy, Debug)]
enum Step {
    Create,
    Activate(prop::sample::Index),
    Destroy(prop::sample::Index),
    /// A change from a revision that is long gone.
    Stale(prop::sample::Index),
    RecordOnly,
    /// The server is killed while so many commits are under way, and started again.
    Crash(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => Just(Step::Create),
        3 => any::<prop::sample::Index>().prop_map(Step::Activate),
        2 => any::<prop::sample::Index>().prop_map(Step::Destroy),
        1 => any::<prop::sample::Index>().prop_map(Step::Stale),
        2 => Just(Step::RecordOnly),
        2 => (0_u8..20).prop_map(Step::Crash),
    ];
    prop::collection::vec(step, 1..30)
}

/// A server that can be killed: its recorder, store and everything that runs in it end with the runtime.
struct Server {
    runtime: Runtime,
    store: Arc<dyn WriteStore>,
    recorder: Recorder,
}

impl Server {
    fn start(fixture: &Fixture<SqliteMaker>) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (store, recorder) = runtime.block_on(async {
            let store = fixture.reopened().await;
            let recorder = Recorder::start(Arc::clone(&store), node()).await.unwrap();
            (store, recorder)
        });
        Self {
            runtime,
            store,
            recorder,
        }
    }

    /// Commits, and tries again where the server that was killed got its last group in: its connection may outlive it
    /// by a moment, as it would on another machine.
    fn commit(&self, changes: &[Change], mark: usize) -> Result<u64, Error> {
        loop {
            let commit = self.recorder.commit(changes.to_vec(), event(mark));
            match self.runtime.block_on(commit) {
                Err(Error::Refused(error)) if matches!(*error, store::Error::HeadMoved) => {}
                result => return result.map(|committed| committed.sequence),
            }
        }
    }

    /// Kills it with `burst` creations under way. Nobody hears what becomes of them.
    fn kill(self, fixture: &Fixture<SqliteMaker>, burst: u8, next_mark: &mut usize) {
        for _ in 0..burst {
            let (recorder, change) = (self.recorder.clone(), Change::create_key(row(&fixture.east, &[])));
            let event = event(*next_mark);
            *next_mark += 1;
            self.runtime
                .spawn(async move { recorder.commit(vec![change], event).await });
        }
        self.runtime.shutdown_background();
    }
}

/// What was acknowledged.
#[derive(Default)]
struct Acknowledged {
    keys: BTreeMap<Uuid, KeyRow>,
    /// The sequence of each acknowledged record, with its mark.
    records: BTreeMap<u64, usize>,
}

fn run(steps: Vec<Step>) {
    let outside = Builder::new_current_thread().enable_all().build().unwrap();
    let fixture = outside.block_on(Fixture::<SqliteMaker>::new());
    let mut server = Server::start(&fixture);
    let mut known = Acknowledged::default();
    let mut mark = 0;
    for step in steps {
        mark += 1;
        let pick = |index: prop::sample::Index| {
            (!known.keys.is_empty()).then(|| {
                known
                    .keys
                    .values()
                    .nth(index.index(known.keys.len()))
                    .unwrap()
                    .clone()
            })
        };
        let now = DateTime(1_764_000_000 + i64::try_from(mark).unwrap());
        let change = match step {
            Step::Crash(burst) => {
                server.kill(&fixture, burst, &mut mark);
                server = Server::start(&fixture);
                continue;
            }
            Step::RecordOnly => {
                let sequence = server.commit(&[], mark).unwrap();
                known.records.insert(sequence, mark);
                continue;
            }
            Step::Create => Some(row(&fixture.east, &[])),
            Step::Activate(index) => pick(index).map(|mut row| {
                let _ = row.object.activate(now);
                row
            }),
            Step::Destroy(index) => pick(index).map(|mut row| {
                if row.object.destroy(now).is_ok() {
                    row.wrapped = None;
                }
                row
            }),
            Step::Stale(index) => {
                if let Some(mut row) = pick(index) {
                    row.revision += 1;
                    let error = server.commit(&[Change::update_key(row)], mark).unwrap_err();
                    assert!(matches!(error, Error::Conflict(_)), "{error}");
                }
                continue;
            }
        };
        let Some(row) = change else { continue };
        let id = row.object.id();
        let change = if row.revision == 0 {
            Change::create_key(row.clone())
        } else {
            Change::update_key(row.clone())
        };
        let sequence = server.commit(&[change], mark).unwrap();
        known.records.insert(sequence, mark);
        let read = server
            .runtime
            .block_on(server.store.key(fixture.east.id, id))
            .unwrap()
            .unwrap();
        assert_eq!((&read.object, &read.wrapped), (&row.object, &row.wrapped));
        known.keys.insert(id, read);
    }
    server.kill(&fixture, 3, &mut mark);
    outside.block_on(check(&fixture, &known));
}

async fn check(fixture: &Fixture<SqliteMaker>, known: &Acknowledged) {
    let store = fixture.maker.open(fixture.keys.clone()).await;
    Recorder::start(Arc::clone(&store), node()).await.unwrap();
    let (records, _) = verified(&*store).await;
    for (sequence, mark) in &known.records {
        let record = &records[usize::try_from(*sequence).unwrap()];
        assert_eq!(record.details["mark"], mark.to_string());
    }
    for (id, row) in &known.keys {
        assert_eq!(store.key(fixture.east.id, *id).await.unwrap().as_ref(), Some(row));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_survives_any_history_of_crashes(steps in steps()) {
        run(steps);
    }
}
