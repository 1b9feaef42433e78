//! Bodies with a plaintext in them: built and read in locked memory.
//!
//! A plaintext is base64 in a JSON string. Its text is found in the bytes of the body and decoded from there: it never
//! becomes a `String`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use claviger_hsm::memory::LockedBuffer;
use serde_json::value::RawValue;

/// A buffer as the body of a request. It is zeroised once the last part of the client has let go of it.
pub(super) fn body(buffer: LockedBuffer) -> Bytes {
    struct Owned(LockedBuffer);
    impl AsRef<[u8]> for Owned {
        fn as_ref(&self) -> &[u8] {
            self.0.as_slice()
        }
    }
    Bytes::from_owner(Owned(buffer))
}

/// Puts `"name":"<base64 of the bytes>"` behind what the buffer holds.
pub(super) fn push_base64(buffer: &mut LockedBuffer, name: &str, bytes: &[u8]) {
    buffer.extend_from_slice(b"\"");
    buffer.extend_from_slice(name.as_bytes());
    buffer.extend_from_slice(b"\":\"");
    let start = buffer.len();
    // Four letters for each three bytes that are begun.
    buffer.resize_zeroed(start + bytes.len().div_ceil(3) * 4);
    STANDARD
        .encode_slice(bytes, &mut buffer.as_mut_slice()[start..])
        .expect("the room is that of the text");
    buffer.extend_from_slice(b"\"");
}

/// Puts a text behind what the buffer holds, as a JSON string with its quotes.
pub(super) fn push_text(buffer: &mut LockedBuffer, text: &str) {
    let quoted = serde_json::Value::from(text).to_string();
    buffer.extend_from_slice(quoted.as_bytes());
}

/// What the base64 of a JSON string says; none where it is no such thing.
///
/// JSON lets any letter be escaped, and writers do escape `/`, `+` and `=`.
pub(super) fn decode(raw: &RawValue) -> Option<LockedBuffer> {
    let text = raw.get().as_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut plain = LockedBuffer::with_capacity(text.len());
    let mut rest = text;
    while let Some((&letter, behind)) = rest.split_first() {
        rest = behind;
        let letter = if letter == b'\\' {
            let (&escape, behind) = rest.split_first()?;
            rest = behind;
            match escape {
                b'/' => b'/',
                b'u' => {
                    let (digits, behind) = rest.split_at_checked(4)?;
                    rest = behind;
                    let digits = std::str::from_utf8(digits).ok()?;
                    u8::try_from(u16::from_str_radix(digits, 16).ok()?).ok()?
                }
                _ => return None,
            }
        } else {
            letter
        };
        plain.extend_from_slice(&[letter]);
    }
    let mut bytes = LockedBuffer::zeroed(base64::decoded_len_estimate(plain.len()));
    let length = STANDARD
        .decode_slice(plain.as_slice(), bytes.as_mut_slice())
        .ok()?;
    bytes.resize_zeroed(length);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    proptest! {
        #[test]
        fn a_key_comes_out_of_a_body_as_it_went_in(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut buffer = LockedBuffer::default();
            buffer.extend_from_slice(b"{");
            push_base64(&mut buffer, "plaintext", &bytes);
            buffer.extend_from_slice(b"}");
            let sent = body(buffer);
            let read: std::collections::BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&sent).unwrap();
            let decoded = decode(&read["plaintext"]).unwrap();
            prop_assert_eq!(decoded.as_slice(), &bytes[..]);
        }

        #[test]
        fn garbage_in_the_place_of_a_key_is_none(text in "\\PC{0,40}") {
            let quoted = serde_json::Value::from(text.as_str()).to_string();
            let decoded = decode(&raw(&quoted)).map(|buffer| buffer.as_slice().to_vec());
            prop_assert_eq!(decoded, STANDARD.decode(text.as_bytes()).ok());
        }
    }

    #[test]
    fn a_key_whose_letters_are_escaped_is_read() {
        for text in [r#""+/8=""#, r#""+\/8=""#, r#""\u002b\u002F8\u003d""#] {
            assert_eq!(decode(&raw(text)).unwrap().as_slice(), [0xfb, 0xff], "{text}");
        }
        for text in ["7", "null", r#""\n""#, r#""\u12345678""#, r#"["+/8="]"#] {
            assert!(decode(&raw(text)).is_none(), "{text}");
        }
    }
}
