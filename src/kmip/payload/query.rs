//! Query (KMIP 1.4, section 4.25).

use super::shaping::{DefaultsInformation, ObjectGroups, ProtectionStorageMasks};
use crate::kmip::attribute::RngParameters;
use crate::kmip::enumeration::{
    AttestationType, ClientRegistrationMethod, DestroyAction, ObjectType, Operation, ProfileName,
    QueryFunction, RngMode, ShreddingAlgorithm, UnwrapMode, ValidationAuthorityType, ValidationType,
};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Value, Writer, structure_fields};

/// What can the server do?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryRequest {
    /// What is asked. Functions of later versions come as `Other`.
    pub query_functions: Vec<QueryFunction>,
    /// For which groups of objects. Since 2.1.
    pub object_groups: Option<ObjectGroups>,
}

impl<'a> Field<'a> for QueryRequest {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            let tag = Tag::QUERY_FUNCTION;
            let query_functions = inner.repeated(tag, |inner| inner.open_enumeration(tag))?;
            if query_functions.is_empty() {
                Err(inner.missing(tag))
            } else {
                Ok(Self {
                    query_functions,
                    object_groups: Field::read(inner, Tag::OBJECT_GROUPS)?,
                })
            }
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            // All of them, so that a client can ask for what these tables do not have.
            for function in &self.query_functions {
                inner.enumeration(Tag::QUERY_FUNCTION, *function);
            }
            inner.field(Tag::OBJECT_GROUPS, &self.object_groups);
        });
    }
}

/// What the server can do. What the reader's version does not know is left out when this is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryResponse {
    /// Answers Query Operations.
    pub operations: Vec<Operation>,
    /// Answers Query Objects.
    pub object_types: Vec<ObjectType>,
    /// Answers Query Server Information: who made the server.
    pub vendor_identification: Option<String>,
    /// Answers Query Server Information: a structure of the vendor's.
    pub server_information: Option<Value>,
    /// Answers Query Application Namespaces: those for which the server makes data.
    pub application_namespaces: Vec<String>,
    /// Answers Query Extension List and Query Extension Map. Since 1.1.
    pub extension_information: Vec<ExtensionInformation>,
    /// Answers Query Attestation Types. Since 1.2.
    pub attestation_types: Vec<AttestationType>,
    /// Answers Query RNGs. Since 1.3.
    pub rng_parameters: Vec<RngParameters>,
    /// Answers Query Profiles. Since 1.3.
    pub profile_information: Vec<ProfileInformation>,
    /// Answers Query Validations. Since 1.3.
    pub validation_information: Vec<ValidationInformation>,
    /// Answers Query Capabilities. Since 1.3.
    pub capability_information: Vec<CapabilityInformation>,
    /// Answers Query Client Registration Methods. Since 1.3.
    pub client_registration_methods: Vec<ClientRegistrationMethod>,
    /// Answers Query Defaults Information. Since 2.0.
    pub defaults_information: Option<DefaultsInformation>,
    /// Answers Query Storage Protection Masks. Since 2.0.
    pub protection_storage_masks: Option<ProtectionStorageMasks>,
}

structure_fields!(QueryResponse {
    operations: OPERATION,
    object_types: OBJECT_TYPE,
    vendor_identification: VENDOR_IDENTIFICATION,
    server_information: SERVER_INFORMATION,
    application_namespaces: APPLICATION_NAMESPACE,
    extension_information: EXTENSION_INFORMATION,
    attestation_types: ATTESTATION_TYPE,
    rng_parameters: RNG_PARAMETERS,
    profile_information: PROFILE_INFORMATION,
    validation_information: VALIDATION_INFORMATION,
    capability_information: CAPABILITY_INFORMATION,
    client_registration_methods: CLIENT_REGISTRATION_METHOD,
    defaults_information: DEFAULTS_INFORMATION,
    protection_storage_masks: PROTECTION_STORAGE_MASKS,
});

/// An item of the range for extensions that the server knows (section 2.1.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionInformation {
    /// Its name.
    pub name: String,
    /// Its tag.
    pub tag: Option<i32>,
    /// The code of its type.
    pub item_type: Option<i32>,
    /// Whether it is an enumeration, and which number of one. Since 2.0.
    pub enumeration: Option<i32>,
    /// Whether it is an attribute. Since 2.0.
    pub is_attribute: Option<bool>,
    /// The structure that it is in. Since 2.0.
    pub parent_structure_tag: Option<i32>,
    /// Words about it. Since 2.0.
    pub description: Option<String>,
}

