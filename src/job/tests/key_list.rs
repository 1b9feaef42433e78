//! Lists of keys: what becomes of each line, and that an end of the server leaves nothing half.

use std::sync::Arc;

use uuid::Uuid;

use super::unused::House;
use crate::custody::{Actor, Event, EventName, Record};
use crate::job::{End, Jobs, KeyList, KeyListLine, KeyOrder, Verdict};
use crate::kmip::ttlv::DateTime;
use crate::recorder::tests::faulty::{Faulty, How, Plan, Step};
use crate::recorder::{NodeFacts, Recorder};
use crate::root_key::RootKeys;
use crate::store::Change;
use crate::store::suite::Maker;
use crate::store::suite::fixture::{row, write};

impl<M: Maker> House<M> {
    fn jobs(&self) -> Jobs {
        Jobs::new(
            self.fixture.store.clone(),
            self.recorder.clone(),
            RootKeys::new(vec![("hsm".into(), Arc::new(super::StandIn::default()))]),
        )
    }

    async fn active_key(&self) -> Uuid {
        let id = self.key().await;
        let row = self.fixture.store.key(self.fixture.east.id, id).await.unwrap();
        let mut row = row.unwrap();
        row.object.activate(DateTime(1_764_000_001)).unwrap();
        write(&*self.fixture.store, &[Change::update_key(row)])
            .await
            .unwrap();
        id
    }

    fn line(&self, key: Uuid) -> KeyListLine {
        KeyListLine {
            adapter: "east".into(),
            key,
            as_of: Some(self.recorder.status().head.size),
        }
    }

    async fn state(&self, key: Uuid) -> String {
        let row = self.fixture.store.key(self.fixture.east.id, key).await.unwrap();
        let now = DateTime::from(time::OffsetDateTime::now_utc());
        row.unwrap().object.state(now).unwrap().to_string()
    }

    async fn events(&self) -> Vec<Record> {
        let stored = self.fixture.store.custody_records(0, 10_000).await.unwrap();
        let records = stored.iter().map(|stored| Record::from_bytes(&stored.bytes));
        records.map(Result::unwrap).collect()
    }
}

super::on_both_databases!(
    a_dry_run_says_of_each_key_what_a_run_then_does,
    an_active_key_is_destroyed_by_force_alone_and_a_revoked_one_without,
    a_list_that_breaks_off_at_any_commit_is_carried_to_its_end_by_the_same_list,
);

fn order(end: End, lines: Vec<KeyListLine>) -> KeyOrder {
    KeyOrder {
        end,
        dry_run: false,
        force: false,
        lines,
    }
}

async fn carried_out(jobs: &Jobs, order: KeyOrder) -> Arc<KeyList> {
    let list = jobs.key_lists.enter(order).expect("it is not under way");
    let event = Event::new(EventName::KeyListBegin, Actor::Server);
    assert!(jobs.key_lists.begin(&list, event));
    while list.status().ended_at.is_none() {
        tokio::task::yield_now().await;
    }
    list
}

fn verdicts(list: &KeyList) -> Vec<String> {
    let verdicts = list.verdicts(0, 1000).into_iter();
    let words = verdicts.map(|verdict| match verdict {
        Verdict::Done => "done".to_owned(),
        Verdict::Refused(why) | Verdict::Failed(why) => why,
    });
    words.collect()
}

async fn a_dry_run_says_of_each_key_what_a_run_then_does<M: Maker>() {
    let house = House::<M>::new().await;
    let jobs = house.jobs();
    let (good, fetched) = (house.active_key().await, house.active_key().await);
    let west = row(&house.fixture.west, &[]);
    let of_west = west.object.id();
    write(&*house.fixture.store, &[Change::create_key(west)])
        .await
        .unwrap();
    let mut lines: Vec<_> = [good, fetched, of_west, Uuid::now_v7()]
        .map(|key| house.line(key))
        .into();
    lines.push(KeyListLine {
        adapter: "north".into(),
        ..house.line(good)
    });
    lines.push(KeyListLine {
        as_of: None,
        ..house.line(house.active_key().await)
    });
    lines.push(KeyListLine {
        as_of: Some(1 << 40),
        ..house.line(house.active_key().await)
    });
    house.record(EventName::KmipGet, fetched).await;
    let revoke = order(End::Revoke, lines);
    let expected = [
        "done",
        "had it since the list was made",
        "of another adapter",
        "no such key",
        "no such adapter",
        "does not say by which records",
        "of another log",
    ];
    let dry_run = KeyOrder {
        dry_run: true,
        ..revoke.clone()
    };
    let size = house.recorder.status().head.size;
    let told = verdicts(&*carried_out(&jobs, dry_run).await);
    assert_eq!(house.state(good).await, "Active");
    assert_eq!(
        house.recorder.status().head.size,
        size,
        "a dry run writes nothing"
    );
    let done = carried_out(&jobs, revoke.clone()).await;
    for ((told, done), expected) in told.iter().zip(verdicts(&done)).zip(expected) {
        assert!(told.contains(expected), "{told}");
        assert!(done.contains(expected), "{done}");
    }
    assert_eq!(house.state(good).await, "Deactivated");
    assert_eq!(house.state(fetched).await, "Active");
    let records = house.events().await;
    let of_list: Vec<_> = records
        .iter()
        .filter(|record| record.details.get("list") == Some(&done.digest.to_string()))
        .collect();
    let names: Vec<_> = of_list.iter().map(|record| record.event).collect();
    assert_eq!(
        names,
        [
            EventName::KeyListBegin,
            EventName::KeyRevoke,
            EventName::KeyListEnd
        ]
    );
    assert_eq!(of_list[1].rows[0].identifier, good);
    assert_eq!(of_list[2].details["done"], "1");

    // Again: what was done is left alone.
    let again = carried_out(&jobs, revoke).await;
    assert!(verdicts(&again)[0].contains("is deactivated already"));
}

