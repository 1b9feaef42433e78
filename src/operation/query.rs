//! Query (KMIP 1.4, section 4.25). It says only what is true.

use super::item::Item;
use super::refusal::Refusal;
use super::shaping;
use crate::kmip::ProtocolVersion;
use crate::kmip::attribute::RngParameters;
use crate::kmip::enumeration::{
    ClientRegistrationMethod, DestroyAction, ObjectType, ProfileName, QueryFunction, RngAlgorithm, RngMode,
    ShreddingAlgorithm, UnwrapMode,
};
use crate::kmip::payload::{
    self, CapabilityInformation, ProfileInformation, ProtectionStorageMasks, QueryRequest, QueryResponse,
};
use crate::kmip::ttlv::Value;

/// The vendor that the server names.
const VENDOR: &str = "Claviger";

/// The profiles whose server clauses are met.
const PROFILES: [ProfileName; 8] = [
    ProfileName::BaselineServerBasicKMIPV1_2,
    ProfileName::BaselineServerBasicKMIPV1_3,
    ProfileName::BaselineServerBasicKMIPV1_4,
    ProfileName::SymmetricKeyLifecycleServerKMIPV1_0,
    ProfileName::SymmetricKeyLifecycleServerKMIPV1_1,
    ProfileName::SymmetricKeyLifecycleServerKMIPV1_2,
    ProfileName::SymmetricKeyLifecycleServerKMIPV1_3,
    ProfileName::SymmetricKeyLifecycleServerKMIPV1_4,
];

/// The types of objects that are kept.
pub(super) const OBJECT_TYPES: &[ObjectType] = &[ObjectType::SymmetricKey, ObjectType::Template];

/// Answers the functions that are asked for, each once. What the client's version does not know is left out where the
/// answer is written.
pub(super) async fn perform(item: &Item<'_>, request: &QueryRequest) -> Result<QueryResponse, Refusal> {
    let mut answer = answer(item.version, request)?;
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
fn answer(version: ProtocolVersion, request: &QueryRequest) -> Result<QueryResponse, Refusal> {
    let mut answer = QueryResponse::default();
    for function in &request.query_functions {
        match function {
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
                answer.server_information = Some(Value::Structure(Vec::new()));
            }
            QueryFunction::QueryRNGs => answer.rng_parameters = vec![UNSPECIFIED_RNG],
            QueryFunction::QueryProfiles => answer.profile_information = profiles(),
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
                // How keys are kept is the device's and the operator's: nothing of it can be chosen by a client.
                answer.protection_storage_masks = Some(ProtectionStorageMasks::default());
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

fn profiles() -> Vec<ProfileInformation> {
    PROFILES
        .iter()
        .map(|profile_name| ProfileInformation {
            profile_name: *profile_name,
            profile_version: None,
            server_uri: None,
            server_port: None,
        })
        .collect()
}

fn capabilities() -> CapabilityInformation {
    CapabilityInformation {
        streaming: Some(false),
        asynchronous: Some(true),
        attestation: Some(false),
        batch_undo: Some(true),
        batch_continue: Some(true),
        unwrap_mode: Some(UnwrapMode::Unspecified),
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
        super::answer(V1_4, &request).unwrap()
    }

    #[test]
    fn only_what_is_asked_for_is_answered() {
        assert_eq!(
            answer(&[QueryFunction::QueryObjects]),
            QueryResponse {
                object_types: vec![ObjectType::SymmetricKey, ObjectType::Template],
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
        assert!(operations.contains(&Operation::Get) && !operations.contains(&Operation::ReKey));
    }
}
