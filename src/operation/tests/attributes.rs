//! Attributes as clients change and read them.

use super::server::{Server, create};
use crate::key::testing::named;
use crate::kmip::attribute::{
    ApplicationSpecificInformation, Attribute, AttributeKind, AttributeName, AttributeValue, Name,
};
use crate::kmip::enumeration::{ResultReason, ResultStatus};
use crate::kmip::payload::{
    ActivateRequest, AddAttributeRequest, DeleteAttributeRequest, DeletedAttribute, DestroyRequest,
    GetAttributeListRequest, GetAttributesRequest, ModifyAttributeRequest, RequestPayload, ResponsePayload,
};
use crate::kmip::ttlv::DateTime;
use crate::kmip::version::V1_1;

fn add(id: &str, attribute: Attribute) -> RequestPayload<'_> {
    RequestPayload::AddAttribute(AddAttributeRequest {
        unique_identifier: Some(id.into()),
        attribute,
    })
}

fn modify(id: &str, attribute: Attribute) -> RequestPayload<'_> {
    RequestPayload::ModifyAttribute(ModifyAttributeRequest {
        unique_identifier: Some(id.into()),
        attribute,
        current_attribute: None,
    })
}

fn delete<'a>(id: &'a str, name: &str, attribute_index: Option<u32>) -> RequestPayload<'a> {
    RequestPayload::DeleteAttribute(DeleteAttributeRequest {
        unique_identifier: Some(id.into()),
        attribute: DeletedAttribute::Named {
            name: AttributeName::from_text(name),
            index: attribute_index,
        },
    })
}

fn group(name: &str) -> Attribute {
    AttributeValue::ObjectGroup(name.into()).into()
}

#[tokio::test]
async fn attributes_added_at_once_are_all_there() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let asked = (0..24).map(|number| server.ask(add(&id, group(&format!("g{number}")))));
    for item in futures_util::future::join_all(asked).await {
        assert_eq!(item.result_status, ResultStatus::Success, "{item:?}");
    }
    assert_eq!(server.attribute(&id, AttributeKind::ObjectGroup).await.len(), 24);
}

#[tokio::test]
async fn an_attribute_is_added_changed_and_deleted() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let value = |text: &str| Attribute::custom_text("x-attribute1", text);
    let ResponsePayload::AddAttribute(added) = server.done(add(&id, value("Value1"))).await else {
        panic!("another payload");
    };
    assert_eq!(added.attribute, Some(value("Value1")));
    let ResponsePayload::ModifyAttribute(modified) = server.done(modify(&id, value("ModifiedValue1"))).await
    else {
        panic!("another payload");
    };
    assert_eq!(modified.attribute, Some(value("ModifiedValue1")));
    let ResponsePayload::DeleteAttribute(deleted) = server.done(delete(&id, "x-attribute1", None)).await
    else {
        panic!("another payload");
    };
    assert_eq!(deleted.attribute, Some(value("ModifiedValue1")));
    assert_eq!(
        server.refused(delete(&id, "x-attribute1", None)).await,
        ResultReason::ItemNotFound
    );
}

#[tokio::test]
async fn instances_are_told_apart_by_their_index() {
    let server = Server::start().await;
    let id = server.create(vec![named("one"), named("two")]).await;
    let request = GetAttributesRequest {
        unique_identifier: Some(id.as_str().into()),
        attribute_names: vec![AttributeKind::Name.into()],
    };
    let ResponsePayload::GetAttributes(got) = server.done(RequestPayload::GetAttributes(request)).await
    else {
        panic!("another payload");
    };
    let indices: Vec<_> = got.attributes.iter().map(|attribute| attribute.index).collect();
    assert_eq!(indices, [None, Some(1)]);
    server
        .done(modify(
            &id,
            Attribute::indexed(1, AttributeValue::Name(Name::text("three"))),
        ))
        .await;
    let ResponsePayload::DeleteAttribute(deleted) = server.done(delete(&id, "Name", None)).await else {
        panic!("another payload");
    };
    assert_eq!(deleted.attribute, Some(named("one")));
    assert_eq!(
        server.attribute(&id, AttributeKind::Name).await,
        [AttributeValue::Name(Name::text("three"))]
    );
}

