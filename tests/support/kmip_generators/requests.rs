//! The payloads of requests.

use claviger::kmip::attribute::AttributePatterns;
use claviger::kmip::enumeration::{
    KeyFormatType, KeyWrapType, ObjectGroupMember, QueryFunction, UniqueIdentifierReference,
};
use claviger::kmip::mask::{CryptographicUsageMask, ProtectionStorageMask, StorageStatusMask};
use claviger::kmip::payload::{
    ActivateRequest, AddAttributeRequest, CheckRequest, CreateRequest, DeleteAttributeRequest,
    DeletedAttribute, DestroyRequest, DiscoverVersionsRequest, GetAttributeListRequest, GetAttributesRequest,
    GetRequest, LocateRequest, ModifyAttributeRequest, ObjectGroups, ProtectionStorageMasks, QueryRequest,
    RegisterRequest, RequestPayload, RevokeRequest, UniqueIdentifier,
};
use claviger::kmip::tag::Tag;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::Union;

use super::attributes::{attribute, attribute_name, pattern, revocation_reason, template_attribute};
use super::objects::{object, wrapping_specification};
use super::{IDENTIFIERS, Scope, count, date, later, one_of, text, using, version};

type Payload = RequestPayload<'static>;

/// Which object is meant: a text, and from 2.0 on by what was made before, or by a place in the batch.
pub(super) fn identifier(scope: Scope) -> BoxedStrategy<Option<UniqueIdentifier<'static>>> {
    let text = select(&IDENTIFIERS[..]).prop_map(UniqueIdentifier::Text);
    if scope.is_2_x() {
        option::of(prop_oneof![
            2 => text,
            1 => one_of::<UniqueIdentifierReference>(scope).prop_map(UniqueIdentifier::Reference),
            1 => any::<i32>().prop_map(UniqueIdentifier::Position),
        ])
        .boxed()
    } else {
        option::of(text).boxed()
    }
}

pub(super) fn object_groups() -> impl Strategy<Value = ObjectGroups> + 'static {
    vec(text(), 0..3).prop_map(|object_groups| ObjectGroups { object_groups })
}

pub(super) fn storage_masks() -> impl Strategy<Value = ProtectionStorageMasks> + 'static {
    vec(any::<u32>().prop_map(ProtectionStorageMask::from_bits), 0..3)
        .prop_map(|masks| ProtectionStorageMasks { masks })
}

fn create(scope: Scope) -> impl Strategy<Value = Payload> {
    let masks = scope.optional(Tag::PROTECTION_STORAGE_MASKS, storage_masks());
    (one_of(scope), template_attribute(scope), masks).prop_map(
        |(object_type, template_attribute, protection_storage_masks)| {
            RequestPayload::Create(CreateRequest {
                object_type,
                template_attribute,
                protection_storage_masks,
            })
        },
    )
}

fn register(scope: Scope) -> impl Strategy<Value = Payload> {
    let masks = scope.optional(Tag::PROTECTION_STORAGE_MASKS, storage_masks());
    let object = option::of(object(scope));
    (one_of(scope), template_attribute(scope), object, masks).prop_map(
        |(object_type, template_attribute, object, protection_storage_masks)| {
            RequestPayload::Register(RegisterRequest {
                object_type,
                template_attribute,
                object,
                protection_storage_masks,
            })
        },
    )
}

fn locate(scope: Scope) -> impl Strategy<Value = Payload> {
    (
        option::of(count()),
        scope.optional(Tag::OFFSET_ITEMS, count()),
        option::of(any::<u32>()),
        scope.optional(Tag::OBJECT_GROUP_MEMBER, one_of::<ObjectGroupMember>(scope)),
        vec(pattern(scope), 0..4),
    )
        .prop_map(
            |(maximum_items, offset_items, mask, object_group_member, attributes)| {
                RequestPayload::Locate(LocateRequest {
                    maximum_items,
                    offset_items,
                    storage_status_mask: mask.map(StorageStatusMask::from_bits),
                    object_group_member,
                    attributes: AttributePatterns(attributes),
                })
            },
        )
}

fn check(scope: Scope) -> impl Strategy<Value = Payload> {
    (
        identifier(scope),
        option::of(any::<i64>()),
        option::of(any::<u32>()),
        option::of(any::<u32>()),
    )
        .prop_map(|(unique_identifier, usage_limits_count, mask, lease_time)| {
            RequestPayload::Check(CheckRequest {
                unique_identifier,
                usage_limits_count,
                cryptographic_usage_mask: mask.map(CryptographicUsageMask::from_bits),
                lease_time,
            })
        })
}

