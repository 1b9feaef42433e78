//! The life of a key: making, handing out, ending.

use super::server::{START, Server, create, get};
use crate::key::testing::{named, template_of_vcenter};
use crate::kmip::attribute::{
    Attribute, AttributeKind, AttributeValue, Attributes, CryptographicParameters, Name, RevocationReason,
};
use crate::kmip::enumeration::{
    CryptographicAlgorithm, KeyFormatType, ObjectType, ResultReason, ResultStatus, RevocationReasonCode,
    State,
};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::object::{KeyBlock, KeyValue, Object, TemplateAttribute};
use crate::kmip::payload::{
    ActivateRequest, CheckRequest, CreateRequest, DestroyRequest, GetAttributesRequest, GetRequest,
    RegisterRequest, RequestPayload, ResponsePayload, RevokeRequest,
};
use crate::kmip::ttlv::DateTime;

/// A key that a client brings.
pub(super) const KEY: [u8; 32] = [0xC3; 32];

fn activate(id: &str) -> RequestPayload<'_> {
    RequestPayload::Activate(ActivateRequest {
        unique_identifier: Some(id.into()),
    })
}

fn destroy(id: &str) -> RequestPayload<'_> {
    RequestPayload::Destroy(DestroyRequest {
        unique_identifier: Some(id.into()),
    })
}

fn revoke(id: &str, code: RevocationReasonCode) -> RequestPayload<'_> {
    RequestPayload::Revoke(RevokeRequest {
        unique_identifier: Some(id.into()),
        revocation_reason: RevocationReason { code, message: None },
        compromise_occurrence_date: None,
    })
}

/// A request to keep these bytes as a key.
pub(super) fn register(
    format: KeyFormatType,
    bytes: &[u8],
    attributes: Vec<Attribute>,
) -> RequestPayload<'_> {
    RequestPayload::Register(RegisterRequest {
        object_type: ObjectType::SymmetricKey,
        template_attribute: attributes.into(),
        object: Some(Object::SymmetricKey(KeyBlock {
            key_format_type: format,
            key_compression_type: None,
            key_value: Some(KeyValue::Structure {
                material: bytes.into(),
                attributes: Attributes::default(),
            }),
            cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
            cryptographic_length: Some(256),
            key_wrapping_data: None,
        })),
        protection_storage_masks: None,
    })
}

