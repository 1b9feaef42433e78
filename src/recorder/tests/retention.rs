//! What goes of the log goes as it was said, and nothing else does.

use time::{Duration, OffsetDateTime};

use super::{House, event};
use crate::custody::{Actor, Event, EventName};
use crate::recorder::Error;
use crate::store::{Change, StoredCheckpoint};

async fn fill(house: &House, number: usize) {
    let events = (0..number).map(event).collect();
    house.recorder.commit_together(vec![], events).await.unwrap();
}

fn prune(below: u64) -> (Vec<Change>, Event) {
    let event = Event::new(EventName::CustodyPrune, Actor::Server).detail("below", below.to_string());
    (vec![Change::PruneRecords { below }], event)
}

#[tokio::test]
async fn a_pruning_that_broke_off_goes_on_and_the_server_starts_on_what_is_left() {
    let house = House::new().await;
    fill(&house, 1100).await;
    assert_eq!(house.recorder.prune().await.unwrap(), 0, "nobody let anything go");
    let (changes, event) = prune(768);
    house.recorder.commit(changes, event).await.unwrap();
    let mut transaction = house.fixture.store.begin().await.unwrap();
    transaction.prune_records(300).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(house.fixture.store.custody_kept().await.unwrap().from, 300);
    let recorder = house.restarted().await;
    assert_eq!(recorder.prune().await.unwrap(), 768);
    fill_more(&recorder).await;
    recorder.stop().await;
    assert_eq!(
        house.fixture.store.custody_records(0, 10).await.unwrap()[0].sequence,
        768
    );
}

async fn fill_more(recorder: &crate::recorder::Recorder) {
    recorder.commit(vec![], event("later")).await.unwrap();
}

#[tokio::test]
async fn more_than_may_go_is_refused_and_not_recorded() {
    let house = House::new().await;
    fill(&house, 1100).await;
    for below in [100, 1280] {
        let (changes, event) = prune(below);
        let refused = house.recorder.commit(changes, event).await.unwrap_err();
        assert!(matches!(refused, Error::Change(_)), "{below}: {refused}");
    }
    let (records, _) = house.verified().await;
    assert_eq!(records.len(), 1100);
}

#[tokio::test]
async fn of_old_checkpoints_each_hour_keeps_one_and_of_the_last_day_all_stay() {
    let house = House::new().await;
    let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
    // Of two old hours four each, of the present one three.
    let starts = [Duration::hours(50), Duration::hours(49), Duration::minutes(30)];
    let mut before = None;
    for (hour, start) in (0..).zip(starts) {
        for minute in 0..if hour == 2 { 3 } else { 4 } {
            let size = 10 * (hour + 1) + minute;
            let checkpoint = StoredCheckpoint {
                size: u64::try_from(size).unwrap(),
                time: now - start + Duration::minutes(minute),
                note: format!("checkpoint {size}\n"),
            };
            let mut transaction = house.fixture.store.begin().await.unwrap();
            transaction.put_checkpoint(&checkpoint, before).await.unwrap();
            transaction.commit().await.unwrap();
            before = Some(checkpoint.size);
        }
    }
    let sizes = async || {
        let kept = house.fixture.store.custody_checkpoints(0, 100).await.unwrap();
        kept.iter().map(|each| each.size).collect::<Vec<_>>()
    };
    let next = house.recorder.thin_checkpoints(0, now).await.unwrap();
    assert_eq!(sizes().await, [13, 23, 30, 31, 32]);
    // The next time it looks at what is new, and at the latest hour once that is old.
    assert_eq!(next, 30);
    let next = house
        .recorder
        .thin_checkpoints(next, now + Duration::days(3))
        .await
        .unwrap();
    assert_eq!(
        (next, sizes().await),
        (30, vec![13, 23, 30, 31, 32]),
        "an hour that may go on"
    );
}