fn get(scope: Scope) -> impl Strategy<Value = Payload> {
    (
        identifier(scope),
        option::of(one_of::<KeyFormatType>(scope)),
        scope.optional(Tag::KEY_WRAP_TYPE, one_of::<KeyWrapType>(scope)),
        option::of(wrapping_specification(scope)),
    )
        .prop_map(
            |(unique_identifier, key_format_type, key_wrap_type, specification)| {
                RequestPayload::Get(GetRequest {
                    unique_identifier,
                    key_format_type,
                    key_wrap_type,
                    key_compression_type: None,
                    key_wrapping_specification: specification.map(Box::new),
                })
            },
        )
}

/// Changes an attribute, from 2.0 on the one of a value.
fn modify_attribute(scope: Scope) -> impl Strategy<Value = Payload> {
    let current = scope.optional(Tag::CURRENT_ATTRIBUTE, attribute(scope));
    (identifier(scope), current, attribute(scope)).prop_map(
        |(unique_identifier, current_attribute, attribute)| {
            RequestPayload::ModifyAttribute(ModifyAttributeRequest {
                unique_identifier,
                current_attribute,
                attribute,
            })
        },
    )
}

/// Deletes an attribute: in 1.x by name and index, from 2.0 on by name or by value.
fn delete_attribute(scope: Scope) -> impl Strategy<Value = Payload> {
    let index = if scope.is_2_x() {
        Just(None).boxed()
    } else {
        option::of(count()).boxed()
    };
    let named =
        (attribute_name(scope), index).prop_map(|(name, index)| DeletedAttribute::Named { name, index });
    let deleted = if scope.is_2_x() {
        prop_oneof![named, attribute(scope).prop_map(DeletedAttribute::Current)].boxed()
    } else {
        named.boxed()
    };
    (identifier(scope), deleted).prop_map(|(unique_identifier, attribute)| {
        RequestPayload::DeleteAttribute(DeleteAttributeRequest {
            unique_identifier,
            attribute,
        })
    })
}

fn revoke(scope: Scope) -> impl Strategy<Value = Payload> {
    (identifier(scope), revocation_reason(scope), option::of(date())).prop_map(
        |(unique_identifier, revocation_reason, compromise_occurrence_date)| {
            RequestPayload::Revoke(RevokeRequest {
                unique_identifier,
                revocation_reason,
                compromise_occurrence_date,
            })
        },
    )
}

fn query(scope: Scope) -> impl Strategy<Value = Payload> {
    let groups = scope.optional(Tag::OBJECT_GROUPS, object_groups());
    (vec(one_of::<QueryFunction>(scope), 1..4), groups).prop_map(|(query_functions, object_groups)| {
        RequestPayload::Query(QueryRequest {
            query_functions,
            object_groups,
        })
    })
}

/// The payload of a request, of any operation.
pub(super) fn request_payload(scope: Scope) -> impl Strategy<Value = Payload> {
    let earliest = vec![
        create(scope).boxed(),
        register(scope).boxed(),
        locate(scope).boxed(),
        check(scope).boxed(),
        get(scope).boxed(),
        (identifier(scope), vec(attribute_name(scope), 0..4))
            .prop_map(|(unique_identifier, attribute_names)| {
                RequestPayload::GetAttributes(GetAttributesRequest {
                    unique_identifier,
                    attribute_names,
                })
            })
            .boxed(),
        identifier(scope)
            .prop_map(|unique_identifier| {
                RequestPayload::GetAttributeList(GetAttributeListRequest { unique_identifier })
            })
            .boxed(),
        (identifier(scope), attribute(scope))
            .prop_map(|(unique_identifier, attribute)| {
                RequestPayload::AddAttribute(AddAttributeRequest {
                    unique_identifier,
                    attribute,
                })
            })
            .boxed(),
        modify_attribute(scope).boxed(),
        delete_attribute(scope).boxed(),
        identifier(scope)
            .prop_map(|unique_identifier| RequestPayload::Activate(ActivateRequest { unique_identifier }))
            .boxed(),
        revoke(scope).boxed(),
        identifier(scope)
            .prop_map(|unique_identifier| RequestPayload::Destroy(DestroyRequest { unique_identifier }))
            .boxed(),
        query(scope).boxed(),
        vec(version(), 0..4)
            .prop_map(|protocol_versions| {
                RequestPayload::DiscoverVersions(DiscoverVersionsRequest { protocol_versions })
            })
            .boxed(),
    ];
    let later = [
        later::requests(scope),
        later::requests_of_2_x(scope),
        using::requests(scope),
    ]
    .concat();
    Union::new(earliest.into_iter().chain(later))
}
