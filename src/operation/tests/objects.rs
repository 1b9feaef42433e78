//! Objects that are no symmetric keys: secret data, opaque objects, keys whose value is elsewhere.

use super::server::{Server, get, material};
use crate::custody::{EventName, Outcome};
use crate::key::LONGEST_OPAQUE;
use crate::key::testing::named;
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeValue, KeyValueLocation};
use crate::kmip::enumeration::{
    CryptographicAlgorithm, KeyFormatType, KeyValueLocationType, ObjectType, OpaqueDataType, ResultReason,
    SecretDataType, State,
};
use crate::kmip::object::{KeyBlock, KeyValue, Object, OpaqueObject, SecretData};
use crate::kmip::payload::{
    CreateRequest, DestroyRequest, GetRequest, RegisterRequest, RequestPayload, ResponsePayload,
};
use crate::kmip::version::V1_4;

const PASSWORD: &[u8] = b"correct horse";

/// A wish to have this object registered with these attributes.
pub(super) fn register_object(object: Object<'_>, attributes: Vec<Attribute>) -> RequestPayload<'_> {
    RequestPayload::Register(RegisterRequest {
        object_type: object.object_type(),
        template_attribute: attributes.into(),
        object: Some(object),
        protection_storage_masks: None,
    })
}

/// A Key Block that says nothing of its value.
pub(super) fn block(format: KeyFormatType, value: Option<&[u8]>) -> KeyBlock<'_> {
    KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: value.map(|value| KeyValue::Structure {
            material: value.into(),
            attributes: crate::kmip::attribute::Attributes::default(),
        }),
        cryptographic_algorithm: None,
        cryptographic_length: None,
        key_wrapping_data: None,
    }
}

fn secret(value: &[u8], attributes: Vec<Attribute>) -> RequestPayload<'_> {
    let secret = SecretData {
        data_type: SecretDataType::Password,
        key_block: block(KeyFormatType::Opaque, Some(value)),
    };
    register_object(Object::SecretData(secret), attributes)
}

fn opaque(value: &[u8]) -> RequestPayload<'_> {
    let opaque = OpaqueObject {
        data_type: OpaqueDataType::from(0x8000_0001),
        value: value.into(),
    };
    register_object(Object::OpaqueObject(opaque), Vec::new())
}

fn elsewhere() -> RequestPayload<'static> {
    let key_block = KeyBlock {
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        cryptographic_length: Some(128),
        ..block(KeyFormatType::Raw, None)
    };
    let location = AttributeValue::KeyValueLocation(KeyValueLocation {
        value: "HSM-7".into(),
        location_type: KeyValueLocationType::UninterpretedTextString,
    });
    register_object(Object::SymmetricKey(key_block), vec![location.into()])
}

#[tokio::test]
async fn a_password_comes_back_as_it_came() {
    let server = Server::start().await;
    for value in [PASSWORD, b""] {
        let id = server.registered(secret(value, vec![])).await;
        let ResponsePayload::Get(got) = server.done(get(&id)).await else {
            panic!("another payload");
        };
        assert_eq!(material(&got.object), value);
        let Object::SecretData(secret) = got.object else {
            panic!("another object");
        };
        assert_eq!(secret.data_type, SecretDataType::Password);
        assert_eq!(secret.key_block.key_format_type, KeyFormatType::Opaque);
        assert_eq!(secret.key_block.cryptographic_algorithm, None);
    }
}

#[tokio::test]
async fn an_opaque_object_of_any_length_comes_back_as_it_came() {
    let server = Server::start().await;
    for length in [0, 1, 4096, 4097, 65_536, LONGEST_OPAQUE] {
        let value: Vec<u8> = (0..length)
            .map(|place| u8::try_from(place % 251).unwrap())
            .collect();
        let id = server.registered(opaque(&value)).await;
        assert_eq!(server.get(&id).await, value, "{length}");
    }
    let refused = vec![0; LONGEST_OPAQUE + 1];
    let item = server.ask(opaque(&refused)).await;
    assert_eq!(item.result_reason, Some(ResultReason::InvalidField));
    assert!(
        item.result_message
            .as_deref()
            .is_some_and(|why| why.contains("262144")),
        "the limit is told: {item:?}"
    );
}

#[tokio::test]
async fn no_value_is_in_the_database_in_the_clear() {
    let server = Server::start().await;
    let value = vec![0x5A; 5000];
    let id = server.registered(opaque(&value)).await;
    let row = server.row(&id).await;
    assert!(
        !row.wrapped
            .unwrap()
            .kek
            .bytes
            .windows(64)
            .any(|window| window == &value[..64])
    );
    let id = server.registered(secret(PASSWORD, vec![])).await;
    let row = server.row(&id).await;
    let document = serde_json::to_string(&row.object).unwrap();
    // The digest of something that can be guessed is as good as the thing itself.
    assert!(!document.contains("digest_value"), "{document}");
}

