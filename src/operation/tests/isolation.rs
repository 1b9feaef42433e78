//! One adapter reaches nothing of another, and cannot tell what is there.

use super::server::{START, Server, create, get, stranger};
use crate::adapter::Caller;
use crate::key::testing::named;
use crate::kmip::attribute::{
    Attribute, AttributeKind, AttributePattern, AttributePatterns, AttributeValue, Name, RevocationReason,
};
use crate::kmip::enumeration::{ObjectType, ResultReason, ResultStatus, RevocationReasonCode, State};
use crate::kmip::message::{RequestHeader, RequestItem, RequestMessage};
use crate::kmip::object::{Object, TemplateAttribute};
use crate::kmip::payload::{
    ActivateRequest, AddAttributeRequest, CheckRequest, CreateRequest, DeleteAttributeRequest,
    DeletedAttribute, DestroyRequest, ExportRequest, GetAttributeListRequest, GetAttributesRequest,
    LocateRequest, ModifyAttributeRequest, RegisterRequest, RequestPayload, ResponsePayload, RevokeRequest,
};
use crate::kmip::version::V1_4;

/// Every operation that means one object.
fn operations_on(id: &str) -> Vec<RequestPayload<'_>> {
    let unique_identifier = Some(id.into());
    let attribute = Attribute::custom_text("x-Name", "mine now");
    vec![
        get(id),
        RequestPayload::Export(ExportRequest {
            unique_identifier,
            ..ExportRequest::default()
        }),
        RequestPayload::GetAttributes(GetAttributesRequest {
            unique_identifier,
            attribute_names: Vec::new(),
        }),
        RequestPayload::GetAttributeList(GetAttributeListRequest { unique_identifier }),
        RequestPayload::AddAttribute(AddAttributeRequest {
            unique_identifier,
            attribute: attribute.clone(),
        }),
        RequestPayload::AddAttribute(AddAttributeRequest {
            unique_identifier,
            attribute: named("a name"),
        }),
        RequestPayload::ModifyAttribute(ModifyAttributeRequest {
            unique_identifier,
            attribute,
            current_attribute: None,
        }),
        RequestPayload::DeleteAttribute(DeleteAttributeRequest {
            unique_identifier,
            attribute: DeletedAttribute::Named {
                name: AttributeKind::Name.into(),
                index: None,
            },
        }),
        RequestPayload::Check(CheckRequest {
            unique_identifier,
            ..CheckRequest::default()
        }),
        RequestPayload::Activate(ActivateRequest { unique_identifier }),
        RequestPayload::Revoke(RevokeRequest {
            unique_identifier,
            revocation_reason: RevocationReason {
                code: RevocationReasonCode::KeyCompromise,
                message: None,
            },
            compromise_occurrence_date: None,
        }),
        RequestPayload::Destroy(DestroyRequest { unique_identifier }),
    ]
}

impl Server {
    async fn raw(&self, caller: &Caller, payload: RequestPayload<'_>) -> Vec<u8> {
        let request = RequestMessage {
            header: RequestHeader::new(V1_4),
            items: vec![RequestItem::new(payload)].into(),
        };
        let bytes = super::server::encoded(&request);
        self.bytes(caller, &bytes).await.0
    }
}

#[tokio::test]
async fn a_key_of_another_adapter_is_answered_as_one_that_does_not_exist() {
    let server = Server::start().await;
    let theirs = server
        .create_for(
            &server.west,
            vec![named("theirs"), Attribute::custom_text("x-Name", "vm")],
        )
        .await;
    let nobodys = "01234567-89ab-7def-8123-456789abcdef";
    for (of_another, of_nobody) in operations_on(&theirs).into_iter().zip(operations_on(nobodys)) {
        let operation = of_another.operation();
        let theirs = server.raw(&server.east, of_another).await;
        let nobodys = server.raw(&server.east, of_nobody).await;
        assert_eq!(theirs, nobodys, "{operation}");
        let item = super::server::decoded(theirs).items.pop().unwrap();
        assert_eq!(
            item.result_reason,
            Some(ResultReason::ItemNotFound),
            "{operation}"
        );
    }
    // And nothing has happened to it.
    let request = RequestPayload::GetAttributes(GetAttributesRequest {
        unique_identifier: Some(theirs.as_str().into()),
        attribute_names: vec![AttributeKind::State.into(), AttributeKind::LastChangeDate.into()],
    });
    let item = server.ask_in(V1_4, &server.west, request).await;
    let Some(ResponsePayload::GetAttributes(got)) = item.payload else {
        panic!("{item:?}");
    };
    assert_eq!(
        *got.attributes,
        [
            AttributeValue::State(State::PreActive).into(),
            AttributeValue::LastChangeDate(START).into()
        ]
    );
}

#[tokio::test]
async fn locate_finds_nothing_of_another_adapter() {
    let server = Server::start().await;
    let name = AttributeValue::Name(Name::text("disk"));
    let theirs = server.create_for(&server.west, vec![name.clone().into()]).await;
    for wanted in [
        Vec::new(),
        vec![AttributePattern::equal_to(&name)],
        vec![AttributePattern::equal_to(&AttributeValue::UniqueIdentifier(
            theirs,
        ))],
    ] {
        let request = RequestPayload::Locate(LocateRequest {
            attributes: AttributePatterns(wanted),
            ..LocateRequest::default()
        });
        let ResponsePayload::Locate(found) = server.done(request).await else {
            panic!("another payload");
        };
        assert_eq!(found.unique_identifiers, [""; 0]);
    }
}

#[tokio::test]
async fn a_name_in_another_adapter_is_free() {
    let server = Server::start().await;
    server.create_for(&server.west, vec![named("disk")]).await;
    server.create_for(&server.east, vec![named("disk")]).await;
}

#[tokio::test]
async fn a_template_of_another_adapter_lends_nothing() {
    let server = Server::start().await;
    let template = RequestPayload::Register(RegisterRequest {
        object_type: ObjectType::Template,
        template_attribute: vec![named("small")].into(),
        object: Some(Object::Template(vec![
            AttributeValue::CryptographicLength(128).into(),
        ])),
        protection_storage_masks: None,
    });
    let item = server.ask_in(V1_4, &server.west, template).await;
    assert_eq!(item.result_status, ResultStatus::Success);
    let request = || {
        RequestPayload::Create(CreateRequest {
            object_type: ObjectType::SymmetricKey,
            template_attribute: TemplateAttribute {
                names: vec![Name::text("small")],
                ..TemplateAttribute::default()
            },
            protection_storage_masks: None,
        })
    };
    assert_eq!(server.refused(request()).await, ResultReason::ItemNotFound);
}

#[tokio::test]
async fn a_client_whose_adapter_is_gone_makes_no_keys() {
    let server = Server::start().await;
    let stranger = stranger(&server.east);
    let item = server.ask_in(V1_4, &stranger, create(Vec::new())).await;
    assert_eq!(item.result_reason, Some(ResultReason::GeneralFailure));
}