async fn an_active_key_is_destroyed_by_force_alone_and_a_revoked_one_without<M: Maker>() {
    let house = House::<M>::new().await;
    let jobs = house.jobs();
    let (active, idle) = (house.active_key().await, house.key().await);
    let destroy = order(End::Destroy, vec![house.line(active), house.line(idle)]);
    let list = carried_out(&jobs, destroy.clone()).await;
    assert_eq!(verdicts(&list)[1], "done");
    assert!(verdicts(&list)[0].contains("revoke it first"));
    house.record(EventName::KmipGet, active).await;
    let forced = KeyOrder {
        force: true,
        ..destroy.clone()
    };
    assert_ne!(
        forced.digest(),
        destroy.digest(),
        "it is another thing to approve of"
    );
    let list = carried_out(&jobs, forced).await;
    assert_eq!(verdicts(&list)[0], "done");
    for key in [active, idle] {
        assert_eq!(house.state(key).await, "Destroyed");
        let row = house.fixture.store.key(house.fixture.east.id, key).await.unwrap();
        assert!(row.unwrap().wrapped.is_none());
    }
}

async fn a_list_that_breaks_off_at_any_commit_is_carried_to_its_end_by_the_same_list<M: Maker>() {
    for how in [How::Failed, How::FailedButDone] {
        let mut house = House::<M>::new().await;
        let plan = Arc::new(Plan::default());
        let faulty = Faulty {
            inner: Arc::clone(&house.fixture.store),
            plan: Arc::clone(&plan),
            gate: Arc::new(tokio::sync::Semaphore::new(tokio::sync::Semaphore::MAX_PERMITS)),
        };
        let node = NodeFacts {
            name: "node-1".to_owned(),
            server_version: "0.1.0".to_owned(),
            configuration_sha256: None,
        };
        house.recorder = Recorder::start(Arc::new(faulty), node).await.unwrap();
        let jobs = house.jobs();
        let mut keys = Vec::new();
        for _ in 0..100 {
            keys.push(house.key().await);
        }
        let lines = keys.iter().map(|key| house.line(*key)).collect();
        let destroy = order(End::Destroy, lines);
        let mut rounds = 0;
        while rounds < 3 || !plan.is_used_up() {
            rounds += 1;
            let list = jobs.key_lists.enter(destroy.clone()).expect("it has ended");
            let event = Event::new(EventName::KeyListBegin, Actor::Server);
            assert!(jobs.key_lists.begin(&list, event));
            while list.status().ended_at.is_none() {
                if rounds < 3 && list.status().done > 0 && plan.is_used_up() {
                    plan.fail(Step::Commit, how);
                    plan.fail(Step::ReadTail, How::Failed);
                }
                tokio::task::yield_now().await;
            }
        }
        let list = carried_out(&jobs, destroy).await;
        assert_eq!(list.status().failure, None, "{how:?}");
        let mut destroyed = std::collections::BTreeMap::new();
        for record in house.events().await {
            if record.event == EventName::KeyDelete {
                *destroyed.entry(record.object.unwrap().identifier).or_insert(0) += 1;
            }
        }
        for key in keys {
            assert_eq!(house.state(key).await, "Destroyed", "{how:?}");
            assert_eq!(
                destroyed[&key.hyphenated().to_string()],
                1,
                "{how:?}: on record once"
            );
        }
    }
}
