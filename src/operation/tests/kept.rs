//! Keys that a backend wraps anew when it releases them, and wrapped keys that lie in the key manager.

use std::sync::atomic::Ordering;

use super::backend::REWRAPPED;
use super::keys::{KEY, register};
use super::server::{Server, create, get};
use crate::adapter::{RootKey, RootKeyState};
use crate::custody::{Actor, Event, EventName, Outcome, Record};
use crate::key::WrapProfile;
use crate::kmip::enumeration::{KeyFormatType, ResultReason, State};
use crate::kmip::payload::{DestroyRequest, RequestPayload};
use crate::kmip::version::{V1_4, V2_1};
use crate::store::{Change, KeyRow, Store};

async fn row(server: &Server, id: &str) -> KeyRow {
    let row = server.store.key(server.east.adapter, id.parse().unwrap()).await;
    row.unwrap().unwrap()
}

/// Rotates the root key of the adapter East to its second version, of this check value.
async fn rotate(server: &Server, check_value: &[u8]) {
    let adapter = server.store.adapter(server.east.adapter).await.unwrap().unwrap();
    let present = server.store.root_key(adapter.root_key).await.unwrap().unwrap();
    let change = Change::RotateRootKey {
        superseded: present.superseded(present.created_at),
        root_key: RootKey {
            version: 2,
            check_value: check_value.to_vec(),
            ..present
        },
        from: RootKeyState::Enabled,
    };
    let event = Event::new(EventName::RootKeyRotate, Actor::Server);
    server.recorder.commit(vec![change], event).await.unwrap();
}

async fn last_of(server: &Server, event: EventName) -> Record {
    let mut records = server.records().await.into_iter().rev();
    records.find(|record| record.event == event).unwrap()
}

fn destroy(id: &str) -> RequestPayload<'_> {
    RequestPayload::Destroy(DestroyRequest {
        unique_identifier: Some(id.into()),
    })
}

#[tokio::test]
async fn a_get_after_a_rotation_brings_the_key_under_the_present_version() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let key = server.get(&id).await;
    rotate(&server, b"second").await;
    *server.backend.rotated.lock().unwrap() = Some(b"second".to_vec());
    assert_eq!(server.get(&id).await, key);
    let wrapped = row(&server, &id).await.wrapped.unwrap();
    assert_eq!((wrapped.version, wrapped.kek.profile), (2, REWRAPPED));
    let record = last_of(&server, EventName::KmipGet).await;
    assert_eq!(record.details["rewrapped"], "version 2");
    assert_eq!(record.object.unwrap().row_sha256, row(&server, &id).await.digest);
    // And that is that.
    let revision = row(&server, &id).await.revision;
    assert_eq!(server.get(&id).await, key);
    assert_eq!(row(&server, &id).await.revision, revision);
    let record = last_of(&server, EventName::KmipGet).await;
    assert!(!record.details.contains_key("rewrapped"));
}

#[tokio::test]
async fn a_version_that_is_not_entered_yet_does_not_show_as_one_that_is() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    *server.backend.rotated.lock().unwrap() = Some(b"elsewhere".to_vec());
    server.get(&id).await;
    let wrapped = row(&server, &id).await.wrapped.unwrap();
    assert_eq!((wrapped.version, wrapped.kek.profile), (1, REWRAPPED));
}

#[tokio::test]
async fn hosts_that_fetch_a_key_at_once_after_a_rotation_all_get_it() {
    let server = Server::start().await;
    server.backend.keep_there();
    let id = server.create(vec![]).await;
    let key = server.get(&id).await;
    *server.backend.rotated.lock().unwrap() = Some(vec![1, 2, 3]);
    let fetched = futures_util::future::join_all((0..16).map(|_| server.get(&id))).await;
    assert!(fetched.iter().all(|fetched| *fetched == key));
    // The one that the row names, and no other.
    let kept = row(&server, &id).await.wrapped.unwrap().kek.bytes;
    assert_eq!(server.backend.lying_there(), [String::from_utf8(kept).unwrap()]);
}

#[tokio::test]
async fn a_key_that_is_destroyed_does_not_stay_in_the_key_manager() {
    let server = Server::start().await;
    server.backend.keep_there();
    let (id, other) = (server.create(vec![]).await, server.create(vec![]).await);
    assert_eq!(server.backend.lying_there().len(), 2);
    server.done(destroy(&id)).await;
    let kept = row(&server, &other).await.wrapped.unwrap().kek.bytes;
    assert_eq!(server.backend.lying_there(), [String::from_utf8(kept).unwrap()]);
    assert_eq!(server.get(&other).await.len(), 32);
}

#[tokio::test]
async fn a_key_that_is_not_kept_does_not_stay_in_the_key_manager() {
    let server = Server::start().await;
    server.backend.keep_there();
    // The recorder takes nothing any more: the key is made, and its row is not written.
    server.recorder.stop().await;
    let refused = server.ask(create(vec![])).await;
    assert!(refused.result_reason.is_some());
    let refused = server.ask(register(KeyFormatType::Raw, &KEY, vec![])).await;
    assert!(refused.result_reason.is_some());
    assert!(server.backend.lying_there().is_empty());
}

#[tokio::test]
async fn a_key_deleted_in_the_key_manager_is_destroyed_and_the_log_says_so() {
    let server = Server::start().await;
    server.backend.keep_there();
    let (id, other) = (server.create(vec![]).await, server.create(vec![]).await);
    let there = row(&server, &id).await.wrapped.unwrap().kek.bytes;
    server.backend.delete_all();
    let response = server.ask_in(V2_1, &server.east, get(&id)).await;
    assert_eq!(response.result_reason, Some(ResultReason::ObjectDestroyed));
    assert_eq!(server.state(&id).await, State::Destroyed);
    assert_eq!(row(&server, &id).await.wrapped, None);

    let record = last_of(&server, EventName::KeyDestroy).await;
    assert_eq!((record.outcome, record.actor), (Outcome::Success, Actor::Server));
    assert_eq!(record.details["deleted_in"], "key-manager");
    assert_eq!(record.details["key_manager_id"].as_bytes(), there);
    let object = record.object.unwrap();
    assert_eq!(object.identifier, id);
    assert_eq!(object.state_after.as_deref(), Some("Destroyed"));
    assert_eq!(object.row_sha256, row(&server, &id).await.digest);

    // Once more, and in the words of before 2.0, and once for each key.
    assert_eq!(server.refused(get(&id)).await, ResultReason::ItemNotFound);
    let response = server.ask_in(V1_4, &server.east, get(&other)).await;
    assert_eq!(response.result_reason, Some(ResultReason::ItemNotFound));
    let records = server.records().await.into_iter();
    assert_eq!(
        records
            .filter(|record| record.event == EventName::KeyDestroy)
            .count(),
        2
    );
}

#[tokio::test]
async fn an_outage_of_the_key_manager_destroys_nothing() {
    let server = Server::start().await;
    server.backend.keep_there();
    let id = server.create(vec![]).await;
    server.backend.is_down.store(true, Ordering::SeqCst);
    assert_eq!(server.refused(get(&id)).await, ResultReason::GeneralFailure);
    server.backend.is_down.store(false, Ordering::SeqCst);
    assert_eq!(server.get(&id).await.len(), 32);
    assert_eq!(
        row(&server, &id).await.wrapped.unwrap().kek.profile,
        WrapProfile::KeyProtect
    );
}