#[tokio::test]
async fn a_device_makes_secret_data_of_the_length_that_is_asked_for() {
    let server = Server::start().await;
    let create = RequestPayload::Create(CreateRequest {
        object_type: ObjectType::SecretData,
        template_attribute: vec![AttributeValue::CryptographicLength(80).into()].into(),
        protection_storage_masks: None,
    });
    let ResponsePayload::Create(made) = server.done(create).await else {
        panic!("another payload");
    };
    assert_eq!(made.object_type, ObjectType::SecretData);
    assert_eq!(server.get(&made.unique_identifier).await.len(), 10);
    assert_eq!(
        server
            .attribute(&made.unique_identifier, AttributeKind::RandomNumberGenerator)
            .await
            .len(),
        1
    );
}

#[tokio::test]
async fn secret_data_is_destroyed_with_its_value() {
    let server = Server::start().await;
    let id = server.registered(secret(PASSWORD, vec![named("p")])).await;
    assert_eq!(server.state(&id).await, State::PreActive);
    server
        .done(RequestPayload::Destroy(DestroyRequest {
            unique_identifier: Some(id.as_str().into()),
        }))
        .await;
    assert_eq!(server.refused(get(&id)).await, ResultReason::ItemNotFound);
    assert!(server.row(&id).await.wrapped.is_none());
}

#[tokio::test]
async fn a_key_whose_value_is_elsewhere_says_where_and_takes_no_device() {
    let server = Server::start().await;
    let id = server.registered(elsewhere()).await;
    let ResponsePayload::Get(got) = server.done(get(&id)).await else {
        panic!("another payload");
    };
    let Object::SymmetricKey(block) = got.object else {
        panic!("another object");
    };
    assert!(block.key_value.is_none());
    assert_eq!(block.cryptographic_length, Some(128));
    assert_eq!(
        server.attribute(&id, AttributeKind::KeyValuePresent).await,
        [AttributeValue::KeyValuePresent(false)]
    );
    let wrapping_key = super::wrapped::wrapping_key(&server).await;
    let wrapped = RequestPayload::Get(GetRequest {
        unique_identifier: Some(id.as_str().into()),
        key_wrapping_specification: Some(Box::new(super::releases::wrapping(&wrapping_key))),
        ..GetRequest::default()
    });
    assert_eq!(server.refused(wrapped).await, ResultReason::IllegalOperation);
}

#[tokio::test]
async fn an_opaque_object_is_not_wrapped_or_converted() {
    let server = Server::start().await;
    let id = server.registered(opaque(b"?")).await;
    let wrapping_key = super::wrapped::wrapping_key(&server).await;
    let unique_identifier = Some(id.as_str().into());
    for request in [
        GetRequest {
            unique_identifier,
            key_wrapping_specification: Some(Box::new(super::releases::wrapping(&wrapping_key))),
            ..GetRequest::default()
        },
        GetRequest {
            unique_identifier,
            key_format_type: Some(KeyFormatType::Raw),
            ..GetRequest::default()
        },
    ] {
        let refused = server.refused(RequestPayload::Get(request)).await;
        assert_eq!(refused, ResultReason::IllegalOperation);
    }
}

#[tokio::test]
async fn secret_data_wraps_nothing() {
    let server = Server::start().await;
    let key = server.create(vec![]).await;
    let password = server.registered(secret(&[7; 32], vec![])).await;
    let wrapped = RequestPayload::Get(GetRequest {
        unique_identifier: Some(key.as_str().into()),
        key_wrapping_specification: Some(Box::new(super::releases::wrapping(&password))),
        ..GetRequest::default()
    });
    assert_eq!(server.refused(wrapped).await, ResultReason::IllegalOperation);
}

#[tokio::test]
async fn another_adapter_learns_nothing_of_secret_data_and_opaque_objects() {
    let server = Server::start().await;
    let nobodys = "01234567-89ab-7def-8123-456789abcdef";
    for request in [
        secret(PASSWORD, vec![named("p")]),
        opaque(&[1; 5000]),
        elsewhere(),
    ] {
        let id = server.registered(request).await;
        let theirs = server.ask_in(V1_4, &server.west, get(&id)).await;
        let none = server.ask_in(V1_4, &server.west, get(nobodys)).await;
        assert_eq!(
            (theirs.result_reason, theirs.result_message),
            (none.result_reason, none.result_message)
        );
    }
}

#[tokio::test]
async fn what_is_handed_out_is_recorded_whatever_it_is() {
    let server = Server::start().await;
    let ids = [
        server.registered(secret(PASSWORD, vec![])).await,
        server.registered(opaque(&[1; 5000])).await,
        server.registered(elsewhere()).await,
    ];
    for id in &ids {
        server.done(get(id)).await;
    }
    let records = server.records().await;
    for id in &ids {
        let told = records.iter().any(|record| {
            record.event == EventName::KmipGet
                && record.outcome == Outcome::Success
                && record
                    .object
                    .as_ref()
                    .is_some_and(|object| object.identifier == *id)
        });
        assert!(told, "{id}");
    }
    let log = serde_json::to_string(&records).unwrap();
    assert!(!log.contains("correct horse") && !log.contains(&hex::encode(PASSWORD)));
}
