//! Each step of a commit is broken twice: it fails, and it fails although it was done.

use std::sync::Arc;

use super::super::{Committed, Error, Recorder};
use super::faulty::{How, Step};
use super::{House, event, marks, node};
use crate::store::Change;
use crate::store::suite::fixture::row;

impl House {
    async fn keys(&self) -> u64 {
        let counts = self.fixture.store.key_counts().await.unwrap();
        counts.get(&self.fixture.east.id).map_or(0, |count| count.objects)
    }

    /// One commit of a key and a record.
    async fn write(&self, mark: &str) -> Result<Committed, Error> {
        let changes = vec![Change::create_key(row(&self.fixture.east, &[]))];
        self.recorder.commit(changes, event(mark)).await
    }
}

#[tokio::test]
async fn while_the_log_cannot_be_written_nothing_is_changed() {
    for step in [Step::Begin, Step::Apply, Step::Append, Step::Commit] {
        for how in [How::Failed, How::FailedButDone] {
            if (step, how) == (Step::Commit, How::FailedButDone) {
                continue;
            }
            let house = House::new().await;
            house.write("before").await.unwrap();
            house.plan.fail(step, how);
            let error = house.write("broken").await.unwrap_err();
            assert!(matches!(error, Error::Refused(_)), "{step:?} {how:?}: {error}");
            assert!(house.plan.is_used_up());
            assert!(house.recorder.status().failure.is_some());
            assert_eq!(house.keys().await, 1, "{step:?} {how:?}");
            assert_eq!(house.write("after").await.unwrap().sequence, 1);
            assert_eq!(house.recorder.status().failure, None);
            let (records, _) = house.verified().await;
            assert_eq!(marks(&records), ["before", "after"], "{step:?} {how:?}");
            assert_eq!(house.keys().await, 2);
            assert_eq!(house.restarted().await.status().head.size, 2);
        }
    }
}

#[tokio::test]
async fn everybody_in_a_group_that_fails_hears_of_it() {
    let house = House::new().await;
    for step in [Step::Begin, Step::Apply, Step::Append, Step::Commit] {
        let entries = (0..31).map(|number| {
            let create = || Change::create_key(row(&house.fixture.east, &[]));
            (
                if number % 2 == 0 { vec![create()] } else { vec![] },
                event(number),
            )
        });
        // Who comes while a transaction is begun is of its group. Where it can't be begun, the first entry fails alone, and the
        // other thirty together.
        let groups = if matches!(step, Step::Begin) { 2 } else { 1 };
        let waiting = house
            .gathered(entries.collect(), async |_| {
                for _ in 0..groups {
                    house.plan.fail(step, How::Failed);
                }
            })
            .await;
        for waiting in waiting {
            let error = waiting.await.unwrap().unwrap_err();
            assert!(matches!(error, Error::Refused(_)), "{step:?}: {error}");
        }
        assert!(house.plan.is_used_up(), "{step:?}");
    }
    assert_eq!(house.keys().await, 0);
    assert_eq!(house.verified().await.0.len(), 0);
}

#[tokio::test]
async fn a_commit_that_was_made_in_spite_of_its_error_is_acknowledged() {
    let house = House::new().await;
    house.plan.fail(Step::Commit, How::FailedButDone);
    assert_eq!(house.write("made").await.unwrap().sequence, 0);
    assert_eq!(house.write("next").await.unwrap().sequence, 1);
    let (records, _) = house.verified().await;
    assert_eq!(marks(&records), ["made", "next"]);
    assert_eq!(house.keys().await, 2);
}

#[tokio::test]
async fn while_the_outcome_is_unknown_nothing_more_is_written() {
    for how in [How::Failed, How::FailedButDone] {
        let house = House::new().await;
        house.write("before").await.unwrap();
        house.plan.fail(Step::Commit, how);
        house.plan.fail(Step::ReadTail, How::Failed);
        house.plan.fail(Step::ReadTail, How::Failed);
        let error = house.write("unknown").await.unwrap_err();
        assert!(matches!(error, Error::OutcomeUnknown(_)), "{error}");
        let error = house.write("still unreadable").await.unwrap_err();
        assert!(matches!(error, Error::Refused(_)), "{error}");
        assert!(house.plan.is_used_up());
        let written = house.write("after").await.unwrap();
        let (records, _) = house.verified().await;
        let expected: &[&str] = match how {
            How::Failed => &["before", "after"],
            How::FailedButDone => &["before", "unknown", "after"],
        };
        assert_eq!(marks(&records), expected);
        assert_eq!(written.sequence + 1, expected.len() as u64);
        assert_eq!(house.keys().await, expected.len() as u64);
    }
}

#[tokio::test]
async fn two_servers_on_one_store_do_not_fork_the_log() {
    let house = House::new().await;
    house.write("ours").await.unwrap();
    let theirs = Recorder::start(Arc::clone(&house.fixture.store), node())
        .await
        .unwrap();
    theirs.commit(vec![], event("theirs")).await.unwrap();
    // Our head is not the log's any more: it is read again, and the group goes behind what the other has written.
    assert_eq!(house.write("ours again").await.unwrap().sequence, 2);
    let (records, _) = house.verified().await;
    assert_eq!(marks(&records), ["ours", "theirs", "ours again"]);
}
