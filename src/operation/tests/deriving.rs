//! Keys that are made out of others.

use std::sync::atomic::Ordering;

use super::server::{Server, create};
use super::using::{in_server, key};
use crate::custody::EventName;
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeValue, CryptographicParameters, Link};
use crate::kmip::enumeration::{
    BlockCipherMode, CryptographicAlgorithm, DerivationMethod, HashingAlgorithm, LinkType, ObjectType,
    ResultReason,
};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::payload::{
    ActivateRequest, DerivationParameters, DeriveKeyRequest, RequestPayload, ResponsePayload,
};
use crate::kmip::version::V2_1;

fn attributes(length: Option<i32>) -> Vec<Attribute> {
    let mut attributes: Vec<Attribute> = vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES).into(),
        AttributeValue::CryptographicUsageMask(CryptographicUsageMask::ENCRYPT).into(),
    ];
    attributes.extend(length.map(|length| AttributeValue::CryptographicLength(length).into()));
    attributes
}

/// An Active key that others can be derived from.
async fn base(server: &Server) -> String {
    let RequestPayload::Create(mut request) = create(vec![]) else {
        unreachable!("it is a Create");
    };
    for attribute in &mut request.template_attribute.attributes {
        if let AttributeValue::CryptographicUsageMask(mask) = &mut attribute.value {
            *mask = CryptographicUsageMask::DERIVE_KEY;
        }
    }
    let ResponsePayload::Create(made) = server.done(RequestPayload::Create(request)).await else {
        panic!("another payload");
    };
    let id = made.unique_identifier;
    server
        .done(RequestPayload::Activate(ActivateRequest {
            unique_identifier: Some(id.as_str().into()),
        }))
        .await;
    id
}

fn derive<'a>(
    base: &'a str,
    method: DerivationMethod,
    parameters: CryptographicParameters,
    data: &'a [u8],
) -> DeriveKeyRequest<'a> {
    DeriveKeyRequest {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: vec![base.into()],
        derivation_method: method,
        derivation_parameters: DerivationParameters {
            cryptographic_parameters: Some(Box::new(parameters)),
            derivation_data: vec![data],
            ..DerivationParameters::default()
        },
        template_attribute: attributes(Some(256)).into(),
    }
}

fn by_encryption<'a>(base: &'a str, data: &'a [u8]) -> DeriveKeyRequest<'a> {
    let ecb = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::ECB),
        ..CryptographicParameters::default()
    };
    derive(base, DerivationMethod::ENCRYPT, ecb, data)
}

fn by_hmac<'a>(base: &'a str, data: &'a [u8]) -> DeriveKeyRequest<'a> {
    let sha = CryptographicParameters {
        hashing_algorithm: Some(HashingAlgorithm::SHA_512),
        ..CryptographicParameters::default()
    };
    derive(base, DerivationMethod::HMAC, sha, data)
}

async fn derived(server: &Server, request: DeriveKeyRequest<'_>) -> String {
    match server.done(RequestPayload::DeriveKey(request)).await {
        ResponsePayload::DeriveKey(response) => response.unique_identifier,
        other => panic!("{other:?}"),
    }
}

fn link(link_type: LinkType, to: &str) -> AttributeValue {
    AttributeValue::Link(Link {
        link_type,
        linked_object_identifier: to.to_owned(),
    })
}

#[tokio::test]
async fn a_key_is_derived_on_its_device_and_both_say_where_they_belong() {
    let server = Server::start().await;
    let base = base(&server).await;
    let new = derived(&server, by_encryption(&base, &[7; 32])).await;
    let again = derived(&server, by_encryption(&base, &[7; 32])).await;
    assert_ne!(new, again);
    assert_eq!(server.get(&new).await, server.get(&again).await);
    assert_eq!(
        server.attribute(&new, AttributeKind::Link).await,
        [link(LinkType::DerivationBaseObjectLink, &base)]
    );
    assert_eq!(
        server.attribute(&base, AttributeKind::Link).await,
        [
            link(LinkType::DerivedKeyLink, &new),
            link(LinkType::DerivedKeyLink, &again)
        ]
    );
    let records = server.records().await;
    let record = records
        .iter()
        .find(|record| record.event == EventName::KmipDeriveKey)
        .expect("it is recorded");
    assert_eq!(record.details["cryptography"], "device");
    assert_eq!(record.details["derived-from"], base);
}

