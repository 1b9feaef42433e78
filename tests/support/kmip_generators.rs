//! Arbitrary KMIP items, attributes and messages, for property tests and for the first inputs of the fuzz targets.
//!
//! Longer than most files: it is one list, a short generator for each thing that the protocol can say, in the
//! protocol's order.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::borrow::Cow;

use claviger::kmip::attribute::{
    AlternativeName, ApplicationSpecificInformation, Attribute, AttributeKind, AttributeName,
    AttributePattern, AttributeValue, CryptographicDomainParameters, CryptographicParameters, Digest,
    KeyValueLocation, Link, Name, RevocationReason, RngParameters, UsageLimits,
};
use claviger::kmip::enumeration::{
    BatchErrorContinuationOption, CryptographicAlgorithm, KeyFormatType, KeyWrapType, ObjectType, Operation,
    QueryFunction, ResultReason,
};
use claviger::kmip::mask::{CryptographicUsageMask, StorageStatusMask};
use claviger::kmip::message::{
    Credential, MessageExtension, Nonce, Password, RequestHeader, RequestItem, RequestMessage,
    ResponseHeader, ResponseItem, ResponseMessage,
};
use claviger::kmip::object::{
    KeyBlock, KeyInformation, KeyMaterial, KeyValue, KeyWrappingData, KeyWrappingSpecification, Object,
    TemplateAttribute,
};
use claviger::kmip::payload::{
    ActivateRequest, ActivateResponse, AddAttributeRequest, AddAttributeResponse, CapabilityInformation,
    CheckRequest, CheckResponse, CreateRequest, CreateResponse, DeleteAttributeRequest,
    DeleteAttributeResponse, DestroyRequest, DestroyResponse, DiscoverVersionsRequest,
    DiscoverVersionsResponse, ExtensionInformation, GetAttributeListRequest, GetAttributeListResponse,
    GetAttributesRequest, GetAttributesResponse, GetRequest, GetResponse, LocateRequest, LocateResponse,
    ModifyAttributeRequest, ModifyAttributeResponse, ProfileInformation, QueryRequest, QueryResponse,
    RegisterRequest, RegisterResponse, RequestPayload, ResponsePayload, RevokeRequest, RevokeResponse,
    ValidationInformation,
};
use claviger::kmip::tag::{TAGS, Tag};
use claviger::kmip::ttlv::{DateTime, Item, Value};
use claviger::kmip::version::ProtocolVersion;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;

/// Texts and bytes that the generated messages borrow.
pub(crate) const IDENTIFIERS: [&str; 3] = ["", "1703250b-4d40-4de2-93a0-c494a1d4ae40", "schlüssel 🔑"];
const BYTES: [&[u8]; 3] = [&[], &[0x51, 0x4c, 0x4b, 0x43, 1, 0, 0, 0], &[0xA5; 33]];

fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}|[a-z]{0,40}"
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..40)
}

fn date() -> impl Strategy<Value = DateTime> {
    any::<i64>().prop_map(DateTime)
}

fn identifier() -> impl Strategy<Value = Option<&'static str>> {
    option::of(select(&IDENTIFIERS[..]))
}

/// A tag of the tables or of the range for extensions.
fn tag() -> impl Strategy<Value = Tag> {
    prop_oneof![
        (0..TAGS.len()).prop_map(|place| TAGS[place].tag),
        (0x54_0000_u32..=0x54_FFFF).prop_map(Tag::new),
    ]
}

/// A value of an enumeration's table.
macro_rules! one_of {
    ($enumeration:ty) => {
        select(<$enumeration>::ALL)
    };
}

fn simple_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i32>().prop_map(Value::Integer),
        any::<i64>().prop_map(Value::LongInteger),
        vec(any::<[u8; 8]>(), 1..4).prop_map(|words| Value::BigInteger(words.concat())),
        any::<u32>().prop_map(Value::Enumeration),
        any::<bool>().prop_map(Value::Boolean),
        text().prop_map(Value::TextString),
        bytes().prop_map(Value::ByteString),
        date().prop_map(Value::DateTime),
        any::<u32>().prop_map(Value::Interval),
    ]
}

/// Any value, structures within structures included.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    simple_value().prop_recursive(5, 40, 5, |inner| {
        vec((tag(), inner).prop_map(|(tag, value)| Item { tag, value }), 0..5).prop_map(Value::Structure)
    })
}

