//! The payloads of responses.

use claviger::kmip::attribute::{Attribute, AttributeValue, Name};
use claviger::kmip::enumeration::ObjectType;
use claviger::kmip::mask::CryptographicUsageMask;
use claviger::kmip::payload::{
    ActivateResponse, AddAttributeResponse, CheckResponse, CreateResponse, DeleteAttributeResponse,
    DestroyResponse, DiscoverVersionsResponse, GetAttributeListResponse, GetAttributesResponse, GetResponse,
    LocateResponse, ModifyAttributeResponse, RegisterResponse, ResponsePayload, RevokeResponse,
};
use claviger::kmip::tag::Tag;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Strategy, any};
use proptest::strategy::Union;

use super::attributes::{attribute_name, attributes, custom_name, custom_value, template_attribute};
use super::objects::object;
use super::query::query_response;
use super::{Scope, count, later, text, using, version};

type Payload = ResponsePayload<'static>;

fn check() -> impl Strategy<Value = Payload> {
    (
        option::of(text()),
        option::of(any::<i64>()),
        option::of(any::<u32>()),
    )
        .prop_map(|(unique_identifier, usage_limits_count, lease_time)| {
            ResponsePayload::Check(CheckResponse {
                unique_identifier,
                usage_limits_count,
                cryptographic_usage_mask: lease_time.map(CryptographicUsageMask::from_bits),
                lease_time,
            })
        })
}

/// The answers to what changed one attribute, which they tell in 1.x.
fn changed_attribute(scope: Scope) -> impl Strategy<Value = Payload> {
    let told = move |attribute: Attribute| (!scope.is_2_x()).then_some(attribute);
    Union::new([
        (text(), custom_name(scope), custom_value(scope))
            .prop_map(move |(unique_identifier, name, value)| {
                let attribute = told(Attribute::new(AttributeValue::Other { name, value }));
                ResponsePayload::AddAttribute(AddAttributeResponse {
                    unique_identifier,
                    attribute,
                })
            })
            .boxed(),
        (text(), text())
            .prop_map(move |(unique_identifier, name)| {
                let attribute = told(Attribute::indexed(1, AttributeValue::Name(Name::text(name))));
                ResponsePayload::ModifyAttribute(ModifyAttributeResponse {
                    unique_identifier,
                    attribute,
                })
            })
            .boxed(),
        (text(), text())
            .prop_map(move |(unique_identifier, group)| {
                let attribute = told(Attribute::new(AttributeValue::ObjectGroup(group)));
                ResponsePayload::DeleteAttribute(DeleteAttributeResponse {
                    unique_identifier,
                    attribute,
                })
            })
            .boxed(),
    ])
}

/// The payload of a response, of any operation.
pub(super) fn response_payload(scope: Scope) -> impl Strategy<Value = Payload> {
    let template_attribute = move || option::of(template_attribute(scope));
    let earliest = vec![
        (text(), template_attribute())
            .prop_map(|(unique_identifier, template_attribute)| {
                ResponsePayload::Create(CreateResponse {
                    object_type: ObjectType::SymmetricKey,
                    unique_identifier,
                    template_attribute,
                })
            })
            .boxed(),
        (text(), template_attribute())
            .prop_map(|(unique_identifier, template_attribute)| {
                ResponsePayload::Register(RegisterResponse {
                    unique_identifier,
                    template_attribute,
                })
            })
            .boxed(),
        (scope.optional(Tag::LOCATED_ITEMS, count()), vec(text(), 0..9))
            .prop_map(|(located_items, unique_identifiers)| {
                ResponsePayload::Locate(LocateResponse {
                    located_items,
                    unique_identifiers,
                })
            })
            .boxed(),
        check().boxed(),
        (text(), object(scope))
            .prop_map(|(unique_identifier, object)| {
                ResponsePayload::Get(GetResponse {
                    unique_identifier,
                    object,
                })
            })
            .boxed(),
        (text(), attributes(scope))
            .prop_map(|(unique_identifier, attributes)| {
                ResponsePayload::GetAttributes(GetAttributesResponse {
                    unique_identifier,
                    attributes: attributes.into(),
                })
            })
            .boxed(),
        (text(), vec(attribute_name(scope), 0..9))
            .prop_map(|(unique_identifier, attribute_names)| {
                ResponsePayload::GetAttributeList(GetAttributeListResponse {
                    unique_identifier,
                    attribute_names,
                })
            })
            .boxed(),
        changed_attribute(scope).boxed(),
        text()
            .prop_map(|unique_identifier| ResponsePayload::Activate(ActivateResponse { unique_identifier }))
            .boxed(),
        text()
            .prop_map(|unique_identifier| ResponsePayload::Revoke(RevokeResponse { unique_identifier }))
            .boxed(),
        text()
            .prop_map(|unique_identifier| ResponsePayload::Destroy(DestroyResponse { unique_identifier }))
            .boxed(),
        query_response(scope)
            .prop_map(|answer| ResponsePayload::Query(Box::new(answer)))
            .boxed(),
        vec(version(), 0..5)
            .prop_map(|protocol_versions| {
                ResponsePayload::DiscoverVersions(DiscoverVersionsResponse { protocol_versions })
            })
            .boxed(),
    ];
    let later = [
        later::responses(scope),
        later::responses_of_2_x(scope),
        using::responses(scope),
    ]
    .concat();
    Union::new(earliest.into_iter().chain(later))
}
