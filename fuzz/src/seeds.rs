//! Fills `corpus/` with arbitrary messages that are well-formed, for the server with batches that succeed, and with a custody
//! log and what is made of it, for the targets to start from: `cargo run --bin seeds`. The same each time.

use std::path::Path;

use claviger::kmip::attribute::{Attribute, AttributeValue, Name, RevocationReason};
use claviger::kmip::enumeration::{CryptographicAlgorithm, ObjectType, RevocationReasonCode};
use claviger::kmip::mask::CryptographicUsageMask;
use claviger::kmip::message::{RequestHeader, RequestItem, RequestMessage};
use claviger::kmip::output::ZeroizingOutput;
use claviger::kmip::payload::{
    ActivateRequest, CreateRequest, DestroyRequest, GetAttributeListRequest, GetAttributesRequest,
    GetRequest, LocateRequest, RequestPayload, RevokeRequest,
};
use claviger::kmip::version::ProtocolVersion;
use claviger::kmip::{json, ttlv, xml};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};

mod backup_seeds;
mod custody_seeds;
#[path = "../../tests/support/kmip_generators/mod.rs"]
mod generators;
mod signed;

/// How many inputs each target gets.
const COUNT: usize = 200;

fn write(target: &str, number: usize, bytes: &[u8]) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(format!("seed-{number:03}")), bytes)
}

/// A request in XML and in JSON for the readers of those, and in one of the three encodings for the server.
fn write_request(number: usize, bytes: &[u8]) -> std::io::Result<()> {
    let mut in_xml = ZeroizingOutput::new();
    xml::write(bytes, &mut in_xml).expect("a generated request has no control characters");
    let mut in_json = ZeroizingOutput::new();
    json::write(bytes, &mut in_json).expect("JSON can say every message");
    write("xml", number, in_xml.as_slice())?;
    write("json", number, in_json.as_slice())?;
    let encodings = [bytes, in_xml.as_slice(), in_json.as_slice()];
    write("server", number, encodings[number % encodings.len()])
}

/// The life of a key in one batch, in which each item means the key that the first made.
fn life_of_a_key(version: ProtocolVersion) -> RequestMessage<'static> {
    let mask = CryptographicUsageMask::from_bits(12);
    let attributes = [
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES),
        AttributeValue::CryptographicLength(256),
        AttributeValue::CryptographicUsageMask(mask),
        AttributeValue::Name(Name::text("a key")),
    ];
    let attributes: Vec<_> = attributes.into_iter().map(Attribute::new).collect();
    let revocation_reason = RevocationReason {
        code: RevocationReasonCode::CessationOfOperation,
        message: None,
    };
    let payloads = vec![
        RequestPayload::Create(CreateRequest {
            object_type: ObjectType::SymmetricKey,
            template_attribute: attributes.into(),
            protection_storage_masks: None,
        }),
        RequestPayload::Get(GetRequest::default()),
        RequestPayload::GetAttributeList(GetAttributeListRequest::default()),
        RequestPayload::GetAttributes(GetAttributesRequest::default()),
        RequestPayload::Activate(ActivateRequest::default()),
        RequestPayload::Locate(LocateRequest {
            maximum_items: Some(1),
            ..LocateRequest::default()
        }),
        RequestPayload::Revoke(RevokeRequest {
            unique_identifier: None,
            revocation_reason,
            compromise_occurrence_date: None,
        }),
        RequestPayload::Destroy(DestroyRequest::default()),
    ];
    let ids: [&[u8]; 8] = [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8"];
    let items = payloads.into_iter().zip(ids).map(|(payload, id)| RequestItem {
        unique_batch_item_id: Some(id),
        ..RequestItem::new(payload)
    });
    RequestMessage {
        header: RequestHeader::new(version),
        items: items.collect(),
    }
}

fn main() -> std::io::Result<()> {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    for number in 0..COUNT {
        let version = ProtocolVersion::SUPPORTED[number % ProtocolVersion::SUPPORTED.len()];
        let mut out = ZeroizingOutput::new();
        let request = generators::request(version)
            .new_tree(&mut runner)
            .expect("there is a request")
            .current();
        request
            .encode(&mut out)
            .expect("a generated request can be written");
        write("request", number, out.as_slice())?;
        write_request(number, out.as_slice())?;
        out.clear();
        let response = generators::response(version)
            .new_tree(&mut runner)
            .expect("there is a response")
            .current();
        response
            .encode(&mut out)
            .expect("a generated response can be written");
        write("response", number, out.as_slice())?;
        out.clear();
        let item = generators::item()
            .new_tree(&mut runner)
            .expect("there is an item")
            .current();
        ttlv::encode(&item, &mut out);
        write("ttlv", number, out.as_slice())?;
    }
    for (place, version) in ProtocolVersion::SUPPORTED.into_iter().enumerate() {
        for encoding in 0..3 {
            let mut out = ZeroizingOutput::new();
            life_of_a_key(version)
                .encode(&mut out)
                .expect("a request without key material can be written");
            write_request(COUNT + 3 * place + encoding, out.as_slice())?;
        }
    }
    backup_seeds::fill()?;
    custody_seeds::write_all()
}