/// Any item.
pub(crate) fn item() -> impl Strategy<Value = Item> {
    (tag(), value()).prop_map(|(tag, value)| Item { tag, value })
}

fn parameters() -> impl Strategy<Value = CryptographicParameters> {
    use claviger::kmip::enumeration::{
        BlockCipherMode, DigitalSignatureAlgorithm, HashingAlgorithm, MaskGenerator,
    };
    (
        option::of(one_of!(BlockCipherMode)),
        option::of(one_of!(HashingAlgorithm)),
        option::of(one_of!(DigitalSignatureAlgorithm)),
        option::of(one_of!(CryptographicAlgorithm)),
        option::of(any::<bool>()),
        option::of(any::<i32>()),
        option::of(one_of!(MaskGenerator)),
        option::of(bytes()),
    )
        .prop_map(
            |(mode, hash, signature, algorithm, random_iv, length, mask_generator, p_source)| {
                CryptographicParameters {
                    block_cipher_mode: mode,
                    hashing_algorithm: hash,
                    digital_signature_algorithm: signature,
                    cryptographic_algorithm: algorithm,
                    random_iv,
                    iv_length: length,
                    tag_length: length,
                    salt_length: length,
                    mask_generator,
                    mask_generator_hashing_algorithm: hash,
                    p_source,
                    trailer_field: length,
                    ..CryptographicParameters::default()
                }
            },
        )
}

fn rng_parameters() -> impl Strategy<Value = RngParameters> {
    use claviger::kmip::enumeration::{DrbgAlgorithm, RngAlgorithm};
    (
        one_of!(RngAlgorithm),
        option::of(one_of!(CryptographicAlgorithm)),
        option::of(one_of!(DrbgAlgorithm)),
        option::of(any::<bool>()),
    )
        .prop_map(
            |(rng_algorithm, cryptographic_algorithm, drbg_algorithm, prediction_resistance)| RngParameters {
                rng_algorithm,
                cryptographic_algorithm,
                cryptographic_length: None,
                hashing_algorithm: None,
                drbg_algorithm,
                recommended_curve: None,
                fips186_variation: None,
                prediction_resistance,
            },
        )
}

/// A structure whose fields have the tags of its type.
fn structure() -> impl Strategy<Value = Value> {
    vec((0x54_0000_u32..=0x54_FFFF, simple_value()), 0..4).prop_map(|items| {
        Value::Structure(
            items
                .into_iter()
                .map(|(tag, value)| Item::new(Tag::new(tag), value))
                .collect(),
        )
    })
}

