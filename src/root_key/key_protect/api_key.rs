//! The API key of the service ID: read from its file, kept secret.

use std::fmt::Display;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use openssl::hash::MessageDigest;
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{ApiKeySource, Error};

/// Longer than any API key; a longer file is not one with an API key.
const LONGEST: usize = 1024;

/// An API key. Its fingerprint tells it from another.
pub(super) struct ApiKey {
    pub(super) secret: SecretString,
    pub(super) fingerprint: Vec<u8>,
}

impl ApiKey {
    /// Reads the key. One newline at the end, LF or CR LF, does not belong to it.
    pub(super) fn read(source: &ApiKeySource) -> Result<Self, Error> {
        let ApiKeySource::File(path) = source;
        let (bytes, length) = read_up_to_longest(path).map_err(|error| refused(path, &error))?;
        Self::parse(&bytes[..length]).map_err(|reason| refused(path, &reason))
    }

    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > LONGEST {
            return Err("it is too long for an API key");
        }
        let text = bytes
            .strip_suffix(b"\n")
            .map_or(bytes, |text| text.strip_suffix(b"\r").unwrap_or(text));
        let text = std::str::from_utf8(text).map_err(|_| "it is not UTF-8")?;
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.contains(|letter: char| letter.is_control() || letter == ' ') {
            return Err("it has more in it than an API key");
        }
        let fingerprint = openssl::hash::hash(MessageDigest::sha256(), text.as_bytes())
            .map_err(|_| "it could not be hashed")?;
        Ok(Self {
            secret: SecretString::from(text),
            fingerprint: fingerprint.to_vec(),
        })
    }
}

/// What the file has, in one allocation of the full length: growing would leave copies behind.
fn read_up_to_longest(path: &Path) -> std::io::Result<(Zeroizing<Vec<u8>>, usize)> {
    let mut bytes = Zeroizing::new(vec![0; LONGEST + 1]);
    let mut file = File::open(path)?;
    let mut length = 0;
    while length < bytes.len() {
        match file.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((bytes, length))
}

fn refused(path: &Path, reason: &dyn Display) -> Error {
    Error::ApiKeyFile {
        path: path.display().to_string(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_newline_at_the_end_of_the_file_is_not_of_the_key() {
        for text in ["abc-DEF_123", "abc-DEF_123\n", "abc-DEF_123\r\n"] {
            let key = ApiKey::parse(text.as_bytes()).unwrap();
            assert_eq!(key.secret.expose_secret(), "abc-DEF_123");
        }
    }

    #[test]
    fn a_file_that_is_no_api_key_is_refused_and_not_sent_to_anybody() {
        for bytes in [&b""[..], b"\n", b"a b", b"a\nb\n", b"\xff", &[b'a'; LONGEST + 1]] {
            assert!(ApiKey::parse(bytes).is_err());
        }
        // As IBM's console offers it for download.
        assert!(ApiKey::parse(b"{\n \"apikey\": \"abc\"\n}\n").is_err());
    }

    #[test]
    fn an_operator_reads_which_file_is_missing() {
        let source = ApiKeySource::File("/nonexistent/ibm.apikey".into());
        let error = ApiKey::read(&source).err().unwrap();
        assert!(error.to_string().contains("/nonexistent/ibm.apikey"), "{error}");
    }
}
