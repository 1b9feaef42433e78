//! `claviger adapter …`: the tenants of the KMIP endpoint.

use std::str::FromStr;

use super::client::{Client, path};
use super::credential;
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, Properties, say, time};
use super::root_key::progress;
use super::trust;
use crate::admin::api::{Adapter, AdapterQuota, List, MoveAdapter, NewAdapter};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make an adapter
    Create {
        /// A new name: 2 to 40 letters, digits, - and _
        name: String,
        /// The name or identifier of its root key [default: the only one]
        #[arg(long, value_name = "NAME")]
        root_key: Option<String>,
        /// What it is for, at most 240 characters
        #[arg(long, default_value = "", value_name = "TEXT")]
        description: String,
    },
    /// List the adapters
    List,
    /// Show one adapter
    Show {
        /// Its name or identifier
        adapter: String,
    },
    /// Put an adapter under another root key, of the same device or another; its keys follow in the background
    Move {
        /// Its name or identifier
        adapter: String,
        /// The name or identifier of the root key
        #[arg(long, value_name = "NAME")]
        root_key: String,
    },
    /// Bound how many keys and connections an adapter may have, and how many requests it may send. What is not named stays
    Set {
        /// Its name or identifier
        adapter: String,
        #[command(flatten)]
        bounds: Bounds,
    },
    /// Look after users whose passwords its clients show beside their certificates
    #[command(subcommand)]
    Credential(credential::Command),
    /// Look after authorities whose certificates it lets in, where not each one is admitted by itself
    #[command(subcommand)]
    Trust(trust::Command),
    /// Delete an adapter and its certificates, once all its keys are destroyed
    Delete {
        /// Its name or identifier
        adapter: String,
    },
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Bounds {
    /// The most keys that are not destroyed, on all servers together; `none` for no bound
    #[arg(long, value_name = "N")]
    keys: Option<Bound<u64>>,
    /// The most items of KMIP requests a second, at each server; `none` for no bound
    #[arg(long, value_name = "N")]
    requests_per_second: Option<Bound<u32>>,
    /// The most connections at a time, at each server; `none` for no bound
    #[arg(long, value_name = "N")]
    connections: Option<Bound<u32>>,
}

/// A bound as it is typed: a number, or `none`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound<T>(Option<T>);

impl<T: FromStr> FromStr for Bound<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" => Ok(Self(None)),
            number => number
                .parse()
                .map(|number| Self(Some(number)))
                .map_err(|_| format!("expected a number or `none`, and {number:?} is neither")),
        }
    }
}

impl Bounds {
    /// The quota with what was named in the place of what was.
    fn over(&self, before: AdapterQuota) -> AdapterQuota {
        AdapterQuota {
            keys: self.keys.map_or(before.keys, |bound| bound.0),
            requests_per_second: self
                .requests_per_second
                .map_or(before.requests_per_second, |bound| bound.0),
            connections: self.connections.map_or(before.connections, |bound| bound.0),
        }
    }
}

pub(crate) async fn run(command: Command, client: &Client, output: Output) -> Result<Exit, Failure> {
    match command {
        Command::Create {
            name,
            root_key,
            description,
        } => {
            let new = NewAdapter {
                name,
                description,
                root_key,
            };
            let made: Adapter = client.post(path(["adapters"]), &new).await?;
            output.data(&made, properties)?;
            say(format_args!(
                "adapter {} made; admit a client with `claviger certificate add {} FILE`",
                made.name, made.name
            ));
        }
        Command::List => {
            let list: List<Adapter> = client.get(path(["adapters"])).await?;
            return output.list(&list, columns);
        }
        Command::Show { adapter } => {
            let adapter: Adapter = client.get(path(["adapters", &adapter])).await?;
            output.data(&adapter, properties)?;
        }
        Command::Move { adapter, root_key } => {
            let route = path(["adapters", &adapter, "move"]);
            let moved: Adapter = client.post(route, &MoveAdapter { root_key }).await?;
            output.data(&moved, properties)?;
            say(format_args!(
                "adapter {} is under root key {}; `claviger adapter show {}` tells how many keys have yet to follow",
                moved.name, moved.root_key.name, moved.name
            ));
        }
        Command::Set { adapter, bounds } => {
            let before: Adapter = client.get(path(["adapters", &adapter])).await?;
            let quota = bounds.over(before.quota.unwrap_or_default());
            let route = path(["adapters", &adapter, "quota"]);
            let set: Adapter = client.put(route, &quota).await?;
            output.data(&set, properties)?;
        }
        Command::Credential(command) => return credential::run(command, client, output).await,
        Command::Trust(command) => return trust::run(command, client, output).await,
        Command::Delete { adapter } => {
            client.delete(path(["adapters", &adapter])).await?;
            say(format_args!("adapter {adapter} deleted"));
        }
    }
    Ok(Exit::Done)
}

fn columns(items: &[Adapter]) -> String {
    let mut columns = Columns::new([
        "NAME",
        "ID",
        "ROOT KEY",
        "CERTIFICATES",
        "KEYS",
        "CREATED",
        "DESCRIPTION",
    ]);
    for item in items {
        columns.row([
            item.name.clone(),
            item.id.to_string(),
            item.root_key.name.clone(),
            item.certificates.to_string(),
            item.keys.to_string(),
            time(item.created_at),
            item.description.clone(),
        ]);
    }
    columns.or_say("no adapters; make one with `claviger adapter create NAME`")
}

fn properties(item: &Adapter) -> String {
    let mut properties = Properties::new();
    properties
        .line("name", &item.name)
        .line("id", item.id)
        .line("description", &item.description)
        .line("root key", &item.root_key.name)
        .line("certificates", item.certificates)
        .line("keys", item.keys)
        .line("created", time(item.created_at));
    if let Some(quota) = &item.quota {
        let told =
            |bound: Option<u64>| bound.map_or_else(|| "no bound".to_owned(), |bound| bound.to_string());
        properties
            .line("most keys", told(quota.keys))
            .line(
                "most requests a second",
                told(quota.requests_per_second.map(Into::into)),
            )
            .line("most connections", told(quota.connections.map(Into::into)));
    }
    if let Some(relocation) = &item.relocation {
        properties.line("keys to move", progress(relocation, item.keys));
    }
    properties.text()
}
