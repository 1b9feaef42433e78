//! Keys that come wrapped under a key of the client's.

use openssl::aes::{AesKey, wrap_key};

use super::keys::KEY;
use super::objects::{block, register_object};
use super::releases::wrapping;
use super::server::{Server, get, material};
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeValue, CryptographicParameters};
use crate::kmip::enumeration::{
    BlockCipherMode, CryptographicAlgorithm, EncodingOption, KeyFormatType, KeyWrapType, LinkType,
    ResultReason, WrappingMethod,
};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::object::{KeyBlock, KeyInformation, KeyValue, KeyWrappingData, Object};
use crate::kmip::output::ZeroizingOutput;
use crate::kmip::payload::{GetRequest, ImportRequest, RequestPayload, ResponsePayload};
use crate::kmip::version::V1_4;

/// A key that came wrapped, in the clear.
const INNER: [u8; 16] = [0x42; 16];

/// Registers an Active key that wraps by AES key wrap, and returns its identifier.
pub(super) async fn wrapping_key(server: &Server) -> String {
    server.registered(wrapping_key_request()).await
}

fn wrapping_key_request() -> RequestPayload<'static> {
    let mode = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::NISTKeyWrap),
        ..CryptographicParameters::default()
    };
    let attributes: Vec<Attribute> = vec![
        AttributeValue::CryptographicUsageMask(CryptographicUsageMask::WRAP_KEY).into(),
        AttributeValue::CryptographicParameters(Box::new(mode)).into(),
        AttributeValue::ActivationDate(super::server::START).into(),
    ];
    let block = KeyBlock {
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        ..block(KeyFormatType::Raw, Some(&KEY))
    };
    register_object(Object::SymmetricKey(block), attributes)
}

fn wrapped(clear: &[u8]) -> Vec<u8> {
    let mut wrapped = vec![0; clear.len() + 8];
    wrap_key(&AesKey::new_encrypt(&KEY).unwrap(), None, &mut wrapped, clear).unwrap();
    wrapped
}

fn came_wrapped<'a>(
    value: KeyValue<'a>,
    wrapping_key: &str,
    encoding_option: Option<EncodingOption>,
) -> RequestPayload<'a> {
    let parameters = CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::NISTKeyWrap),
        ..CryptographicParameters::default()
    };
    let key_block = KeyBlock {
        key_value: Some(value),
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        cryptographic_length: Some(128),
        key_wrapping_data: Some(Box::new(KeyWrappingData {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(KeyInformation {
                unique_identifier: wrapping_key.to_owned(),
                cryptographic_parameters: Some(Box::new(parameters)),
            }),
            mac_signature_key_information: None,
            mac_signature: None,
            iv_counter_nonce: None,
            encoding_option,
        })),
        ..block(KeyFormatType::Raw, None)
    };
    register_object(Object::SymmetricKey(key_block), Vec::new())
}

fn plain<'a>(bytes: &'a [u8], wrapping_key: &str) -> RequestPayload<'a> {
    let value = KeyValue::Bytes(bytes.into());
    came_wrapped(value, wrapping_key, Some(EncodingOption::NoEncoding))
}

fn get_as(id: &str, key_wrap_type: KeyWrapType) -> RequestPayload<'_> {
    RequestPayload::Get(GetRequest {
        unique_identifier: Some(id.into()),
        key_wrap_type: Some(key_wrap_type),
        ..GetRequest::default()
    })
}

