//! Messages as they are on the wire.

use super::*;
use crate::kmip::attribute::{Attribute, AttributeValue, Attributes};
use crate::kmip::enumeration::{
    CryptographicAlgorithm, KeyFormatType, ObjectType, Operation, ResultReason, ResultStatus,
};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::object::{KeyBlock, KeyValue, Object};
use crate::kmip::output::{Material, ZeroizingOutput};
use crate::kmip::payload::{
    CreateRequest, DiscoverVersionsRequest, GetRequest, GetResponse, LocateResponse, QueryResponse,
    RequestPayload, ResponsePayload,
};
use crate::kmip::ttlv::{DateTime, Limits};
use crate::kmip::version::{V1_0, V1_1, V1_2, V1_4};

const IDENTIFIER: &str = "1703250b-4d40-4de2-93a0-c494a1d4ae40";

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex.replace([' ', '\n', '|'], "")).expect("the test's bytes are hexadecimal")
}

fn encoded(request: &RequestMessage<'_>) -> Vec<u8> {
    let mut out = ZeroizingOutput::new();
    request
        .encode(&mut out)
        .expect("a request without key material can be written");
    out.as_slice().to_vec()
}

fn request(version: ProtocolVersion, payloads: Vec<RequestPayload<'_>>) -> RequestMessage<'_> {
    RequestMessage {
        header: RequestHeader::new(version),
        items: payloads.into_iter().map(RequestItem::new).collect(),
    }
}

/// The first message of every vCenter connection.
const DISCOVER_VERSIONS: &str = "
    420078 01 00000060
      420077 01 00000038
        420069 01 00000020
          42006A 02 00000004 00000001 00000000
          42006B 02 00000004 00000001 00000000
        42000D 02 00000004 00000001 00000000
      42000F 01 00000018
        42005C 05 00000004 0000001E 00000000
        420079 01 00000000";

#[test]
fn the_first_message_of_a_vcenter_is_understood() {
    let message = bytes(DISCOVER_VERSIONS);
    let request = RequestMessage::decode(&message, &Limits::default()).unwrap();
    assert_eq!(request.header.protocol_version, V1_1);
    assert_eq!(request.items.len(), 1);
    assert!(matches!(
        &request.items[0].payload,
        Ok(RequestPayload::DiscoverVersions(DiscoverVersionsRequest { protocol_versions })) if protocol_versions.is_empty()
    ));
    assert_eq!(encoded(&request), message);
    assert_eq!(RequestMessage::sniff_version(&message), Some(V1_1));
    assert_eq!(RequestMessage::sniff_version(&message[..52]), Some(V1_1));
    assert_eq!(RequestMessage::sniff_version(&message[..51]), None);
}

#[test]
fn the_key_that_a_vcenter_asks_for_is_the_one_it_means() {
    let template = vec![
        Attribute::new(AttributeValue::CryptographicAlgorithm(
            CryptographicAlgorithm::AES,
        )),
        Attribute::new(AttributeValue::CryptographicUsageMask(
            CryptographicUsageMask::from_bits(12),
        )),
        Attribute::new(AttributeValue::CryptographicLength(256)),
    ];
    let create = CreateRequest {
        object_type: ObjectType::SymmetricKey,
        template_attribute: template.into(),
        protection_storage_masks: None,
    };
    let message = encoded(&request(V1_1, vec![RequestPayload::Create(create.clone())]));
    let read = RequestMessage::decode(&message, &Limits::default()).unwrap();
    assert!(matches!(&read.items[0].payload, Ok(RequestPayload::Create(read)) if *read == create));
}

#[test]
fn a_batch_item_that_cannot_be_read_leaves_the_others_readable() {
    let get = || {
        RequestPayload::Get(GetRequest {
            unique_identifier: Some(IDENTIFIER.into()),
            ..GetRequest::default()
        })
    };
    let mut message = encoded(&request(V1_1, vec![get(), get(), get()]));
    // The second Unique Identifier becomes an Integer.
    let places: Vec<_> = message
        .windows(4)
        .enumerate()
        .filter(|(_, bytes)| *bytes == [0x42, 0, 0x94, 7])
        .collect();
    let place = places[1].0;
    message[place + 3] = 2;
    let read = RequestMessage::decode(&message, &Limits::default()).unwrap();
    assert!(read.items[0].payload.is_ok() && read.items[2].payload.is_ok());
    let error = read.items[1].payload.as_ref().unwrap_err();
    assert_eq!(
        error.path(),
        "Request Message / Batch Item[1] / Request Payload / Unique Identifier"
    );
    assert_eq!(error.offset(), place);
    assert_eq!(error.result_reason(), ResultReason::InvalidMessage);
    assert_eq!(read.items[1].operation, Operation::Get);
}

#[test]
fn an_operation_that_is_not_known_keeps_its_number_and_its_identifier() {
    let mut message = bytes(DISCOVER_VERSIONS);
    let place = message
        .windows(4)
        .position(|bytes| bytes == [0x42, 0, 0x5C, 5])
        .unwrap();
    message[place + 8..place + 12].copy_from_slice(&[0x80, 0, 0, 0x77]);
    let read = RequestMessage::decode(&message, &Limits::default()).unwrap();
    assert_eq!(read.items[0].operation, Operation::Other(0x8000_0077));
    assert!(matches!(read.items[0].payload, Ok(RequestPayload::Other(_))));
    assert_eq!(encoded(&read), message);
}

#[test]
fn a_wrong_batch_count_or_a_byte_too_many_is_refused() {
    let good = bytes(DISCOVER_VERSIONS);
    let place = good
        .windows(4)
        .position(|bytes| bytes == [0x42, 0, 0x0D, 2])
        .unwrap();
    for count in [0_u8, 2] {
        let mut message = good.clone();
        message[place + 11] = count;
        let error = RequestMessage::decode(&message, &Limits::default()).unwrap_err();
        assert!(
            matches!(error.kind(), DecodeErrorKind::BatchCount { .. }),
            "{error}"
        );
    }
    let mut message = good.clone();
    message.push(0);
    let error = RequestMessage::decode(&message, &Limits::default()).unwrap_err();
    assert_eq!(*error.kind(), DecodeErrorKind::TrailingBytes { count: 1 });
}

struct Key;

impl Material for Key {
    fn len(&self) -> usize {
        32
    }

    fn open_into(&self, out: &mut [u8]) -> Result<(), MaterialError> {
        out.fill(0xA5);
        Ok(())
    }
}

struct Lost;

impl Material for Lost {
    fn len(&self) -> usize {
        32
    }

    fn open_into(&self, out: &mut [u8]) -> Result<(), MaterialError> {
        out[..16].fill(0xA5);
        Err(MaterialError)
    }
}

fn get_response<'a>(material: Box<dyn Material>) -> ResponseMessage<'a> {
    let block = KeyBlock {
        key_format_type: KeyFormatType::Raw,
        key_compression_type: None,
        key_value: Some(KeyValue::Structure {
            material: crate::kmip::object::KeyMaterial::Closed(material),
            attributes: Attributes::default(),
        }),
        cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
        cryptographic_length: Some(256),
        key_wrapping_data: None,
    };
    let payload = GetResponse {
        unique_identifier: IDENTIFIER.to_owned(),
        object: Object::SymmetricKey(block),
    };
    let item =
        ResponseItem::success(ResponsePayload::Get(payload)).with_id(Some(vec![0x51, 0x4c, 0x4b, 0x43]));
    ResponseMessage {
        header: ResponseHeader::new(V1_1, DateTime(1_700_000_000)),
        items: vec![item],
    }
}

#[test]
fn a_key_is_written_once_and_read_by_the_client_that_asked() {
    let mut out = ZeroizingOutput::new();
    get_response(Box::new(Key)).encode(&mut out).unwrap();
    let response = ResponseMessage::decode(out.as_slice(), &Limits::default()).unwrap();
    let Some(ResponsePayload::Get(get)) = &response.items[0].payload else {
        panic!("not a Get response")
    };
    let Object::SymmetricKey(KeyBlock {
        key_value: Some(KeyValue::Structure { material, .. }),
        ..
    }) = &get.object
    else {
        panic!("not a key in the clear")
    };
    assert_eq!(material.as_bytes(), Some(&[0xA5; 32][..]));
    assert_eq!(
        response.items[0].unique_batch_item_id.as_deref(),
        Some(&[0x51, 0x4c, 0x4b, 0x43][..])
    );
    assert!(!format!("{response:?}").contains("165"), "a key is shown");
}

#[test]
fn a_key_that_cannot_be_opened_leaves_nothing_behind() {
    let mut out = ZeroizingOutput::with_capacity(1024);
    out.append(b"before");
    let error = get_response(Box::new(Lost)).encode(&mut out).unwrap_err();
    assert!(matches!(error, EncodeError::Material(_)));
    assert_eq!(out.as_slice(), b"before");
    out.append_zeroed(1000);
    assert!(!out.as_slice().contains(&0xA5));
}

fn query_response() -> ResponsePayload<'static> {
    use crate::kmip::payload::CapabilityInformation;
    ResponsePayload::Query(Box::new(QueryResponse {
        operations: vec![Operation::Create, Operation::DiscoverVersions, Operation::Encrypt],
        object_types: vec![ObjectType::SymmetricKey, ObjectType::PGPKey],
        capability_information: vec![CapabilityInformation {
            streaming: Some(false),
            batch_undo: Some(true),
            ..CapabilityInformation::default()
        }],
        ..QueryResponse::default()
    }))
}

