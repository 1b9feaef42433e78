//! What is around payloads.

use claviger::kmip::enumeration::{
    AsynchronousIndicator, BatchErrorContinuationOption, Operation, ResultReason,
};
use claviger::kmip::message::{
    Credential, MessageExtension, Nonce, Password, RequestHeader, RequestItem, RequestMessage,
    ResponseHeader, ResponseItem, ResponseMessage,
};
use claviger::kmip::tag::Tag;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::requests::request_payload;
use super::responses::response_payload;
use super::{BYTES, IDENTIFIERS, Scope, count, date, one_of, text};

fn extension() -> impl Strategy<Value = MessageExtension<'static>> {
    any::<bool>().prop_map(|criticality_indicator| MessageExtension {
        vendor_identification: "Acme",
        criticality_indicator,
        vendor_extension: &[0x54, 0, 1, 2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0],
    })
}

fn credential() -> impl Strategy<Value = Credential<'static>> {
    option::of(text()).prop_map(|password| Credential::UsernameAndPassword {
        username: "vcenter",
        password: password.as_deref().map(Password::new),
    })
}

/// A Boolean in 1.x, which is read as one of two values.
fn asynchronous_indicator(scope: Scope) -> BoxedStrategy<AsynchronousIndicator> {
    if scope.is_2_x() {
        one_of(scope).boxed()
    } else {
        select(vec![
            AsynchronousIndicator::Optional,
            AsynchronousIndicator::Prohibited,
        ])
        .boxed()
    }
}

fn request_item(scope: Scope) -> impl Strategy<Value = RequestItem<'static>> {
    (
        scope.optional(Tag::EPHEMERAL, any::<bool>()),
        option::of(select(&BYTES[..])),
        request_payload(scope),
        // They can be repeated from 2.0 on.
        vec(extension(), 0..=if scope.is_2_x() { 2 } else { 1 }),
    )
        .prop_map(
            |(ephemeral, unique_batch_item_id, payload, message_extensions)| RequestItem {
                ephemeral,
                unique_batch_item_id,
                message_extensions,
                ..RequestItem::new(payload)
            },
        )
}

/// A request with what a version has.
pub(crate) fn request(scope: impl Into<Scope>) -> impl Strategy<Value = RequestMessage<'static>> {
    let scope = scope.into();
    let flag = || option::of(any::<bool>());
    (
        (
            option::of(count()),
            scope.optional(Tag::CLIENT_CORRELATION_VALUE, select(&IDENTIFIERS[..])),
            option::of(asynchronous_indicator(scope)),
            scope.optional(Tag::ATTESTATION_CAPABLE_INDICATOR, any::<bool>()),
            flag(),
            vec(credential(), 0..3),
            option::of(date()),
        ),
        option::of(one_of::<BatchErrorContinuationOption>(scope)),
        vec(request_item(scope), 1..4),
    )
        .prop_map(move |(header, batch_error_continuation_option, items)| {
            let header = RequestHeader {
                maximum_response_size: header.0,
                client_correlation_value: header.1,
                asynchronous_indicator: header.2,
                attestation_capable_indicator: header.3,
                batch_order_option: header.4,
                credentials: header.5,
                time_stamp: header.6,
                batch_error_continuation_option,
                ..RequestHeader::new(scope.wire)
            };
            RequestMessage {
                header,
                items: items.into(),
            }
        })
}

fn response_item(scope: Scope) -> impl Strategy<Value = ResponseItem<'static>> {
    let success = (
        option::of(select(&BYTES[..])),
        response_payload(scope),
        option::of(extension()),
    )
        .prop_map(|(id, payload, message_extension)| ResponseItem {
            message_extension,
            ..ResponseItem::success(payload).with_id(id)
        });
    let failure = (
        option::of(Just(Operation::Get)),
        one_of::<ResultReason>(scope),
        text(),
    )
        .prop_map(|(operation, reason, message)| ResponseItem::failure(operation, reason, message));
    prop_oneof![3 => success, 1 => failure]
}

/// A response with what a version has, or with more than its client knows.
pub(crate) fn response(scope: impl Into<Scope>) -> impl Strategy<Value = ResponseMessage<'static>> {
    let scope = scope.into();
    let nonce = Just(Nonce {
        nonce_id: BYTES[1],
        nonce_value: BYTES[2],
    });
    (
        date(),
        scope.optional(Tag::SERVER_CORRELATION_VALUE, text()),
        scope.optional(Tag::NONCE, nonce),
        vec(response_item(scope), 1..4),
    )
        .prop_map(move |(time_stamp, server_correlation_value, nonce, items)| {
            let header = ResponseHeader {
                nonce,
                server_correlation_value,
                ..ResponseHeader::new(scope.wire, time_stamp)
            };
            ResponseMessage { header, items }
        })
}
