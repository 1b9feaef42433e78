//! Looks for secrets where none may be, in every form that they are likely to be written in.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The forms in which these bytes are found in a text: as they are, in hexadecimal, in base64 wherever in it they begin.
pub fn forms(secret: &[u8]) -> Vec<String> {
    let mut forms = vec![hex::encode(secret), hex::encode_upper(secret)];
    if let Ok(text) = std::str::from_utf8(secret) {
        forms.push(text.to_owned());
    }
    for offset in 0..3 {
        let shifted = [&[0; 2][..offset.min(2)], secret].concat();
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&shifted);
            // The first and the last signs have bits of what is before and behind.
            let (first, last) = ((offset * 8).div_ceil(6), encoded.len() - 1);
            forms.push(encoded[first..last].to_owned());
        }
    }
    forms
}

/// How the tokens of IAM and the ciphertexts of Key Protect begin, both of which are base64 of a JSON object.
fn beginnings() -> [String; 4] {
    // Of three bytes and more of them: what is cut off is in no sign of what is left.
    [r#"{"kid""#, r#"{"alg""#, r#"{"typ""#, r#"{"ciphert"#].map(|begin| STANDARD_NO_PAD.encode(begin))
}

/// # Panics
///
/// Where the text has one of the secrets in it.
pub fn none_in(what: &str, text: &str, secrets: &[Vec<u8>]) {
    for secret in secrets {
        for form in forms(secret) {
            assert!(!text.contains(&form), "{what} has a secret in it");
        }
    }
    for begin in beginnings() {
        for begin in [hex::encode(&begin), begin] {
            let found = text.lines().find(|line| line.contains(&begin));
            assert_eq!(found, None, "{what} has a token or a ciphertext in it");
        }
    }
}
