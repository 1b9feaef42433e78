//! Several servers over one store: each writes behind what the others have written, and hears what they have changed.

use std::sync::Arc;

use super::super::Recorder;
use super::{event, node, verified};
use crate::custody::ObjectFacts;
use crate::store::Change;
use crate::store::postgres_tests::PostgresMaker;
use crate::store::suite::Fixture;
use crate::store::suite::fixture::{certificate, row};

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
