//! Locate.

use std::slice::from_ref;

use super::server::{START, Server, get};
use crate::key::testing::named;
use crate::kmip::attribute::{
    ApplicationSpecificInformation, Attribute, AttributePattern, AttributeValue, Name, UsageLimits,
};
use crate::kmip::enumeration::{ObjectGroupMember, ObjectType, ResultReason, State, UsageLimitsUnit};
use crate::kmip::mask::StorageStatusMask;
use crate::kmip::payload::{
    DestroyRequest, GetAttributesRequest, LocateRequest, LocateResponse, RequestPayload, ResponsePayload,
};
use crate::kmip::ttlv::DateTime;
use crate::kmip::version::{V1_0, V1_4, V2_1};

impl Server {
    async fn locate(&self, request: LocateRequest) -> LocateResponse {
        match self.done(RequestPayload::Locate(request)).await {
            ResponsePayload::Locate(found) => found,
            other => panic!("{other:?}"),
        }
    }

    async fn located(&self, wanted: &[AttributeValue]) -> Vec<String> {
        self.locate(filter(wanted)).await.unique_identifiers
    }
}

fn filter(wanted: &[AttributeValue]) -> LocateRequest {
    LocateRequest {
        attributes: wanted.iter().map(AttributePattern::equal_to).collect(),
        ..LocateRequest::default()
    }
}

#[tokio::test]
async fn objects_are_found_by_everything_that_is_asked_for_the_last_made_first() {
    let server = Server::start().await;
    let vm = Attribute::custom_text("x-Component", "Virtual Machine");
    let one = server.create(vec![named("one"), vm.clone()]).await;
    let two = server.create(vec![named("two"), vm.clone()]).await;
    server.create(vec![named("three")]).await;
    assert_eq!(
        server.located(from_ref(&vm.value)).await,
        [two.clone(), one.clone()]
    );
    assert_eq!(
        server
            .located(&[
                AttributeValue::ObjectType(ObjectType::SymmetricKey),
                AttributeValue::Name(Name::text("one")),
                vm.value,
            ])
            .await,
        [one]
    );
    assert_eq!(server.located(&[]).await.len(), 3);
    assert_eq!(
        server.located(&[AttributeValue::Name(Name::text("four"))]).await,
        [""; 0]
    );
}

#[tokio::test]
async fn dates_are_a_range() {
    let server = Server::start().await;
    let early = server.create(vec![]).await;
    server.wait(100);
    let late = server.create(vec![]).await;
    let date = |offset: i64| AttributeValue::OriginalCreationDate(DateTime(START.0 + offset));
    assert_eq!(server.located(&[date(0), date(50)]).await, from_ref(&early));
    assert_eq!(server.located(&[date(0), date(100)]).await, [late.clone(), early]);
    assert_eq!(server.located(&[date(100)]).await, [late]);
}

#[tokio::test]
async fn a_state_that_a_date_brought_about_is_found() {
    let server = Server::start().await;
    let id = server
        .create(vec![
            AttributeValue::ActivationDate(DateTime(START.0 + 60)).into(),
        ])
        .await;
    let active = [AttributeValue::State(State::Active)];
    assert_eq!(server.located(&active).await, [""; 0]);
    server.wait(60);
    assert_eq!(server.located(&active).await, [id]);
}

#[tokio::test]
async fn many_objects_are_gone_through_page_by_page() {
    let server = Server::start().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.insert(0, server.create(vec![]).await);
    }
    let mut found = Vec::new();
    for offset in 0..3 {
        let page = server
            .locate(LocateRequest {
                maximum_items: Some(2),
                offset_items: Some(offset * 2),
                ..LocateRequest::default()
            })
            .await;
        assert_eq!(page.located_items, Some(5));
        found.extend(page.unique_identifiers);
    }
    assert_eq!(found, made);
    assert_eq!(server.locate(LocateRequest::default()).await.located_items, None);
}

