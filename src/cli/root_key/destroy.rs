//! What is destroyed, and what is said of it before and after.

use std::time::Duration;

use super::super::client::{Client, path};
use super::super::exit::{Exit, Failure};
use super::super::output::{Output, counted, say, time};
use super::show::{keys, properties};
use crate::admin::api::{RootKey, ScheduleDestruction};

/// Asks for a destruction, after it was shown what it destroys.
pub(super) async fn schedule(
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
pub(super) fn version_destroyed(root_key: &RootKey, version: u32) -> Exit {
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
        root_key.problem.as_deref().unwrap_or("it has not answered yet"),
    ));
    Exit::Unhealthy
}
