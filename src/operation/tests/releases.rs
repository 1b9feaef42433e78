//! What leaves, in which form, and what does not.

use std::sync::atomic::Ordering;

use claviger_hsm::Error as DeviceError;

use super::keys::{KEY, register};
use super::server::{START, Server, create, get, material, root_key as root_key_of, seal_key};
use crate::adapter::RootKey;
use crate::custody::{Actor, Event, EventName, Outcome};
use crate::kmip::attribute::{AttributeKind, AttributeValue, CryptographicParameters, Digest};
use crate::kmip::enumeration::{
    BlockCipherMode, EncodingOption, HashingAlgorithm, KeyCompressionType, KeyFormatType, ResultReason,
    WrappingMethod,
};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::object::{KeyInformation, KeyWrappingSpecification, Object};
use crate::kmip::payload::{GetRequest, RequestPayload};
use crate::kmip::version::V1_4;
use crate::operation::refusal::Refusal;
use crate::root_key::{self, KeyWrap};
use crate::store::{Change, Store};

/// A wish to have a key wrapped under the key `id`.
pub(super) fn wrapping(id: &str) -> KeyWrappingSpecification {
    KeyWrappingSpecification {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(KeyInformation {
            unique_identifier: id.to_owned(),
            cryptographic_parameters: None,
        }),
        mac_signature_key_information: None,
        attribute_names: Vec::new(),
        encoding_option: Some(EncodingOption::NoEncoding),
    }
}

#[tokio::test]
async fn hosts_that_fetch_a_new_key_at_once_all_get_it() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let fetched = futures_util::future::join_all((0..16).map(|_| server.get(&id))).await;
    assert!(fetched.iter().all(|key| *key == fetched[0]));
    let releases = server
        .records()
        .await
        .into_iter()
        .filter(|record| record.event == EventName::KmipGet && record.outcome == Outcome::Success);
    assert_eq!(releases.count(), 16);
}

#[tokio::test]
async fn a_key_is_the_same_each_time_it_is_fetched() {
    let server = Server::start().await;
    let (one, other) = (server.create(vec![]).await, server.create(vec![]).await);
    let key = server.get(&one).await;
    assert_eq!(server.get(&one).await, key);
    assert_ne!(server.get(&other).await, key);
}

#[tokio::test]
async fn a_registered_key_comes_back_as_it_came() {
    let server = Server::start().await;
    for format in [KeyFormatType::Raw, KeyFormatType::TransparentSymmetricKey] {
        let id = server.registered(register(format, &KEY, vec![])).await;
        let object = server
            .got(GetRequest {
                unique_identifier: Some(id.as_str().into()),
                ..GetRequest::default()
            })
            .await;
        let Object::SymmetricKey(block) = &object else {
            panic!("{object:?}");
        };
        assert_eq!(block.key_format_type, format);
        assert_eq!(material(&object), KEY);
        let [AttributeValue::Digest(digest)] = &server.attribute(&id, AttributeKind::Digest).await[..] else {
            panic!("one digest");
        };
        assert_eq!(digest.key_format_type, Some(format));
        assert_eq!(digest.hashing_algorithm, HashingAlgorithm::SHA_256);
    }
}

#[tokio::test]
async fn the_digest_is_that_of_the_key() {
    use sha2::Digest as _;
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let key = server.get(&id).await;
    assert_eq!(
        server.attribute(&id, AttributeKind::Digest).await,
        [AttributeValue::Digest(Digest {
            hashing_algorithm: HashingAlgorithm::SHA_256,
            digest_value: Some(sha2::Sha256::digest(&key).to_vec()),
            key_format_type: Some(KeyFormatType::Raw),
        })]
    );
}

#[tokio::test]
async fn a_key_that_is_not_extractable_stays() {
    let server = Server::start().await;
    let id = server
        .create(vec![AttributeValue::Extractable(false).into()])
        .await;
    assert_eq!(server.refused(get(&id)).await, ResultReason::NotExtractable);
    let wrapped = GetRequest {
        unique_identifier: Some(id.as_str().into()),
        key_wrapping_specification: Some(Box::new(wrapping(&id))),
        ..GetRequest::default()
    };
    assert_eq!(
        server.refused(RequestPayload::Get(wrapped)).await,
        ResultReason::NotExtractable
    );
    let shown = server.attribute(&id, AttributeKind::NeverExtractable).await;
    assert_eq!(shown, [AttributeValue::NeverExtractable(true)]);
}

#[tokio::test]
async fn a_sensitive_key_does_not_leave_in_the_clear() {
    let server = Server::start().await;
    let id = server.create(vec![AttributeValue::Sensitive(true).into()]).await;
    assert_eq!(server.refused(get(&id)).await, ResultReason::Sensitive);
}

