//! The form in which a wrapped key is stored, so that it tells under which version of its root key it is.
//!
//! One byte says what follows; then the sixteen bytes of the version's identifier; then the ciphertext: what its base64 says,
//! where that gives the same text again, and the text as it came otherwise.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

/// Behind the version are the bytes that the ciphertext's base64 says.
const BASE64: u8 = 1;
/// Behind the version is the ciphertext's text.
const TEXT: u8 = 2;

/// A wrapped key.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Envelope {
    /// With its ciphertext.
    Wrapped {
        /// The version of the root key that wrapped it.
        version: Uuid,
        /// The ciphertext as the key manager gave it.
        ciphertext: String,
    },
}

impl Envelope {
    /// The bytes that are stored.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let Self::Wrapped { version, ciphertext } = self;
        let decoded = STANDARD
            .decode(ciphertext)
            .ok()
            .filter(|bytes| STANDARD.encode(bytes) == *ciphertext);
        let (kind, tail) = match &decoded {
            Some(bytes) => (BASE64, bytes.as_slice()),
            None => (TEXT, ciphertext.as_bytes()),
        };
        let mut stored = Vec::with_capacity(17 + tail.len());
        stored.push(kind);
        stored.extend_from_slice(version.as_bytes());
        stored.extend_from_slice(tail);
        stored
    }

    /// Reads what [`to_bytes`](Self::to_bytes) gave; none of what it did not give.
    pub(super) fn from_bytes(stored: &[u8]) -> Option<Self> {
        let (kind, rest) = stored.split_first()?;
        let (version, tail) = rest.split_first_chunk::<16>()?;
        let ciphertext = match *kind {
            BASE64 => STANDARD.encode(tail),
            TEXT => String::from_utf8(tail.to_vec()).ok()?,
            _ => return None,
        };
        Some(Self::Wrapped {
            version: Uuid::from_bytes(*version),
            ciphertext,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stored(ciphertext: &str) -> Vec<u8> {
        let envelope = Envelope::Wrapped {
            version: Uuid::from_u128(7),
            ciphertext: ciphertext.to_owned(),
        };
        let bytes = envelope.to_bytes();
        assert!(Envelope::from_bytes(&bytes) == Some(envelope));
        bytes
    }

    proptest! {
        #[test]
        fn a_ciphertext_comes_back_letter_by_letter(text in "\\PC{0,80}") {
            stored(&text);
        }

        #[test]
        fn a_ciphertext_in_base64_takes_no_more_room_than_its_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(stored(&STANDARD.encode(&bytes)).len(), 17 + bytes.len());
        }

        #[test]
        fn bytes_that_somebody_changed_are_never_more_than_another_ciphertext(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(envelope) = Envelope::from_bytes(&bytes) {
                prop_assert!(Envelope::from_bytes(&envelope.to_bytes()) == Some(envelope));
            }
        }
    }

    #[test]
    fn base64_that_is_not_the_usual_one_stays_as_it_is() {
        // Without padding; with bits behind the last byte; and with a letter of the other alphabet.
        for text in ["+/8", "+/9=", "-_8=", "e30=\n"] {
            stored(text);
        }
    }
}