/// A value of an attribute of the specification.
#[allow(clippy::too_many_lines, reason = "one arm an attribute")]
fn standard_value(kind: AttributeKind) -> impl Strategy<Value = AttributeValue> {
    use AttributeKind as K;
    use AttributeValue as V;
    use claviger::kmip::enumeration as e;
    let boxed = |strategy: proptest::strategy::BoxedStrategy<AttributeValue>| strategy;
    macro_rules! of {
        ($variant:ident, $strategy:expr) => {
            boxed($strategy.prop_map(V::$variant).boxed())
        };
    }
    match kind {
        K::UniqueIdentifier => of!(UniqueIdentifier, text()),
        K::Name => {
            of!(
                Name,
                (text(), one_of!(e::NameType)).prop_map(|(value, name_type)| Name { value, name_type })
            )
        }
        K::ObjectType => of!(ObjectType, one_of!(ObjectType)),
        K::CryptographicAlgorithm => of!(CryptographicAlgorithm, one_of!(CryptographicAlgorithm)),
        K::CryptographicLength => of!(CryptographicLength, any::<i32>()),
        K::CryptographicParameters => of!(CryptographicParameters, parameters().prop_map(Box::new)),
        K::CryptographicDomainParameters => of!(
            CryptographicDomainParameters,
            (option::of(any::<i32>()), option::of(one_of!(e::RecommendedCurve))).prop_map(
                |(qlength, recommended_curve)| CryptographicDomainParameters {
                    qlength,
                    recommended_curve
                }
            )
        ),
        K::CertificateType => of!(CertificateType, one_of!(e::CertificateType)),
        K::CertificateLength => of!(CertificateLength, any::<i32>()),
        K::X_509CertificateIdentifier => of!(X_509CertificateIdentifier, structure()),
        K::X_509CertificateSubject => of!(X_509CertificateSubject, structure()),
        K::X_509CertificateIssuer => of!(X_509CertificateIssuer, structure()),
        K::CertificateIdentifier => of!(CertificateIdentifier, structure()),
        K::CertificateSubject => of!(CertificateSubject, structure()),
        K::CertificateIssuer => of!(CertificateIssuer, structure()),
        K::DigitalSignatureAlgorithm => of!(DigitalSignatureAlgorithm, one_of!(e::DigitalSignatureAlgorithm)),
        K::Digest => of!(
            Digest,
            (
                one_of!(e::HashingAlgorithm),
                option::of(bytes()),
                option::of(one_of!(KeyFormatType))
            )
                .prop_map(|(hashing_algorithm, digest_value, key_format_type)| Digest {
                    hashing_algorithm,
                    digest_value,
                    key_format_type
                })
        ),
        K::OperationPolicyName => of!(OperationPolicyName, text()),
        K::CryptographicUsageMask => {
            of!(
                CryptographicUsageMask,
                any::<u32>().prop_map(CryptographicUsageMask::from_bits)
            )
        }
        K::LeaseTime => of!(LeaseTime, any::<u32>()),
        K::UsageLimits => of!(
            UsageLimits,
            (
                any::<i64>(),
                option::of(any::<i64>()),
                one_of!(e::UsageLimitsUnit)
            )
                .prop_map(|(total, count, unit)| UsageLimits { total, count, unit })
        ),
        K::State => of!(State, one_of!(e::State)),
        K::InitialDate => of!(InitialDate, date()),
        K::ActivationDate => of!(ActivationDate, date()),
        K::ProcessStartDate => of!(ProcessStartDate, date()),
        K::ProtectStopDate => of!(ProtectStopDate, date()),
        K::DeactivationDate => of!(DeactivationDate, date()),
        K::DestroyDate => of!(DestroyDate, date()),
        K::CompromiseOccurrenceDate => of!(CompromiseOccurrenceDate, date()),
        K::CompromiseDate => of!(CompromiseDate, date()),
        K::RevocationReason => of!(RevocationReason, revocation_reason()),
        K::ArchiveDate => of!(ArchiveDate, date()),
        K::ObjectGroup => of!(ObjectGroup, text()),
        K::Fresh => of!(Fresh, any::<bool>()),
        K::Link => of!(
            Link,
            (one_of!(e::LinkType), text()).prop_map(|(link_type, linked_object_identifier)| Link {
                link_type,
                linked_object_identifier
            })
        ),
        K::ApplicationSpecificInformation => of!(
            ApplicationSpecificInformation,
            (text(), option::of(text())).prop_map(|(application_namespace, application_data)| {
                ApplicationSpecificInformation {
                    application_namespace,
                    application_data,
                }
            })
        ),
        K::ContactInformation => of!(ContactInformation, text()),
        K::LastChangeDate => of!(LastChangeDate, date()),
        K::AlternativeName => of!(
            AlternativeName,
            (text(), one_of!(e::AlternativeNameType))
                .prop_map(|(value, name_type)| AlternativeName { value, name_type })
        ),
        K::KeyValuePresent => of!(KeyValuePresent, any::<bool>()),
        K::KeyValueLocation => of!(
            KeyValueLocation,
            (text(), one_of!(e::KeyValueLocationType))
                .prop_map(|(value, location_type)| KeyValueLocation { value, location_type })
        ),
        K::OriginalCreationDate => of!(OriginalCreationDate, date()),
        K::RandomNumberGenerator => of!(RandomNumberGenerator, rng_parameters()),
        K::PKCS_12FriendlyName => of!(PKCS_12FriendlyName, text()),
        K::Description => of!(Description, text()),
        K::Comment => of!(Comment, text()),
        K::Sensitive => of!(Sensitive, any::<bool>()),
        K::AlwaysSensitive => of!(AlwaysSensitive, any::<bool>()),
        K::Extractable => of!(Extractable, any::<bool>()),
        K::NeverExtractable => of!(NeverExtractable, any::<bool>()),
    }
}

