//! `claviger root-key …`: the keys in the HSM under which all others are wrapped.

use std::time::Duration;

use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, Properties, counted, say, time};
use crate::admin::api::{List, NewRootKey, RootKey, ScheduleDestruction};

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
}

fn waiting_time(text: &str) -> Result<Duration, String> {
    crate::config::duration(text).ok_or_else(|| "write a time such as 36h or 7d".to_owned())
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
    }
    Ok(Exit::Done)
}

/// A change that has no parameters.
async fn change(client: &Client, root_key: &str, what: &str) -> Result<RootKey, Failure> {
    client
        .post(path(["root-keys", root_key, what]), &serde_json::json!({}))
        .await
}

/// Asks for a destruction, after it was shown what it destroys.
async fn schedule(
    client: &Client,
    output: Output,
    root_key: &str,
    after: Option<Duration>,
    yes: bool,
) -> Result<Exit, Failure> {
    let found: RootKey = client.get(path(["root-keys", root_key])).await?;
    if !yes {
        output.data(&found, properties)?;
        return Err(Failure::new(format!(
            "the destruction of root key {} makes {} unreadable for good, for everybody: no backup brings them back; \
             nothing was done",
            found.name,
            counted(keys(&found), "key"),
        ))
        .remedy("repeat the command with --yes"));
    }
    let asked = ScheduleDestruction {
        after_seconds: after.map(|after| after.as_secs()),
    };
    let route = path(["root-keys", root_key, "schedule-destruction"]);
    let scheduled: RootKey = client.post(route, &asked).await?;
    output.data(&scheduled, properties)?;
    let due = scheduled
        .destruction
        .as_ref()
        .map_or_else(String::new, |destruction| time(destruction.due_at));
    say(format_args!(
        "root key {} is disabled, and is destroyed at {due} or later, once another administrator has said `claviger \
         root-key approve-destruction {}`; {} will be unreadable for good",
        scheduled.name,
        scheduled.name,
        counted(keys(&scheduled), "key"),
    ));
    Ok(Exit::Done)
}

/// Says what became of the destruction of a version.
fn version_destroyed(root_key: &RootKey, version: u32) -> Exit {
    let gone = root_key
        .versions
        .iter()
        .any(|each| each.version == version && each.state == "destroyed");
    if gone {
        say(format_args!(
            "version {version} of root key {} is destroyed on {}",
            root_key.name, root_key.token_label
        ));
        return Exit::Done;
    }
    say(format_args!(
        "the destruction of version {version} of root key {} has begun and is not at its end; it is tried again: {}",
        root_key.name,
        root_key
            .problem
            .as_deref()
            .unwrap_or("the device has not answered yet"),
    ));
    Exit::Unhealthy
}

fn keys(root_key: &RootKey) -> u64 {
    root_key.versions.iter().map(|version| version.keys).sum()
}

/// How far a re-wrapping is, in one line.
pub(super) fn rotation(item: &RootKey) -> Option<String> {
    let rotation = item.rotation.as_ref()?;
    let all = keys(item).max(1);
    let percent = (all - rotation.keys_left.min(all)) * 100 / all;
    let mut facts = vec![
        format!("{percent} %"),
        format!("{} left", counted(rotation.keys_left, "key")),
    ];
    facts.extend(rotation.keys_per_second.map(|rate| format!("{rate}/s")));
    facts.extend(rotation.seconds_left.map(|left| format!("{} to go", span(left))));
    if rotation.failed > 0 {
        facts.push(format!("{} failed and tried again", rotation.failed));
    }
    Some(facts.join(", "))
}

/// A time in seconds as a person reads it: `1 h 02 min`, `3 min 20 s`, `12 s`.
fn span(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

fn columns(items: &[RootKey]) -> String {
    let mut columns = Columns::new([
        "NAME", "ID", "DEVICE", "TOKEN", "VERSION", "STATE", "ADAPTERS", "CREATED", "ROTATION",
    ]);
    for item in items {
        columns.row([
            item.name.clone(),
            item.id.to_string(),
            item.backend.clone(),
            item.token_label.clone(),
            item.version.to_string(),
            item.state.clone(),
            item.adapters.to_string(),
            time(item.created_at),
            rotation(item).unwrap_or_default(),
        ]);
    }
    columns.or_say("no root keys; make one with `claviger root-key create NAME`")
}

fn properties(item: &RootKey) -> String {
    let mut properties = Properties::new();
    properties
        .line("name", &item.name)
        .line("id", item.id)
        .line("state", &item.state)
        .line("device", &item.backend)
        .line("token", &item.token_label)
        .line("token serial", &item.token_serial)
        .line("label", &item.label)
        .line("version", item.version)
        .line("origin", &item.origin)
        .line("check value", &item.check_value)
        .line("adapters", item.adapters)
        .line("created", time(item.created_at));
    for version in &item.versions {
        let mut facts = format!(
            "{} ({}, check value {}",
            version.keys, version.label, version.check_value
        );
        if version.origin == "imported" {
            facts.push_str(", imported");
        }
        if let "destroying" | "destroyed" = version.state.as_str() {
            facts.push_str(", ");
            facts.push_str(&version.state);
        }
        facts.push(')');
        properties.line(&format!("keys under v{}", version.version), facts);
    }
    let left = item.rotation.as_ref().map_or(0, |rotation| rotation.keys_left);
    properties.line("keys to re-wrap", left);
    if let Some(rotation) = rotation(item) {
        properties.line("rotation", rotation);
    }
    if let Some(dependents) = &item.dependents {
        properties.line("used by", dependents.adapters.join(", "));
        for (state, keys) in &dependents.keys {
            properties.line(&format!("keys {state}"), keys);
        }
    }
    if let Some(destruction) = &item.destruction {
        properties
            .line("destruction due", time(destruction.due_at))
            .line("requested by", &destruction.requested_by)
            .line(
                "approved by",
                destruction
                    .approved_by
                    .as_deref()
                    .unwrap_or("nobody yet: a second administrator must"),
            );
    }
    if let Some(at) = item.destroyed_at {
        properties.line(
            "destroyed",
            format_args!("{}; its keys can't be read any more by anybody", time(at)),
        );
    }
    if let Some(problem) = &item.problem {
        properties.line("problem", problem);
    }
    properties.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_read_at_a_glance() {
        for (seconds, shown) in [(7, "7 s"), (200, "3 min 20 s"), (3_725, "1 h 02 min")] {
            assert_eq!(span(seconds), shown);
        }
    }
}
