//! `claviger kmip attributes`: Get Attributes.

use super::names;
use super::session::{Session, unexpected};
use crate::admin::api;
use crate::admin::readable;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, Properties, say};
use crate::kmip::payload::{GetAttributesRequest, RequestPayload, ResponsePayload};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its Unique Identifier
    id: String,
    /// The attributes that are wanted, as State or x-Name [default: all]
    attribute: Vec<String>,
}

pub(super) async fn run(
    arguments: &Arguments,
    session: &mut Session,
    output: Output,
) -> Result<Exit, Failure> {
    let request = GetAttributesRequest {
        unique_identifier: Some(arguments.id.as_str().into()),
        attribute_names: arguments
            .attribute
            .iter()
            .map(|name| names::attribute_name(name))
            .collect(),
    };
    session
        .ask(
            RequestPayload::GetAttributes(request),
            |response| match response {
                ResponsePayload::GetAttributes(got) => {
                    let attributes: Vec<api::Attribute> = got.attributes.0.iter().map(readable).collect();
                    let data = serde_json::json!({ "id": got.unique_identifier, "attributes": attributes });
                    output.data(&data, |_| table(&attributes))
                }
                other => Err(unexpected(&other)),
            },
        )
        .await
}

fn table(attributes: &[api::Attribute]) -> String {
    if attributes.is_empty() {
        say("the key has none of these attributes");
        return String::new();
    }
    let mut properties = Properties::new();
    for attribute in attributes {
        properties.line(&attribute.name, &attribute.value);
    }
    properties.text()
}
