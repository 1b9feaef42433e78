//! A record in words.

use crate::custody::{Actor, EventName, Outcome, Record};

use super::frame::common_name;

/// What a record tells, as one sentence without its time.
pub(super) fn sentence(record: &Record) -> String {
    let who = who(record);
    let done = done(record);
    if record.event == EventName::StoreTampered {
        return format!("{who} {done}{}.", because(record));
    }
    match record.outcome {
        Outcome::Success => format!("{who} {done}."),
        Outcome::Refused => format!("Refused: {who} would have {done}{}.", because(record)),
        Outcome::Failed => format!("Failed: {who} would have {done}{}.", because(record)),
    }
}

fn because(record: &Record) -> String {
    record.reason.as_ref().map_or_else(String::new, |reason| {
        format!(" ({})", reason.trim_end_matches('.'))
    })
}

/// Who asked, by name.
pub(super) fn who(record: &Record) -> String {
    match &record.actor {
        Actor::Client { subject, .. } => format!("Client {}", common_name(subject)),
        Actor::Administrator { user, .. } => format!("Administrator {user}"),
        Actor::Auditor { subject, .. } => format!("Auditor {}", common_name(subject)),
        Actor::Server => format!("Server {}", record.node),
        Actor::Unknown => "Somebody unknown".to_owned(),
    }
}

/// Whether the key left the server's keeping by this.
pub(super) fn is_release(record: &Record) -> bool {
    record.outcome == Outcome::Success && matches!(record.event, EventName::KmipGet | EventName::KmipExport)
}

/// How a key left, where it did.
fn left_by(record: &Record) -> &'static str {
    let profile = record
        .root_key
        .as_ref()
        .and_then(|root_key| root_key.release_profile.as_deref());
    match profile {
        Some("transport") => ", re-wrapped on the device",
        Some("client") => ", wrapped under the client’s own key",
        Some("read") => ", by its value being read from the device",
        _ => "",
    }
}

/// What was done, in the past participle.
fn done(record: &Record) -> String {
    use EventName as E;
    let detail = |name: &str| record.details.get(name).map_or("", String::as_str);
    let version = record.root_key.as_ref().map_or(0, |root_key| root_key.version);
    let plain = match record.event {
        E::KmipGet => return format!("obtained the key{}", left_by(record)),
        E::KmipExport => return format!("obtained the object with its attributes{}", left_by(record)),
        E::KeyRewrap => return format!("wrapped the key anew, under version {version} of its root key"),
        E::KeyMove => return format!("brought the key under another root key, version {version}"),
        E::KmipCreate => return format!("created the key, under version {version} of its root key"),
        E::RootKeyRotate => return format!("rotated the root key {}, now version {version}", detail("name")),
        E::AuditorView => return format!("looked at {}", detail("path")),
        E::AuditorDownload => return format!("took along {}", detail("path")),
        E::AuditorVerify => return format!("had a proof verified: {}", detail("result")),
        E::KmipRegister => "registered the object",
        E::KmipImport => "imported the object",
        E::KmipReKey => "made a key that takes the place of another",
        E::KmipActivate => "activated the key",
        E::KmipRevoke => "revoked the key",
        E::KmipDestroy => "destroyed the key",
        E::KeyDestroy => "found that the key was deleted in its key manager, and destroyed what is left",
        E::KmipGetAttributes => "read attributes of the key",
        E::KmipGetAttributeList => "read the names of the key’s attributes",
        E::KmipAddAttribute => "added an attribute to the key",
        E::KmipModifyAttribute => "changed an attribute of the key",
        E::KmipDeleteAttribute => "deleted an attribute of the key",
        E::KmipSetAttribute => "set an attribute of the key",
        E::KmipLocate => "searched for keys",
        E::KmipEncrypt => "encrypted with the key, which did not leave",
        E::KmipDecrypt => "decrypted with the key, which did not leave",
        E::ServerStart => "started",
        E::ServerStop => "stopped in good order",
        E::RootKeyCreate => "created a root key",
        E::RootKeyImport => "imported a root key",
        E::RootKeyAdopt => "adopted a root key",
        E::RootKeyVerify => "compared a root key with its record",
        E::RootKeyDisable => "disabled a root key",
        E::RootKeyEnable => "enabled a root key",
        E::RootKeyScheduleDestruction => "scheduled the destruction of a root key",
        E::RootKeyApproveDestruction => "approved of the destruction of a root key",
        E::RootKeyCancelDestruction => "cancelled the destruction of a root key",
        E::RootKeyDestroy => "began to destroy a root key",
        E::RootKeyDestroyed => "destroyed a root key",
        E::AdapterCreate => "created an adapter",
        E::AdapterMove => "put an adapter under another root key",
        E::AdapterDelete => "deleted an adapter",
        E::CertificateAdd => "let a client certificate in",
        E::CertificateRemove => "took a client certificate out",
        E::CertificateRefused => "connected with a client certificate that is not let in",
        E::StoreTampered => "found a row of the database that another hand has changed",
        E::AdministratorRefused => "administered this server",
        E::AuditorRefused => "looked at the auditor’s pages",
        other => return format!("carried out {other}"),
    };
    plain.to_owned()
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;
    use crate::custody::Event;

    fn record(event: Event) -> Record {
        Record::new(7, Uuid::nil(), OffsetDateTime::UNIX_EPOCH, "node-1", "0", event)
    }

    #[test]
    fn every_event_is_said_in_a_sentence() {
        for name in EventName::ALL {
            let event = Event::new(*name, Actor::Server);
            for event in [
                event.clone(),
                event.clone().refused("not allowed."),
                event.failed("no answer"),
            ] {
                let said = sentence(&record(event));
                assert!(said.ends_with('.') && !said.contains(".."), "{said}");
            }
        }
    }

    #[test]
    fn a_refusal_is_not_told_as_if_it_had_happened() {
        let actor = Actor::Client {
            certificate: "ab".repeat(32),
            subject: "O=Example, CN=vcenter-1".into(),
            issuer: String::new(),
            serial: String::new(),
            user: None,
        };
        let refused = record(Event::new(EventName::KmipGet, actor).refused("Permission denied"));
        assert_eq!(
            sentence(&refused),
            "Refused: Client vcenter-1 would have obtained the key (Permission denied)."
        );
        assert!(!is_release(&refused));
    }
}
