//! `claviger kmip discover-versions`: Discover Versions.

use super::names::listed;
use super::session::{Session, unexpected};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::Output;
use crate::kmip::payload::{DiscoverVersionsRequest, RequestPayload, ResponsePayload};

pub(super) async fn run(session: &mut Session, output: Output) -> Result<Exit, Failure> {
    session
        .ask(
            RequestPayload::DiscoverVersions(DiscoverVersionsRequest::default()),
            |response| match response {
                ResponsePayload::DiscoverVersions(found) => {
                    let versions: Vec<_> = found.protocol_versions.iter().map(ToString::to_string).collect();
                    output.data(&serde_json::json!({ "versions": versions }), |_| {
                        listed(&versions)
                    })
                }
                other => Err(unexpected(&other)),
            },
        )
        .await
}
