//! Keys that are wrapped anew, with each step broken twice: it failed, and it failed although it was done. No key is lost,
//! none is under a version that its row does not name, and none is recorded twice.

/// Makes a test of each of these functions for each database.
macro_rules! on_both_databases {
    ($($test:ident,)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $test() {
                super::$test::<crate::store::sqlite_tests::SqliteMaker>().await;
            })*
        }
        mod postgres {
            $(#[tokio::test] async fn $test() {
                super::$test::<crate::store::postgres_tests::PostgresMaker>().await;
            })*
        }
    };
}
use on_both_databases;

mod backend;
mod comparison;
mod inventory;
mod key_list;
mod retention;
mod unused;
mod versions;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use uuid::Uuid;

use self::backend::{StandIn, opened, wrapped};
use super::relocation::Relocation;
use super::{Progress, Rotation};
use crate::adapter::{RootKey, RootKeyId};
use crate::custody::{EventName, Record, verify};
use crate::recorder::tests::faulty::{Faulty, How, Plan, Step};
use crate::recorder::{NodeFacts, Recorder};
use crate::root_key::RootKeys;
use crate::store::sqlite_tests::SqliteMaker;
use crate::store::suite::Fixture;
use crate::store::suite::fixture::{root_key, row, seal_key, write};
use crate::store::{Change, Store};

/// More than are at the device at a time.
const KEYS: usize = 9;
/// Looks until everything must be done: one that the fault meets, and one after it, and one to see that it is all.
const LOOKS: usize = 3;

/// What breaks.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Device(How),
    Record(Step, How),
    /// The commit breaks, and nobody can read what became of it.
    Unknown(How),
}

const FAULTS: [Fault; 12] = [
    Fault::Device(How::Failed),
    Fault::Device(How::FailedButDone),
    Fault::Record(Step::Begin, How::Failed),
    Fault::Record(Step::Begin, How::FailedButDone),
    Fault::Record(Step::Apply, How::Failed),
    Fault::Record(Step::Apply, How::FailedButDone),
    Fault::Record(Step::Append, How::Failed),
    Fault::Record(Step::Append, How::FailedButDone),
    Fault::Record(Step::Commit, How::Failed),
    Fault::Record(Step::Commit, How::FailedButDone),
    Fault::Unknown(How::Failed),
    Fault::Unknown(How::FailedButDone),
];

/// Keys of one adapter, and what a job needs.
struct House {
    fixture: Fixture<SqliteMaker>,
    store: Arc<dyn Store>,
    recorder: Recorder,
    plan: Arc<Plan>,
    device: Arc<StandIn>,
    key_manager: Arc<StandIn>,
    progress: Progress,
    values: BTreeMap<Uuid, Vec<u8>>,
}

impl House {
    async fn new() -> Self {
        let fixture = Fixture::<SqliteMaker>::new().await;
        let root_key = fixture.store.root_key(fixture.east.root_key).await.unwrap();
        let root_key = root_key.unwrap();
        let mut values = BTreeMap::new();
        for _ in 0..KEYS {
            let mut row = row(&fixture.east, &[]);
            let value = [row.object.id().into_bytes(), row.object.id().into_bytes()].concat();
            row.wrapped.as_mut().unwrap().kek = wrapped(&root_key, &value);
            values.insert(row.object.id(), value);
            write(&*fixture.store, &[Change::create_key(row)]).await.unwrap();
        }
        let plan = Arc::new(Plan::default());
        let faulty = Faulty {
            inner: Arc::clone(&fixture.store),
            plan: Arc::clone(&plan),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        };
        let node = NodeFacts {
            name: "node-1".to_owned(),
            server_version: "0.1.0".to_owned(),
            configuration_sha256: None,
        };
        Self {
            store: fixture.reopened().await,
            recorder: Recorder::start(Arc::new(faulty), node).await.unwrap(),
            fixture,
            plan,
            device: Arc::default(),
            key_manager: Arc::new(StandIn::key_manager()),
            progress: Progress::default(),
            values,
        }
    }

    fn root_keys(&self) -> RootKeys {
        RootKeys::new(vec![
            ("hsm".to_owned(), self.device.clone()),
            ("ibm".to_owned(), self.key_manager.clone()),
        ])
    }

    fn rotation(&self) -> Rotation {
        Rotation::new(
            Arc::clone(&self.store),
            self.recorder.clone(),
            self.root_keys(),
            self.progress.clone(),
        )
    }

    fn relocation(&self) -> Relocation {
        Relocation::new(
            Arc::clone(&self.store),
            self.recorder.clone(),
            self.root_keys(),
            self.progress.clone(),
        )
    }