#[test]
fn a_client_hears_nothing_that_its_version_does_not_know() {
    let answer = |version| {
        let mut header = ResponseHeader::new(version, DateTime(0));
        header.server_correlation_value = Some("1".to_owned());
        let locate = LocateResponse {
            located_items: Some(1),
            unique_identifiers: vec![IDENTIFIER.to_owned()],
        };
        let failure = ResponseItem::failure(Some(Operation::Get), ResultReason::KeyValueNotPresent, "no key");
        let items = vec![
            ResponseItem::success(query_response()),
            ResponseItem::success(ResponsePayload::Locate(locate)),
            failure,
        ];
        let mut out = ZeroizingOutput::new();
        ResponseMessage { header, items }.encode(&mut out).unwrap();
        out
    };
    let read = |out: &ZeroizingOutput| {
        let response = ResponseMessage::decode(out.as_slice(), &Limits::default()).unwrap();
        let Some(ResponsePayload::Query(query)) = &response.items[0].payload else {
            panic!("not a Query response")
        };
        let Some(ResponsePayload::Locate(locate)) = &response.items[1].payload else {
            panic!("not a Locate response")
        };
        let capabilities: Vec<_> = query
            .capability_information
            .iter()
            .map(|known| known.batch_undo)
            .collect();
        (
            response.header.server_correlation_value.is_some(),
            query.operations.len(),
            query.object_types.len(),
            capabilities,
            locate.located_items,
            response.items[2].result_reason,
        )
    };
    let general = Some(ResultReason::GeneralFailure);
    let absent = Some(ResultReason::KeyValueNotPresent);
    assert_eq!(read(&answer(V1_0)), (false, 1, 1, vec![], None, general));
    assert_eq!(read(&answer(V1_1)), (false, 2, 1, vec![], None, general));
    assert_eq!(read(&answer(V1_2)), (false, 3, 2, vec![], None, absent));
    let v1_3 = ProtocolVersion::new(1, 3);
    assert_eq!(read(&answer(v1_3)), (false, 3, 2, vec![None], Some(1), absent));
    assert_eq!(
        read(&answer(V1_4)),
        (true, 3, 2, vec![Some(true)], Some(1), absent)
    );
}

