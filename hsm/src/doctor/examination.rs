//! The examination itself, in the worker process.

use super::Report;
use crate::Error;
use crate::configuration::ReleaseProfile;
use crate::device::{self, Attack, Manner, Module, Outcome, Session, Transport, Wrapping};
use crate::key::{KeyKind, TokenFacts};
use crate::worker::protocol::Start;
use crate::wrapped::WrapProfile;

/// Examines the device in this process.
pub(crate) fn examine_here(start: &Start) -> Report {
    let mut report = Report::default();
    // A check that failed has said so in the report; those after it would only repeat it.
    let _ = examine(start, &mut report);
    report
}

/// A failed check ends the examination; what it was is in the report.
struct Failed;

fn examine(start: &Start, report: &mut Report) -> Result<(), Failed> {
    let module = Module::load(&start.module).and_then(|module| module.initialise().map(|()| module));
    let module = module.or_else(|error| {
        let remedy = "Check the path of the PKCS#11 module, that this user may read it, and the variables that its \
                      vendor wants set.";
        fail(report, "module", &error, remedy)
    })?;
    report.ok(
        "module",
        module
            .description()
            .unwrap_or_else(|_| module.path().display().to_string()),
    );

    let token = module.initialise_and_find(&start.slot).or_else(|error| {
        fail(
            report,
            "slot",
            &error,
            "Name one of the tokens that are listed, by its label or serial number.",
        )
    })?;
    report.ok(
        "slot",
        format!(
            "\"{}\" (serial {}) in slot {}",
            token.label, token.serial, token.slot
        ),
    );

    check_pin_file(start, report);
    let session = log_in(&module, &token, start, report)?;

    let count = module.mechanisms(token.slot).unwrap_or_default().len();
    report.ok("mechanisms", format!("the token names {count} of them"));
    if let Some(wrapping) = check_wrapping(&session, start, report) {
        let manner = Manner {
            wrapping,
            release: start.release_profile,
        };
        check_enforcement(&session, manner, report);
        check_transport(&module, &token, &session, start, manner, report);
    }
    let mut bytes = [0; 32];
    match session.random(&mut bytes) {
        Ok(()) if bytes != [0; 32] => report.ok("random", "the token's generator answers"),
        Ok(()) => report.failure(
            "random",
            "the token's generator gave zeros",
            "Have the device examined.",
        ),
        Err(error) => note(report, "random", &error, "Have the device examined."),
    }
    Ok(())
}

fn check_pin_file(start: &Start, report: &mut Report) {
    let path = start.pin_file.display();
    match device::unsafe_mode(&start.pin_file) {
        Ok(None) => report.ok("PIN file", format!("{path} is for its owner only")),
        Ok(Some(mode)) => report.warning(
            "PIN file",
            format!("{path}: {mode}, so that others than its owner may read it"),
            "chmod 0600, or give it as a systemd credential.",
        ),
        Err(error) => note(
            report,
            "PIN file",
            &error,
            "Check its path, and that this user may read it.",
        ),
    }
}

fn log_in(
    module: &std::sync::Arc<Module>,
    token: &TokenFacts,
    start: &Start,
    report: &mut Report,
) -> Result<Session, Failed> {
    let session = module.open_session(token.slot).and_then(|session| {
        device::refuse_to_risk_the_pin(token)?;
        session.login(&device::read_pin(&start.pin_file)?)?;
        Ok(session)
    });
    let session = session.or_else(|error| {
        let remedy = match error {
            Error::PinIncorrect { .. } => {
                "Put the right user PIN into the PIN file. Do not repeat this before: a few \
                                           wrong PINs lock the token."
            }
            Error::PinNotTried { .. } => "As it says; the PIN was not tried now.",
            Error::PinFile { .. } => "Put the user PIN into the PIN file, mode 0600.",
            _ => "Check that the token is initialised and has a user PIN.",
        };
        fail(report, "login", &error, remedy)
    })?;
    report.ok("login", "the token takes the PIN");
    Ok(session)
}

