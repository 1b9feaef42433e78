//! `ArcSight`'s Common Event Format, version 0: a header and an extension of the names that its dictionary has.

use std::net::IpAddr;

use super::Weight;
use crate::custody::{Actor, Outcome, Record};

pub(super) fn line(record: &Record) -> String {
    let severity = match Weight::of(record) {
        Weight::Usual => 3,
        Weight::Failed => 5,
        Weight::Refused => 6,
        Weight::Alarming => 10,
    };
    let mut extension = Extension::default();
    let milliseconds = record.time.unix_timestamp_nanos() / 1_000_000;
    extension.add("rt", &milliseconds);
    extension.add("dvchost", &record.node);
    extension.add("externalId", &record.id);
    extension.add(
        "cat",
        &record.event.as_str().split('.').next().unwrap_or_default(),
    );
    extension.add("act", &record.event);
    extension.add(
        "outcome",
        &match record.outcome {
            Outcome::Success => "success",
            Outcome::Refused | Outcome::Failed => "failure",
        },
    );
    extension.given("reason", record.reason.as_ref());
    extension.add("suser", &record.actor.name());
    match &record.actor {
        Actor::Administrator { uid, .. } => extension.add("suid", &uid),
        Actor::Token { id, .. } => extension.add("suid", id),
        actor => extension.given("suid", actor.certificate()),
    }
    if let Some(origin) = &record.origin {
        match origin.address {
            IpAddr::V4(address) => extension.add("src", &address),
            IpAddr::V6(address) => extension.labelled("c6a2", "Source IPv6 Address", Some(address)),
        }
        extension.add("spt", &origin.port);
    }
    let request = record.request.as_ref();
    extension.given(
        "app",
        request.map(|request| format!("KMIP {}", request.protocol_version)),
    );
    let object = record.object.as_ref();
    extension.labelled("cs1", "Key", object.map(|object| &object.identifier));
    let states = object.and_then(|object| {
        Some(format!(
            "{} -> {}",
            object.state_before.as_deref().unwrap_or("none"),
            object.state_after.as_ref()?
        ))
    });
    extension.labelled("cs2", "Key state", states);
    extension.labelled(
        "cs3",
        "Adapter",
        record.adapter.as_ref().map(|adapter| &adapter.name),
    );
    let root_key = record.root_key.as_ref();
    extension.labelled("cs4", "Root key", root_key.map(|root_key| &root_key.label));
    let profile = root_key.and_then(|root_key| root_key.release_profile.as_ref());
    extension.labelled("cs5", "Release profile", profile);
    let device = record
        .device
        .as_ref()
        .map(|device| format!("{} {}", device.function, device.name));
    extension.labelled("cs6", "Device error", device);
    extension.labelled("cn1", "Sequence", Some(record.sequence));
    extension.labelled(
        "cn2",
        "Root key version",
        root_key.map(|root_key| root_key.version),
    );
    extension.add("msg", &record.sentence());
    format!(
        "CEF:0|Claviger|Claviger|{}|{}|{}|{severity}|{}",
        header(&record.server_version),
        header(record.event.as_str()),
        header(&record.event.title()),
        extension.0,
    )
}

#[derive(Default)]
struct Extension(String);

impl Extension {
    fn add(&mut self, key: &str, value: &(impl ToString + ?Sized)) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(key);
        self.0.push('=');
        self.0.push_str(&escaped(&value.to_string()));
    }

    fn given(&mut self, key: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.add(key, &value);
        }
    }

    /// One of the fields that every sender names itself.
    fn labelled(&mut self, key: &str, label: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.add(key, &value);
            self.add(&format!("{key}Label"), label);
        }
    }
}

/// A field of the header: one line, `|` and `\` with a backslash before them.
fn header(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace(['\r', '\n'], " ")
}

/// A value of the extension: `=` and `\` with a backslash before them, ends of lines as `\n` and `\r`.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('=', "\\=")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}