fn custom_name() -> impl Strategy<Value = String> {
    prop_oneof![Just("x-Product"), Just("y-Origin"), Just("neither")].prop_map(str::to_owned)
}

/// What a custom attribute can hold.
fn custom_value() -> impl Strategy<Value = Value> {
    prop_oneof![simple_value(), structure()]
}

/// A value of an attribute, custom ones included.
pub(crate) fn attribute_value() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![
        4 => select(AttributeKind::ALL).prop_flat_map(standard_value),
        1 => (custom_name(), custom_value()).prop_map(|(name, value)| AttributeValue::Other { name, value }),
    ]
}

fn attribute() -> impl Strategy<Value = Attribute> {
    (option::of(0..=i32::MAX.cast_unsigned()), attribute_value())
        .prop_map(|(index, value)| Attribute { index, value })
}

fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    vec(attribute(), 0..5)
}

fn attribute_name() -> impl Strategy<Value = AttributeName> {
    prop_oneof![
        select(AttributeKind::ALL).prop_map(AttributeName::Standard),
        custom_name().prop_map(AttributeName::Other),
    ]
}

fn template_attribute() -> impl Strategy<Value = TemplateAttribute> {
    (vec(text().prop_map(Name::text), 0..2), attributes())
        .prop_map(|(names, attributes)| TemplateAttribute { names, attributes })
}

fn revocation_reason() -> impl Strategy<Value = RevocationReason> {
    use claviger::kmip::enumeration::RevocationReasonCode;
    (one_of!(RevocationReasonCode), option::of(text()))
        .prop_map(|(code, message)| RevocationReason { code, message })
}

fn key_information() -> impl Strategy<Value = KeyInformation> {
    (text(), option::of(parameters().prop_map(Box::new))).prop_map(
        |(unique_identifier, cryptographic_parameters)| KeyInformation {
            unique_identifier,
            cryptographic_parameters,
        },
    )
}

fn wrapping_data() -> impl Strategy<Value = KeyWrappingData> {
    use claviger::kmip::enumeration::{EncodingOption, WrappingMethod};
    (
        one_of!(WrappingMethod),
        option::of(key_information()),
        option::of(key_information()),
        option::of(bytes()),
        option::of(one_of!(EncodingOption)),
    )
        .prop_map(
            |(wrapping_method, encryption, signature, bytes, encoding_option)| KeyWrappingData {
                wrapping_method,
                encryption_key_information: encryption,
                mac_signature_key_information: signature,
                mac_signature: bytes.clone(),
                iv_counter_nonce: bytes,
                encoding_option,
            },
        )
}

fn wrapping_specification() -> impl Strategy<Value = KeyWrappingSpecification> {
    (wrapping_data(), vec(attribute_name(), 0..3)).prop_map(|(data, attribute_names)| {
        KeyWrappingSpecification {
            wrapping_method: data.wrapping_method,
            encryption_key_information: data.encryption_key_information,
            mac_signature_key_information: data.mac_signature_key_information,
            attribute_names,
            encoding_option: data.encoding_option,
        }
    })
}

fn key_block() -> impl Strategy<Value = KeyBlock<'static>> {
    let format = select(
        &[
            KeyFormatType::Raw,
            KeyFormatType::Opaque,
            KeyFormatType::TransparentSymmetricKey,
        ][..],
    );
    let algorithm = option::of(one_of!(CryptographicAlgorithm));
    let wrapping = option::of(wrapping_data());
    (format, bytes(), attributes(), any::<bool>(), algorithm, wrapping).prop_map(
        |(key_format_type, bytes, attributes, in_structure, cryptographic_algorithm, wrapping)| {
            let material = KeyMaterial::Bytes(Cow::Owned(bytes));
            let key_value = match (&wrapping, in_structure) {
                (Some(_), false) => KeyValue::Bytes(material),
                _ => KeyValue::Structure { material, attributes },
            };
            KeyBlock {
                key_format_type,
                key_compression_type: None,
                key_value: Some(key_value),
                cryptographic_algorithm,
                cryptographic_length: cryptographic_algorithm.map(|_| 256),
                key_wrapping_data: wrapping.map(Box::new),
            }
        },
    )
}

fn object() -> impl Strategy<Value = Object<'static>> {
    prop_oneof![
        key_block().prop_map(Object::SymmetricKey),
        attributes().prop_map(Object::Template)
    ]
}

