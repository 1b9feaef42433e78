//! What the device enforces, found by attacks on keys that are thrown away; and which attributes a root key can't be
//! given here.

use super::examination::Patient;
use super::report::Section;
use crate::device::{Attack, Manner, Narrowing, Outcome};

pub(super) fn check(patient: &Patient<'_>, manner: Manner, section: &mut Section<'_>) {
    let impossible = Narrowing::found(&patient.session, manner).impossible();
    section.ok(
        "root key template",
        if impossible.is_empty() {
            "the device takes every attribute that narrows a root key".to_owned()
        } else {
            format!(
                "the device does not take {}; what that means is in the attacks below",
                impossible.join(", ")
            )
        },
    );
    for attack in Attack::ALL {
        let name = attack.name();
        match attack.on(&patient.session, manner) {
            Outcome::Refused => section.ok(name, "refused"),
            Outcome::NotTried(reason) => section.ok(name, format!("not tried: {reason}")),
            Outcome::Succeeded if attack.is_fatal() => section.failure(
                name,
                format!("allowed: {}", attack.meaning()),
                "Do not keep root keys on this device.",
            ),
            Outcome::Succeeded => section.warning(
                name,
                format!("allowed: {}", attack.meaning()),
                "Guard the PIN as you guard the keys; docs/hsm.md has what each device enforces.",
            ),
        }
    }
}
