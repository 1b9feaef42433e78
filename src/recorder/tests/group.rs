//! Groups: many wait, one commit serves them.

use super::super::{Error, QUEUE};
use super::{House, event, marks};
use crate::custody::{Event, EventName, ObjectFacts, RowFacts};
use crate::recorder::by_client;
use crate::store::suite::fixture::{caller, certificate, row};
use crate::store::{self, Change};

#[tokio::test]
async fn an_acknowledged_record_is_in_the_log() {
    let house = House::new().await;
    for number in 0..5 {
        let committed = house.recorder.commit(vec![], event(number)).await.unwrap();
        assert_eq!(committed.sequence, number);
    }
    let (records, verified) = house.verified().await;
    assert_eq!(marks(&records), ["0", "1", "2", "3", "4"]);
    assert_eq!(house.recorder.status().head, verified.head);
}

#[tokio::test]
async fn a_change_and_its_record_are_written_together() {
    let house = House::new().await;
    let east = &house.fixture.east;
    let row = row(east, &[]);
    let id = row.object.id();
    let mut event = by_client(EventName::KmipCreate, &caller(east));
    event.object = Some(ObjectFacts {
        identifier: id.to_string(),
        ..ObjectFacts::default()
    });
    let committed = house
        .recorder
        .commit(vec![Change::create_key(row)], event)
        .await
        .unwrap();
    let read = house.fixture.store.key(east.id, id).await.unwrap().unwrap();
    let written = RowFacts {
        identifier: id,
        revision: 1,
        sha256: read.digest.unwrap(),
    };
    assert_eq!(committed.rows, [written]);
    let (records, _) = house.verified().await;
    assert_eq!(records[0].object.as_ref().unwrap().row_sha256, read.digest);
    assert_eq!(records[0].rows, committed.rows);
    assert_eq!(records[0].adapter.as_ref().unwrap().name, "east");
    assert_eq!(
        records[0].origin.as_ref().unwrap().tls_version.as_deref(),
        Some("TLSv1.3")
    );
}

#[tokio::test]
async fn records_that_belong_together_are_there_together_or_not_at_all() {
    let house = House::new().await;
    let east = house.fixture.east.clone();
    let mut conflicting = house.fixture.key(&[]).await;
    conflicting.revision = 7;
    let changes = |second| vec![Change::create_key(row(&east, &[])), second];
    let refused = house
        .recorder
        .commit_together(changes(Change::update_key(conflicting)), vec![event(0), event(1)])
        .await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    let written = house
        .recorder
        .commit_together(
            changes(Change::create_key(row(&east, &[]))),
            vec![event(2), event(3)],
        )
        .await
        .unwrap();
    assert_eq!((written.sequence, written.rows.len()), (0, 2));
    let (records, _) = house.verified().await;
    assert_eq!(marks(&records), ["2", "3"]);
    // Neither record is about a key: each row that was written is in the log all the same.
    assert_eq!((&records[0].rows, &records[1].rows), (&Vec::new(), &written.rows));
    let objects = house.fixture.store.locate(east.id, &[], None, 9).await.unwrap();
    assert_eq!(objects.rows.len(), 3);
}

/// So many entries without a change.
fn records(number: usize) -> Vec<(Vec<Change>, Event)> {
    (0..number).map(|mark| (vec![], event(mark))).collect()
}

#[tokio::test]
async fn those_who_wait_share_one_commit() {
    let house = House::new().await;
    for waiting in house.gathered(records(41), async |_| {}).await {
        waiting.await.unwrap().unwrap();
    }
    assert_eq!(house.commits(), 1);
    assert_eq!(house.verified().await.0.len(), 41);
}

#[tokio::test]
async fn a_conflicting_entry_fails_alone() {
    let house = House::new().await;
    let east = house.fixture.east.clone();
    let mut conflicting = house.fixture.key(&[]).await;
    conflicting.revision = 7;
    let entries = (0..20).map(|number| {
        let change = match number {
            9 => Change::update_key(conflicting.clone()),
            _ => Change::create_key(row(&east, &[])),
        };
        (vec![change], event(number))
    });
    let waiting = house.gathered(entries.collect(), async |_| {}).await;
    for (number, waiting) in waiting.into_iter().enumerate() {
        let result = waiting.await.unwrap();
        assert_eq!(result.is_err(), number == 9, "{number}: {result:?}");
        if let Err(error) = result {
            assert!(matches!(error, Error::Conflict(_)), "{error}");
            assert!(matches!(
                error.store(),
                Some(store::Error::Conflict {
                    expected: 7,
                    found: 1,
                    ..
                })
            ));
        }
    }
    assert_eq!(house.commits(), 1);
    let (records, _) = house.verified().await;
    assert_eq!(records.len(), 19);
    assert!(!marks(&records).contains(&"9"));
    assert_eq!(
        house.fixture.store.key_counts().await.unwrap()[&east.id].objects,
        20
    );
}

#[tokio::test]
async fn more_than_the_queue_holds_wait_for_room_and_are_served() {
    let house = House::new().await;
    let closed = house.gate.acquire().await.unwrap();
    let many = QUEUE + 200;
    let waiting: Vec<_> = (0..many)
        .map(|number| {
            let recorder = house.recorder.clone();
            tokio::spawn(async move { recorder.commit(vec![], event(number)).await })
        })
        .collect();
    while house.recorder.entries.capacity() > 0 {
        tokio::task::yield_now().await;
    }
    drop(closed);
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    assert_eq!(house.verified().await.0.len(), many);
}

#[tokio::test]
async fn an_entry_whose_caller_went_away_is_written_all_the_same() {
    let house = House::new().await;
    house
        .gathered(records(3), async |waiting| {
            for waiting in waiting {
                waiting.abort();
                assert!(waiting.await.unwrap_err().is_cancelled());
            }
        })
        .await;
    house.recorder.stop().await;
    assert_eq!(house.verified().await.0.len(), 3);
}

#[tokio::test]
async fn what_waits_at_a_stop_is_written_and_nothing_after_it() {
    let house = House::new().await;
    let recorder = house.recorder.clone();
    let mut stopped = None;
    let waiting = house
        .gathered(records(100), async |_| {
            stopped = Some(tokio::spawn(async move { recorder.stop().await }));
        })
        .await;
    stopped.unwrap().await.unwrap();
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    let error = house.recorder.commit(vec![], event("late")).await.unwrap_err();
    assert!(matches!(error, Error::Stopped), "{error}");
    house.recorder.stop().await;
    assert_eq!(house.verified().await.0.len(), 100);
}

#[tokio::test]
async fn whoever_keeps_certificates_at_hand_hears_of_each_change() {
    let house = House::new().await;
    let mut identities = house.recorder.subscribe();
    identities.mark_unchanged();
    let row = row(&house.fixture.east, &[]);
    house
        .recorder
        .commit(vec![Change::create_key(row)], event("key"))
        .await
        .unwrap();
    assert!(!identities.has_changed().unwrap());
    let certificate = certificate(house.fixture.east.id, "vcenter");
    let fingerprint = certificate.fingerprint;
    for change in [
        Change::AddCertificate(certificate),
        Change::RemoveCertificate(fingerprint),
    ] {
        house
            .recorder
            .commit(vec![change], event("certificate"))
            .await
            .unwrap();
        assert!(identities.has_changed().unwrap());
        identities.mark_unchanged();
    }
    // A refused change is none.
    let refused = Change::RemoveCertificate(fingerprint);
    let error = house
        .recorder
        .commit(vec![refused], event("none"))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Change(_)), "{error}");
    assert!(!identities.has_changed().unwrap());
}