    /// A root key in the key manager.
    async fn root_key_in_the_key_manager(&self) -> RootKey {
        let root_key = RootKey {
            backend: "ibm".to_owned(),
            ..root_key("north")
        };
        self.fixture.keys.insert(root_key.id, seal_key(3));
        write(&*self.fixture.store, &[Change::CreateRootKey(root_key.clone())])
            .await
            .unwrap();
        root_key
    }

    /// Puts the adapter East under this root key.
    async fn put_under(&self, to: RootKeyId) {
        let adapter = self.fixture.east.id;
        write(&*self.fixture.store, &[Change::MoveAdapter { adapter, to }])
            .await
            .unwrap();
    }

    fn break_by(&self, fault: Fault) {
        self.break_at(&self.device, fault);
    }

    fn break_at(&self, backend: &StandIn, fault: Fault) {
        match fault {
            Fault::Device(how) => backend.fail(how),
            Fault::Record(step, how) => self.plan.fail(step, how),
            Fault::Unknown(how) => {
                self.plan.fail(Step::Commit, how);
                self.plan.fail(Step::ReadTail, How::Failed);
            }
        }
    }

    /// Each key opens under the version that its row names, to its value; gives how many are at each place.
    async fn places(&self, case: &str) -> BTreeMap<(String, u32), usize> {
        let mut versions = self.store.root_keys().await.unwrap().rows;
        for present in versions.clone() {
            let earlier = self.store.earlier_versions(present.id).await.unwrap().rows;
            versions.extend(earlier.iter().map(|version| present.at(version)));
        }
        let mut places = BTreeMap::new();
        for (id, value) in &self.values {
            let row = self.store.key(self.fixture.east.id, *id).await.unwrap();
            let kept = row.expect("it is there").wrapped.expect("it has its key");
            let is_its_own =
                |version: &&RootKey| version.id == kept.root_key && version.version == kept.version;
            let version = versions.iter().find(is_its_own).expect("a version on record");
            let found = opened(version, &kept.kek);
            assert_eq!(found, Some(&value[..]), "{case}: {id} is another key now");
            *places.entry((version.name.clone(), version.version)).or_default() += 1;
        }
        places
    }

    /// How often each key is recorded in this event, in a log that verifies.
    async fn recorded(&self, event: EventName) -> BTreeMap<String, usize> {
        let head = self.store.custody_head().await.unwrap().head();
        let stored = self.store.custody_records(0, 1_000_000).await.unwrap();
        verify(&stored, &head).expect("the log verifies");
        let mut counts = BTreeMap::new();
        for stored in &stored {
            let record = Record::from_bytes(&stored.bytes).unwrap();
            if record.event == event {
                *counts.entry(record.object.unwrap().identifier).or_default() += 1;
            }
        }
        counts
    }

    /// By what the keys that were moved went, as their records say.
    async fn carriers(&self) -> Vec<String> {
        let stored = self.store.custody_records(0, 1_000_000).await.unwrap();
        let records = stored
            .iter()
            .map(|stored| Record::from_bytes(&stored.bytes).unwrap());
        let moves = records.filter(|record| record.event == EventName::KeyMove);
        let mut carriers: Vec<_> = moves.map(|record| record.details["by"].clone()).collect();
        carriers.sort();
        carriers.dedup();
        carriers
    }

    /// No wrapped key that a row names was given up.
    async fn nothing_in_use_was_given_up(&self, case: &str) {
        let given_up = [self.device.discarded(), self.key_manager.discarded()].concat();
        for id in self.values.keys() {
            let row = self.store.key(self.fixture.east.id, *id).await.unwrap();
            let kept = row.unwrap().wrapped.unwrap().kek;
            assert!(!given_up.contains(&kept), "{case}: {id} was given up");
        }
    }

    /// Nothing is left to be done, nothing was done twice.
    async fn is_done(&self, case: &str, place: (&str, u32), event: EventName, id: Uuid) {
        let backends = [&self.device, &self.key_manager];
        let used_up = backends.iter().all(|backend| backend.is_used_up());
        assert!(self.plan.is_used_up() && used_up, "{case}");
        let all = BTreeMap::from([((place.0.to_owned(), place.1), KEYS)]);
        assert_eq!(self.places(case).await, all, "{case}");
        let once: BTreeMap<_, _> = self
            .values
            .keys()
            .map(|id| (id.hyphenated().to_string(), 1))
            .collect();
        assert_eq!(self.recorded(event).await, once, "{case}");
        assert_eq!(self.progress.of(id), None, "{case}: it is not at its end");
    }
}

#[tokio::test]
async fn a_rotation_that_breaks_at_any_step_loses_no_key_and_goes_on() {
    for fault in FAULTS {
        let case = format!("{fault:?}");
        let house = House::new().await;
        house.fixture.rotate().await.unwrap();
        house.break_by(fault);
        for _ in 0..LOOKS {
            // Each look is a server's that was started anew.
            house.rotation().pass().await.unwrap();
            house.places(&case).await;
        }
        let id = house.fixture.east.root_key.uuid();
        house.is_done(&case, ("east", 2), EventName::KeyRewrap, id).await;
    }
}