#[tokio::test]
async fn a_key_is_derived_in_the_server_only_where_the_operator_allowed_it() {
    let server = Server::start().await;
    let id = base(&server).await;
    let request = RequestPayload::DeriveKey(by_hmac(&id, b"data"));
    assert_eq!(server.refused(request).await, ResultReason::FeatureNotSupported);

    let server = Server::with(in_server()).await;
    let id = base(&server).await;
    let first = derived(&server, by_hmac(&id, b"data")).await;
    let same = derived(&server, by_hmac(&id, b"data")).await;
    let other = derived(&server, by_hmac(&id, b"date")).await;
    assert_eq!(server.get(&first).await, server.get(&same).await);
    assert_ne!(server.get(&first).await, server.get(&other).await);
    let records = server.records().await;
    let record = records
        .iter()
        .find(|record| record.event == EventName::KmipDeriveKey)
        .expect("it is recorded");
    assert_eq!(record.details["cryptography"], "server");
}

#[tokio::test]
async fn each_method_derives_another_key() {
    use DerivationMethod as D;
    let server = Server::with(in_server()).await;
    let id = base(&server).await;
    let mut keys = std::collections::BTreeSet::new();
    let methods = [
        D::PBKDF2,
        D::HASH,
        D::HMAC,
        D::NIST800_108_C,
        D::NIST800_108_F,
        D::NIST800_108_DPI,
        D::HKDF,
    ];
    for method in methods {
        let mut request = DeriveKeyRequest {
            derivation_method: method,
            ..by_hmac(&id, b"data")
        };
        let parameters = &mut request.derivation_parameters;
        match method {
            D::HASH => parameters.derivation_data.clear(),
            // Without a vector the first block is that of the counter mode.
            D::NIST800_108_F => parameters.initialization_vector = Some(b"vector"),
            D::PBKDF2 => {
                parameters.salt = Some(b"salt");
                parameters.iteration_count = Some(2);
            }
            _ => {}
        }
        let new = derived(&server, request).await;
        assert!(keys.insert(server.get(&new).await), "{method}");
    }
}

#[tokio::test]
async fn a_key_whose_usage_mask_has_no_derive_key_derives_nothing() {
    let server = Server::start().await;
    let id = key(&server, vec![]).await;
    let request = || RequestPayload::DeriveKey(by_encryption(&id, &[7; 32]));
    assert_eq!(server.refused(request()).await, ResultReason::PermissionDenied);
    let answer = server.ask_in(V2_1, &server.east, request()).await;
    assert_eq!(
        answer.result_reason,
        Some(ResultReason::IncompatibleCryptographicUsageMask)
    );
    assert_eq!(server.backend.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_derived_key_is_as_long_as_was_asked_and_no_longer_than_the_method_gives() {
    let server = Server::with(in_server()).await;
    let id = base(&server).await;
    let without_length = DeriveKeyRequest {
        template_attribute: attributes(None).into(),
        ..by_hmac(&id, b"data")
    };
    let reason = server.refused(RequestPayload::DeriveKey(without_length)).await;
    assert_eq!(reason, ResultReason::InvalidField);
    let too_short = by_encryption(&id, &[7; 16]);
    let reason = server.refused(RequestPayload::DeriveKey(too_short)).await;
    assert_eq!(reason, ResultReason::InvalidField);
    let shorter = DeriveKeyRequest {
        template_attribute: attributes(Some(128)).into(),
        ..by_encryption(&id, &[7; 16])
    };
    let new = derived(&server, shorter).await;
    assert_eq!(server.get(&new).await.len(), 16);
}

#[tokio::test]
async fn nobody_keeps_the_server_busy_with_rounds() {
    let server = Server::with(in_server()).await;
    let id = base(&server).await;
    for rounds in [0, -1, i32::MAX] {
        let mut request = DeriveKeyRequest {
            derivation_method: DerivationMethod::PBKDF2,
            ..by_hmac(&id, b"")
        };
        request.derivation_parameters.salt = Some(b"salt");
        request.derivation_parameters.iteration_count = Some(rounds);
        let reason = server.refused(RequestPayload::DeriveKey(request)).await;
        assert_eq!(reason, ResultReason::InvalidField);
    }
}