fn version() -> impl Strategy<Value = ProtocolVersion> {
    (0..9_u32, 0..9_u32).prop_map(|(major, minor)| ProtocolVersion { major, minor })
}

fn pattern() -> impl Strategy<Value = AttributePattern> {
    attribute_value().prop_map(|value| AttributePattern::equal_to(&value))
}

fn count() -> impl Strategy<Value = Option<u32>> {
    option::of(0..=i32::MAX.cast_unsigned())
}

/// The payload of a request, of any operation.
#[allow(clippy::too_many_lines, reason = "one part an operation")]
pub(crate) fn request_payload() -> impl Strategy<Value = RequestPayload<'static>> {
    use claviger::kmip::enumeration::ObjectGroupMember;
    prop_oneof![
        (one_of!(ObjectType), template_attribute()).prop_map(|(object_type, template_attribute)| {
            RequestPayload::Create(CreateRequest {
                object_type,
                template_attribute,
                protection_storage_masks: None,
            })
        }),
        (one_of!(ObjectType), template_attribute(), option::of(object())).prop_map(
            |(object_type, template_attribute, object)| {
                RequestPayload::Register(RegisterRequest {
                    object_type,
                    template_attribute,
                    object,
                    protection_storage_masks: None,
                })
            }
        ),
        (
            count(),
            count(),
            option::of(any::<u32>()),
            option::of(one_of!(ObjectGroupMember)),
            vec(pattern(), 0..4)
        )
            .prop_map(
                |(maximum_items, offset_items, mask, object_group_member, attributes)| {
                    RequestPayload::Locate(LocateRequest {
                        maximum_items,
                        offset_items,
                        storage_status_mask: mask.map(StorageStatusMask::from_bits),
                        object_group_member,
                        attributes,
                    })
                }
            ),
        (
            identifier(),
            option::of(any::<i64>()),
            option::of(any::<u32>()),
            option::of(any::<u32>())
        )
            .prop_map(|(unique_identifier, usage_limits_count, mask, lease_time)| {
                RequestPayload::Check(CheckRequest {
                    unique_identifier,
                    usage_limits_count,
                    cryptographic_usage_mask: mask.map(CryptographicUsageMask::from_bits),
                    lease_time,
                })
            }),
        (
            identifier(),
            option::of(one_of!(KeyFormatType)),
            option::of(one_of!(KeyWrapType)),
            option::of(wrapping_specification())
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
                }
            ),
        (identifier(), vec(attribute_name(), 0..4)).prop_map(|(unique_identifier, attribute_names)| {
            RequestPayload::GetAttributes(GetAttributesRequest {
                unique_identifier,
                attribute_names,
            })
        }),
        identifier().prop_map(|unique_identifier| {
            RequestPayload::GetAttributeList(GetAttributeListRequest { unique_identifier })
        }),
        (identifier(), attribute()).prop_map(|(unique_identifier, attribute)| {
            RequestPayload::AddAttribute(AddAttributeRequest {
                unique_identifier,
                attribute,
            })
        }),
        (identifier(), attribute()).prop_map(|(unique_identifier, attribute)| {
            RequestPayload::ModifyAttribute(ModifyAttributeRequest {
                unique_identifier,
                attribute,
                current_attribute: None,
            })
        }),
        (identifier(), attribute_name(), count()).prop_map(
            |(unique_identifier, attribute_name, attribute_index)| {
                RequestPayload::DeleteAttribute(DeleteAttributeRequest {
                    unique_identifier,
                    attribute_name,
                    attribute_index,
                })
            }
        ),
        identifier()
            .prop_map(|unique_identifier| RequestPayload::Activate(ActivateRequest { unique_identifier })),
        (identifier(), revocation_reason(), option::of(date())).prop_map(
            |(unique_identifier, revocation_reason, compromise_occurrence_date)| {
                RequestPayload::Revoke(RevokeRequest {
                    unique_identifier,
                    revocation_reason,
                    compromise_occurrence_date,
                })
            }
        ),
        identifier()
            .prop_map(|unique_identifier| RequestPayload::Destroy(DestroyRequest { unique_identifier })),
        vec(one_of!(QueryFunction), 1..4).prop_map(|query_functions| RequestPayload::Query(QueryRequest {
            query_functions,
            object_groups: None
        })),
        vec(version(), 0..4).prop_map(|protocol_versions| {
            RequestPayload::DiscoverVersions(DiscoverVersionsRequest { protocol_versions })
        }),
    ]
}

