//! What Query answers.

use claviger::kmip::enumeration::{
    AttestationType, ClientRegistrationMethod, ObjectType, Operation, UnwrapMode,
};
use claviger::kmip::payload::{
    CapabilityInformation, DefaultsInformation, ExtensionInformation, ObjectDefaults, ObjectTypes,
    ProfileInformation, ProfileVersion, QueryResponse, ValidationInformation,
};
use claviger::kmip::tag::Tag;
use claviger::kmip::version::V1_4;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Strategy, any};

use super::attributes::{attributes, rng_parameters};
use super::items::structure;
use super::requests::{object_groups, storage_masks};
use super::{Scope, one_of, text};

fn capability(scope: Scope) -> impl Strategy<Value = CapabilityInformation> {
    (
        any::<bool>(),
        scope.since(V1_4, any::<bool>()),
        option::of(one_of::<UnwrapMode>(scope)),
        scope.optional(Tag::QUANTUM_SAFE_CAPABILITY, any::<bool>()),
    )
        .prop_map(
            |(streaming, of_1_4, unwrap_mode, quantum_safe)| CapabilityInformation {
                streaming: Some(streaming),
                batch_undo: of_1_4,
                batch_continue: of_1_4,
                unwrap_mode,
                quantum_safe,
                ..CapabilityInformation::default()
            },
        )
}

fn validation(scope: Scope) -> impl Strategy<Value = ValidationInformation> {
    (one_of(scope), one_of(scope), any::<i32>(), vec(text(), 0..3)).prop_map(
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
    )
}

fn profile(scope: Scope) -> impl Strategy<Value = ProfileInformation> {
    let version = (any::<i32>(), any::<i32>()).prop_map(|(major, minor)| ProfileVersion { major, minor });
    (
        one_of(scope),
        scope.optional(Tag::PROFILE_VERSION, version),
        option::of(text()),
        option::of(any::<i32>()),
    )
        .prop_map(
            |(profile_name, profile_version, server_uri, server_port)| ProfileInformation {
                profile_name,
                profile_version,
                server_uri,
                server_port,
            },
        )
}

fn extension(scope: Scope) -> impl Strategy<Value = ExtensionInformation> {
    (
        text(),
        scope.optional(Tag::EXTENSION_ENUMERATION, any::<i32>()),
        scope.optional(Tag::EXTENSION_ATTRIBUTE, any::<bool>()),
        scope.optional(Tag::EXTENSION_DESCRIPTION, text()),
    )
        .prop_map(
            |(name, enumeration, is_attribute, description)| ExtensionInformation {
                name,
                tag: Some(0x54_0001),
                item_type: Some(2),
                enumeration,
                is_attribute,
                parent_structure_tag: enumeration,
                description,
            },
        )
}

/// Defaults of objects, of a type each until 2.1 came.
pub(super) fn defaults(scope: Scope) -> impl Strategy<Value = DefaultsInformation> + 'static {
    let most = if scope.has(Tag::OBJECT_TYPES) { 2 } else { 1 };
    let one = (
        vec(one_of::<ObjectType>(scope), 1..=most),
        attributes(scope),
        scope.optional(Tag::OBJECT_GROUPS, object_groups()),
    )
        .prop_map(|(object_types, attributes, object_groups)| ObjectDefaults {
            object_types: ObjectTypes { object_types },
            attributes: attributes.into(),
            object_groups,
        });
    vec(one, 0..3).prop_map(|object_defaults| DefaultsInformation { object_defaults })
}

pub(super) fn query_response(scope: Scope) -> impl Strategy<Value = QueryResponse> {
    (
        (
            vec(one_of::<Operation>(scope), 0..9),
            vec(one_of::<ObjectType>(scope), 0..9),
            option::of(text()),
            option::of(structure(scope)),
            vec(text(), 0..3),
        ),
        (
            scope.repeated(Tag::EXTENSION_INFORMATION, extension(scope), 2),
            scope.repeated(Tag::ATTESTATION_TYPE, one_of::<AttestationType>(scope), 2),
            scope.repeated(Tag::RNG_PARAMETERS, rng_parameters(scope), 2),
            scope.repeated(Tag::PROFILE_INFORMATION, profile(scope), 3),
        ),
        (
            scope.repeated(Tag::VALIDATION_INFORMATION, validation(scope), 2),
            scope.repeated(Tag::CAPABILITY_INFORMATION, capability(scope), 1),
            scope.repeated(
                Tag::CLIENT_REGISTRATION_METHOD,
                one_of::<ClientRegistrationMethod>(scope),
                2,
            ),
            scope.optional(Tag::DEFAULTS_INFORMATION, defaults(scope)),
            scope.optional(Tag::PROTECTION_STORAGE_MASKS, storage_masks()),
        ),
    )
        .prop_map(|(first, second, third)| QueryResponse {
            operations: first.0,
            object_types: first.1,
            vendor_identification: first.2,
            server_information: first.3,
            application_namespaces: first.4,
            extension_information: second.0,
            attestation_types: second.1,
            rng_parameters: second.2,
            profile_information: second.3,
            validation_information: third.0,
            capability_information: third.1,
            client_registration_methods: third.2,
            defaults_information: third.3,
            protection_storage_masks: third.4,
        })
}
