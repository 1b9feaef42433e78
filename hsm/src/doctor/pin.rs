//! The PIN: its file, and whether the token takes it. It is tried once.

use std::sync::Arc;

use super::examination::Failed;
use super::report::Section;
use crate::Error;
use crate::device::{self, Module, Session};
use crate::key::TokenFacts;
use crate::worker::protocol::Start;

pub(super) fn check(
    module: &Arc<Module>,
    token: &TokenFacts,
    start: &Start,
    section: &mut Section<'_>,
) -> Result<Session, Failed> {
    check_file(start, section);
    if token.user_pin_count_low {
        section.warning(
            "earlier logins",
            "a wrong PIN was tried since the last right one",
            "Find out who has a wrong PIN: a few of them lock the token.",
        );
    }
    log_in(module, token, start, section)
}

fn check_file(start: &Start, section: &mut Section<'_>) {
    let path = start.pin_file.display();
    match device::unsafe_mode(&start.pin_file) {
        Ok(None) => section.ok("PIN file", format!("{path} is for its owner only")),
        Ok(Some(mode)) => section.warning(
            "PIN file",
            format!("{path}: {mode}, so that others than its owner may read it"),
            "chmod 0600, or give it as a systemd credential.",
        ),
        Err(error) => section.failed(
            "PIN file",
            &error,
            "Check its path, and that this user may read it.",
        ),
    }
}

fn log_in(
    module: &Arc<Module>,
    token: &TokenFacts,
    start: &Start,
    section: &mut Section<'_>,
) -> Result<Session, Failed> {
    let session = module.open_session(token.slot).and_then(|session| {
        device::refuse_to_risk_the_pin(token)?;
        session.login(&device::read_pin(&start.pin_file)?)?;
        Ok(session)
    });
    match session {
        Ok(session) => {
            section.ok("login", "the token takes the PIN");
            Ok(session)
        }
        Err(error) => {
            let remedy = match error {
                Error::PinIncorrect { .. } => {
                    "Put the right user PIN into the PIN file. Do not repeat this before: a few wrong PINs lock the \
                     token."
                }
                Error::PinNotTried { .. } => "As it says; the PIN was not tried now.",
                Error::PinFile { .. } => "Put the user PIN into the PIN file, mode 0600.",
                _ => "Check that the token is initialised and has a user PIN.",
            };
            section.failed("login", &error, remedy);
            Err(Failed)
        }
    }
}