fn query_response() -> impl Strategy<Value = QueryResponse> {
    use claviger::kmip::enumeration::{
        AttestationType, ClientRegistrationMethod, ProfileName, UnwrapMode, ValidationAuthorityType,
        ValidationType,
    };
    let capability = (any::<bool>(), option::of(one_of!(UnwrapMode))).prop_map(|(flag, unwrap_mode)| {
        CapabilityInformation {
            streaming: Some(flag),
            batch_undo: Some(flag),
            batch_continue: Some(flag),
            unwrap_mode,
            ..CapabilityInformation::default()
        }
    });
    let validation = (
        one_of!(ValidationAuthorityType),
        one_of!(ValidationType),
        any::<i32>(),
        vec(text(), 0..3),
    )
        .prop_map(
            |(authority_type, validation_type, level, profiles)| ValidationInformation {
                authority_type,
                authority_country: Some("DE".to_owned()),
                authority_uri: None,
                version_major: 1,
                version_minor: None,
                validation_type,
                level,
                certificate_identifier: None,
                certificate_uri: None,
                vendor_uri: None,
                profiles,
            },
        );
    let profile = (one_of!(ProfileName), option::of(text()), option::of(any::<i32>())).prop_map(
        |(profile_name, server_uri, server_port)| ProfileInformation {
            profile_name,
            server_uri,
            server_port,
        },
    );
    let extension = text().prop_map(|name| ExtensionInformation {
        name,
        tag: Some(0x54_0001),
        item_type: Some(2),
    });
    (
        (
            vec(one_of!(Operation), 0..9),
            vec(one_of!(ObjectType), 0..9),
            option::of(text()),
            option::of(structure()),
        ),
        (
            vec(text(), 0..3),
            vec(extension, 0..3),
            vec(one_of!(AttestationType), 0..3),
        ),
        (
            vec(rng_parameters(), 0..3),
            vec(profile, 0..4),
            vec(validation, 0..3),
            vec(capability, 0..2),
        ),
        vec(one_of!(ClientRegistrationMethod), 0..3),
    )
        .prop_map(
            |(first, second, third, client_registration_methods)| QueryResponse {
                operations: first.0,
                object_types: first.1,
                vendor_identification: first.2,
                server_information: first.3,
                application_namespaces: second.0,
                extension_information: second.1,
                attestation_types: second.2,
                rng_parameters: third.0,
                profile_information: third.1,
                validation_information: third.2,
                capability_information: third.3,
                client_registration_methods,
            },
        )
}

