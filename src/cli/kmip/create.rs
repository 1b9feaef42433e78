//! `claviger kmip create`: Create.

use super::names;
use super::session::{Session, unexpected};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::Output;
use crate::kmip::attribute::{Attribute, AttributeValue};
use crate::kmip::enumeration::{CryptographicAlgorithm, ObjectType};
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::payload::{CreateRequest, RequestPayload, ResponsePayload};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A name for it; may be repeated
    #[arg(long, value_name = "TEXT")]
    name: Vec<String>,
    /// The algorithm that it is for
    #[arg(long, default_value = "AES", value_name = "NAME", value_parser = names::algorithm)]
    algorithm: CryptographicAlgorithm,
    /// Its length in bits
    #[arg(long, default_value_t = 256, value_name = "BITS")]
    length: i32,
    /// What it may be used for; may be repeated
    #[arg(
        long,
        default_values = ["Encrypt", "Decrypt"],
        value_delimiter = ',',
        value_name = "USE",
        value_parser = names::usage
    )]
    usage: Vec<CryptographicUsageMask>,
    /// The object group that it joins
    #[arg(long, value_name = "TEXT")]
    group: Option<String>,
    /// A custom attribute; may be repeated
    #[arg(long, value_name = "x-NAME=TEXT", value_parser = names::custom_attribute)]
    attribute: Vec<Attribute>,
}

pub(super) async fn run(
    arguments: Arguments,
    session: &mut Session,
    output: Output,
) -> Result<Exit, Failure> {
    let usage = arguments
        .usage
        .iter()
        .fold(CryptographicUsageMask::default(), |all, one| all | *one);
    let mut attributes = vec![
        AttributeValue::CryptographicAlgorithm(arguments.algorithm).into(),
        AttributeValue::CryptographicUsageMask(usage).into(),
        AttributeValue::CryptographicLength(arguments.length).into(),
    ];
    for (index, name) in (0..).zip(&arguments.name) {
        attributes.push(Attribute::indexed(index, AttributeValue::Name(names::name(name))));
    }
    attributes.extend(
        arguments
            .group
            .map(|group| AttributeValue::ObjectGroup(group).into()),
    );
    attributes.extend(arguments.attribute);
    let request = CreateRequest {
        object_type: ObjectType::SymmetricKey,
        template_attribute: attributes.into(),
        protection_storage_masks: None,
    };
    session
        .ask(RequestPayload::Create(request), |response| match response {
            ResponsePayload::Create(made) => {
                let data = serde_json::json!({ "id": made.unique_identifier });
                // The identifier alone, for a shell to take up.
                output.data(&data, |_| made.unique_identifier)
            }
            other => Err(unexpected(&other)),
        })
        .await
}
