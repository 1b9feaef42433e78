//! `claviger kmip query`: Query, with every function that the version of the protocol has.

use serde::Serialize;

use super::names::listed;
use super::session::{Session, unexpected};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, Properties};
use crate::kmip::enumeration::{Enumeration, QueryFunction};
use crate::kmip::payload::{
    CapabilityInformation, QueryRequest, QueryResponse, RequestPayload, ResponsePayload,
};

/// What the server told.
#[derive(Serialize)]
struct Told {
    vendor: Option<String>,
    operations: Vec<String>,
    object_types: Vec<String>,
    application_namespaces: Vec<String>,
    extensions: Vec<String>,
    profiles: Vec<String>,
    random_number_generators: Vec<String>,
    capabilities: Vec<String>,
}

pub(super) async fn run(session: &mut Session, output: Output) -> Result<Exit, Failure> {
    let version = session.version();
    let known = QueryFunction::ALL
        .iter()
        .copied()
        .filter(|function| function.is_known_in(version));
    let request = QueryRequest {
        query_functions: known.collect(),
        object_groups: None,
    };
    session
        .ask(RequestPayload::Query(request), |response| match response {
            ResponsePayload::Query(response) => output.data(&told(*response), table),
            other => Err(unexpected(&other)),
        })
        .await
}

fn told(response: QueryResponse) -> Told {
    let rngs = response
        .rng_parameters
        .iter()
        .map(|rng| rng.rng_algorithm.to_string());
    Told {
        vendor: response.vendor_identification,
        operations: response.operations.iter().map(ToString::to_string).collect(),
        object_types: response.object_types.iter().map(ToString::to_string).collect(),
        application_namespaces: response.application_namespaces,
        extensions: response
            .extension_information
            .into_iter()
            .map(|extension| extension.name)
            .collect(),
        profiles: response
            .profile_information
            .iter()
            .map(|profile| profile.profile_name.to_string())
            .collect(),
        random_number_generators: rngs.collect(),
        capabilities: response
            .capability_information
            .iter()
            .flat_map(capabilities)
            .collect(),
    }
}

fn capabilities(information: &CapabilityInformation) -> Vec<String> {
    let yes_or_no = [
        ("streaming", information.streaming),
        ("asynchronous", information.asynchronous),
        ("attestation", information.attestation),
        ("batch undo", information.batch_undo),
        ("batch continue", information.batch_continue),
    ];
    yes_or_no
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}: {}", if value? { "yes" } else { "no" })))
        .collect()
}

fn table(told: &Told) -> String {
    let mut properties = Properties::new();
    properties.line("vendor", told.vendor.as_deref().unwrap_or_default());
    let lists = [
        ("operations", &told.operations),
        ("object types", &told.object_types),
        ("application namespaces", &told.application_namespaces),
        ("extensions", &told.extensions),
        ("profiles", &told.profiles),
        ("random number generators", &told.random_number_generators),
        ("capabilities", &told.capabilities),
    ];
    for (name, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
        properties.line(name, listed(values));
    }
    properties.text()
}
