//! The root keys: those that are recorded, whether they are on the token and the same; and those that are on the token
//! beside them. Each is told with its label, so that a key can be found with the vendor's tool.

use std::fmt::Write;

use super::examination::Patient;
use super::profiles::Profiles;
use super::report::Section;
use crate::Error;
use crate::device::{self, Narrowing, RootKey};
use crate::key::{RootKeyFacts, RootKeyLocator};

pub(super) fn check(patient: &Patient<'_>, profiles: Option<&Profiles>, section: &mut Section<'_>) {
    let narrowing = profiles.map(|profiles| Narrowing::found(&patient.session, profiles.manner));
    let recorded = &patient.examination.recorded;
    for locator in recorded {
        check_recorded(patient, profiles, narrowing, locator, section);
    }
    let on_token = match device::list(&patient.session) {
        Ok(on_token) => on_token,
        Err(error) => {
            let remedy = "Look at the token's secret keys by the vendor's tool.";
            section.warning("keys on the token", error.to_string(), remedy);
            return;
        }
    };
    let is_recorded = |facts: &RootKeyFacts| {
        let found = &facts.locator;
        recorded
            .iter()
            .any(|recorded| recorded.label == found.label && recorded.id == found.id)
    };
    let others: Vec<_> = on_token.iter().filter(|facts| !is_recorded(facts)).collect();
    for facts in &others {
        let finding = format!("{}; not in the database", described(facts));
        tell(&facts.locator.label, facts, narrowing, finding, section);
    }
    if recorded.is_empty() && others.is_empty() {
        section.ok("keys on the token", "there is no root key yet");
    }
}

/// Compares a recorded key with the one on the token, and wraps and releases a key under it.
fn check_recorded(
    patient: &Patient<'_>,
    profiles: Option<&Profiles>,
    narrowing: Option<Narrowing>,
    locator: &RootKeyLocator,
    section: &mut Section<'_>,
) {
    let session = &patient.session;
    let found =
        device::find(session, locator).and_then(|key| Ok((key, device::verify(session, key, locator)?)));
    let (key, facts) = match found {
        Ok(found) => found,
        Err(error) => {
            let remedy = match error {
                Error::RootKeyNotFound { .. } => {
                    "Put the token back that has it, or restore it by the vendor's tool. The keys under it can't be \
                     read without it."
                }
                Error::RootKeyMismatch { .. } => {
                    "Another key has its label and identifier. Put the right one back from the device's backup."
                }
                Error::RootKeyUnfit { .. } => {
                    "Find out who changed it. Where it can't be made as it was, make a new root key and move the keys."
                }
                _ => "See that the device works, and run this again.",
            };
            section.failed(&locator.label, &error, remedy);
            return;
        }
    };
    let used = profiles.and_then(|profiles| Some((profiles, profiles.transport.as_ref()?)));
    if let Some((profiles, transport)) = used {
        let tried = device::wrapping(session, key, profiles.manner, locator)
            .map(|wrapping| RootKey {
                handle: key,
                wrapping,
            })
            .and_then(|root| device::check(session, root, transport));
        if let Err(error) = tried {
            let remedy = "Where `release_profile` was changed since it was made, change it back, or rotate this root \
                          key first.";
            let finding = format!("it is there, and no key can be released under it: {error}");
            section.failure(&locator.label, finding, remedy);
            return;
        }
    }
    let finding = format!("{}; as it is recorded", described(&facts));
    tell(&locator.label, &facts, narrowing, finding, section);
}

/// Says what is loose of a key, or that nothing is.
fn tell(
    name: &str,
    facts: &RootKeyFacts,
    narrowing: Option<Narrowing>,
    finding: String,
    section: &mut Section<'_>,
) {
    let lacking = narrowing.map_or_else(Vec::new, |narrowing| narrowing.lacking(&facts.attributes));
    if lacking.is_empty() {
        section.ok(name, finding);
        return;
    }
    section.warning(
        name,
        format!(
            "{finding}; made without {}, which the device takes",
            lacking.join(", ")
        ),
        "Rotate it: the new version is made as narrow as the device takes it.",
    );
}

fn described(facts: &RootKeyFacts) -> String {
    let attributes = &facts.attributes;
    let told = [
        (attributes.copyable, "CKA_COPYABLE"),
        (attributes.allowed_mechanisms, "CKA_ALLOWED_MECHANISMS"),
        (attributes.unwrap_template, "CKA_UNWRAP_TEMPLATE"),
        (attributes.wrap_template, "CKA_WRAP_TEMPLATE"),
    ];
    let untold: Vec<_> = told
        .iter()
        .filter_map(|(value, name)| value.is_none().then_some(*name))
        .collect();
    let mut text = format!(
        "CKA_ID {}, check value {}, {}",
        hex::encode(&facts.locator.id),
        hex::encode(&facts.check_value),
        if attributes.local {
            "made on the device"
        } else {
            "imported (CKA_LOCAL is false)"
        }
    );
    if !untold.is_empty() {
        let _ = write!(text, "; the token does not tell {}", untold.join(", "));
    }
    text
}