#[tokio::test]
async fn each_fault_has_the_reason_that_the_specification_names() {
    let server = Server::start().await;
    let id = server.create(vec![named("mine")]).await;
    server.create(vec![named("taken")]).await;
    let contact = |text: &str| Attribute::from(AttributeValue::ContactInformation(text.into()));
    server.done(add(&id, contact("a"))).await;
    server
        .done(RequestPayload::Activate(ActivateRequest {
            unique_identifier: Some(id.as_str().into()),
        }))
        .await;
    let date = DateTime(1_900_000_000);
    let information = AttributeValue::ApplicationSpecificInformation(ApplicationSpecificInformation {
        application_namespace: "ssl".into(),
        application_data: None,
    });
    let taken = || Attribute::from(AttributeValue::Name(Name::text("taken")));
    for (request, reason) in [
        (add(&id, contact("b")), ResultReason::IllegalOperation),
        (add(&id, taken()), ResultReason::IllegalOperation),
        (modify(&id, taken()), ResultReason::IllegalOperation),
        (
            add(&id, AttributeValue::LeaseTime(1).into()),
            ResultReason::PermissionDenied,
        ),
        (
            add(&id, AttributeValue::CertificateLength(1).into()),
            ResultReason::PermissionDenied,
        ),
        (
            add(&id, Attribute::custom_text("y-Server", "s")),
            ResultReason::PermissionDenied,
        ),
        (
            add(&id, Attribute::custom_text("Colour", "blue")),
            ResultReason::PermissionDenied,
        ),
        (
            add(
                &id,
                Attribute::indexed(1, AttributeValue::ObjectGroup("g".into())),
            ),
            ResultReason::InvalidField,
        ),
        (
            add(&id, information.into()),
            ResultReason::ApplicationNamespaceNotSupported,
        ),
        (modify(&id, group("g")), ResultReason::InvalidField),
        (
            modify(&id, Attribute::indexed(7, AttributeValue::Name(Name::text("n")))),
            ResultReason::ItemNotFound,
        ),
        (
            modify(&id, AttributeValue::ActivationDate(date).into()),
            ResultReason::PermissionDenied,
        ),
        (delete(&id, "State", None), ResultReason::PermissionDenied),
        (delete(&id, "Name", Some(7)), ResultReason::ItemNotFound),
        (delete(&id, "Colour", None), ResultReason::ItemNotFound),
        (
            create(vec![AttributeValue::Name(Name::text("taken")).into()]),
            ResultReason::InvalidField,
        ),
    ] {
        let shown = format!("{request:?}");
        assert_eq!(server.refused(request).await, reason, "{shown}");
    }
}

#[tokio::test]
async fn an_attribute_is_asked_for_once() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let twice = GetAttributesRequest {
        unique_identifier: Some(id.as_str().into()),
        attribute_names: vec![AttributeKind::ObjectType.into(), AttributeKind::ObjectType.into()],
    };
    assert_eq!(
        server.refused(RequestPayload::GetAttributes(twice)).await,
        ResultReason::InvalidMessage
    );
}

#[tokio::test]
async fn the_list_of_attributes_has_what_the_oasis_cases_list() {
    let server = Server::start().await;
    let id = server
        .create(vec![
            named("TC-314-11-key1"),
            AttributeValue::ContactInformation("Foo".into()).into(),
        ])
        .await;
    let request = RequestPayload::GetAttributeList(GetAttributeListRequest {
        unique_identifier: Some(id.as_str().into()),
    });
    let item = server.ask_in(V1_1, &server.east, request).await;
    let Some(ResponsePayload::GetAttributeList(list)) = item.payload else {
        panic!("{item:?}");
    };
    let mut names: Vec<_> = list.attribute_names.iter().map(AttributeName::as_text).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "Contact Information",
            "Cryptographic Algorithm",
            "Cryptographic Length",
            "Cryptographic Usage Mask",
            "Digest",
            "Fresh",
            "Initial Date",
            "Last Change Date",
            "Lease Time",
            "Name",
            "Object Type",
            "State",
            "Unique Identifier",
        ]
    );
}

#[tokio::test]
async fn a_destroyed_key_can_be_read_about_but_not_changed() {
    let server = Server::start().await;
    let id = server.create(vec![named("disk")]).await;
    server
        .done(RequestPayload::Destroy(DestroyRequest {
            unique_identifier: Some(id.as_str().into()),
        }))
        .await;
    assert_eq!(
        server.refused(add(&id, group("g"))).await,
        ResultReason::PermissionDenied
    );
    assert_eq!(
        server.attribute(&id, AttributeKind::Name).await,
        [AttributeValue::Name(Name::text("disk"))]
    );
}
