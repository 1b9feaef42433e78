//! Which keys are told to be unused, and that none is which a client has had.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::custody::{Event, EventName, ObjectFacts};
use crate::job::{Horizon, LastFetch, UnusedError};
use crate::recorder::{NodeFacts, Recorder, by_client};
use crate::store::Change;
use crate::store::sqlite_tests::SqliteMaker;
use crate::store::suite::fixture::{THEN, caller, row, write};
use crate::store::suite::{Fixture, Maker};

/// A store whose keys were made long before anything was recorded.
pub(super) struct House<M> {
    pub(super) fixture: Fixture<M>,
    pub(super) recorder: Recorder,
}

impl<M: Maker> House<M> {
    pub(super) async fn new() -> Self {
        let fixture = Fixture::<M>::new().await;
        let node = NodeFacts {
            name: "node-1".to_owned(),
            server_version: "0.1.0".to_owned(),
            configuration_sha256: None,
        };
        let recorder = Recorder::start(fixture.store.clone(), node).await.unwrap();
        Self { fixture, recorder }
    }

    pub(super) async fn key(&self) -> Uuid {
        let row = row(&self.fixture.east, &[]);
        let id = row.object.id();
        write(&*self.fixture.store, &[Change::create_key(row)])
            .await
            .unwrap();
        id
    }

    fn event(&self, name: EventName, key: Uuid) -> Event {
        let mut event = by_client(name, &caller(&self.fixture.east));
        event.object = Some(ObjectFacts {
            identifier: key.hyphenated().to_string(),
            ..ObjectFacts::default()
        });
        event
    }

    pub(super) async fn record(&self, name: EventName, key: Uuid) -> u64 {
        let committed = self.recorder.commit(Vec::new(), self.event(name, key)).await;
        committed.unwrap().sequence
    }

    /// The unused keys since a time, page by page.
    async fn unused(&self, since: OffsetDateTime) -> Vec<(Uuid, LastFetch)> {
        let store = &*self.fixture.store;
        let horizon = Horizon::at(store, since).await.unwrap();
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = horizon.page(store, self.fixture.east.id, after, 2).await.unwrap();
            all.extend(page.keys.into_iter().map(|key| (key.row.object.id(), key.last)));
            after = page.next;
            if after.is_none() {
                all.reverse();
                return all;
            }
        }
    }
}

super::on_both_databases!(
    a_key_is_unused_where_nobody_was_given_it_since_and_not_where_it_was_only_looked_at,
    a_pruned_log_makes_no_key_look_as_if_it_was_never_fetched,
);

/// The time of a record that was just written.
async fn time_of<M: Maker>(house: &House<M>, sequence: u64) -> OffsetDateTime {
    let stored = house.fixture.store.custody_records(sequence, 1).await.unwrap();
    crate::custody::Record::from_bytes(&stored[0].bytes).unwrap().time
}

async fn a_key_is_unused_where_nobody_was_given_it_since_and_not_where_it_was_only_looked_at<M: Maker>() {
    let house = House::<M>::new().await;
    let mut keys = Vec::new();
    for _ in 0..6 {
        keys.push(house.key().await);
    }
    let [never, before, since, used, looked, refused] = keys[..] else {
        panic!("six keys");
    };
    let fetched = house.record(EventName::KmipGet, before).await;
    house.record(EventName::KmipGet, looked).await;
    for _ in 0..40 {
        house.record(EventName::KmipGetAttributes, looked).await;
    }
    let horizon = house.record(EventName::KmipQuery, never).await;
    let horizon = time_of(&house, horizon).await;
    house.record(EventName::KmipGet, since).await;
    house.record(EventName::KmipGetAttributes, since).await;
    house.record(EventName::KmipDecrypt, used).await;
    for _ in 0..40 {
        house.record(EventName::KmipGetAttributes, looked).await;
    }
    let event = house.event(EventName::KmipGet, refused).refused("it is archived");
    house.recorder.commit(Vec::new(), event).await.unwrap();

    let found = house.unused(horizon).await;
    let names: Vec<_> = found.iter().map(|(id, _)| *id).collect();
    assert_eq!(names, [never, before, looked, refused]);
    assert_eq!(found[0].1, LastFetch::Never);
    assert!(matches!(&found[1].1, LastFetch::By(record) if record.sequence == fetched));
    assert!(matches!(&found[2].1, LastFetch::By(record) if record.event == EventName::KmipGet));
    assert_eq!(found[3].1, LastFetch::Never);
    // A key that is younger than the time is not unused for so long.
    assert!(house.unused(THEN - time::Duration::days(3650)).await.is_empty());
}

async fn a_pruned_log_makes_no_key_look_as_if_it_was_never_fetched<M: Maker>() {
    let house = House::<M>::new().await;
    let key = house.key().await;
    house.record(EventName::KmipGet, key).await;
    for _ in 0..1100 {
        let event = Event::new(EventName::KmipPing, crate::custody::Actor::Server);
        house.recorder.commit(Vec::new(), event).await.unwrap();
    }
    let before = time_of(&house, 0).await;
    write(&*house.fixture.store, &[Change::PruneRecords { below: 512 }])
        .await
        .unwrap();
    let mut transaction = house.fixture.store.begin().await.unwrap();
    transaction.prune_records(10_000).await.unwrap();
    transaction.commit().await.unwrap();

    let refused = Horizon::at(&*house.fixture.store, before).await;
    assert!(matches!(refused, Err(UnusedError::Pruned { .. })), "{refused:?}");
    let known = time_of(&house, 512).await;
    assert_eq!(house.unused(known).await, [(key, LastFetch::NotSince(known))]);
}

/// `CLAVIGER_TEST_KEYS=100000 cargo nextest run -p claviger --lib --run-ignored only --no-capture -E 'test(how_long_the_unused)'`
#[tokio::test]
#[ignore = "it measures, and takes minutes"]
async fn how_long_the_unused_keys_of_many_take_to_be_found() {
    let keys: usize = std::env::var("CLAVIGER_TEST_KEYS").map_or(2_000, |keys| keys.parse().unwrap());
    let house = House::<SqliteMaker>::new().await;
    let (mut unused, begun) = (0, std::time::Instant::now());
    for first in (0..keys).step_by(100) {
        let rows: Vec<_> = (0..100).map(|_| row(&house.fixture.east, &[])).collect();
        let ids: Vec<_> = rows.iter().map(|row| row.object.id()).collect();
        let changes = rows.into_iter().map(Change::create_key).collect();
        let created = ids.iter().map(|id| house.event(EventName::KmipCreate, *id));
        house
            .recorder
            .commit_together(changes, created.collect())
            .await
            .unwrap();
        // Each but the last ten of a hundred is fetched ten times.
        let used = ids[..90].iter().flat_map(|id| std::iter::repeat_n(*id, 10));
        let fetched = used.map(|id| house.event(EventName::KmipGet, id)).collect();
        house.recorder.commit_together(Vec::new(), fetched).await.unwrap();
        unused += 10;
        if first % 10_000 == 0 {
            println!("{first} keys after {:?}", begun.elapsed());
        }
    }
    let since = time_of(&house, 0).await;
    let store = &*house.fixture.store;
    let begun = std::time::Instant::now();
    let horizon = Horizon::at(store, since).await.unwrap();
    let (mut found, mut after) = (0, None);
    loop {
        let page = horizon
            .page(store, house.fixture.east.id, after, 1000)
            .await
            .unwrap();
        found += page.keys.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    println!(
        "{found} unused of {keys} keys, by {} records, in {:?}",
        horizon.size(),
        begun.elapsed()
    );
    assert_eq!(found, unused);
}
