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
    let mut say = |name: &str, is_able: bool| {
        let finding = if is_able {
            "on the device"
        } else {
            "not on this device; the server does it where `cryptography_in_server` allows that"
        };
        section.ok(name, finding);
    };
    for mode in CipherMode::ALL {
        say(&mode.to_string(), able.ciphers.contains(&mode));
    }
    for algorithm in MacAlgorithm::ALL {
        say(&algorithm.to_string(), able.macs.contains(&algorithm));
    }
    say("derive a key by encryption", able.derives_by_encryption);
    section.ok(
        "seed",
        if able.takes_seed {
            "the generator takes a seed"
        } else {
            "the generator takes no seed, and a client is told so"
        },
    );
}
