//! Archive and Recover: an archived object is out of reach, is not lost, and comes back as it was.

use super::server::{START, Server, get};
use crate::kmip::attribute::{AttributeKind, AttributePattern, AttributePatterns, AttributeValue, Name};
use crate::kmip::enumeration::{ResultReason, State};
use crate::kmip::mask::StorageStatusMask;
use crate::kmip::payload::{
    ActivateRequest, AddAttributeRequest, ArchiveRequest, CheckRequest, DestroyRequest,
    GetAttributeListRequest, GetUsageAllocationRequest, LocateRequest, ObtainLeaseRequest, ReKeyRequest,
    RecoverRequest, RequestPayload, ResponsePayload, UniqueIdentifier,
};
use crate::kmip::version::{V1_0, V2_1};

/// A request about an object.
type Asking = for<'a> fn(Option<UniqueIdentifier<'a>>) -> RequestPayload<'a>;

fn archive(id: &str) -> RequestPayload<'_> {
    RequestPayload::Archive(ArchiveRequest {
        unique_identifier: Some(id.into()),
    })
}

fn recover(id: &str) -> RequestPayload<'_> {
    RequestPayload::Recover(RecoverRequest {
        unique_identifier: Some(id.into()),
    })
}

fn destroy(id: &str) -> RequestPayload<'_> {
    RequestPayload::Destroy(DestroyRequest {
        unique_identifier: Some(id.into()),
    })
}

async fn located(server: &Server, storage: Option<StorageStatusMask>) -> Vec<String> {
    let tape = AttributeValue::Name(Name::text("tape"));
    let request = RequestPayload::Locate(LocateRequest {
        storage_status_mask: storage,
        attributes: AttributePatterns(vec![AttributePattern::equal_to(&tape)]),
        ..LocateRequest::default()
    });
    match server.done(request).await {
        ResponsePayload::Locate(found) => found.unique_identifiers,
        other => panic!("{other:?}"),
    }
}

async fn tape(server: &Server) -> String {
    server
        .create(vec![AttributeValue::Name(Name::text("tape")).into()])
        .await
}

#[tokio::test]
async fn an_archived_key_comes_back_as_it_was() {
    let server = Server::start().await;
    let id = tape(&server).await;
    let bytes = server.get(&id).await;
    server.done(archive(&id)).await;
    assert_eq!(server.refused(get(&id)).await, ResultReason::ObjectArchived);
    assert_eq!(
        server.attribute(&id, AttributeKind::ArchiveDate).await,
        [AttributeValue::ArchiveDate(START)]
    );
    server.done(recover(&id)).await;
    assert_eq!(server.get(&id).await, bytes);
    assert_eq!(server.attribute(&id, AttributeKind::ArchiveDate).await, []);
    assert_eq!(server.state(&id).await, State::PreActive);
}

#[tokio::test]
async fn nothing_is_done_with_an_archived_key_but_reading_what_is_known_of_it() {
    let server = Server::start().await;
    let id = tape(&server).await;
    server.done(archive(&id)).await;
    let asked = || Some(id.as_str().into());
    let requests: [Asking; 8] = [
        |unique_identifier| RequestPayload::Activate(ActivateRequest { unique_identifier }),
        |unique_identifier| RequestPayload::Destroy(DestroyRequest { unique_identifier }),
        |unique_identifier| RequestPayload::Archive(ArchiveRequest { unique_identifier }),
        |unique_identifier| RequestPayload::ObtainLease(ObtainLeaseRequest { unique_identifier }),
        |unique_identifier| {
            RequestPayload::GetUsageAllocation(GetUsageAllocationRequest {
                unique_identifier,
                usage_limits_count: 1,
            })
        },
        |unique_identifier| {
            RequestPayload::ReKey(ReKeyRequest {
                unique_identifier,
                ..ReKeyRequest::default()
            })
        },
        |unique_identifier| {
            RequestPayload::Check(CheckRequest {
                unique_identifier,
                ..CheckRequest::default()
            })
        },
        |unique_identifier| {
            RequestPayload::AddAttribute(AddAttributeRequest {
                unique_identifier,
                attribute: AttributeValue::ContactInformation("Ann".into()).into(),
            })
        },
    ];
    for request in requests {
        for version in [V1_0, V2_1] {
            let item = server.ask_in(version, &server.east, request(asked())).await;
            assert_eq!(item.result_reason, Some(ResultReason::ObjectArchived), "{item:?}");
        }
    }
    let list = RequestPayload::GetAttributeList(GetAttributeListRequest {
        unique_identifier: asked(),
    });
    server.done(list).await;
}

#[tokio::test]
async fn the_archive_is_searched_where_that_is_asked_for() {
    let server = Server::start().await;
    let id = tape(&server).await;
    let (on_line, archival) = (
        StorageStatusMask::ON_LINE_STORAGE,
        StorageStatusMask::ARCHIVAL_STORAGE,
    );
    let both = StorageStatusMask::from_bits(3);
    let found = vec![id.clone()];
    assert_eq!(located(&server, None).await, found);
    assert_eq!(located(&server, Some(archival)).await, Vec::<String>::new());
    server.done(archive(&id)).await;
    assert_eq!(located(&server, None).await, Vec::<String>::new());
    assert_eq!(located(&server, Some(on_line)).await, Vec::<String>::new());
    assert_eq!(located(&server, Some(archival)).await, found);
    assert_eq!(located(&server, Some(both)).await, found);
    server.done(recover(&id)).await;
    server.done(destroy(&id)).await;
    assert_eq!(located(&server, Some(both)).await, Vec::<String>::new());
    assert_eq!(
        located(&server, Some(StorageStatusMask::DESTROYED_STORAGE)).await,
        found
    );
}

#[tokio::test]
async fn to_recover_what_is_at_hand_is_no_error_and_changes_nothing() {
    let server = Server::start().await;
    let id = tape(&server).await;
    server.wait(9);
    server.done(recover(&id)).await;
    assert_eq!(
        server.attribute(&id, AttributeKind::LastChangeDate).await,
        [AttributeValue::LastChangeDate(START)]
    );
    let item = server.ask_in(V1_0, &server.west, recover(&id)).await;
    assert_eq!(item.result_reason, Some(ResultReason::ItemNotFound));
}
