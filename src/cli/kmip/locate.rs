//! `claviger kmip locate`: Locate.

use super::names;
use super::session::{Session, unexpected};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, printable, say};
use crate::kmip::attribute::{Attribute, AttributePattern, AttributeValue};
use crate::kmip::enumeration::{CryptographicAlgorithm, State};
use crate::kmip::payload::{LocateRequest, RequestPayload, ResponsePayload};

/// A key is found if it has all that is given.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Those that have this name
    #[arg(long, value_name = "TEXT")]
    name: Vec<String>,
    /// Those in this state
    #[arg(long, value_name = "STATE", value_parser = names::state)]
    state: Option<State>,
    /// Those of this algorithm
    #[arg(long, value_name = "NAME", value_parser = names::algorithm)]
    algorithm: Option<CryptographicAlgorithm>,
    /// Those of this length in bits
    #[arg(long, value_name = "BITS")]
    length: Option<i32>,
    /// Those of this object group
    #[arg(long, value_name = "TEXT")]
    group: Option<String>,
    /// Those with this custom attribute; may be repeated
    #[arg(long, value_name = "x-NAME=TEXT", value_parser = names::custom_attribute)]
    attribute: Vec<Attribute>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Pass over so many (since 1.3)
    #[arg(long, value_name = "N")]
    offset: Option<u32>,
}

pub(super) async fn run(
    arguments: Arguments,
    session: &mut Session,
    output: Output,
) -> Result<Exit, Failure> {
    let mut wanted: Vec<AttributeValue> = Vec::new();
    wanted.extend(
        arguments
            .name
            .iter()
            .map(|name| AttributeValue::Name(names::name(name))),
    );
    wanted.extend(arguments.state.map(AttributeValue::State));
    wanted.extend(arguments.algorithm.map(AttributeValue::CryptographicAlgorithm));
    wanted.extend(arguments.length.map(AttributeValue::CryptographicLength));
    wanted.extend(arguments.group.map(AttributeValue::ObjectGroup));
    wanted.extend(arguments.attribute.into_iter().map(|attribute| attribute.value));
    let request = LocateRequest {
        maximum_items: arguments.limit,
        offset_items: arguments.offset,
        attributes: wanted.iter().map(AttributePattern::equal_to).collect(),
        ..LocateRequest::default()
    };
    session
        .ask(RequestPayload::Locate(request), |response| match response {
            ResponsePayload::Locate(found) => {
                let data = serde_json::json!({
                    "ids": found.unique_identifiers,
                    "located_items": found.located_items,
                });
                output.data(&data, |_| lines(&found.unique_identifiers))
            }
            other => Err(unexpected(&other)),
        })
        .await
}

/// An identifier a line, for a shell to take up.
fn lines(identifiers: &[String]) -> String {
    if identifiers.is_empty() {
        say("no key has all of this");
    }
    identifiers
        .iter()
        .map(|identifier| printable(identifier) + "\n")
        .collect()
}
