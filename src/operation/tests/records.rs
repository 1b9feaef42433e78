//! What the custody log has, and that nothing goes without it.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use super::server::{Server, create, get};
use crate::custody::{Actor, EventName, Outcome};
use crate::key::testing::named;
use crate::kmip::attribute::{Attribute, AttributeKind};
use crate::kmip::enumeration::{ResultReason, ResultStatus};
use crate::kmip::payload::{
    ActivateRequest, DiscoverVersionsRequest, GetAttributesRequest, LocateRequest, RequestPayload,
    ResponsePayload,
};
use crate::store::Store;

#[tokio::test]
async fn a_release_tells_who_had_which_key_from_where_and_how() {
    let server = Server::start().await;
    let id = server
        .create(vec![Attribute::custom_text("x-Name", "Büro-VM")])
        .await;
    server.get(&id).await;
    let record = server.records().await.pop().unwrap();
    assert_eq!(record.event, EventName::KmipGet);
    assert_eq!(record.outcome, Outcome::Success);
    assert!(matches!(&record.actor, Actor::Client { subject, .. } if *subject == server.east.subject));
    assert_eq!(record.adapter.unwrap().name, "east");
    let object = record.object.unwrap();
    assert_eq!(object.identifier, id);
    assert_eq!(object.object_type.as_deref(), Some("SymmetricKey"));
    assert_eq!(object.algorithm.as_deref(), Some("AES"));
    assert_eq!(object.length, Some(256));
    assert_eq!(object.state_before.as_deref(), Some("PreActive"));
    assert_eq!(
        object.attributes,
        BTreeMap::from([("x-Name".to_owned(), "Büro-VM".to_owned())])
    );
    // The row after the release, in which the key is no longer fresh.
    let row = server
        .store
        .key(server.east.adapter, id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(object.row_sha256, row.digest);
    let root_key = record.root_key.unwrap();
    assert_eq!(root_key.wrap_profile.as_deref(), Some("aes-kw"));
    assert_eq!(root_key.release_profile.as_deref(), Some("transport"));
    let request = record.request.unwrap();
    assert_eq!(request.operation, "Get");
    assert_eq!((request.batch_position, request.batch_count), (1, 1));
}

#[tokio::test]
async fn every_touch_of_a_key_is_recorded_once_and_a_look_at_the_server_is_not() {
    let server = Server::start().await;
    let before = server.records().await.len();
    let id = server.create(vec![]).await;
    let unique_identifier = Some(id.as_str().into());
    server
        .done(RequestPayload::GetAttributes(GetAttributesRequest {
            unique_identifier,
            attribute_names: vec![AttributeKind::State.into()],
        }))
        .await;
    server
        .done(RequestPayload::Locate(LocateRequest::default()))
        .await;
    server
        .done(RequestPayload::Activate(ActivateRequest { unique_identifier }))
        .await;
    server
        .done(RequestPayload::DiscoverVersions(
            DiscoverVersionsRequest::default(),
        ))
        .await;
    server.done(get(&id)).await;
    server
        .refused(RequestPayload::Activate(ActivateRequest { unique_identifier }))
        .await;
    let records = server.records().await;
    let events: Vec<_> = records[before..]
        .iter()
        .map(|record| (record.event, record.outcome))
        .collect();
    assert_eq!(
        events,
        [
            (EventName::KmipCreate, Outcome::Success),
            (EventName::KmipGetAttributes, Outcome::Success),
            (EventName::KmipLocate, Outcome::Success),
            (EventName::KmipActivate, Outcome::Success),
            (EventName::KmipGet, Outcome::Success),
            (EventName::KmipActivate, Outcome::Refused),
        ]
    );
    let activated = records[before + 3].object.as_ref().unwrap();
    assert_eq!(activated.state_before.as_deref(), Some("PreActive"));
    assert_eq!(activated.state_after.as_deref(), Some("Active"));
    let refused = &records[before + 5];
    assert!(refused.reason.as_ref().unwrap().starts_with("Permission Denied"));
    assert_eq!(refused.object.as_ref().unwrap().state_after, None);
}

#[tokio::test]
async fn without_a_log_no_key_is_made_or_handed_out() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let key = server.get(&id).await;
    server.recorder.stop().await;
    for request in [create(vec![]), get(&id)] {
        let refused = server.ask(request).await;
        assert_eq!(refused.result_reason, Some(ResultReason::GeneralFailure));
        assert!(refused.payload.is_none());
    }
    let request = crate::kmip::message::RequestMessage {
        header: crate::kmip::message::RequestHeader::new(crate::kmip::version::V1_1),
        items: vec![crate::kmip::message::RequestItem::new(get(&id))].into(),
    };
    let (bytes, _) = server
        .bytes(&server.east, &super::server::encoded(&request))
        .await;
    assert!(!bytes.windows(key.len()).any(|window| window == key));
}

#[tokio::test]
async fn a_row_that_another_hand_changed_is_refused_and_recorded_and_its_neighbours_are_not() {
    let server = Server::start().await;
    let (harmed, other) = (
        server.create(vec![named("harmed")]).await,
        server.create(vec![named("other")]).await,
    );
    let mut by_hand = SqliteConnectOptions::new()
        .filename(server.store.path())
        .connect()
        .await
        .unwrap();
    sqlx::query("UPDATE managed_object SET document = replace(document, 'harmed', 'forged') WHERE id = ?")
        .bind(harmed.parse::<uuid::Uuid>().unwrap().as_bytes().to_vec())
        .execute(&mut by_hand)
        .await
        .unwrap();

    let refused = server.ask(get(&harmed)).await;
    assert_eq!(refused.result_reason, Some(ResultReason::GeneralFailure));
    assert_eq!(
        refused.result_message.as_deref(),
        Some("The request could not be carried out")
    );
    let records = server.records().await;
    let [.., tampered, get_refused] = records.as_slice() else {
        panic!("two records");
    };
    assert_eq!(tampered.event, EventName::StoreTampered);
    assert_eq!(tampered.object.as_ref().unwrap().identifier, harmed);
    assert_eq!(get_refused.event, EventName::KmipGet);
    assert_eq!(get_refused.outcome, Outcome::Failed);

    assert_eq!(server.get(&other).await.len(), 32);
    let ResponsePayload::Locate(found) = server
        .done(RequestPayload::Locate(LocateRequest::default()))
        .await
    else {
        panic!("another payload");
    };
    assert_eq!(found.unique_identifiers, [other]);
    server.create(vec![named("new")]).await;
}

#[tokio::test]
async fn many_clients_at_once_are_each_answered_and_recorded() {
    let server = Arc::new(Server::start().await);
    let before = server.records().await.len();
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move {
                let id = server.create(vec![]).await;
                assert_eq!(server.get(&id).await, server.get(&id).await);
                let item = server.ask(get(&id)).await;
                assert_eq!(item.result_status, ResultStatus::Success);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(server.records().await.len() - before, 32 * 4);
}
