//! The PIN: read from its file at each login and kept no longer than that.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use cryptoki::types::AuthPin;
use zeroize::{Zeroize, Zeroizing};

use crate::Error;
use crate::key::TokenFacts;

/// Longer than any token's PIN; a longer file is not one with a PIN.
const LONGEST: usize = 1024;

/// Reads the PIN. One newline at the end, LF or CR LF, does not belong to it.
pub(crate) fn read_pin(path: &Path) -> Result<AuthPin, Error> {
    let refused = |reason: String| Error::PinFile {
        path: path.display().to_string(),
        reason,
    };
    // One allocation of the full length: growing would leave copies behind.
    let mut bytes = Zeroizing::new(vec![0; LONGEST + 1]);
    let mut file = File::open(path).map_err(|error| refused(error.to_string()))?;
    let mut length = 0;
    while length < bytes.len() {
        match file.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(refused(error.to_string())),
        }
    }
    if length > LONGEST {
        return Err(refused(format!("it is longer than {LONGEST} bytes")));
    }
    let text = &bytes[..length];
    let text = text
        .strip_suffix(b"\n")
        .map_or(text, |text| text.strip_suffix(b"\r").unwrap_or(text));
    if text.is_empty() {
        return Err(refused("it is empty".to_owned()));
    }
    let text = std::str::from_utf8(text).map_err(|_| refused("it is not UTF-8".to_owned()))?;
    if is_json_of_an_api_key(text) {
        let reason = "it is JSON that an API key is in: write the value of `apikey` alone";
        return Err(refused(reason.to_owned()));
    }
    let mut pin = text.to_owned();
    let secret = AuthPin::from(pin.as_str());
    pin.zeroize();
    Ok(secret)
}

/// As `ibmcloud iam service-api-key-create --file` writes it. No PIN looks like this, and it would cost a try.
fn is_json_of_an_api_key(text: &str) -> bool {
    text.trim_start().starts_with('{') && text.contains("\"apikey\"")
}

/// Refuses a login that could lock the token, or that can't succeed because it is locked.
pub(crate) fn refuse_to_risk_the_pin(token: &TokenFacts) -> Result<(), Error> {
    let reason = if token.user_pin_locked {
        "the token's user PIN is locked; the security officer must set it anew"
    } else if token.user_pin_final_try {
        "one more wrong PIN locks the token; see that the PIN file is right, and log in once by the vendor's tool"
    } else {
        return Ok(());
    };
    Err(Error::PinNotTried {
        reason: reason.to_owned(),
    })
}

/// Why the file's mode or owner lets others than its reader get the PIN; `None` where it does not.
pub(crate) fn unsafe_mode(path: &Path) -> Result<Option<String>, Error> {
    let metadata = fs::metadata(path).map_err(|error| Error::PinFile {
        path: path.display().to_string(),
        reason: error.to_string(),
    })?;
    let mode = metadata.mode() & 0o7777;
    let shared = mode & 0o037;
    Ok((shared != 0).then(|| format!("its mode is {mode:04o}")))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn read(content: &[u8]) -> Result<AuthPin, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pin");
        fs::write(&path, content).unwrap();
        read_pin(&path)
    }

    #[test]
    fn a_newline_at_the_end_does_not_cost_a_try_of_the_pin() {
        for content in [&b"1234"[..], b"1234\n", b"1234\r\n"] {
            assert_eq!(read(content).unwrap().expose_secret(), "1234");
        }
        assert_eq!(read(b" 1234 \n\n").unwrap().expose_secret(), " 1234 \n");
    }

    #[test]
    fn an_api_key_is_taken_as_it_is_and_the_file_that_a_tool_wrote_is_not_tried() {
        let key = "Zt-9_pQw3RxYvKmN7bHcJdLfGsA1eUi0oT5zX2yVq6M8";
        assert_eq!(read(format!("{key}\n").as_bytes()).unwrap().expose_secret(), key);
        let json = format!("{{\n\t\"name\": \"claviger\",\n\t\"apikey\": \"{key}\"\n}}\n");
        let refused = read(json.as_bytes()).err().unwrap().to_string();
        assert!(
            refused.contains("`apikey`") && !refused.contains(key),
            "{refused}"
        );
    }

    #[test]
    fn the_last_try_before_the_token_locks_is_left_to_an_operator() {
        let mut token = TokenFacts {
            slot: 0,
            label: String::new(),
            serial: String::new(),
            manufacturer: String::new(),
            model: String::new(),
            firmware: String::new(),
            user_pin_count_low: true,
            user_pin_final_try: false,
            user_pin_locked: false,
            write_protected: false,
        };
        refuse_to_risk_the_pin(&token).unwrap();
        token.user_pin_final_try = true;
        let refused = refuse_to_risk_the_pin(&token).unwrap_err();
        assert!(refused.is_about_the_pin() && !refused.is_retryable());
    }

    #[test]
    fn a_file_that_has_no_pin_is_said_to_be_so_before_the_token_is_asked() {
        for content in [&b""[..], b"\n", b"\xff\xfe", &[b'1'; LONGEST + 1]] {
            assert!(matches!(read(content), Err(Error::PinFile { .. })));
        }
    }
}
