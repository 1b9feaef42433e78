//! `claviger root-key …`: the keys in the HSM, or in the key manager, under which all others are wrapped.

mod destroy;
mod import;
mod show;

use std::path::PathBuf;
use std::time::Duration;

use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::{Output, say};
use crate::admin::api::{List, NewRootKey, RootKey};

use destroy::{schedule, version_destroyed};
use show::{columns, properties};
pub(super) use show::{progress, rotation};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a root key on a device or in a key manager, which it never leaves
    Create {
        /// A new name: 2 to 40 letters, digits, - and _
        name: String,
        /// The device or key manager of the configuration that makes and holds it [default: the only one]
        #[arg(long, value_name = "NAME", visible_alias = "backend")]
        device: Option<String>,
        /// Take up a root key that is in the key manager already, by its ID or alias there
        #[arg(long, value_name = "ID-OR-ALIAS")]
        existing: Option<String>,
    },
    /// Bring a root key that exists elsewhere (BYOK): first without --wrapped, for the public key to wrap it under
    Import {
        /// A new name: 2 to 40 letters, digits, - and _
        name: String,
        /// The device of the configuration that takes it in [default: the only one]
        #[arg(long, value_name = "NAME", visible_alias = "backend")]
        device: Option<String>,
        /// The AES-256 key, wrapped by RSA-OAEP under the public key
        #[arg(long, value_name = "FILE")]
        wrapped: Option<PathBuf>,
    },
    /// List the root keys
    List,
    /// Make a new version of a root key; all keys under it are wrapped anew where it is, in the background
    Rotate {
        /// Its name or identifier
        root_key: String,
    },
    /// Show one root key, its versions, and what depends on it
    Show {
        /// Its name or identifier
        root_key: String,
    },
    /// Destroy an earlier version of a root key on the token, once no key is under it
    DestroyVersion {
        /// Its name or identifier
        root_key: String,
        /// The version
        version: u32,
    },
    /// Disable a root key: no key under it is made, released or re-wrapped, from now on
    Disable {
        /// Its name or identifier
        root_key: String,
    },
    /// Enable a root key that was disabled
    Enable {
        /// Its name or identifier
        root_key: String,
    },
    /// Ask for the destruction of a root key: it is disabled at once, and destroyed after a waiting time, if a second
    /// administrator approves. Every key under it is then unreadable for good
    ScheduleDestruction {
        /// Its name or identifier
        root_key: String,
        /// The waiting time, as 7d or 36h [default: the configuration's, which is also the least]
        #[arg(long, value_name = "TIME", value_parser = waiting_time)]
        after: Option<Duration>,
        /// Do it; without this, only show what would become unreadable
        #[arg(long)]
        yes: bool,
    },
    /// Approve of a root key's destruction, as another administrator than the one who asked for it
    ApproveDestruction {
        /// Its name or identifier
        root_key: String,
    },
    /// Call a root key's destruction off; the root key stays disabled
    CancelDestruction {
        /// Its name or identifier
        root_key: String,
    },
    /// Bring a root key back that was destroyed, or deleted in its key manager, within the 30 days that one keeps it
    Restore {
        /// Its name or identifier
        root_key: String,
    },
}

fn waiting_time(text: &str) -> Result<Duration, String> {
    crate::config::duration(text).ok_or_else(|| "write a time such as 36h or 7d".to_owned())
}

pub(crate) async fn run(command: Command, client: &Client, output: Output) -> Result<Exit, Failure> {
    match command {
        Command::Create {
            name,
            device,
            existing,
        } => {
            let asked = NewRootKey {
                name,
                backend: device,
                existing,
            };
            create(client, output, &asked).await?;
        }
        Command::Import {
            name,
            device,
            wrapped: None,
        } => import::offer(client, output, name, device).await?,
        Command::Import {
            name,
            device,
            wrapped: Some(file),
        } => import::take_in(client, output, name, device, &file).await?,
        Command::List => {
            let list: List<RootKey> = client.get(path(["root-keys"])).await?;
            return output.list(&list, columns);
        }
        Command::Rotate { root_key } => {
            let rotated = change(client, &root_key, "rotate").await?;
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
        Command::DestroyVersion { root_key, version } => {
            let number = version.to_string();
            let route = path(["root-keys", &root_key, "versions", &number, "destroy"]);
            let left: RootKey = client.post(route, &serde_json::json!({})).await?;
            output.data(&left, properties)?;
            return Ok(version_destroyed(&left, version));
        }
        Command::Disable { root_key } => {
            let changed = change(client, &root_key, "disable").await?;
            output.data(&changed, properties)?;
            say(format_args!(
                "root key {} is disabled: clients get none of its keys until `claviger root-key enable {}`",
                changed.name, changed.name
            ));
        }
        Command::Enable { root_key } => {
            let changed = change(client, &root_key, "enable").await?;
            output.data(&changed, properties)?;
            say(format_args!("root key {} is enabled", changed.name));
        }
        Command::ScheduleDestruction { root_key, after, yes } => {
            return schedule(client, output, &root_key, after, yes).await;
        }
        Command::ApproveDestruction { root_key } => {
            let changed = change(client, &root_key, "approve-destruction").await?;
            output.data(&changed, properties)?;
            say(format_args!(
                "the destruction of root key {} is approved; until it begins, `claviger root-key cancel-destruction {}` \
                 calls it off",
                changed.name, changed.name
            ));
        }
        Command::CancelDestruction { root_key } => {
            let changed = change(client, &root_key, "cancel-destruction").await?;
            output.data(&changed, properties)?;
            say(format_args!(
                "root key {} is not destroyed; it stays disabled until `claviger root-key enable {}`",
                changed.name, changed.name
            ));
        }
        Command::Restore { root_key } => {
            let restored = change(client, &root_key, "restore").await?;
            output.data(&restored, properties)?;
            let more = match restored.state.as_str() {
                "disabled" => format!(
                    ": `claviger root-key enable {}` lets clients have its keys",
                    restored.name
                ),
                _ => String::new(),
            };
            say(format_args!(
                "root key {} is there again, and is {}{more}",
                restored.name, restored.state
            ));
        }
    }
    Ok(Exit::Done)
}

/// Makes a root key, or takes one up.
async fn create(client: &Client, output: Output, asked: &NewRootKey) -> Result<(), Failure> {
    let made: RootKey = client.post(path(["root-keys"]), asked).await?;
    output.data(&made, properties)?;
    let done = if asked.existing.is_some() {
        "taken up"
    } else {
        "made"
    };
    say(format_args!(
        "root key {} {done} on {}",
        made.name,
        show::place(&made)
    ));
    Ok(())
}

/// A change that has no parameters.
async fn change(client: &Client, root_key: &str, what: &str) -> Result<RootKey, Failure> {
    client
        .post(path(["root-keys", root_key, what]), &serde_json::json!({}))
        .await
}
