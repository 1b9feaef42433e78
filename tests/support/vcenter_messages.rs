//! What a vCenter asks for and is answered, in 1.1 as it does and in 2.1 as it would.

#![allow(dead_code, reason = "each test takes what it needs")]

use claviger::kmip::attribute::{Attribute, AttributeValue};
use claviger::kmip::enumeration::{CryptographicAlgorithm, KeyFormatType, ObjectType};
use claviger::kmip::mask::CryptographicUsageMask;
use claviger::kmip::message::{
    RequestHeader, RequestItem, RequestMessage, ResponseHeader, ResponseItem, ResponseMessage,
};
use claviger::kmip::object::{KeyBlock, KeyMaterial, KeyValue, Object};
use claviger::kmip::output::{Material, MaterialError, ZeroizingOutput};
use claviger::kmip::payload::{
    CreateRequest, CreateResponse, GetRequest, GetResponse, RequestPayload, ResponsePayload,
};
use claviger::kmip::ttlv::DateTime;
use claviger::kmip::version::ProtocolVersion;

pub(crate) const IDENTIFIER: &str = "1703250b-4d40-4de2-93a0-c494a1d4ae40";
const BATCH_ITEM_ID: &[u8] = &[0x51, 0x4c, 0x4b, 0x43, 1, 0, 0, 0];

struct Key([u8; 32]);

impl Material for Key {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn open_into(&self, out: &mut [u8]) -> Result<(), MaterialError> {
        out.copy_from_slice(&self.0);
        Ok(())
    }
}

fn request(version: ProtocolVersion, payload: RequestPayload<'_>) -> Vec<u8> {
    let item = RequestItem {
        unique_batch_item_id: Some(BATCH_ITEM_ID),
        ..RequestItem::new(payload)
    };
    let message = RequestMessage {
        header: RequestHeader::new(version),
        items: vec![item].into(),
    };
    let mut out = ZeroizingOutput::new();
    message
        .encode(&mut out)
        .expect("a request without key material can be written");
    out.as_slice().to_vec()
}

/// A request for a key.
pub(crate) fn get_request(version: ProtocolVersion) -> Vec<u8> {
    request(
        version,
        RequestPayload::Get(GetRequest {
            unique_identifier: Some(IDENTIFIER.into()),
            ..GetRequest::default()
        }),
    )
}

/// A request for a new key.
pub(crate) fn create_request(version: ProtocolVersion) -> Vec<u8> {
    let mask = CryptographicUsageMask::from_bits(12);
    let attributes = [
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        AttributeValue::CryptographicUsageMask(mask),
        AttributeValue::CryptographicLength(256),
    ];
    let attributes: Vec<_> = attributes.into_iter().map(Attribute::new).collect();
    request(
        version,
        RequestPayload::Create(CreateRequest {
            object_type: ObjectType::SymmetricKey,
            template_attribute: attributes.into(),
            protection_storage_masks: None,
        }),
    )
}

/// A response of one item.
pub(crate) fn response(version: ProtocolVersion, payload: ResponsePayload<'_>) -> ResponseMessage<'_> {
    let item = ResponseItem::success(payload).with_id(Some(BATCH_ITEM_ID));
    ResponseMessage {
        header: ResponseHeader::new(version, DateTime(1_700_000_000)),
        items: vec![item],
    }
}

/// The answer to a Get: a key that is opened as it is written.
pub(crate) fn get_response<'a>(version: ProtocolVersion) -> ResponseMessage<'a> {
    let block = KeyBlock {
        key_format_type: KeyFormatType::Raw,
        key_compression_type: None,
        key_value: Some(KeyValue::Structure {
            material: KeyMaterial::Closed(Box::new(Key([0xA5; 32]))),
            attributes: Vec::new().into(),
        }),
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        cryptographic_length: Some(256),
        key_wrapping_data: None,
    };
    response(
        version,
        ResponsePayload::Get(GetResponse {
            unique_identifier: IDENTIFIER.to_owned(),
            object: Object::SymmetricKey(block),
        }),
    )
}

/// The answer to a Create.
pub(crate) fn create_response<'a>(version: ProtocolVersion) -> ResponseMessage<'a> {
    response(
        version,
        ResponsePayload::Create(CreateResponse {
            object_type: ObjectType::SymmetricKey,
            unique_identifier: IDENTIFIER.to_owned(),
            template_attribute: None,
        }),
    )
}
