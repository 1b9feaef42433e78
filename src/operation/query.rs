//! Query (KMIP 1.4, section 4.25). It says only what is true.

use super::item;
use super::profiles;
use super::refusal::Refusal;
use super::shaping;
use crate::kmip::ProtocolVersion;
use crate::kmip::attribute::RngParameters;
use crate::kmip::enumeration::{
    ClientRegistrationMethod, DestroyAction, ObjectType, QueryFunction, RngAlgorithm, RngMode,
    ShreddingAlgorithm, UnwrapMode,
};
use crate::kmip::payload::{
    self, CapabilityInformation, ProtectionStorageMasks, QueryRequest, QueryResponse,
};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Item, Value};

/// The vendor that the server names.
const VENDOR: &str = "Claviger";

/// The types of objects that are kept.
pub(super) const OBJECT_TYPES: &[ObjectType] = &[
    ObjectType::SymmetricKey,
    ObjectType::Template,
    ObjectType::SecretData,
    ObjectType::OpaqueObject,
];

/// Answers the functions that are asked for, each once. What the client's version does not know is left out where the
/// answer is written.
pub(super) async fn perform(item: &item::Item<'_>, request: &QueryRequest) -> Result<QueryResponse, Refusal> {
    let mut answer = answer(item.version, item.services.https_port, request)?;
    if request
        .query_functions
        .contains(&QueryFunction::QueryDefaultsInformation)
    {
        let defaults = shaping::defaults(item).await?;
        answer.defaults_information = Some(defaults).filter(|defaults| !defaults.object_defaults.is_empty());
    }
    Ok(answer)
}

/// The answer, as far as it is the same for all clients of a version.
fn answer(
    version: ProtocolVersion,
    https_port: Option<u16>,
    request: &QueryRequest,
) -> Result<QueryResponse, Refusal> {
    let mut answer = QueryResponse::default();
    for function in &request.query_functions {
        match function {
            // Those that the client's version does not know are left out where the answer is written.
            QueryFunction::QueryOperations => answer.operations = payload::OPERATIONS.to_vec(),
            QueryFunction::QueryObjects => {
                // From 2.0 on there are no templates.
                let is_known = |object_type: &&ObjectType| {
                    !version.tags_attributes() || **object_type != ObjectType::Template
                };
                answer.object_types = OBJECT_TYPES.iter().filter(is_known).copied().collect();
            }
            QueryFunction::QueryServerInformation => {
                answer.vendor_identification = Some(VENDOR.to_owned());
                answer.server_information = Some(server_information(version));
            }
            QueryFunction::QueryRNGs => answer.rng_parameters = vec![UNSPECIFIED_RNG],
            QueryFunction::QueryProfiles => {
                answer.profile_information = profiles::told(version, https_port);
            }
            QueryFunction::QueryCapabilities => answer.capability_information = vec![capabilities()],
            QueryFunction::QueryClientRegistrationMethods => {
                // The client brings its certificate, and an administrator lets it in.
                answer.client_registration_methods = vec![ClientRegistrationMethod::ClientGenerated];
            }
            // There are none of these: no data is made for a namespace, no tag is an extension, nothing is attested,
            // no validation is asserted.
            QueryFunction::QueryApplicationNamespaces
            | QueryFunction::QueryExtensionList
            | QueryFunction::QueryExtensionMap
            | QueryFunction::QueryAttestationTypes
            | QueryFunction::QueryValidations
            | QueryFunction::QueryDefaultsInformation => {}
            QueryFunction::QueryStorageProtectionMasks => {
                answer.protection_storage_masks = Some(ProtectionStorageMasks {
                    masks: vec![shaping::STORAGE],
                });
            }
            QueryFunction::Other(number) => {
                return Err(Refusal::invalid_field(format!(
                    "There is no Query Function 0x{number:08X}"
                )));
            }
        }
    }
    Ok(answer)
}

/// Devices do not tell how their generator works.
const UNSPECIFIED_RNG: RngParameters = RngParameters {
    rng_algorithm: RngAlgorithm::Unspecified,
    cryptographic_algorithm: None,
    cryptographic_length: None,
    hashing_algorithm: None,
    drbg_algorithm: None,
    recommended_curve: None,
    fips186_variation: None,
    prediction_resistance: None,
};

/// What the standard has fields for, and what is no secret: which product this is, and of which version.
fn server_information(version: ProtocolVersion) -> Value {
    let text = |tag, text: &str| Item::new(tag, Value::TextString(text.to_owned()));
    Value::Structure(if version.tags_attributes() {
        vec![
            text(Tag::SERVER_NAME, VENDOR),
            text(Tag::SERVER_VERSION, env!("CARGO_PKG_VERSION")),
            text(Tag::PRODUCT_NAME, env!("CARGO_PKG_NAME")),
            text(
                Tag::BUILD_LEVEL,
                if cfg!(debug_assertions) {
                    "debug"
                } else {
                    "release"
                },
            ),
        ]
    } else {
        Vec::new()
    })
}

fn capabilities() -> CapabilityInformation {
    CapabilityInformation {
        // Encrypt, Decrypt, MAC and the like in parts.
        streaming: Some(true),
        asynchronous: Some(true),
        attestation: Some(false),
        batch_undo: Some(true),
        batch_continue: Some(true),
        // When the key that wraps them is known here; as they came they are kept as well.
        unwrap_mode: Some(UnwrapMode::Processed),
        destroy_action: Some(DestroyAction::KeyMaterialDeleted),
        shredding_algorithm: Some(ShreddingAlgorithm::Unspecified),
        rng_mode: Some(RngMode::Unspecified),
        quantum_safe: Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmip::enumeration::Operation;
    use crate::kmip::version::V1_4;

    fn answer(functions: &[QueryFunction]) -> QueryResponse {
        let request = QueryRequest {
            query_functions: functions.to_vec(),
            object_groups: None,
        };
        super::answer(V1_4, None, &request).unwrap()
    }

    #[test]
    fn only_what_is_asked_for_is_answered() {
        assert_eq!(
            answer(&[QueryFunction::QueryObjects]),
            QueryResponse {
                object_types: OBJECT_TYPES.to_vec(),
                ..QueryResponse::default()
            }
        );
        assert_eq!(
            answer(&[QueryFunction::QueryExtensionMap, QueryFunction::QueryValidations]),
            QueryResponse::default()
        );
    }

    #[test]
    fn no_operation_is_promised_that_is_not_there() {
        let operations = answer(&[QueryFunction::QueryOperations, QueryFunction::QueryOperations]).operations;
        assert!(operations.contains(&Operation::Get) && !operations.contains(&Operation::CreateKeyPair));
    }
}
