//! Signatures, by trial with a key pair that is thrown away: by what the custody log could be signed here.

use super::examination::Patient;
use super::report::Section;
use crate::Error;
use crate::device::SigningPair;
use crate::signing_key::SignatureScheme;

const MESSAGE: [u8; 32] = *b"what is signed in a trial only..";

pub(super) fn check(patient: &Patient<'_>, section: &mut Section<'_>) {
    for signature in SignatureScheme::ALL {
        let name = signature.name();
        match is_right(patient, signature) {
            Ok(true) => section.ok(name, "signed and verified; another message is refused"),
            Ok(false) => section.warning(
                name,
                "the device's signatures and its verification do not agree",
                "Tell the vendor, and have the custody log signed by another device.",
            ),
            Err(error) => section.not_offered(name, &error),
        }
    }
}

fn is_right(patient: &Patient<'_>, signature: SignatureScheme) -> Result<bool, Error> {
    let pair = SigningPair::make(&patient.session, signature)?;
    let signed = pair.sign(&MESSAGE)?;
    let mut other = MESSAGE;
    other[0] ^= 1;
    Ok(pair.verifies(&MESSAGE, &signed) && !pair.verifies(&other, &signed))
}