structure_fields!(ExtensionInformation {
    name: EXTENSION_NAME,
    tag: EXTENSION_TAG,
    item_type: EXTENSION_TYPE,
    enumeration: EXTENSION_ENUMERATION,
    is_attribute: EXTENSION_ATTRIBUTE,
    parent_structure_tag: EXTENSION_PARENT_STRUCTURE_TAG,
    description: EXTENSION_DESCRIPTION,
});

/// A profile that the server conforms to (section 2.1.19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileInformation {
    /// The profile.
    pub profile_name: ProfileName,
    /// Its version. Since 2.0.
    pub profile_version: Option<ProfileVersion>,
    /// Where it is served.
    pub server_uri: Option<String>,
    /// At which port.
    pub server_port: Option<i32>,
}

structure_fields!(ProfileInformation {
    profile_name: PROFILE_NAME,
    profile_version: PROFILE_VERSION,
    server_uri: SERVER_URI,
    server_port: SERVER_PORT,
});

/// A formal validation that the server asserts (section 2.1.20).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the fields are the specification's, and it adds nothing to their names"
)]
pub struct ValidationInformation {
    pub authority_type: ValidationAuthorityType,
    pub authority_country: Option<String>,
    pub authority_uri: Option<String>,
    pub version_major: i32,
    pub version_minor: Option<i32>,
    pub validation_type: ValidationType,
    pub level: i32,
    pub certificate_identifier: Option<String>,
    pub certificate_uri: Option<String>,
    pub vendor_uri: Option<String>,
    pub profiles: Vec<String>,
}

structure_fields!(ValidationInformation {
    authority_type: VALIDATION_AUTHORITY_TYPE,
    authority_country: VALIDATION_AUTHORITY_COUNTRY,
    authority_uri: VALIDATION_AUTHORITY_URI,
    version_major: VALIDATION_VERSION_MAJOR,
    version_minor: VALIDATION_VERSION_MINOR,
    validation_type: VALIDATION_TYPE,
    level: VALIDATION_LEVEL,
    certificate_identifier: VALIDATION_CERTIFICATE_IDENTIFIER,
    certificate_uri: VALIDATION_CERTIFICATE_URI,
    vendor_uri: VALIDATION_VENDOR_URI,
    profiles: VALIDATION_PROFILE,
});

/// What the server can do (section 2.1.21).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapabilityInformation {
    /// Cryptographic operations in several parts.
    pub streaming: Option<bool>,
    /// Answers that are fetched later.
    pub asynchronous: Option<bool>,
    /// Attestation.
    pub attestation: Option<bool>,
    /// Undo in batches. Since 1.4.
    pub batch_undo: Option<bool>,
    /// Continue in batches. Since 1.4.
    pub batch_continue: Option<bool>,
    /// What becomes of keys that are registered wrapped.
    pub unwrap_mode: Option<UnwrapMode>,
    /// What Destroy does.
    pub destroy_action: Option<DestroyAction>,
    /// How it does it.
    pub shredding_algorithm: Option<ShreddingAlgorithm>,
    /// Whether clients share a random number generator.
    pub rng_mode: Option<RngMode>,
    /// Whether keys are made so that a quantum computer would not find them. Since 2.0.
    pub quantum_safe: Option<bool>,
}

structure_fields!(CapabilityInformation {
    streaming: STREAMING_CAPABILITY,
    asynchronous: ASYNCHRONOUS_CAPABILITY,
    attestation: ATTESTATION_CAPABILITY,
    batch_undo: BATCH_UNDO_CAPABILITY,
    batch_continue: BATCH_CONTINUE_CAPABILITY,
    unwrap_mode: UNWRAP_MODE,
    destroy_action: DESTROY_ACTION,
    shredding_algorithm: SHREDDING_ALGORITHM,
    rng_mode: RNG_MODE,
    quantum_safe: QUANTUM_SAFE_CAPABILITY,
});

/// The version of a profile (KMIP 2.1, section 7.32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the fields are the specification's, and it adds nothing to their names"
)]
pub struct ProfileVersion {
    pub major: i32,
    pub minor: i32,
}

structure_fields!(ProfileVersion {
    major: PROFILE_VERSION_MAJOR,
    minor: PROFILE_VERSION_MINOR,
});
