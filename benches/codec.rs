//! What reading and writing costs: the messages of a vCenter, and a Locate response with many identifiers.

use std::hint::black_box;

use claviger::kmip::attribute::{Attribute, AttributeValue};
use claviger::kmip::enumeration::{CryptographicAlgorithm, KeyFormatType, ObjectType};
use claviger::kmip::mask::CryptographicUsageMask;
use claviger::kmip::message::{
    RequestHeader, RequestItem, RequestMessage, ResponseHeader, ResponseItem, ResponseMessage,
};
use claviger::kmip::object::{KeyBlock, KeyMaterial, KeyValue, Object};
use claviger::kmip::output::{Material, MaterialError, Output, ZeroizingOutput};
use claviger::kmip::payload::{
    CreateRequest, CreateResponse, GetRequest, GetResponse, LocateResponse, RequestPayload, ResponsePayload,
};
use claviger::kmip::ttlv::{DateTime, Limits};
use claviger::kmip::version::V1_1;
use criterion::{Criterion, criterion_group, criterion_main};

const IDENTIFIER: &str = "1703250b-4d40-4de2-93a0-c494a1d4ae40";
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

fn request(payload: RequestPayload<'_>) -> Vec<u8> {
    let item = RequestItem {
        unique_batch_item_id: Some(BATCH_ITEM_ID),
        ..RequestItem::new(payload)
    };
    let mut out = ZeroizingOutput::new();
    let message = RequestMessage {
        header: RequestHeader::new(V1_1),
        items: vec![item],
    };
    message
        .encode(&mut out)
        .expect("a request without key material can be written");
    out.as_slice().to_vec()
}

fn response(payload: ResponsePayload<'_>) -> ResponseMessage<'_> {
    let item = ResponseItem::success(payload).with_id(Some(BATCH_ITEM_ID));
    ResponseMessage {
        header: ResponseHeader::new(V1_1, DateTime(1_700_000_000)),
        items: vec![item],
    }
}

fn get_response<'a>() -> ResponseMessage<'a> {
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
    response(ResponsePayload::Get(GetResponse {
        unique_identifier: IDENTIFIER.to_owned(),
        object: Object::SymmetricKey(block),
    }))
}

fn decode(bytes: &[u8]) -> usize {
    let request =
        RequestMessage::decode(black_box(bytes), &Limits::default()).expect("the request is well-formed");
    request.items.iter().filter(|item| item.payload.is_ok()).count()
}

fn encode(message: &ResponseMessage<'_>, out: &mut ZeroizingOutput) -> usize {
    out.clear();
    message.encode(out).expect("the key can be opened");
    out.len()
}

fn codec(criterion: &mut Criterion) {
    let get = request(RequestPayload::Get(GetRequest {
        unique_identifier: Some(IDENTIFIER.into()),
        ..GetRequest::default()
    }));
    let template = vec![
        Attribute::new(AttributeValue::CryptographicAlgorithm(
            CryptographicAlgorithm::AES,
        )),
        Attribute::new(AttributeValue::CryptographicUsageMask(
            CryptographicUsageMask::from_bits(12),
        )),
        Attribute::new(AttributeValue::CryptographicLength(256)),
    ];
    let create = request(RequestPayload::Create(CreateRequest {
        object_type: ObjectType::SymmetricKey,
        template_attribute: template.into(),
        protection_storage_masks: None,
    }));
    let mut out = ZeroizingOutput::with_capacity(1 << 20);

    criterion.bench_function("decode a Get request", |bencher| bencher.iter(|| decode(&get)));
    criterion.bench_function("decode a Create request", |bencher| {
        bencher.iter(|| decode(&create));
    });
    criterion.bench_function("encode a Get response", |bencher| {
        let message = get_response();
        bencher.iter(|| encode(black_box(&message), &mut out));
    });
    criterion.bench_function("decode a Get request, build and encode its response", |bencher| {
        bencher.iter(|| decode(&get) + encode(&get_response(), &mut out));
    });
    criterion.bench_function("encode a Create response", |bencher| {
        let message = response(ResponsePayload::Create(CreateResponse {
            object_type: ObjectType::SymmetricKey,
            unique_identifier: IDENTIFIER.to_owned(),
            template_attribute: None,
        }));
        bencher.iter(|| encode(black_box(&message), &mut out));
    });

    let located = response(ResponsePayload::Locate(LocateResponse {
        located_items: None,
        unique_identifiers: vec![IDENTIFIER.to_owned(); 10_000],
    }));
    criterion.bench_function("encode a Locate response of 10,000", |bencher| {
        bencher.iter(|| encode(black_box(&located), &mut out));
    });
    encode(&located, &mut out);
    let bytes = out.as_slice().to_vec();
    criterion.bench_function("decode a Locate response of 10,000", |bencher| {
        bencher.iter(|| {
            let response =
                ResponseMessage::decode(black_box(&bytes), &Limits::default()).expect("it is well-formed");
            response.items.len()
        });
    });
}

criterion_group!(benches, codec);
criterion_main!(benches);
