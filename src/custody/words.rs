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

    /// What whoever did it did, as the end of a sentence that begins with them.
    fn deed(self) -> Option<&'static str> {
        Some(match self {
            Self::ServerStart => "started",
            Self::ServerStop => "stopped in good order",
            Self::RootKeyCreate => "made the root key",
            Self::RootKeyOfferImport => "made a key pair to bring a root key under",
            Self::RootKeyImport => "brought the root key",
            Self::RootKeyAdopt => "took up the root key that was there",
            Self::RootKeyRestore => "brought the root key back",
            Self::RootKeyRotate => "made a new version of the root key",
            Self::RootKeyVerify => "checked the root key",
            Self::RootKeyDisable => "disabled the root key",
            Self::RootKeyEnable => "enabled the root key",
            Self::RootKeyScheduleDestruction => "asked for the destruction of the root key",
            Self::RootKeyApproveDestruction => "approved of the destruction of the root key",
            Self::RootKeyCancelDestruction => "called off the destruction of the root key",
            Self::RootKeyDestroy => "began to destroy the root key",
            Self::RootKeyDestroyed => "destroyed the root key",
            Self::RootKeyDestroyVersion => "began to destroy a version of the root key",
            Self::RootKeyVersionDestroyed => "destroyed a version of the root key",
            Self::AdapterCreate => "made the adapter",
            Self::AdapterMove => "put the adapter under another root key",
            Self::AdapterDelete => "deleted the adapter",
            Self::CertificateAdd => "let the client certificate in",
            Self::CertificateRemove => "took the client certificate out",
            Self::KeyRewrap => "wrapped the key under the present version of its root key",
            Self::KeyMove => "brought the key under another root key",
            Self::KeyDestroy => "destroyed the key, which was deleted in its key manager",
            Self::KmipCreate => "had the key made",
            Self::KmipRegister => "brought the object",
            Self::KmipImport => "brought the object, with its identifier",
            Self::KmipReKey => "had a key made in the place of another",
            Self::KmipDeriveKey => "had the key derived from another",
            Self::KmipGet => "was given the key",
            Self::KmipExport => "was given the key with its attributes",
            Self::KmipActivate => "put the key into use",
            Self::KmipRevoke => "revoked the key",
            Self::KmipDestroy => "destroyed the key",
            Self::KmipArchive => "put the key into the archive",
            Self::KmipRecover => "took the key out of the archive",
            Self::KmipEncrypt => "had data encrypted with the key, which did not leave",
            Self::KmipDecrypt => "had data decrypted with the key, which did not leave",
            Self::KmipMac => "had a code made with the key, which did not leave",
            Self::KmipMacVerify => "had a code verified with the key, which did not leave",
            Self::KmipLocate => "looked for keys",
            Self::KmipGetAttributes => "read attributes of the key",
            Self::KmipGetAttributeList => "read the names of the key's attributes",
            Self::CustodyHeartbeat => "wrote that it is there",
            Self::CustodyEpoch => "opened a new epoch of the custody log",
            Self::AuditorView => "looked at a page of the custody log",
            Self::AuditorDownload => "took records or proofs along",
            Self::AuditorVerify => "had a proof verified",
            _ => return None,
        })
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
            Self::Auditor { subject, .. } => subject.clone(),
            Self::Server => "the server".to_owned(),
            Self::Unknown => "somebody unknown".to_owned(),
        }
    }

    /// Their kind, as a record names it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Client { .. } => "client",
            Self::Administrator { .. } => "administrator",
            Self::Auditor { .. } => "auditor",
            Self::Server => "server",
            Self::Unknown => "unknown",
        }
    }

    /// SHA-256 of their certificate, where they have one.
    pub fn certificate(&self) -> Option<&str> {
        match self {
            Self::Client { certificate, .. } | Self::Auditor { certificate, .. } => Some(certificate),
            _ => None,
        }
    }
}

impl Record {
    /// Whether a key left for a client by it.
    pub fn is_release(&self) -> bool {
        self.event.is_release() && self.outcome == Outcome::Success
    }

    /// What happened, in one sentence without time and place.
    pub fn sentence(&self) -> String {
        let who = match self.actor {
            // Names of others stay as they are.
            Actor::Server | Actor::Unknown => capital(&self.actor.name()),
            _ => self.actor.name(),
        };
        let title = self.event.title();
        let what = match (self.outcome, self.event.deed()) {
            (Outcome::Success, Some(deed)) => format!("{who} {deed}"),
            (Outcome::Success, None) => format!("{title}, by {}", self.actor.name()),
            (Outcome::Refused, _) => format!("{who} was refused {title}"),
            (Outcome::Failed, _) => format!("{title} failed for {}", self.actor.name()),
        };
        let about = self.about().map(|about| format!(": {about}")).unwrap_or_default();
        let reason = self
            .reason
            .as_ref()
            .map(|why| format!(" ({why})"))
            .unwrap_or_default();
        format!("{what}{about}{reason}")
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
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_a_title_that_people_can_read() {
        assert_eq!(EventName::KmipGetAttributes.title(), "KMIP Get Attributes");
        assert_eq!(
            EventName::RootKeyScheduleDestruction.title(),
            "Root key schedule destruction"
        );
    }
}