#[tokio::test]
async fn forms_that_a_key_cannot_have_are_refused_by_name() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    let asked = || GetRequest {
        unique_identifier: Some(id.as_str().into()),
        ..GetRequest::default()
    };
    for (request, reason) in [
        (
            GetRequest {
                key_format_type: Some(KeyFormatType::PKCS_8),
                ..asked()
            },
            ResultReason::KeyFormatTypeNotSupported,
        ),
        (
            GetRequest {
                key_compression_type: Some(KeyCompressionType::ECPublicKeyTypeUncompressed),
                ..asked()
            },
            ResultReason::KeyCompressionTypeNotSupported,
        ),
        (
            GetRequest {
                key_wrapping_specification: Some(Box::new(wrapping(&id))),
                ..asked()
            },
            // The key itself may encrypt, and not wrap.
            ResultReason::PermissionDenied,
        ),
    ] {
        assert_eq!(server.refused(RequestPayload::Get(request)).await, reason);
    }
    let transparent = GetRequest {
        key_format_type: Some(KeyFormatType::TransparentSymmetricKey),
        ..asked()
    };
    assert_eq!(material(&server.got(transparent).await), server.get(&id).await);
}

#[test]
fn a_client_can_tell_a_device_that_is_away_from_a_key_that_is_broken() {
    let of = |source| {
        Refusal::not_released(&root_key::Error::Device {
            backend: "hsm".into(),
            source,
        })
    };
    for away in [DeviceError::Busy, DeviceError::Deadline] {
        let refusal = of(away);
        assert_eq!(refusal.reason(V1_4), ResultReason::GeneralFailure);
        assert!(refusal.message().contains("try again"), "{}", refusal.message());
    }
    let refusal = of(DeviceError::WrappedKeyRefused);
    assert_eq!(refusal.reason(V1_4), ResultReason::CryptographicFailure);
    assert!(!refusal.message().contains("try again"), "{}", refusal.message());
}

#[test]
fn a_client_is_told_that_the_device_has_no_key_wrap_and_not_that_its_key_is_broken() {
    let of = |source| root_key::Error::Device {
        backend: "hsm".into(),
        source,
    };
    let unknown = of(DeviceError::WrapProfile {
        profile: "aes-kw".into(),
    });
    for key_wrap in [KeyWrap::Nist, KeyWrap::Padded] {
        let reason = Refusal::not_wrapped(&unknown, key_wrap).reason(V1_4);
        assert_eq!(reason, ResultReason::FeatureNotSupported);
    }
    let broken = Refusal::not_wrapped(&of(DeviceError::WrappedKeyRefused), KeyWrap::Nist);
    assert_eq!(broken.reason(V1_4), ResultReason::CryptographicFailure);
}

#[tokio::test]
async fn a_device_that_fails_is_not_described_to_the_client() {
    let server = Server::start().await;
    let id = server.create(vec![]).await;
    server.backend.is_down.store(true, Ordering::SeqCst);
    for request in [
        create(vec![]),
        get(&id),
        register(KeyFormatType::Raw, &KEY, vec![]),
    ] {
        let refused = server.ask(request).await;
        assert_eq!(refused.result_reason, Some(ResultReason::GeneralFailure));
        let message = refused.result_message.unwrap();
        assert!(message.contains("try again"), "{message}");
        assert!(!message.contains("CKR") && !message.contains("slot"), "{message}");
        // The record has it.
        let record = server.records().await.pop().unwrap();
        assert_eq!(record.outcome, Outcome::Failed);
        assert!(record.reason.unwrap().contains("slot 7"));
        assert_eq!(record.device.unwrap().function, "C_WrapKey");
    }
    server.backend.is_down.store(false, Ordering::SeqCst);
    assert_eq!(server.get(&id).await.len(), 32);
}

#[tokio::test]
async fn a_key_is_not_wrapped_under_one_that_another_device_holds() {
    let server = Server::start().await;
    let key = server.create(vec![]).await;
    let parameters = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::NISTKeyWrap),
        ..CryptographicParameters::default()
    };
    let under = server
        .registered(register(
            KeyFormatType::Raw,
            &KEY,
            vec![
                AttributeValue::CryptographicUsageMask(CryptographicUsageMask::WRAP_KEY).into(),
                AttributeValue::CryptographicParameters(Box::new(parameters)).into(),
                AttributeValue::ActivationDate(START).into(),
            ],
        ))
        .await;
    let asked = || {
        RequestPayload::Get(GetRequest {
            unique_identifier: Some(key.as_str().into()),
            key_wrapping_specification: Some(Box::new(wrapping(&under))),
            ..GetRequest::default()
        })
    };
    server.done(asked()).await;

    // As it is while the keys of a root key move to one of another device.
    let elsewhere = RootKey {
        backend: "the other hsm".to_owned(),
        ..root_key_of("elsewhere")
    };
    let id = under.parse().unwrap();
    let row = server.store.key(server.east.adapter, id).await.unwrap();
    let mut row = row.unwrap();
    row.wrapped.as_mut().unwrap().root_key = elsewhere.id;
    server.store.seal_keys().insert(elsewhere.id, seal_key());
    let changes = vec![Change::CreateRootKey(elsewhere), Change::update_key(row)];
    let event = Event::new(EventName::KeyRewrap, Actor::Server);
    server.recorder.commit(changes, event).await.unwrap();

    let refused = server.ask(asked()).await;
    assert_eq!(refused.result_reason, Some(ResultReason::FeatureNotSupported));
    let message = refused.result_message.unwrap();
    assert!(
        message.contains("different devices") && !message.contains("other hsm"),
        "{message}"
    );
}