/// Wraps, unwraps, compares and tampers by each profile, under a key that is thrown away. Gives what is used for new keys.
fn check_wrapping(session: &Session, start: &Start, report: &mut Report) -> Option<Wrapping> {
    for profile in WrapProfile::ALL {
        let name = format!("wrap profile {profile}");
        match device::try_wrapping(session, profile) {
            Ok(trial) if !trial.same => report.warning(
                &name,
                "a key is another after it was wrapped and unwrapped",
                "It is not used. Tell the vendor.",
            ),
            Ok(trial) if !trial.is_passed() => report.warning(
                &name,
                "the device accepts a wrapped key that was changed",
                "It is not used. Tell the vendor.",
            ),
            Ok(trial) if trial.tampered_refused => report.ok(
                &name,
                "a key was wrapped and unwrapped and is the same; a changed blob was refused",
            ),
            Ok(_) => report.ok(
                &name,
                "a key was wrapped and unwrapped and is the same; the device accepts a changed blob, which the seal of \
                 Claviger's rows finds before",
            ),
            Err(error) => report.ok(&name, format!("not to be had on this device: {error}")),
        }
    }
    match device::choose(session, start.wrap_profile) {
        Ok(wrapping) => {
            report.ok(
                "wrap profile",
                format!("new keys are wrapped by {}", wrapping.profile()),
            );
            Some(wrapping)
        }
        Err(error) => {
            let remedy = "Have one of the mechanisms enabled on the device for wrapping AES keys, or change `wrap_profile`.";
            note(report, "wrap profile", &error, remedy);
            None
        }
    }
}

/// Tries on keys that are thrown away what somebody would who has the PIN.
fn check_enforcement(session: &Session, manner: Manner, report: &mut Report) {
    for attack in Attack::ALL {
        let name = attack.name();
        match attack.on(session, manner) {
            Outcome::Refused => report.ok(name, "the device refuses it"),
            Outcome::NotTried(reason) => report.ok(name, format!("not tried: {reason}")),
            Outcome::Succeeded if attack.is_fatal() => report.failure(
                name,
                format!("the device allows it: {}", attack.meaning()),
                "Do not keep root keys on this device.",
            ),
            Outcome::Succeeded => report.warning(
                name,
                format!("the device allows it: {}", attack.meaning()),
                "Guard the PIN as you guard the keys; docs/hsm.md has what each device enforces.",
            ),
        }
    }
}

/// Hands a transport key over, and sends a key and its digest under it.
fn check_transport(
    module: &std::sync::Arc<Module>,
    token: &TokenFacts,
    session: &Session,
    start: &Start,
    manner: Manner,
    report: &mut Report,
) {
    const NAME: &str = "release profile";
    let opened = module.open_session(token.slot).and_then(|own| {
        let recipient = start.transport_recipient.clone().into();
        let (transport, handed) = Transport::open(own, recipient, manner, start.renewal, 0)?;
        Ok((
            device::trial(session, &transport, KeyKind::Aes { bytes: 32 })?,
            handed,
        ))
    });
    match opened {
        Ok((trial, handed)) => {
            match start.release_profile {
                ReleaseProfile::Transport => report.ok(
                    NAME,
                    format!(
                        "transport: a key was handed over under RSA-OAEP ({:?}) and {}",
                        handed.hash,
                        manner.wrapping.profile()
                    ),
                ),
                ReleaseProfile::Read => report.warning(
                    NAME,
                    "read: each key that is released is readable on the device for that moment, and in the clear in the \
                     process that loads the module",
                    "Remove `release_profile = \"read\"` where the device can do `transport`.",
                ),
            }
            match trial.sha256 {
                Some(_) => report.ok("digest", "the device computes the SHA-256 of a sensitive key"),
                None => report.ok(
                    "digest",
                    "the device does not digest a sensitive key; Claviger computes it",
                ),
            }
        }
        Err(error) => {
            let remedy =
                "Have RSA-OAEP wrapping (CKM_RSA_PKCS_OAEP) of AES keys to an imported public key enabled.";
            note(report, NAME, &error, remedy);
        }
    }
}

fn note(report: &mut Report, name: &str, error: &Error, remedy: &str) {
    report.failure(name, error.to_string(), remedy);
}

fn fail<T>(report: &mut Report, name: &str, error: &Error, remedy: &str) -> Result<T, Failed> {
    note(report, name, error, remedy);
    Err(Failed)
}
