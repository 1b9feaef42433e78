//! The mechanisms that the token names. What it can do is not found here but by trial, in the groups that follow: lists
//! of mechanisms claim too much and too little.

use cryptoki_sys as ck;

use super::examination::Patient;
use super::report::Section;

/// The mechanisms that Claviger has a use for.
const OF_USE: [(ck::CK_MECHANISM_TYPE, &str); 11] = [
    (ck::CKM_AES_KEY_GEN, "AES_KEY_GEN"),
    (ck::CKM_GENERIC_SECRET_KEY_GEN, "GENERIC_SECRET_KEY_GEN"),
    (ck::CKM_AES_KEY_WRAP_KWP, "AES_KEY_WRAP_KWP"),
    (ck::CKM_AES_KEY_WRAP, "AES_KEY_WRAP"),
    (ck::CKM_AES_GCM, "AES_GCM"),
    (ck::CKM_AES_CBC_PAD, "AES_CBC_PAD"),
    (ck::CKM_AES_CBC, "AES_CBC"),
    (ck::CKM_RSA_PKCS_OAEP, "RSA_PKCS_OAEP"),
    (ck::CKM_SHA256, "SHA256"),
    (ck::CKM_ECDSA, "ECDSA"),
    (ck::CKM_EDDSA, "EDDSA"),
];

pub(super) fn check(patient: &Patient<'_>, section: &mut Section<'_>) {
    let named = match patient.module.mechanisms(patient.token.slot) {
        Ok(named) => named,
        Err(error) => {
            let remedy = "The trials below say what the device can do. Tell the vendor.";
            section.warning("mechanisms", error.to_string(), remedy);
            return;
        }
    };
    let (has, lacks): (Vec<_>, Vec<_>) = OF_USE
        .iter()
        .partition(|(mechanism, _)| named.contains(mechanism));
    let joined = |mechanisms: Vec<&(_, &'static str)>| {
        let words: Vec<_> = mechanisms.into_iter().map(|(_, name)| *name).collect();
        match words[..] {
            [] => "none".to_owned(),
            _ => words.join(", "),
        }
    };
    section.ok(
        "mechanisms",
        format!("the token names {}; of use here: {}", named.len(), joined(has)),
    );
    section.ok("not named", joined(lacks));
}
