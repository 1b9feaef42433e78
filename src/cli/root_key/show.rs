//! Root keys as a person reads them.

use super::super::output::{Columns, Properties, counted, time};
use crate::admin::api::{RootKey, Rotation};
use crate::root_key::BackendKind;

/// How many keys are under it.
pub(super) fn keys(root_key: &RootKey) -> u64 {
    root_key.versions.iter().map(|version| version.keys).sum()
}

/// How far a re-wrapping is, in one line.
pub(in crate::cli) fn rotation(item: &RootKey) -> Option<String> {
    item.rotation
        .as_ref()
        .map(|rotation| progress(rotation, keys(item)))
}

/// How far work on so many keys is, in one line.
pub(in crate::cli) fn progress(rotation: &Rotation, all: u64) -> String {
    let all = all.max(1);
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
    facts.join(", ")
}

/// A time in seconds as a person reads it: `1 h 02 min`, `3 min 20 s`, `12 s`.
fn span(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

/// Where it is: the token's label, or the key manager with its key ring.
pub(super) fn place(root_key: &RootKey) -> &str {
    if root_key.token_label.is_empty() {
        &root_key.backend
    } else {
        &root_key.token_label
    }
}

pub(super) fn columns(items: &[RootKey]) -> String {
    let mut columns = Columns::new([
        "NAME", "ID", "BACKEND", "TOKEN", "VERSION", "STATE", "ADAPTERS", "CREATED", "ROTATION",
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

pub(super) fn properties(item: &RootKey) -> String {
    let mut properties = Properties::new();
    let (place, number) = if item.kind == BackendKind::KeyProtect.name() {
        ("key ring", "instance")
    } else {
        ("token", "token serial")
    };
    properties
        .line("name", &item.name)
        .line("id", item.id)
        .line("state", &item.state)
        .line("backend", &item.backend)
        .line(place, &item.token_label)
        .line(number, &item.token_serial)
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
        if let "imported" | "adopted" = version.origin.as_str() {
            facts.push_str(", ");
            facts.push_str(&version.origin);
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
            format_args!("{}; its keys can't be read any more", time(at)),
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
