//! The slot: whether the one token that is meant is there, and what it is.

use super::examination::Failed;
use super::report::Section;
use crate::configuration::SlotSelector;
use crate::device::Module;
use crate::key::TokenFacts;
use crate::worker::protocol::Start;

pub(super) fn check(module: &Module, start: &Start, section: &mut Section<'_>) -> Result<TokenFacts, Failed> {
    let token = match module.initialise_and_find(&start.slot) {
        Ok(token) => token,
        Err(error) => {
            let remedy = "Name one of the tokens that are listed, by its label or serial number. Where none is \
                          listed, see that the vendor's client is set up and reaches the device.";
            section.failed("slot", &error, remedy);
            return Err(Failed);
        }
    };
    let place = format!(
        "\"{}\" (serial {}) in slot {}",
        token.label, token.serial, token.slot
    );
    match start.slot {
        SlotSelector::SlotId(_) => section.warning(
            "slot",
            format!("{place}, found by the slot's number, which may be another after a restart"),
            "Name the token by `token_label` or `token_serial`.",
        ),
        _ => section.ok("slot", place),
    }
    section.ok(
        "token",
        format!(
            "{} {}, firmware {}",
            token.manufacturer, token.model, token.firmware
        ),
    );
    if token.write_protected {
        section.warning(
            "write protection",
            "the token is write-protected: keys can be used, but no root key made or rotated",
            "Lift it by the vendor's tool before a root key is made.",
        );
    }
    Ok(token)
}