#[tokio::test]
async fn a_move_that_breaks_at_any_step_loses_no_key_and_goes_on() {
    for fault in FAULTS {
        let case = format!("{fault:?}");
        let house = House::new().await;
        // So that keys are moved from an earlier version too.
        house.fixture.rotate().await.unwrap();
        house.put_under(house.fixture.west.root_key).await;
        house.break_by(fault);
        for _ in 0..LOOKS {
            house.relocation().pass().await.unwrap();
            house.places(&case).await;
        }
        let adapter = house.fixture.east.id.uuid();
        house
            .is_done(&case, ("west", 1), EventName::KeyMove, adapter)
            .await;
        assert_eq!(house.carriers().await, ["device"], "{case}");
    }
}

#[tokio::test]
async fn a_move_to_a_key_manager_that_breaks_at_any_step_loses_no_key_and_gives_up_none_that_is_in_use() {
    // It breaks where keys are given out, and where they are taken in.
    for (fault, given_out) in FAULTS
        .into_iter()
        .flat_map(|fault| [(fault, true), (fault, false)])
    {
        let case = format!("{fault:?}, {given_out}");
        let house = House::new().await;
        house.fixture.rotate().await.unwrap();
        let to = house.root_key_in_the_key_manager().await;
        house.put_under(to.id).await;
        let backend = if given_out {
            &house.device
        } else {
            &house.key_manager
        };
        house.break_at(backend, fault);
        for _ in 0..LOOKS {
            house.relocation().pass().await.unwrap();
            house.places(&case).await;
            house.nothing_in_use_was_given_up(&case).await;
        }
        let adapter = house.fixture.east.id.uuid();
        house
            .is_done(&case, ("north", 1), EventName::KeyMove, adapter)
            .await;
        assert_eq!(house.carriers().await, ["server-memory"], "{case}");
    }
}

#[tokio::test]
async fn what_a_move_leaves_in_a_key_manager_is_given_up_key_by_key() {
    let house = House::new().await;
    let there = house.root_key_in_the_key_manager().await;
    house.put_under(there.id).await;
    house.relocation().pass().await.unwrap();
    let kept: Vec<_> = house
        .values
        .values()
        .map(|value| wrapped(&there, value))
        .collect();
    house.put_under(house.fixture.west.root_key).await;
    house.relocation().pass().await.unwrap();
    house.places("back").await;
    let given_up = house.key_manager.discarded();
    assert_eq!(given_up.len(), KEYS);
    assert!(kept.iter().all(|kek| given_up.contains(kek)));
    assert_eq!(house.carriers().await, ["server-memory"]);
}

#[tokio::test]
async fn a_key_that_was_deleted_in_the_key_manager_does_not_keep_a_move_from_its_end() {
    let house = House::new().await;
    let there = house.root_key_in_the_key_manager().await;
    house.put_under(there.id).await;
    house.relocation().pass().await.unwrap();
    let (lost, value) = house.values.first_key_value().unwrap();
    house.key_manager.delete(wrapped(&there, value));
    house.put_under(house.fixture.west.root_key).await;
    for _ in 0..LOOKS {
        house.relocation().pass().await.unwrap();
    }
    let adapter = house.fixture.east.id;
    let row = house.store.key(adapter, *lost).await.unwrap().unwrap();
    assert!(row.object.is_destroyed() && row.wrapped.is_none());
    let west = house.fixture.west.root_key;
    assert_eq!(house.store.number_to_move(adapter, west).await.unwrap(), 0);
    assert_eq!(house.progress.of(adapter.uuid()), None, "it is not at its end");
    let destroyed = house.recorded(EventName::KeyDestroy).await;
    assert_eq!(destroyed, BTreeMap::from([(lost.hyphenated().to_string(), 1)]));
}

#[tokio::test]
async fn a_key_whose_device_fails_for_long_stays_where_it_is_and_the_others_go_on() {
    let house = House::new().await;
    house.fixture.rotate().await.unwrap();
    for _ in 0..KEYS {
        house.device.fail(How::Failed);
    }
    house.rotation().pass().await.unwrap();
    let all = BTreeMap::from([(("east".to_owned(), 1), KEYS)]);
    assert_eq!(house.places("away").await, all);
    let id = house.fixture.east.root_key.uuid();
    let told = house.progress.of(id).expect("it is not at its end");
    assert_eq!((told.rewrapped, told.failed), (0, KEYS as u64));
    house.rotation().pass().await.unwrap();
    house.is_done("back", ("east", 2), EventName::KeyRewrap, id).await;
}
