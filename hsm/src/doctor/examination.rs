//! The examination itself, in the worker process: which groups there are, and what each needs of those before it.

use std::sync::Arc;

use super::report::{Group, Report};
use super::{
    attributes, clock, cryptography, mechanisms, module, pin, profiles, random, root_keys, signing, slot,
    speed,
};
use crate::device::{Module, Session};
use crate::key::TokenFacts;
use crate::worker::protocol::Examination;

/// A failed check that the others build on; what it was is in the report.
pub(super) struct Failed;

/// A device with its user logged in.
pub(super) struct Patient<'a> {
    pub(super) examination: &'a Examination,
    pub(super) module: Arc<Module>,
    pub(super) token: TokenFacts,
    pub(super) session: Session,
}

/// Examines the device in this process.
pub(crate) fn examine_here(examination: &Examination) -> Report {
    let mut report = Report::default();
    // The host's clock is worth knowing even where the device does not answer.
    match admit(examination, &mut report) {
        Ok(patient) => {
            examine(&patient, &mut report);
            clock::check(Some(&patient), &mut report.section(Group::Clock));
        }
        Err(Failed) => clock::check(None, &mut report.section(Group::Clock)),
    }
    report
}

/// The groups without which there are no others.
fn admit<'a>(examination: &'a Examination, report: &mut Report) -> Result<Patient<'a>, Failed> {
    let start = &examination.start;
    let module = module::check(start, &mut report.section(Group::Module))?;
    let token = slot::check(&module, start, &mut report.section(Group::Slot))?;
    let session = pin::check(&module, &token, start, &mut report.section(Group::Pin))?;
    Ok(Patient {
        examination,
        module,
        token,
        session,
    })
}

fn examine(patient: &Patient<'_>, report: &mut Report) {
    mechanisms::check(patient, &mut report.section(Group::Mechanisms));
    let profiles = profiles::check(patient, &mut report.section(Group::Profiles));
    if let Some(profiles) = &profiles {
        attributes::check(patient, profiles.manner, &mut report.section(Group::Attributes));
    }
    root_keys::check(patient, profiles.as_ref(), &mut report.section(Group::RootKeys));
    signing::check(patient, &mut report.section(Group::Signing));
    random::check(patient, &mut report.section(Group::Random));
    cryptography::check(patient, &mut report.section(Group::Cryptography));
    if let Some(profiles) = &profiles {
        speed::check(patient, profiles, &mut report.section(Group::Speed));
    }
}
