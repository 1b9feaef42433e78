//! The codec under arbitrary messages, and under bytes that are none.

#[path = "support/kmip_generators/mod.rs"]
mod generators;

use claviger::kmip::attribute::AttributeKind;
use claviger::kmip::enumeration;
use claviger::kmip::message::{
    MessageExtension, RequestHeader, RequestItem, RequestMessage, ResponseMessage,
};
use claviger::kmip::output::ZeroizingOutput;
use claviger::kmip::payload::{DiscoverVersionsRequest, RequestPayload};
use claviger::kmip::tag::Tag;
use claviger::kmip::text::{self, Secrets};
use claviger::kmip::ttlv::{self, Item, Limits, Value};
use claviger::kmip::version::{ProtocolVersion, V1_0, V1_4, V2_0, V2_1};
use generators::Scope;
use proptest::prelude::*;
use proptest::sample::select;

fn request_bytes(request: &RequestMessage<'_>) -> Vec<u8> {
    let mut out = ZeroizingOutput::new();
    request
        .encode(&mut out)
        .expect("a generated request can be written");
    out.as_slice().to_vec()
}

fn response_bytes(response: &ResponseMessage<'_>) -> Vec<u8> {
    let mut out = ZeroizingOutput::new();
    response
        .encode(&mut out)
        .expect("a generated response can be written");
    out.as_slice().to_vec()
}

/// Reads bytes in every way there is; what matters is that each returns.
fn read_in_every_way(bytes: &[u8]) {
    let limits = Limits::default();
    let _ = RequestMessage::decode(bytes, &limits).map(|request| request.encode(&mut ZeroizingOutput::new()));
    let _ =
        ResponseMessage::decode(bytes, &limits).map(|response| response.encode(&mut ZeroizingOutput::new()));
    let _ = ttlv::decode(bytes, &limits);
    let _ = ttlv::message_size(bytes, &limits);
    let _ = RequestMessage::sniff_version(bytes);
    text::write(bytes, Secrets::Hidden, &mut String::new()).expect("a string can be written to");
}

