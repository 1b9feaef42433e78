//! Several servers over one store: each writes behind what the others have written, and hears what they have changed.

use std::sync::Arc;

use super::super::Recorder;
use super::{event, node, verified};
use crate::custody::{ObjectFacts, StoredRecord, leaf_hash};
use crate::store::Change;
use crate::store::postgres_tests::PostgresMaker;
use crate::store::suite::fixture::{certificate, row};
use crate::store::suite::log::{append, grown};
use crate::store::suite::{Fixture, Maker as _};

#[tokio::test]
async fn recorders_that_share_a_log_write_one_after_the_other_and_refuse_nobody() {
    let fixture = Fixture::<PostgresMaker>::new().await;
    let (first, second) = (
        Recorder::start(Arc::clone(&fixture.store), node()).await.unwrap(),
        Recorder::start(fixture.reopened().await, node()).await.unwrap(),
    );
    let write_many = async |recorder: &Recorder| {
        for number in 0..50 {
            let change = Change::create_key(row(&fixture.east, &[]));
            recorder.commit(vec![change], event(number)).await.unwrap();
        }
    };
    tokio::join!(
        write_many(&first),
        write_many(&second),
        write_many(&first),
        write_many(&second)
    );
    let (records, _) = verified(&*fixture.store).await;
    assert_eq!(records.len(), 200);

    // What is changed by one is heard of by the other, and so is the head of the log.
    let mut heard = second.subscribe();
    heard.mark_unchanged();
    let change = Change::AddCertificate(certificate(fixture.east.id, "vcenter"));
    first.commit(vec![change], event("certificate")).await.unwrap();
    heard.changed().await.unwrap();
    let mut status = second.follow();
    status.wait_for(|status| status.head.size == 201).await.unwrap();
}

#[tokio::test]
async fn a_server_goes_on_behind_a_record_of_a_newer_version() {
    let fixture = Fixture::<PostgresMaker>::new().await;
    let older = Recorder::start(Arc::clone(&fixture.store), node()).await.unwrap();
    older.commit(Vec::new(), event("before")).await.unwrap();
    // As a newer version writes it: of an event, and with a field, that this one does not know.
    let store = fixture.reopened().await;
    let last = store.custody_records(0, 1).await.unwrap().remove(0);
    let mut newer: serde_json::Value = serde_json::from_slice(&last.bytes).unwrap();
    newer["event"] = "key.of-the-future".into();
    newer["future"] = 1.into();
    let bytes = newer.to_string().into_bytes();
    let newer = [StoredRecord {
        sequence: 1,
        leaf: leaf_hash(&bytes),
        bytes,
    }];
    let from = store.custody_head().await.unwrap();
    let to = grown(&from, &newer);
    append(&*store, &newer, &from, &to).await.unwrap();

    older.commit(Vec::new(), event("behind")).await.unwrap();
    older.stop().await;
    let again = Recorder::start(store, node()).await.unwrap();
    let committed = again.commit(Vec::new(), event("after a start")).await.unwrap();
    assert_eq!(committed.sequence, 3);
}

/// How often the database refuses a transaction.
const REFUSALS: i64 = 8;

/// Has the database refuse the first transactions that write records, for their order or for a deadlock in turn: when the trigger
/// that `when` describes comes.
async fn refuse(maker: &PostgresMaker, when: &str) {
    for statement in [
        "CREATE SEQUENCE refused".to_owned(),
        format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE number bigint := nextval('refused'); BEGIN \
             IF number <= {REFUSALS} THEN \
             RAISE EXCEPTION 'restart transaction' USING ERRCODE = CASE number % 2 WHEN 0 THEN '40001' ELSE '40P01' END; \
             END IF; RETURN NEW; END $$"
        ),
        format!("CREATE {when} EXECUTE FUNCTION refuse()"),
    ] {
        maker.execute(&statement).await;
    }
}

/// Nobody hears of refusals, and what was recorded is there once.
async fn nobody_hears_of_it(when: &str) {
    let fixture = Fixture::<PostgresMaker>::new().await;
    let recorder = Recorder::start(Arc::clone(&fixture.store), node()).await.unwrap();
    refuse(&fixture.maker, when).await;
    for number in 0..10 {
        let change = Change::create_key(row(&fixture.east, &[]));
        recorder.commit(vec![change], event(number)).await.unwrap();
    }
    let (records, _) = verified(&*fixture.store).await;
    assert_eq!(records.len(), 10);
    let keys = fixture
        .store
        .locate(fixture.east.id, &[], None, 100)
        .await
        .unwrap();
    assert_eq!(keys.rows.len(), 10);
    // It refused all that it was to refuse.
    let refused = format!("SELECT 1 FROM refused WHERE last_value > {REFUSALS}");
    fixture.maker.by_hand(&refused).await;
}

#[tokio::test]
async fn a_transaction_that_the_database_refuses_for_its_order_is_tried_again_and_nobody_hears_of_it() {
    nobody_hears_of_it("TRIGGER refuse BEFORE INSERT ON custody_record FOR EACH STATEMENT").await;
}

#[tokio::test]
async fn a_commit_that_the_database_refuses_for_its_order_is_tried_again_and_nobody_hears_of_it() {
    nobody_hears_of_it(
        "CONSTRAINT TRIGGER refuse AFTER INSERT ON custody_record DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
    )
    .await;
}

#[tokio::test]
async fn whatever_a_client_calls_a_key_its_request_is_recorded() {
    let fixture = Fixture::<PostgresMaker>::new().await;
    let recorder = Recorder::start(Arc::clone(&fixture.store), node()).await.unwrap();
    let mut asked = event("asked");
    asked.object = Some(ObjectFacts {
        identifier: "no\0key".to_owned(),
        ..ObjectFacts::default()
    });
    recorder.commit(Vec::new(), asked).await.unwrap();
    let (records, _) = verified(&*fixture.store).await;
    assert_eq!(records[0].object.as_ref().unwrap().identifier, "no\0key");
}
