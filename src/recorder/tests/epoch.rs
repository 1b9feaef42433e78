//! A log that was taken back is not written, until a new epoch says what was known before.

use super::super::{Error, Known, KnownHead, Rollback};
use super::faulty::{How, Step};
use super::{House, event, marks};
use crate::custody::{Actor, Event, EventName, Hash};
use crate::store::suite::fixture::Maker;

fn epoch() -> Event {
    Event::new(EventName::CustodyEpoch, Actor::Server).detail("mark", "epoch")
}

impl House {
    fn file(&self) -> KnownHead {
        KnownHead::within(self.fixture.maker.folder())
    }

    /// Three records, and the file of another log that had five.
    async fn taken_back(&self) -> Rollback {
        for mark in 0..3 {
            self.recorder.commit(vec![], event(mark)).await.unwrap();
        }
        let known = Known {
            size: 5,
            root: Hash([5; 32]),
            checkpoint: Some("note\n".to_owned()),
            accepted: None,
        };
        self.file().keep(&known).unwrap();
        let found = self.file().compare(&*self.fixture.store).await.unwrap();
        found.expect("it is noticed")
    }
}

#[tokio::test]
async fn a_log_that_goes_on_from_what_is_known_is_not_held() {
    let house = House::new().await;
    for mark in 0..3 {
        house.recorder.commit(vec![], event(mark)).await.unwrap();
        let head = house.recorder.status().head;
        let known = Known {
            size: head.size,
            root: head.root,
            checkpoint: None,
            accepted: None,
        };
        house.file().keep(&known).unwrap();
    }
    for mark in 3..600 {
        house.recorder.commit(vec![], event(mark)).await.unwrap();
    }
    assert_eq!(house.file().compare(&*house.fixture.store).await.unwrap(), None);
}

#[tokio::test]
async fn a_log_that_is_shorter_or_another_is_noticed() {
    let house = House::new().await;
    let shorter = house.taken_back().await;
    assert_eq!((shorter.known_size, shorter.found.size), (5, 3));
    assert!(shorter.to_string().contains("taken back"), "{shorter}");
    let other = Known {
        size: 2,
        root: Hash([5; 32]),
        checkpoint: None,
        accepted: None,
    };
    house.file().keep(&other).unwrap();
    let other = house
        .file()
        .compare(&*house.fixture.store)
        .await
        .unwrap()
        .unwrap();
    assert!(other.to_string().contains("another log"), "{other}");
}

#[tokio::test]
async fn a_held_log_takes_nothing_and_a_new_epoch_says_what_was_known_before_anything_else() {
    let house = House::new().await;
    house.taken_back().await;
    let held = house.recorder.remember_in(house.file()).await.unwrap();
    assert!(held.is_some());
    house
        .recorder
        .commit_at_start(vec![event("start")])
        .await
        .unwrap();
    let refused = house.recorder.commit(vec![], event("refused")).await;
    assert!(matches!(refused, Err(Error::Held(_))), "{refused:?}");

    // The record can't be written: it is held still, and nothing of it is there.
    house.plan.fail(Step::Commit, How::Failed);
    house.recorder.open_epoch(epoch()).await.unwrap_err();
    assert!(house.recorder.held().is_some());

    house.recorder.open_epoch(epoch()).await.unwrap();
    house.recorder.released().await;
    house.recorder.commit(vec![], event("after")).await.unwrap();
    let (records, _) = house.verified().await;
    assert_eq!(marks(&records), ["0", "1", "2", "epoch", "start", "after"]);
    let details = &records[3].details;
    assert_eq!(details["known_size"], "5");
    assert_eq!(details["known_root"], Hash([5; 32]).to_string());
    assert_eq!(details["known_checkpoint"], "note\n");
    assert_eq!(details["found_size"], "3");
    // The next start knows the new epoch, and what is gone by it.
    assert_eq!(house.file().read().unwrap().unwrap().accepted, Some(5));
    assert_eq!(house.file().compare(&*house.fixture.store).await.unwrap(), None);
    let again = house.recorder.open_epoch(epoch()).await;
    assert!(matches!(again, Err(Error::NotHeld)), "{again:?}");
}

#[tokio::test]
async fn what_is_written_last_is_known_when_the_recorder_has_stopped() {
    let house = House::new().await;
    let following = tokio::spawn(house.file().follow(house.recorder.clone()));
    for mark in 0..20 {
        house.recorder.commit(vec![], event(mark)).await.unwrap();
    }
    house.recorder.stop().await;
    following.await.unwrap();
    let known = house.file().read().unwrap().unwrap();
    let head = house.fixture.store.custody_head().await.unwrap().head();
    assert_eq!((known.size, known.root), (20, head.root));
}

#[tokio::test]
async fn a_database_that_is_put_back_under_a_server_that_runs_is_not_gone_on_with() {
    let house = House::new().await;
    let maker = &house.fixture.maker;
    house.recorder.commit(vec![], event(0)).await.unwrap();
    maker
        .by_hand(
            "CREATE TABLE kept AS SELECT * FROM custody_head WHERE 0; INSERT INTO kept SELECT * FROM custody_head",
        )
        .await;
    for mark in 1..3 {
        house.recorder.commit(vec![], event(mark)).await.unwrap();
    }
    maker
        .by_hand(
            "DELETE FROM custody_record WHERE sequence > 0; \
             UPDATE custody_head SET (size, root, frontier, anchor_size, anchor) = \
             (SELECT size, root, frontier, anchor_size, anchor FROM kept)",
        )
        .await;
    for _ in 0..3 {
        house.recorder.commit(vec![], event("lost")).await.unwrap_err();
    }
    let refused = house.recorder.commit(vec![], event("lost")).await;
    assert!(matches!(refused, Err(Error::BrokenLog { .. })), "{refused:?}");
    assert_eq!(
        house.verified().await.0.len(),
        1,
        "nothing is written on top of it"
    );
}