/// What in an item is later than the version, except for what nobody but client and server knows: custom attributes,
/// and the operation that is echoed.
fn later_than(version: ProtocolVersion, item: &Item, meaning: Tag, around: Tag, later: &mut Vec<String>) {
    if item.tag.facts().is_some_and(|facts| facts.since > version) {
        later.push(format!("{} in {around}", item.tag));
    }
    match &item.value {
        Value::Enumeration(number) => {
            let value = enumeration::by_tag(meaning).and_then(|facts| facts.by_value(*number));
            let is_echo = item.tag == Tag::OPERATION && around == Tag::BATCH_ITEM;
            if value.is_some_and(|value| value.since > version) && !is_echo {
                later.push(format!(
                    "{} {} in {around}",
                    item.tag,
                    value.expect("it is some").text
                ));
            }
        }
        Value::Structure(items) => {
            let name = items.iter().find_map(|item| match &item.value {
                Value::TextString(name) if item.tag == Tag::ATTRIBUTE_NAME && item.tag != around => {
                    Some(name)
                }
                _ => None,
            });
            let attribute = name
                .filter(|_| item.tag == Tag::ATTRIBUTE)
                .map(|name| AttributeKind::from_text(name));
            if let Some(Some(kind)) =
                attribute.filter(|kind| kind.is_some_and(|kind| !kind.is_known_in(version)))
            {
                later.push(format!("attribute {kind}"));
            }
            for inner in items {
                match (inner.tag, attribute) {
                    (Tag::ATTRIBUTE_VALUE, Some(None)) => {}
                    (Tag::ATTRIBUTE_VALUE, Some(Some(kind))) => {
                        later_than(version, inner, kind.tag(), item.tag, later);
                    }
                    (tag, _) => later_than(version, inner, tag, item.tag, later),
                }
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn any_item_is_read_as_it_was_written(item in generators::item()) {
        let mut out = ZeroizingOutput::new();
        ttlv::encode(&item, &mut out);
        prop_assert!(out.as_slice().len().is_multiple_of(8));
        prop_assert_eq!(ttlv::decode(out.as_slice(), &Limits::default()).expect("it was just written"), item);
    }

    #[test]
    fn any_request_is_read_as_it_was_written(
        request in select(&ProtocolVersion::SUPPORTED[..]).prop_flat_map(generators::request)
    ) {
        let bytes = request_bytes(&request);
        let read = RequestMessage::decode(&bytes, &Limits::default()).expect("it was just written");
        prop_assert_eq!(format!("{read:?}"), format!("{request:?}"));
        prop_assert_eq!(&request_bytes(&read), &bytes);
    }

    #[test]
    fn any_response_is_read_as_it_was_written(
        response in select(&ProtocolVersion::SUPPORTED[..]).prop_flat_map(generators::response)
    ) {
        let bytes = response_bytes(&response);
        let read = ResponseMessage::decode(&bytes, &Limits::default()).expect("it was just written");
        prop_assert_eq!(format!("{read:?}"), format!("{response:?}"));
        prop_assert_eq!(&response_bytes(&read), &bytes);
    }

    #[test]
    fn a_client_of_any_version_understands_all_that_it_hears(
        response in select(&ProtocolVersion::SUPPORTED[..])
            .prop_flat_map(|client| generators::response(Scope::newest_to(client)))
    ) {
        let version = response.header.protocol_version;
        let bytes = response_bytes(&response);
        let item = ttlv::decode(&bytes, &Limits::default()).expect("it was just written");
        let mut later = Vec::new();
        later_than(version, &item, item.tag, item.tag, &mut later);
        prop_assert!(later.is_empty(), "in {version}: {later:?}");
        let read = ResponseMessage::decode(&bytes, &Limits::default()).expect("it was just written");
        prop_assert_eq!(&response_bytes(&read), &bytes);
    }

    #[test]
    fn a_request_cut_short_anywhere_is_refused(request in select(&[V1_0, V2_1][..]).prop_flat_map(generators::request)) {
        let bytes = request_bytes(&request);
        for end in 0..bytes.len() {
            prop_assert!(RequestMessage::decode(&bytes[..end], &Limits::default()).is_err());
        }
    }

    #[test]
    fn damaged_messages_are_survived(
        request in select(&ProtocolVersion::SUPPORTED[..]).prop_flat_map(generators::request),
        response in select(&ProtocolVersion::SUPPORTED[..]).prop_flat_map(generators::response),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for mut bytes in [request_bytes(&request), response_bytes(&response)] {
            for (place, value) in &damage {
                let place = place.index(bytes.len());
                bytes[place] = *value;
            }
            read_in_every_way(&bytes);
        }
    }

    #[test]
    fn bytes_that_are_no_message_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_in_every_way(&bytes);
    }

    #[test]
    fn an_attribute_compared_with_itself_matches(value in generators::attribute_value(V2_1)) {
        use claviger::kmip::attribute::AttributePattern;
        prop_assert!(AttributePattern::equal_to(&value).matches(&value));
    }

    #[test]
    fn an_attribute_survives_storage(value in generators::attribute_value(V2_1)) {
        let stored = serde_json::to_string(&value).expect("an attribute can be stored");
        let read: claviger::kmip::attribute::AttributeValue =
            serde_json::from_str(&stored).expect("what was stored can be read");
        prop_assert_eq!(read, value);
    }
}

#[test]
fn several_extensions_of_vendors_are_understood_from_2_0_on_and_refused_before() {
    let extension = || MessageExtension {
        vendor_identification: "Acme",
        criticality_indicator: false,
        vendor_extension: &[],
    };
    for (version, is_understood) in [(V1_0, false), (V1_4, false), (V2_0, true), (V2_1, true)] {
        let item = RequestItem {
            message_extensions: vec![extension(), extension()],
            ..RequestItem::new(RequestPayload::DiscoverVersions(
                DiscoverVersionsRequest::default(),
            ))
        };
        let bytes = request_bytes(&RequestMessage {
            header: RequestHeader::new(version),
            items: vec![item].into(),
        });
        let read = RequestMessage::decode(&bytes, &Limits::default());
        assert_eq!(read.is_ok(), is_understood, "in {version}");
    }
}