#[test]
fn a_response_written_item_by_item_is_the_same() {
    let whole = ResponseMessage {
        header: ResponseHeader::new(V1_2, DateTime(5)),
        items: vec![
            ResponseItem::success(query_response()),
            ResponseItem::failure(None, ResultReason::InvalidMessage, "no"),
        ],
    };
    let mut expected = ZeroizingOutput::new();
    whole.encode(&mut expected).unwrap();
    let mut out = ZeroizingOutput::new();
    out.append(b"earlier");
    let open = ResponseMessage::encode_header(&whole.header, 2, &mut out).unwrap();
    for item in &whole.items {
        item.encode(V1_2, &mut out).unwrap();
    }
    assert_eq!(open.len(&out), expected.len());
    open.close(&mut out);
    assert_eq!(&out.as_slice()[7..], expected.as_slice());
    let read = ResponseMessage::decode(expected.as_slice(), &Limits::default()).unwrap();
    assert_eq!(read.items[1].result_status, ResultStatus::OperationFailed);
}

#[test]
fn a_password_is_read_and_not_shown() {
    let mut sent = request(
        V1_1,
        vec![RequestPayload::DiscoverVersions(
            DiscoverVersionsRequest::default(),
        )],
    );
    sent.header.credentials = vec![Credential::UsernameAndPassword {
        username: "vcenter",
        password: Some(Password::new("s3cret")),
    }];
    let message = encoded(&sent);
    let read = RequestMessage::decode(&message, &Limits::default()).unwrap();
    let Credential::UsernameAndPassword {
        username,
        password: Some(password),
    } = &read.header.credentials[0]
    else {
        panic!("not a user with a password")
    };
    assert_eq!((*username, password.expose()), ("vcenter", "s3cret"));
    assert!(!format!("{read:?}").contains("s3cret"));
    assert_eq!(encoded(&read), message);
}

#[test]
fn a_field_of_a_later_minor_version_is_passed_over_and_of_this_one_refused() {
    // Discover Versions, with an item of the tag 4201FF in its payload.
    let with_unknown_field = |minor: &str| {
        bytes(&format!(
            "420078 01 00000070
               420077 01 00000038
                 420069 01 00000020
                   42006A 02 00000004 00000001 00000000
                   42006B 02 00000004 {minor} 00000000
                 42000D 02 00000004 00000001 00000000
               42000F 01 00000028
                 42005C 05 00000004 0000001E 00000000
                 420079 01 00000010
                   4201FF 02 00000004 00000001 00000000"
        ))
    };
    let later = with_unknown_field("00000009");
    let read = RequestMessage::decode(&later, &Limits::default()).unwrap();
    assert!(read.items[0].payload.is_ok());
    let known = with_unknown_field("00000004");
    let read = RequestMessage::decode(&known, &Limits::default()).unwrap();
    let error = read.items[0].payload.as_ref().unwrap_err();
    assert_eq!(error.result_reason(), ResultReason::InvalidField, "{error}");
}
