//! A record in words, for people who read it one by one.

use super::{Actor, EventName, Outcome, Record};

impl EventName {
    /// The name as a heading has it: `kmip.get-attributes` is `KMIP Get Attributes`, `root-key.rotate` is `Root key rotate`.
    pub fn title(self) -> String {
        let (kind, action) = self.as_str().split_once('.').unwrap_or((self.as_str(), ""));
        let spaced = |text: &str| text.replace('-', " ");
        if kind == "kmip" {
            let words: Vec<_> = action.split('-').map(capital).collect();
            return format!("KMIP {}", words.join(" "));
        }
        capital(format!("{} {}", spaced(kind), spaced(action)).trim())
    }

    /// Whether it is one by which a key leaves for a client, where its outcome is a success.
    pub const fn is_release(self) -> bool {
        matches!(self, Self::KmipGet | Self::KmipExport)
    }
}

impl Actor {
    /// Their name for people: a certificate's subject, a user's name, or what they are.
    pub fn name(&self) -> String {
        match self {
            Self::Client { subject, user, .. } => match user {
                Some(user) => format!("{subject} ({user})"),
                None => subject.clone(),
            },
            Self::Administrator { user, .. } => user.clone(),
            Self::Auditor { subject, .. } | Self::RemoteAdministrator { subject, .. } => subject.clone(),
            Self::Token { name, .. } => format!("the token {name}"),
            Self::Server => "the server".to_owned(),
            Self::Unknown => "somebody unknown".to_owned(),
        }
    }

    /// Their kind, as a record names it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Client { .. } => "client",
            Self::Administrator { .. } => "administrator",
            Self::RemoteAdministrator { .. } => "remote-administrator",
            Self::Token { .. } => "token",
            Self::Auditor { .. } => "auditor",
            Self::Server => "server",
            Self::Unknown => "unknown",
        }
    }

    /// SHA-256 of their certificate, where they have one.
    pub fn certificate(&self) -> Option<&str> {
        match self {
            Self::Client { certificate, .. }
            | Self::Auditor { certificate, .. }
            | Self::RemoteAdministrator { certificate, .. } => Some(certificate),
            _ => None,
        }
    }
}

impl Record {
    /// Whether a key left for a client by it.
    pub fn is_release(&self) -> bool {
        self.event.is_release() && self.outcome == Outcome::Success
    }

    /// What happened, as one sentence without time, place and object.
    pub fn deed(&self) -> String {
        self.told(None)
    }

    /// What happened, as one sentence without time and place, with what it was about.
    pub fn sentence(&self) -> String {
        self.told(self.about().as_deref())
    }

    fn told(&self, about: Option<&str>) -> String {
        let (who, done) = (self.who(), self.done());
        let about = about.map(|about| format!(": {about}")).unwrap_or_default();
        let because = self.reason.as_ref().map_or_else(String::new, |reason| {
            format!(" ({})", reason.trim_end_matches('.'))
        });
        match self.outcome {
            Outcome::Success => format!("{who} {done}{about}."),
            // It is what the server found, not what it was kept from.
            _ if self.event == EventName::StoreTampered => format!("{who} {done}{about}{because}."),
            Outcome::Refused => format!("Refused: {who} would have {done}{about}{because}."),
            Outcome::Failed => format!("Failed: {who} would have {done}{about}{because}."),
        }
    }

    /// Who asked, by name.
    fn who(&self) -> String {
        match &self.actor {
            Actor::Client { subject, user, .. } => match user {
                Some(user) => format!("Client {} ({user})", common_name(subject)),
                None => format!("Client {}", common_name(subject)),
            },
            Actor::Administrator { user, .. } => format!("Administrator {user}"),
            Actor::Auditor { subject, .. } => format!("Auditor {}", common_name(subject)),
            Actor::RemoteAdministrator { role, subject, .. } if role == "operator" => {
                format!("Operator {}", common_name(subject))
            }
            Actor::RemoteAdministrator { subject, .. } => format!("Administrator {}", common_name(subject)),
            Actor::Token { name, .. } => format!("Token {name}"),
            Actor::Server => format!("Server {}", self.node),
            Actor::Unknown => "Somebody unknown".to_owned(),
        }
    }

    /// What it is about, by the name that people know best.
    pub fn about(&self) -> Option<String> {
        if let Some(object) = &self.object {
            let name = object.attributes.get("x-Name");
            return Some(match name {
                Some(name) => format!("{} ({name})", object.identifier),
                None => object.identifier.clone(),
            });
        }
        if let Some(certificate) = &self.certificate {
            return Some(format!("{} {}", certificate.subject, certificate.fingerprint));
        }
        if let Some(root_key) = &self.root_key {
            return Some(root_key.label.clone());
        }
        let adapter = self.adapter.as_ref().map(|adapter| adapter.name.clone());
        adapter.or_else(|| self.details.get("name").cloned())
    }