/// The payload of a response, of any operation.
pub(crate) fn response_payload() -> impl Strategy<Value = ResponsePayload<'static>> {
    prop_oneof![
        (text(), option::of(template_attribute())).prop_map(|(unique_identifier, template_attribute)| {
            let object_type = ObjectType::SymmetricKey;
            ResponsePayload::Create(CreateResponse {
                object_type,
                unique_identifier,
                template_attribute,
            })
        }),
        (text(), option::of(template_attribute())).prop_map(|(unique_identifier, template_attribute)| {
            ResponsePayload::Register(RegisterResponse {
                unique_identifier,
                template_attribute,
            })
        }),
        (count(), vec(text(), 0..9)).prop_map(|(located_items, unique_identifiers)| {
            ResponsePayload::Locate(LocateResponse {
                located_items,
                unique_identifiers,
            })
        }),
        (
            option::of(text()),
            option::of(any::<i64>()),
            option::of(any::<u32>())
        )
            .prop_map(|(unique_identifier, usage_limits_count, lease_time)| {
                ResponsePayload::Check(CheckResponse {
                    unique_identifier,
                    usage_limits_count,
                    cryptographic_usage_mask: lease_time.map(CryptographicUsageMask::from_bits),
                    lease_time,
                })
            }),
        (text(), object()).prop_map(|(unique_identifier, object)| {
            ResponsePayload::Get(GetResponse {
                unique_identifier,
                object,
            })
        }),
        (text(), attributes()).prop_map(|(unique_identifier, attributes)| {
            ResponsePayload::GetAttributes(GetAttributesResponse {
                unique_identifier,
                attributes,
            })
        }),
        (text(), vec(attribute_name(), 0..9)).prop_map(|(unique_identifier, attribute_names)| {
            ResponsePayload::GetAttributeList(GetAttributeListResponse {
                unique_identifier,
                attribute_names,
            })
        }),
        (text(), custom_name(), custom_value()).prop_map(|(unique_identifier, name, value)| {
            let attribute = Attribute::new(AttributeValue::Other { name, value });
            ResponsePayload::AddAttribute(AddAttributeResponse {
                unique_identifier,
                attribute,
            })
        }),
        (text(), text()).prop_map(|(unique_identifier, name)| {
            let attribute = Attribute::indexed(1, AttributeValue::Name(Name::text(name)));
            ResponsePayload::ModifyAttribute(ModifyAttributeResponse {
                unique_identifier,
                attribute,
            })
        }),
        (text(), text()).prop_map(|(unique_identifier, group)| {
            let attribute = Attribute::new(AttributeValue::ObjectGroup(group));
            ResponsePayload::DeleteAttribute(DeleteAttributeResponse {
                unique_identifier,
                attribute,
            })
        }),
        text()
            .prop_map(|unique_identifier| ResponsePayload::Activate(ActivateResponse { unique_identifier })),
        text().prop_map(|unique_identifier| ResponsePayload::Revoke(RevokeResponse { unique_identifier })),
        text().prop_map(|unique_identifier| ResponsePayload::Destroy(DestroyResponse { unique_identifier })),
        query_response().prop_map(ResponsePayload::Query),
        vec(version(), 0..5).prop_map(|protocol_versions| {
            ResponsePayload::DiscoverVersions(DiscoverVersionsResponse { protocol_versions })
        }),
    ]
}

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

/// A request of a version.
pub(crate) fn request(protocol_version: ProtocolVersion) -> impl Strategy<Value = RequestMessage<'static>> {
    let item = (
        option::of(select(&BYTES[..])),
        request_payload(),
        option::of(extension()),
    )
        .prop_map(|(unique_batch_item_id, payload, message_extension)| RequestItem {
            unique_batch_item_id,
            message_extension,
            ..RequestItem::new(payload)
        });
    let flag = option::of(any::<bool>());
    (
        (
            count(),
            identifier(),
            flag,
            vec(credential(), 0..3),
            option::of(date()),
        ),
        option::of(one_of!(BatchErrorContinuationOption)),
        vec(item, 1..4),
    )
        .prop_map(move |(header, batch_error_continuation_option, items)| {
            let (maximum_response_size, client_correlation_value, flag, credentials, time_stamp) = header;
            let header = RequestHeader {
                maximum_response_size,
                client_correlation_value,
                asynchronous_indicator: flag,
                attestation_capable_indicator: flag,
                credentials,
                batch_error_continuation_option,
                batch_order_option: flag,
                time_stamp,
                ..RequestHeader::new(protocol_version)
            };
            RequestMessage { header, items }
        })
}

/// A response to a client of a version.
pub(crate) fn response(protocol_version: ProtocolVersion) -> impl Strategy<Value = ResponseMessage<'static>> {
    let success = (
        option::of(select(&BYTES[..])),
        response_payload(),
        option::of(extension()),
    )
        .prop_map(|(id, payload, message_extension)| ResponseItem {
            message_extension,
            ..ResponseItem::success(payload).with_id(id)
        });
    let failure = (option::of(Just(Operation::Get)), one_of!(ResultReason), text())
        .prop_map(|(operation, reason, message)| ResponseItem::failure(operation, reason, message));
    let item = prop_oneof![3 => success, 1 => failure];
    (date(), option::of(text()), any::<bool>(), vec(item, 1..4)).prop_map(
        move |(time_stamp, server_correlation_value, with_nonce, items)| {
            let header = ResponseHeader {
                nonce: with_nonce.then_some(Nonce {
                    nonce_id: BYTES[1],
                    nonce_value: BYTES[2],
                }),
                server_correlation_value,
                ..ResponseHeader::new(protocol_version, time_stamp)
            };
            ResponseMessage { header, items }
        },
    )
}