impl Server {
    pub(super) async fn registered(&self, request: RequestPayload<'_>) -> String {
        match self.done(request).await {
            ResponsePayload::Register(made) => made.unique_identifier,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn got(&self, request: GetRequest<'_>) -> Object<'static> {
        match self.done(RequestPayload::Get(request)).await {
            ResponsePayload::Get(got) => got.object,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_key_lives_through_its_states() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    assert_eq!(server.state(&id).await, State::PreActive);
    server.wait(10);
    server.done(activate(&id)).await;
    assert_eq!(server.state(&id).await, State::Active);
    assert_eq!(
        server.refused(activate(&id)).await,
        ResultReason::PermissionDenied
    );
    assert_eq!(server.refused(destroy(&id)).await, ResultReason::PermissionDenied);
    server
        .done(revoke(&id, RevocationReasonCode::CessationOfOperation))
        .await;
    assert_eq!(server.state(&id).await, State::Deactivated);
    server
        .done(revoke(&id, RevocationReasonCode::KeyCompromise))
        .await;
    assert_eq!(server.state(&id).await, State::Compromised);
    // A compromised key can still be read, so that what it protects is not lost.
    assert_eq!(server.get(&id).await.len(), 32);
    server.wait(10);
    server.done(destroy(&id)).await;
    assert_eq!(server.state(&id).await, State::DestroyedCompromised);
    assert_eq!(server.refused(get(&id)).await, ResultReason::ItemNotFound);
    assert_eq!(server.refused(destroy(&id)).await, ResultReason::PermissionDenied);
    for (kind, value) in [
        (AttributeKind::InitialDate, AttributeValue::InitialDate(START)),
        (
            AttributeKind::ActivationDate,
            AttributeValue::ActivationDate(DateTime(START.0 + 10)),
        ),
        (
            AttributeKind::CompromiseOccurrenceDate,
            AttributeValue::CompromiseOccurrenceDate(START),
        ),
        (
            AttributeKind::DestroyDate,
            AttributeValue::DestroyDate(DateTime(START.0 + 20)),
        ),
    ] {
        assert_eq!(server.attribute(&id, kind).await, [value]);
    }
}

#[tokio::test]
async fn a_key_that_was_never_active_is_not_revoked_but_for_a_compromise() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    assert_eq!(
        server
            .refused(revoke(&id, RevocationReasonCode::Superseded))
            .await,
        ResultReason::IllegalOperation
    );
    server.done(revoke(&id, RevocationReasonCode::CACompromise)).await;
    assert_eq!(server.state(&id).await, State::Compromised);
    assert_eq!(
        server
            .refused(RequestPayload::Revoke(RevokeRequest {
                unique_identifier: Some(id.as_str().into()),
                revocation_reason: RevocationReason {
                    code: RevocationReasonCode::Superseded,
                    message: None,
                },
                compromise_occurrence_date: Some(START),
            }))
            .await,
        ResultReason::InvalidField
    );
}

#[tokio::test]
async fn dates_take_effect_when_they_are_due() {
    let server = Server::start().await;
    let id = server
        .create(vec![
            AttributeValue::ActivationDate(DateTime(START.0 + 60)).into(),
            AttributeValue::DeactivationDate(DateTime(START.0 + 120)).into(),
        ])
        .await;
    assert_eq!(server.state(&id).await, State::PreActive);
    server.wait(60);
    assert_eq!(server.state(&id).await, State::Active);
    server.wait(60);
    assert_eq!(server.state(&id).await, State::Deactivated);
    server.done(destroy(&id)).await;
}

#[tokio::test]
async fn the_key_bytes_are_gone_from_the_store_when_a_key_is_destroyed() {
    use crate::store::Store;
    let server = Server::start().await;
    let id = server.create(vec![named("disk")]).await;
    server.done(destroy(&id)).await;
    let row = server
        .store
        .key(server.east.adapter, id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert!(row.wrapped.is_none());
    // Its name can be given again.
    server.create(vec![named("disk")]).await;
}

#[tokio::test]
async fn what_cannot_be_made_is_refused() {
    let server = Server::start().await;
    let with = |object_type, attributes: Vec<Attribute>| {
        RequestPayload::Create(CreateRequest {
            object_type,
            template_attribute: attributes.into(),
            protection_storage_masks: None,
        })
    };
    let aes = || AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES).into();
    for request in [
        with(ObjectType::PrivateKey, template_of_vcenter()),
        // Of secret data nobody can guess the length.
        with(ObjectType::SecretData, vec![]),
        with(ObjectType::SymmetricKey, vec![]),
        with(
            ObjectType::SymmetricKey,
            vec![aes(), AttributeValue::CryptographicLength(257).into()],
        ),
        with(ObjectType::SymmetricKey, vec![aes(), aes()]),
        with(
            ObjectType::SymmetricKey,
            vec![AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::RSA).into()],
        ),
        register(KeyFormatType::Raw, &KEY[..31], vec![]),
    ] {
        assert_eq!(server.refused(request).await, ResultReason::InvalidField);
    }
    assert_eq!(
        server
            .refused(register(KeyFormatType::PKCS_1, &KEY, vec![]))
            .await,
        ResultReason::KeyFormatTypeNotSupported
    );
    // A mask may be left out, and a key of another algorithm is a key too.
    let made = with(
        ObjectType::SymmetricKey,
        vec![
            AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::DES3).into(),
            AttributeValue::CryptographicLength(168).into(),
        ],
    );
    let ResponsePayload::Create(made) = server.done(made).await else {
        panic!("another payload");
    };
    assert_eq!(server.get(&made.unique_identifier).await.len(), 24);
}

#[tokio::test]
async fn a_template_lends_its_attributes_by_name() {
    let server = Server::start().await;
    let id = server
        .registered(RequestPayload::Register(RegisterRequest {
            object_type: ObjectType::Template,
            template_attribute: vec![named("small"), Attribute::custom_text("x-ID", "T1")].into(),
            object: Some(Object::Template(vec![
                AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES).into(),
                AttributeValue::CryptographicLength(128).into(),
                AttributeValue::ObjectGroup("Group1".into()).into(),
            ])),
            protection_storage_masks: None,
        }))
        .await;
    let request = |extra: Vec<Attribute>| {
        RequestPayload::Create(CreateRequest {
            object_type: ObjectType::SymmetricKey,
            template_attribute: TemplateAttribute {
                names: vec![Name::text("small")],
                attributes: extra,
            },
            protection_storage_masks: None,
        })
    };
    let ResponsePayload::Create(made) = server.done(request(vec![])).await else {
        panic!("another payload");
    };
    let key = made.unique_identifier;
    assert_eq!(server.get(&key).await.len(), 16);
    assert_eq!(
        server.attribute(&key, AttributeKind::ObjectGroup).await,
        [AttributeValue::ObjectGroup("Group1".into())]
    );
    // What is the template's own is not lent.
    let own = GetAttributesRequest {
        unique_identifier: Some(key.as_str().into()),
        attribute_names: vec![crate::kmip::attribute::AttributeName::from_text("x-ID")],
    };
    let ResponsePayload::GetAttributes(own) = server.done(RequestPayload::GetAttributes(own)).await else {
        panic!("another payload");
    };
    assert_eq!(*own.attributes, []);

    assert_eq!(
        server.refused(activate(&id)).await,
        ResultReason::IllegalOperation
    );
    let object = server
        .got(GetRequest {
            unique_identifier: Some(id.as_str().into()),
            ..GetRequest::default()
        })
        .await;
    assert!(matches!(object, Object::Template(lent) if lent.len() == 3));
    server.done(destroy(&id)).await;
    assert_eq!(server.refused(get(&id)).await, ResultReason::ItemNotFound);
    assert_eq!(server.refused(request(vec![])).await, ResultReason::ItemNotFound);
}

#[tokio::test]
async fn check_says_what_stands_against_the_use_of_a_key() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let check = |mask, lease_time| {
        RequestPayload::Check(CheckRequest {
            unique_identifier: Some(id.as_str().into()),
            cryptographic_usage_mask: Some(mask),
            lease_time,
            usage_limits_count: Some(1_000_000),
        })
    };
    let ResponsePayload::Check(fine) = server
        .done(check(CryptographicUsageMask::DECRYPT, Some(3600)))
        .await
    else {
        panic!("another payload");
    };
    assert_eq!(fine.unique_identifier.as_deref(), Some(&*id));
    let refused = server.ask(check(CryptographicUsageMask::SIGN, Some(3601))).await;
    assert_eq!(refused.result_status, ResultStatus::OperationFailed);
    assert_eq!(refused.result_reason, Some(ResultReason::PermissionDenied));
    let Some(ResponsePayload::Check(against)) = refused.payload else {
        panic!("no payload");
    };
    assert_eq!(against.unique_identifier, None);
    assert_eq!(
        against.cryptographic_usage_mask,
        Some(CryptographicUsageMask::SIGN)
    );
    assert_eq!(against.lease_time, Some(3601));
    assert_eq!(against.usage_limits_count, None);
}

#[tokio::test]
async fn a_name_is_given_once_however_many_ask_at_once() {
    let server = Server::start().await;
    let asked = (0..16).map(|_| server.ask(create(vec![named("disk"), named("spare")])));
    let answers = futures_util::future::join_all(asked).await;
    let made = answers
        .iter()
        .filter(|item| item.result_status == ResultStatus::Success)
        .count();
    assert_eq!(made, 1);
    let refused = answers
        .iter()
        .filter(|item| item.result_reason == Some(ResultReason::InvalidField))
        .count();
    assert_eq!(refused, 15);
}

#[tokio::test]
async fn a_key_with_cryptographic_parameters_shows_them() {
    let server = Server::start().await;
    let parameters = AttributeValue::CryptographicParameters(Box::new(CryptographicParameters {
        tag_length: Some(16),
        ..CryptographicParameters::default()
    }));
    let id = server.create(vec![parameters.clone().into()]).await;
    assert_eq!(
        server
            .attribute(&id, AttributeKind::CryptographicParameters)
            .await,
        [parameters]
    );
}