    /// How a key left, where it did.
    fn left_by(&self) -> &'static str {
        let profile = self
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
    fn done(&self) -> String {
        use EventName as E;
        let detail = |name: &str| self.details.get(name).map_or("", String::as_str);
        let version = self.root_key.as_ref().map_or(0, |root_key| root_key.version);
        let plain = match self.event {
            E::KmipGet => return format!("obtained the key{}", self.left_by()),
            E::KmipExport => return format!("obtained the object with its attributes{}", self.left_by()),
            E::KeyRewrap => return format!("wrapped the key anew, under version {version} of its root key"),
            E::KeyMove => return format!("brought the key under another root key, version {version}"),
            E::KmipCreate => return format!("created the key, under version {version} of its root key"),
            E::RootKeyRotate => {
                return format!("rotated the root key {}, now version {version}", detail("name"));
            }
            E::AuditorView | E::AdministratorRead => return format!("looked at {}", detail("path")),
            E::AuditorDownload => return format!("took along {}", detail("path")),
            E::AuditorVerify => return format!("had a proof verified: {}", detail("result")),
            E::KmipRegister => "registered the object",
            E::KmipImport => "imported the object",
            E::KmipReKey => "made a key that takes the place of another",
            E::KmipDeriveKey => "had the key derived from another",
            E::KmipActivate => "activated the key",
            E::KmipRevoke => "revoked the key",
            E::KmipDestroy => "destroyed the key",
            E::KmipArchive => "put the key into the archive",
            E::KmipRecover => "took the key out of the archive",
            E::KeyDestroy => "found that the key was deleted in its key manager, and destroyed what is left",
            E::KeyDelete => "deleted the key",
            E::KeyRevoke => "revoked the key by a list",
            E::KeyListBegin => {
                return format!("began to {} the {} keys of a list", detail("end"), detail("keys"));
            }
            E::KeyListEnd => return format!("ended a list of keys, {} of them done", detail("done")),
            E::TokenCreate => return format!("made the access token {}", detail("name")),
            E::TokenRevoke => return format!("revoked the access token {}", detail("name")),
            E::AuthorityAdd => return format!("let in the clients of the authority {}", detail("name")),
            E::AuthorityRemove => {
                return format!("let in the clients of the authority {} no more", detail("name"));
            }
            E::CredentialAdd => return format!("added the user {}", detail("username")),
            E::CredentialRemove => return format!("removed the user {}", detail("username")),
            E::CredentialPolicy => "said whether a user has to be shown",
            E::KmipGetAttributes => "read attributes of the key",
            E::KmipGetAttributeList => "read the names of the key’s attributes",
            E::KmipAddAttribute => "added an attribute to the key",
            E::KmipModifyAttribute => "changed an attribute of the key",
            E::KmipDeleteAttribute => "deleted an attribute of the key",
            E::KmipSetAttribute => "set an attribute of the key",
            E::KmipLocate => "searched for keys",
            E::KmipEncrypt => "encrypted with the key, which did not leave",
            E::KmipDecrypt => "decrypted with the key, which did not leave",
            E::KmipMac => "had a code made with the key, which did not leave",
            E::KmipMacVerify => "had a code verified with the key, which did not leave",
            E::ServerStart => "started",
            E::ServerStop => "stopped in good order",
            E::ServerReload => "read its configuration again",
            E::StoreMigrate => "brought the database to another one",
            E::ServerCertificate => "shows its clients another certificate",
            E::RootKeyCreate => "created a root key",
            E::RootKeyOfferImport => "made a key pair to bring a root key under",
            E::RootKeyImport => "imported a root key",
            E::RootKeyAdopt => "adopted a root key",
            E::RootKeyRestore => "brought a root key back",
            E::RootKeyVerify => "compared a root key with its record",
            E::RootKeyDisable => "disabled a root key",
            E::RootKeyEnable => "enabled a root key",
            E::RootKeyScheduleDestruction => "scheduled the destruction of a root key",
            E::RootKeyApproveDestruction => "approved of the destruction of a root key",
            E::RootKeyCancelDestruction => "cancelled the destruction of a root key",
            E::RootKeyDestroy => "began to destroy a root key",
            E::RootKeyDestroyed => "destroyed a root key",
            E::RootKeyDestroyVersion => "began to destroy a version of a root key",
            E::RootKeyVersionDestroyed => "destroyed a version of a root key",
            E::AdapterCreate => "created an adapter",
            E::AdapterMove => "put an adapter under another root key",
            E::AdapterSetQuota => "bounded what an adapter may have",
            E::AdapterDelete => "deleted an adapter",
            E::CertificateAdd => "let a client certificate in",
            E::CertificateRemove => "took a client certificate out",
            E::CertificateRefused => "connected with a client certificate that is not let in",
            E::StoreTampered => "found a row of the database that another hand has changed",
            E::BackupCreate => "made a backup of everything and took it along, encrypted",
            E::BackupRestore => "started on a database that was restored from a backup",
            E::CustodyHeartbeat => "wrote that it is there",
            E::CustodyEpoch => "opened a new epoch of the custody log",
            E::CustodyCarry => "told again how rows of keys are that the oldest records tell of",
            E::CustodyPrune => "let the oldest records of the custody log go",
            E::AdministratorRefused => "administered this server",
            E::AuditorRefused => "looked at the auditor’s pages",
            other => return format!("carried out {other}"),
        };
        plain.to_owned()
    }
}

/// The common name of a subject as RFC 4514 writes it; all of it where it has none.
pub fn common_name(subject: &str) -> &str {
    subject
        .split(", ")
        .flat_map(|part| part.split('+'))
        .find_map(|part| part.trim().strip_prefix("CN="))
        .unwrap_or(subject)
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;
    use crate::custody::Event;

    #[test]
    fn an_event_has_a_title_that_people_can_read() {
        assert_eq!(EventName::KmipGetAttributes.title(), "KMIP Get Attributes");
        assert_eq!(
            EventName::RootKeyScheduleDestruction.title(),
            "Root key schedule destruction"
        );
    }

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
                let said = record(event).sentence();
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
            refused.deed(),
            "Refused: Client vcenter-1 would have obtained the key (Permission denied)."
        );
        assert!(!refused.is_release());
    }

    #[test]
    fn a_subject_is_known_by_its_common_name() {
        assert_eq!(common_name("C=DE, O=Example, CN=Ada Auditor"), "Ada Auditor");
        assert_eq!(common_name("O=Example"), "O=Example");
    }
}
