//! What the device does with clients' keys, by trial: each with a key that is thrown away. None of it is needed for VMware;
//! what a device lacks, an operator can have done in the server.

use super::examination::Patient;
use super::report::Section;
use crate::cryptography::{CipherMode, MacAlgorithm};
use crate::device;

pub(super) fn check(patient: &Patient<'_>, section: &mut Section<'_>) {
    let able = match device::capabilities(&patient.session) {
        Ok(able) => able,
        Err(error) => {
            let remedy =
                "Encrypt, MAC and the like are not to be had with keys of this device. Tell the vendor.";
            section.warning("use of keys", error.to_string(), remedy);
            return;
        }
    };
    let ciphers = CipherMode::ALL.map(|mode| (mode.to_string(), able.ciphers.contains(&mode)));
    let codes = MacAlgorithm::ALL.map(|algorithm| (algorithm.to_string(), able.macs.contains(&algorithm)));
    let derivation = (
        "derive a key by encryption".to_owned(),
        able.derives_by_encryption,
    );
    let uses: Vec<_> = ciphers.into_iter().chain(codes).chain([derivation]).collect();
    section.ok("use of keys", told(&uses));
    section.ok(
        "seed",
        if able.takes_seed {
            "the generator takes a seed"
        } else {
            "the generator takes no seed, and a client is told so"
        },
    );
}

/// What is done on the device, and what is not.
fn told(uses: &[(String, bool)]) -> String {
    let names = |wanted: bool| {
        let names = uses.iter().filter(|(_, able)| *able == wanted);
        names
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (names(true), names(false)) {
        (able, unable) if unable.is_empty() => format!("on the device: {able}"),
        (able, unable) if able.is_empty() => format!("not: {unable}"),
        (able, unable) => format!("on the device: {able}; not: {unable}"),
    }
}
