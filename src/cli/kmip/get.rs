//! `claviger kmip get`: Get.

use serde::Serialize;
use zeroize::Zeroizing;

use super::session::{Session, unexpected};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, Properties};
use crate::kmip::object::{KeyBlock, KeyMaterial, KeyValue, Object};
use crate::kmip::payload::{GetRequest, RequestPayload, ResponsePayload};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its Unique Identifier
    id: String,
    /// Print the key's value in hexadecimal; whoever sees it can read what it protects
    #[arg(long)]
    pub(super) reveal: bool,
}

/// The key that came.
#[derive(Serialize)]
struct Key<'a> {
    id: &'a str,
    object_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<String>,
    /// In bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<i32>,
    /// The length of the value that came, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    /// In hexadecimal; only where it is to be revealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

pub(super) async fn run(
    arguments: &Arguments,
    session: &mut Session,
    output: Output,
) -> Result<Exit, Failure> {
    let request = GetRequest {
        unique_identifier: Some(arguments.id.as_str().into()),
        ..GetRequest::default()
    };
    session
        .ask(RequestPayload::Get(request), |response| match response {
            ResponsePayload::Get(got) => show(&got.unique_identifier, &got.object, arguments.reveal, output),
            other => Err(unexpected(&other)),
        })
        .await
}

fn show(id: &str, object: &Object<'_>, reveal: bool, output: Output) -> Result<(), Failure> {
    let block = match object {
        Object::SymmetricKey(block) => Some(block),
        _ => None,
    };
    let material = block.and_then(material).and_then(KeyMaterial::as_bytes);
    let value = material
        .filter(|_| reveal)
        .map(|bytes| Zeroizing::new(hex::encode(bytes)));
    let key = Key {
        id,
        object_type: object.object_type().to_string(),
        format: block.map(|block| block.key_format_type.to_string()),
        algorithm: block
            .and_then(|block| block.cryptographic_algorithm)
            .map(|algorithm| algorithm.to_string()),
        length: block.and_then(|block| block.cryptographic_length),
        bytes: material.map(<[u8]>::len),
        value: value.as_ref().map(|value| value.as_str()),
    };
    output.data(&key, table)
}

fn table(key: &Key<'_>) -> String {
    let mut properties = Properties::new();
    properties
        .line("id", key.id)
        .line("object type", &key.object_type);
    for (name, value) in [("format", &key.format), ("algorithm", &key.algorithm)] {
        if let Some(value) = value {
            properties.line(name, value);
        }
    }
    if let Some(length) = key.length {
        properties.line("length", format_args!("{length} bits"));
    }
    match (key.value, key.bytes) {
        (Some(value), _) => properties.line("value", value),
        (None, Some(bytes)) => {
            properties.line("value", format_args!("{bytes} bytes, not shown without --reveal"))
        }
        (None, None) => properties.line("value", "none came"),
    };
    properties.text()
}

fn material<'b, 'a>(block: &'b KeyBlock<'a>) -> Option<&'b KeyMaterial<'a>> {
    match block.key_value.as_ref()? {
        KeyValue::Structure { material, .. } | KeyValue::Bytes(material) => Some(material),
    }
}
