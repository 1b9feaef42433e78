//! A start goes on where the log ends, or refuses a log that does not fit its head.

use time::{Duration, OffsetDateTime};

use super::super::{Error, Recorder};
use super::{House, event, node};
use crate::custody::{Record, leaf_hash};
use crate::store::suite::Maker;

async fn written(records: u64) -> House {
    let house = House::new().await;
    let waiting: Vec<_> = (0..records)
        .map(|number| {
            let recorder = house.recorder.clone();
            tokio::spawn(async move { recorder.commit(vec![], event(number)).await })
        })
        .collect();
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    house
}

#[tokio::test]
async fn the_log_goes_on_where_it_ended() {
    // Below, at and beyond the places where the anchor moves.
    for records in [0, 1, 1023, 1024, 1025, 2049] {
        let house = written(records).await;
        let recorder = house.restarted().await;
        assert_eq!(recorder.status().head.size, records);
        assert_eq!(
            recorder.commit(vec![], event("next")).await.unwrap().sequence,
            records
        );
        recorder.stop().await;
        house.verified().await;
        // What a start reads is bounded, however long the log is.
        let head = house.fixture.store.custody_head().await.unwrap();
        assert!(head.tree.size() - head.anchor.size() <= 1024, "{records}");
        Recorder::start(house.fixture.reopened().await, node())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_log_that_does_not_fit_its_head_is_refused() {
    for (statement, expected) in [
        (
            "DELETE FROM custody_record WHERE sequence = 9",
            "record 9 is missing",
        ),
        (
            "DELETE FROM custody_record WHERE sequence = 4",
            "record 4 is missing",
        ),
        ("DELETE FROM custody_record", "record 0 is missing"),
        (
            "UPDATE custody_record SET record = x'7b7d' WHERE sequence = 3",
            "record 3 was changed",
        ),
        (
            "UPDATE custody_record SET leaf = zeroblob(32) WHERE sequence = 3",
            "record 3 was changed",
        ),
        (
            "UPDATE custody_record SET sequence = 99 WHERE sequence = 3",
            "record 3 is missing",
        ),
        (
            "INSERT INTO custody_record SELECT 10, leaf, record, object, client FROM custody_record WHERE sequence = 9",
            "record 10 is there",
        ),
        (
            "UPDATE custody_record SET (leaf, record) = (SELECT leaf, record FROM custody_record WHERE sequence = 1) \
             WHERE sequence = 3",
            "the head has root",
        ),
        ("UPDATE custody_head SET size = 9", "record 9 is there"),
        (
            "UPDATE custody_head SET size = 11",
            "a compact range over 11 leaves has",
        ),
        ("UPDATE custody_head SET size = 12", "record 10 is missing"),
        (
            "UPDATE custody_head SET frontier = zeroblob(64)",
            "its hashes give",
        ),
        (
            "UPDATE custody_head SET anchor_size = 1, anchor = zeroblob(32)",
            "the head has root",
        ),
        (
            "UPDATE custody_head SET anchor_size = 16, anchor = zeroblob(32)",
            "and its anchor of 16",
        ),
    ] {
        let house = written(10).await;
        house.recorder.stop().await;
        house.fixture.maker.by_hand(statement).await;
        let error = Recorder::start(house.fixture.reopened().await, node())
            .await
            .err()
            .unwrap();
        assert!(error.to_string().contains(expected), "{statement}: {error}");
        if !matches!(error, Error::Refused(_)) {
            assert!(error.to_string().contains("claviger custody verify"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_turn_the_log_back() {
    let house = written(1).await;
    house.recorder.stop().await;
    // The last record is of an hour from now, as if the clock had been wrong until now.
    let stored = &super::stored(&*house.fixture.store).await[0];
    let mut record = Record::from_bytes(&stored.bytes).unwrap();
    record.time += Duration::HOUR;
    let seconds = u64::try_from(record.time.unix_timestamp()).unwrap();
    record.id = uuid::Uuid::new_v7(uuid::Timestamp::from_unix(
        uuid::NoContext,
        seconds,
        record.time.nanosecond(),
    ));
    let bytes = record.to_bytes();
    let leaf = leaf_hash(&bytes);
    house
        .fixture
        .maker
        .by_hand(&format!(
            "UPDATE custody_record SET record = x'{}', leaf = x'{leaf}'",
            hex::encode(bytes)
        ))
        .await;
    house
        .fixture
        .maker
        .by_hand(&format!(
            "UPDATE custody_head SET root = x'{leaf}', frontier = x'{leaf}'"
        ))
        .await;
    let recorder = Recorder::start(house.fixture.reopened().await, node())
        .await
        .unwrap();
    recorder.commit(vec![], event("later")).await.unwrap();
    let (records, _) = house.verified().await;
    assert_eq!(records[1].time, records[0].time);
    assert!(records[1].time > OffsetDateTime::now_utc());
    let behind = |record: &Record| record.clock.and_then(|clock| clock.behind_us);
    assert_eq!(behind(&records[0]), None);
    assert!(
        behind(&records[1]).is_some_and(|behind| behind > 3_500_000_000),
        "{:?}",
        records[1].clock
    );
}