#[tokio::test]
async fn a_group_is_used_up_in_the_order_in_which_it_was_made() {
    let server = Server::start().await;
    let group = AttributeValue::ObjectGroup("pool".into());
    let first = server.create(vec![group.clone().into()]).await;
    let second = server.create(vec![group.clone().into()]).await;
    let next = || LocateRequest {
        maximum_items: Some(1),
        object_group_member: Some(ObjectGroupMember::GroupMemberFresh),
        ..filter(from_ref(&group))
    };
    for expected in [&first, &second] {
        assert_eq!(server.locate(next()).await.unique_identifiers, from_ref(expected));
        server.done(get(expected)).await;
    }
    assert_eq!(server.locate(next()).await.unique_identifiers, [""; 0]);
    let default = LocateRequest {
        object_group_member: Some(ObjectGroupMember::GroupMemberDefault),
        ..filter(from_ref(&group))
    };
    assert_eq!(server.locate(default).await.unique_identifiers, [first]);
}

#[tokio::test]
async fn what_is_destroyed_or_archived_is_not_among_what_is_at_hand() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let archived = LocateRequest {
        storage_status_mask: Some(StorageStatusMask::ARCHIVAL_STORAGE),
        ..LocateRequest::default()
    };
    assert_eq!(server.locate(archived).await.unique_identifiers, [""; 0]);
    let by_id = [AttributeValue::UniqueIdentifier(id.clone())];
    assert_eq!(server.located(&by_id).await, from_ref(&id));
    server
        .done(RequestPayload::Destroy(DestroyRequest {
            unique_identifier: Some(id.as_str().into()),
        }))
        .await;
    assert_eq!(server.located(&by_id).await, [""; 0]);
    let destroyed = [AttributeValue::State(State::Destroyed)];
    assert_eq!(server.located(&destroyed).await, [id]);
    let anything = [AttributeValue::UniqueIdentifier("no identifier".into())];
    assert_eq!(server.located(&anything).await, [""; 0]);
}

#[tokio::test]
async fn what_no_object_can_have_is_refused() {
    let server = Server::start().await;
    let colour = filter(&[Attribute::custom_text("Colour", "blue").value]);
    assert_eq!(
        server.refused(RequestPayload::Locate(colour)).await,
        ResultReason::InvalidField
    );
    let date = AttributeValue::InitialDate(START);
    let three = filter(&[date.clone(), date.clone(), date]);
    assert_eq!(
        server.refused(RequestPayload::Locate(three)).await,
        ResultReason::InvalidField
    );
    // What an object can have, and none has, is merely not found.
    assert_eq!(
        server.located(&[AttributeValue::CertificateLength(1)]).await,
        [""; 0]
    );
}

#[tokio::test]
async fn an_object_is_found_by_each_attribute_that_it_shows() {
    let server = Server::start().await;
    let application = ApplicationSpecificInformation {
        application_namespace: "tape".into(),
        application_data: Some("library 7".into()),
    };
    let id = server
        .create(vec![
            AttributeValue::Name(Name::text("one")).into(),
            AttributeValue::ObjectGroup("tapes".into()).into(),
            AttributeValue::ContactInformation("Ann".into()).into(),
            AttributeValue::ApplicationSpecificInformation(application).into(),
            AttributeValue::ActivationDate(START).into(),
            AttributeValue::DeactivationDate(DateTime(START.0 + 1000)).into(),
            AttributeValue::UsageLimits(UsageLimits {
                total: 10,
                count: None,
                unit: UsageLimitsUnit::Object,
            })
            .into(),
            AttributeValue::Comment("a tape".into()).into(),
            Attribute::custom_text("x-Library", "7"),
        ])
        .await;
    // Another, that has nothing of its own.
    server.wait(1);
    server.create(Vec::new()).await;
    for version in [V1_0, V1_4, V2_1] {
        let all = RequestPayload::GetAttributes(GetAttributesRequest {
            unique_identifier: Some(id.as_str().into()),
            attribute_names: Vec::new(),
        });
        let Some(ResponsePayload::GetAttributes(shown)) =
            server.ask_in(version, &server.east, all).await.payload
        else {
            panic!("another payload");
        };
        assert!(shown.attributes.0.len() > 15, "{version}");
        for attribute in shown.attributes.0 {
            let request = RequestPayload::Locate(filter(from_ref(&attribute.value)));
            let Some(ResponsePayload::Locate(found)) =
                server.ask_in(version, &server.east, request).await.payload
            else {
                panic!("{version}: Locate by {} was refused", attribute.name());
            };
            assert!(
                found.unique_identifiers.contains(&id),
                "{version}: not found by its {}",
                attribute.name()
            );
        }
    }
}
