//! The wrap profiles and the release profile, by trial: what is said here was done with a key that was thrown away.

use super::examination::Patient;
use super::report::Section;
use crate::Error;
use crate::configuration::ReleaseProfile;
use crate::device::{self, Manner, Session, Transport, Wrapping};
use crate::key::KeyKind;
use crate::worker::protocol::OaepHash;
use crate::wrapped::WrapProfile;

/// How the device works.
pub(super) struct Profiles {
    pub(super) manner: Manner,
    /// `None` where no key can be handed over.
    pub(super) transport: Option<Transport>,
}

/// `None` where no profile passes.
pub(super) fn check(patient: &Patient<'_>, section: &mut Section<'_>) -> Option<Profiles> {
    for profile in WrapProfile::ALL {
        try_one(&patient.session, profile, section);
    }
    let manner = Manner {
        wrapping: choose(patient, section)?,
        release: patient.examination.start.release_profile,
    };
    Some(Profiles {
        manner,
        transport: check_release(patient, manner, section),
    })
}

/// Wraps, unwraps, compares and tampers.
fn try_one(session: &Session, profile: WrapProfile, section: &mut Section<'_>) {
    let name = profile.as_str();
    match device::try_wrapping(session, profile) {
        Ok(trial) if !trial.same => section.warning(
            name,
            "a key is another after it was wrapped and unwrapped",
            "It is not used. Tell the vendor.",
        ),
        Ok(trial) if !trial.is_passed() => section.warning(
            name,
            "the device accepts a wrapped key that was changed",
            "It is not used. Tell the vendor.",
        ),
        Ok(trial) if trial.tampered_refused => section.ok(
            name,
            "wrapped, unwrapped, the same; a changed blob is refused",
        ),
        Ok(_) => section.ok(
            name,
            "wrapped, unwrapped, the same; the device accepts a changed blob, which the seal of Claviger's rows finds \
             before",
        ),
        Err(Error::WrapProfile { .. }) => {
            section.ok(name, "not to be had on this device (C_WrapKey: CKR_MECHANISM_INVALID)");
        }
        Err(error) => section.not_offered(name, &error),
    }
}

fn choose(patient: &Patient<'_>, section: &mut Section<'_>) -> Option<Wrapping> {
    const NAME: &str = "wrap profile";
    match device::choose(&patient.session, patient.examination.start.wrap_profile) {
        Ok(wrapping) => {
            section.ok(NAME, format!("new keys are wrapped by {}", wrapping.profile()));
            Some(wrapping)
        }
        Err(error) => {
            let remedy = "Have one of the mechanisms enabled on the device for wrapping AES keys, or change \
                          `wrap_profile`.";
            section.failed(NAME, &error, remedy);
            None
        }
    }
}

/// Hands a transport key over, and sends a key and its digest under it.
fn check_release(patient: &Patient<'_>, manner: Manner, section: &mut Section<'_>) -> Option<Transport> {
    const NAME: &str = "release profile";
    let start = &patient.examination.start;
    let opened = patient.module.open_session(patient.token.slot).and_then(|own| {
        let recipient = start.transport_recipient.clone().into();
        let (transport, handed) = Transport::open(own, recipient, manner, start.renewal, 0)?;
        let trial = device::trial(&patient.session, &transport, KeyKind::Aes { bytes: 32 })?;
        Ok((transport, handed, trial))
    });
    let (transport, handed, trial) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let remedy = match &error {
                Error::Function { function, .. } if function == "C_CreateObject" => {
                    "The module takes no RSA public key of another. Install a release of it that has C_CreateObject for \
                     public keys."
                }
                _ => {
                    "Have RSA-OAEP wrapping (CKM_RSA_PKCS_OAEP) of AES keys to an imported public key enabled."
                }
            };
            section.failed(NAME, &error, remedy);
            return None;
        }
    };
    match start.release_profile {
        ReleaseProfile::Transport => section.ok(
            NAME,
            format!(
                "transport: a key was handed over under RSA-OAEP with {} and {}",
                match handed.hash {
                    OaepHash::Sha256 => "SHA-256",
                    OaepHash::Sha1 => "SHA-1",
                },
                manner.wrapping.profile()
            ),
        ),
        ReleaseProfile::Read => section.warning(
            NAME,
            "read: each key that is released is readable on the device for that moment, and in the clear in the \
             process that loads the module",
            "Remove `release_profile = \"read\"` where the device can do `transport`.",
        ),
    }
    section.ok(
        "digest",
        if trial.sha256.is_some() {
            "the device computes the SHA-256 of a sensitive key"
        } else {
            "the device does not digest a sensitive key; Claviger computes it"
        },
    );
    Some(transport)
}