async fn got(server: &Server, request: RequestPayload<'_>) -> Object<'static> {
    match server.done(request).await {
        ResponsePayload::Get(got) => got.object,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_that_came_wrapped_goes_out_as_it_came_or_unwrapped_as_the_client_likes() {
    let server = Server::start().await;
    let kek = wrapping_key(&server).await;
    let bytes = wrapped(&INNER);
    let id = server.registered(plain(&bytes, &kek)).await;
    for request in [get(&id), get_as(&id, KeyWrapType::AsRegistered)] {
        let Object::SymmetricKey(block) = got(&server, request).await else {
            panic!("another object");
        };
        let data = block.key_wrapping_data.unwrap();
        assert_eq!(data.encryption_key_information.unwrap().unique_identifier, kek);
        let Some(KeyValue::Bytes(value)) = block.key_value else {
            panic!("not as it came");
        };
        assert_eq!(value.as_bytes().unwrap(), bytes);
    }
    let clear = got(&server, get_as(&id, KeyWrapType::NotWrapped)).await;
    assert_eq!(material(&clear), INNER);
    // Clients of 2.0 and later are told which key it was.
    let object = server.row(&id).await.object;
    let links = object.instances(&AttributeKind::Link.into(), super::server::START);
    let links: Vec<_> = links.into_iter().map(|link| link.value).collect();
    assert!(matches!(&links[..], [AttributeValue::Link(link)]
            if link.link_type == LinkType::WrappingKeyLink && link.linked_object_identifier == kek));
}

#[tokio::test]
async fn a_key_that_was_wrapped_with_its_encoding_is_unwrapped() {
    let server = Server::start().await;
    let kek = wrapping_key(&server).await;
    let structure = KeyValue::Structure {
        material: INNER[..].into(),
        attributes: vec![AttributeValue::CryptographicUsageMask(CryptographicUsageMask::ENCRYPT).into()]
            .into(),
    };
    let mut encoded = ZeroizingOutput::new();
    structure.encode(KeyFormatType::Raw, V1_4, &mut encoded).unwrap();
    let bytes = wrapped(encoded.as_slice());
    let request = came_wrapped(KeyValue::Bytes(bytes[..].into()), &kek, None);
    let id = server.registered(request).await;
    let clear = got(&server, get_as(&id, KeyWrapType::NotWrapped)).await;
    assert_eq!(material(&clear), INNER);
}

#[tokio::test]
async fn a_key_under_one_that_is_not_here_is_kept_closed() {
    let server = Server::start().await;
    let bytes = wrapped(&INNER);
    // Another adapter's key is not here either, and whether it is there does not show.
    let theirs = match server
        .ask_in(V1_4, &server.west, wrapping_key_request())
        .await
        .payload
    {
        Some(ResponsePayload::Register(made)) => made.unique_identifier,
        other => panic!("{other:?}"),
    };
    for absent in ["a key of ours", theirs.as_str()] {
        let id = server.registered(plain(&bytes, absent)).await;
        let Object::SymmetricKey(block) = got(&server, get(&id)).await else {
            panic!("another object");
        };
        assert!(block.is_wrapped());
        assert_eq!(
            server.refused(get_as(&id, KeyWrapType::NotWrapped)).await,
            ResultReason::FeatureNotSupported
        );
        assert!(server.row(&id).await.wrapped.is_none());
        assert!(server.attribute(&id, AttributeKind::Link).await.is_empty());
    }
}

/// The same, to be imported unwrapped.
fn imported(request: RequestPayload<'_>) -> RequestPayload<'_> {
    let RequestPayload::Register(request) = request else {
        panic!("another request");
    };
    RequestPayload::Import(ImportRequest {
        unique_identifier: "01234567-89ab-7def-8123-456789abcdef".into(),
        object_type: None,
        replace_existing: Some(true),
        key_wrap_type: Some(KeyWrapType::NotWrapped),
        attributes: request.template_attribute.attributes.into(),
        object: request.object.unwrap(),
    })
}

#[tokio::test]
async fn an_import_that_is_to_be_unwrapped_is_kept_so_or_not_at_all() {
    let server = Server::start().await;
    let bytes = wrapped(&INNER);
    let absent = server.refused(imported(plain(&bytes, "a key of ours"))).await;
    assert_eq!(absent, ResultReason::ItemNotFound);
    let kek = wrapping_key(&server).await;
    server.done(imported(plain(&bytes, &kek))).await;
    let kept = got(&server, get("01234567-89ab-7def-8123-456789abcdef")).await;
    assert_eq!(material(&kept), INNER);
}

#[tokio::test]
async fn a_value_that_the_wrapping_key_did_not_wrap_is_refused() {
    let server = Server::start().await;
    let kek = wrapping_key(&server).await;
    let mut changed = wrapped(&INNER);
    changed[3] ^= 1;
    assert_eq!(
        server.refused(plain(&changed, &kek)).await,
        ResultReason::CryptographicFailure
    );
    for short in [&[][..], &[1; 7], &[1; 16]] {
        let refused = server.refused(plain(short, &kek)).await;
        assert_eq!(refused, ResultReason::CryptographicFailure, "{}", short.len());
        let encoded = came_wrapped(KeyValue::Bytes(short.into()), &kek, None);
        let refused = server.refused(encoded).await;
        assert_eq!(refused, ResultReason::CryptographicFailure, "{}", short.len());
    }
}

#[tokio::test]
async fn a_key_that_may_not_wrap_or_unwrap_opens_nothing() {
    let server = Server::start().await;
    let for_data = server.create(vec![]).await;
    let bytes = wrapped(&INNER);
    assert_eq!(
        server.refused(plain(&bytes, &for_data)).await,
        ResultReason::PermissionDenied
    );
}

#[tokio::test]
async fn a_key_that_came_wrapped_is_wrapped_under_another() {
    let server = Server::start().await;
    let (kek, other) = (wrapping_key(&server).await, wrapping_key(&server).await);
    let bytes = wrapped(&INNER);
    let id = server.registered(plain(&bytes, &kek)).await;
    let request = RequestPayload::Get(GetRequest {
        unique_identifier: Some(id.as_str().into()),
        key_wrapping_specification: Some(Box::new(wrapping(&other))),
        ..GetRequest::default()
    });
    let Object::SymmetricKey(block) = got(&server, request).await else {
        panic!("another object");
    };
    let Some(KeyValue::Bytes(value)) = block.key_value else {
        panic!("not wrapped");
    };
    assert_eq!(value.as_bytes().unwrap(), bytes);
}

#[tokio::test]
async fn attributes_are_wrapped_with_the_key_where_they_are_asked_for() {
    let server = Server::start().await;
    let kek = wrapping_key(&server).await;
    let id = server.create(vec![]).await;
    let clear = server.get(&id).await;
    let mut specification = wrapping(&kek);
    specification.encoding_option = None;
    specification.attribute_names = vec![AttributeKind::CryptographicUsageMask.into()];
    let request = |specification| {
        RequestPayload::Get(GetRequest {
            unique_identifier: Some(id.as_str().into()),
            key_wrapping_specification: Some(Box::new(specification)),
            ..GetRequest::default()
        })
    };
    let Object::SymmetricKey(block) = got(&server, request(specification.clone())).await else {
        panic!("another object");
    };
    let Some(KeyValue::Bytes(value)) = block.key_value else {
        panic!("not wrapped");
    };
    let value = value.as_bytes().unwrap();
    let mut opened = vec![0; value.len() - 8];
    openssl::aes::unwrap_key(&AesKey::new_decrypt(&KEY).unwrap(), None, &mut opened, value).unwrap();
    let limits = crate::kmip::ttlv::Limits::default();
    let opened = KeyValue::decode(&opened, KeyFormatType::Raw, V1_4, limits).unwrap();
    let KeyValue::Structure { material, attributes } = opened else {
        panic!("no structure");
    };
    assert_eq!(material.as_bytes().unwrap(), clear);
    let mask = CryptographicUsageMask::from_bits(12);
    assert_eq!(
        attributes.0,
        [AttributeValue::CryptographicUsageMask(mask).into()]
    );
    specification.encoding_option = Some(EncodingOption::NoEncoding);
    assert_eq!(
        server.refused(request(specification)).await,
        ResultReason::EncodingOptionError
    );
}
