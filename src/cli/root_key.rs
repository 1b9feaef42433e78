//! `claviger root-key …`: the keys in the HSM under which all others are wrapped.

use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, Properties, say, time};
use crate::admin::api::{List, NewRootKey, RootKey};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a root key on the device; it never leaves it
    Create {
        /// A new name: 2 to 40 letters, digits, - and _
        name: String,
        /// The device of the configuration that makes and holds it [default: the only one]
        #[arg(long, value_name = "NAME")]
        device: Option<String>,
    },
    /// List the root keys
    List,
    /// Make a new version of a root key; all keys under it are wrapped anew on the device, in the background
    Rotate {
        /// Its name or identifier
        root_key: String,
    },
    /// Show one root key, its versions, and how many keys are under each
    Show {
        /// Its name or identifier
        root_key: String,
    },
}

pub(crate) async fn run(command: Command, client: &Client, output: Output) -> Result<Exit, Failure> {
    match command {
        Command::Create { name, device } => {
            let made: RootKey = client
                .post(
                    path(["root-keys"]),
                    &NewRootKey {
                        name,
                        backend: device,
                    },
                )
                .await?;
            output.data(&made, properties)?;
            say(format_args!(
                "root key {} made on {}",
                made.name, made.token_label
            ));
        }
        Command::List => {
            let list: List<RootKey> = client.get(path(["root-keys"])).await?;
            return output.list(&list, columns);
        }
        Command::Rotate { root_key } => {
            let rotated: RootKey = client
                .post(path(["root-keys", &root_key, "rotate"]), &serde_json::json!({}))
                .await?;
            output.data(&rotated, properties)?;
            say(format_args!(
                "root key {} is at version {}; `claviger root-key show {}` tells how many keys are still under earlier \
                 versions",
                rotated.name, rotated.version, rotated.name
            ));
        }
        Command::Show { root_key } => {
            let root_key: RootKey = client.get(path(["root-keys", &root_key])).await?;
            output.data(&root_key, properties)?;
        }
    }
    Ok(Exit::Done)
}

fn columns(items: &[RootKey]) -> String {
    let mut columns = Columns::new(["NAME", "ID", "DEVICE", "TOKEN", "VERSION", "ADAPTERS", "CREATED"]);
    for item in items {
        columns.row([
            item.name.clone(),
            item.id.to_string(),
            item.backend.clone(),
            item.token_label.clone(),
            item.version.to_string(),
            item.adapters.to_string(),
            time(item.created_at),
        ]);
    }
    columns.or_say("no root keys; make one with `claviger root-key create NAME`")
}

fn properties(item: &RootKey) -> String {
    let earlier: u64 = item
        .versions
        .iter()
        .filter(|version| version.version != item.version)
        .map(|version| version.keys)
        .sum();
    let mut properties = Properties::new();
    properties
        .line("name", &item.name)
        .line("id", item.id)
        .line("device", &item.backend)
        .line("token", &item.token_label)
        .line("token serial", &item.token_serial)
        .line("label", &item.label)
        .line("version", item.version)
        .line("check value", &item.check_value)
        .line("adapters", item.adapters)
        .line("created", time(item.created_at));
    for version in &item.versions {
        properties.line(
            &format!("keys under v{}", version.version),
            format_args!(
                "{} ({}, check value {})",
                version.keys, version.label, version.check_value
            ),
        );
    }
    properties.line("keys to re-wrap", earlier).text()
}
