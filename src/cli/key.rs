//! `claviger key …`: the keys of an adapter as the administrator sees them, never their values.

use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, Properties, say};
use super::{key_list, key_scan, key_unused};
use crate::admin::api::{Key, List};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the keys of an adapter, newest first
    List {
        /// The adapter
        adapter: String,
        /// Only those in this KMIP state: Pre-Active, Active, Deactivated, Compromised, Destroyed, …
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 1000, value_name = "N")]
        limit: usize,
    },
    /// Show all that is known of a key, save its value
    Show {
        /// The adapter
        adapter: String,
        /// Its Unique Identifier
        key: String,
    },
    /// List the keys that no client has fetched for a time, of all adapters or of one
    Unused(key_unused::Arguments),
    /// Revoke the keys of a list: clients protect nothing new with them
    Revoke(key_list::Arguments),
    /// Destroy the keys of a list for good, once another administrator has approved of it
    Destroy(key_list::Destroying),
    /// Compare the wrapped keys that lie in key managers with the keys here. Keys that were deleted there are destroyed
    Scan {
        /// Only tell what the last scan found; the server scans every hour
        #[arg(long)]
        last: bool,
    },
}

pub(crate) async fn run(command: Command, client: &Client, output: Output) -> Result<Exit, Failure> {
    match command {
        Command::List {
            adapter,
            state,
            limit,
        } => {
            let found = list(client, &adapter, state.as_deref(), limit).await?;
            if found.next.is_some() {
                say(format_args!(
                    "there are more than {limit}; ask for them with --limit"
                ));
            }
            output.list(&found, columns)
        }
        Command::Show { key, adapter } => {
            let key: Key = client.get(path(["adapters", &adapter, "keys", &key])).await?;
            output.data(&key, properties)?;
            Ok(Exit::Done)
        }
        Command::Unused(arguments) => key_unused::run(&arguments, client, output).await,
        Command::Revoke(arguments) => key_list::revoke(&arguments, client, output).await,
        Command::Destroy(arguments) => key_list::destroy(&arguments, client, output).await,
        Command::Scan { last } => key_scan::run(client, last, output).await,
    }
}

/// Reads pages until `limit` is reached. `next` of the result says that there are more.
async fn list(
    client: &Client,
    adapter: &str,
    state: Option<&str>,
    limit: usize,
) -> Result<List<Key>, Failure> {
    let mut found = List::from(Vec::new());
    loop {
        let mut page = path(["adapters", adapter, "keys"]);
        for (name, value) in [("state", state), ("after", found.next.as_deref())] {
            if let Some(value) = value {
                page = page.query(name, value);
            }
        }
        let list: List<Key> = client.get(page).await?;
        found.items.extend(list.items);
        found.tampered.extend(list.tampered);
        found.next = list.next;
        if found.items.len() > limit {
            found.items.truncate(limit);
            // There is one more at least, whether or not there is another page.
            found.next.get_or_insert_default();
        }
        if found.next.is_none() || found.items.len() >= limit {
            return Ok(found);
        }
    }
}

fn columns(items: &[Key]) -> String {
    let mut columns = Columns::new(["ID", "STATE", "ALGORITHM", "LENGTH", "CREATED", "NAMES"]);
    for item in items {
        columns.row([
            item.id.to_string(),
            item.state.clone().unwrap_or_default(),
            joined(item, "Cryptographic Algorithm"),
            joined(item, "Cryptographic Length"),
            joined(item, "Initial Date"),
            joined(item, "Name"),
        ]);
    }
    columns.or_say("no keys")
}

fn joined(item: &Key, attribute: &str) -> String {
    let values: Vec<_> = item
        .attributes
        .iter()
        .filter(|a| a.name == attribute)
        .map(|a| a.value.as_str())
        .collect();
    values.join(", ")
}

fn properties(item: &Key) -> String {
    let mut properties = Properties::new();
    properties
        .line("id", item.id)
        .line("adapter", &item.adapter)
        .line("object type", &item.object_type);
    if let Some(state) = &item.state {
        properties.line("state", state);
    }
    match &item.wrapped_under {
        Some(under) => properties
            .line(
                "root key",
                format_args!("{} version {}", under.root_key.name, under.version),
            )
            .line("wrap profile", &under.profile),
        None => properties.line("root key", "none: there is no key material any more"),
    };
    let above = ["Unique Identifier", "Object Type", "State"];
    for attribute in item
        .attributes
        .iter()
        .filter(|attribute| !above.contains(&attribute.name.as_str()))
    {
        properties.line(&attribute.name, &attribute.value);
    }
    properties.text()
}
