//! A message in words, for people.
//!
//! Each item is a line, indented by its depth: the tag's name and the value, enumerations and masks by their names.
//! What may be a key or a password is shown as its length alone, unless it is asked for. Bytes that are no message
//! are told with the place at which they stop being one.

use std::fmt::{self, Write};

use super::naming::{self, Siblings, Simple};
use super::tag::Tag;
use super::ttlv::{Context, DateTime, DecodeError, ItemType, Limits, Reader};

/// What becomes of values that may be keys or passwords.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// Their length is shown.
    #[default]
    Hidden,
    /// They are shown.
    Revealed,
}

/// Fields whose value, or the values of whose items, may be secret.
const SECRET: [Tag; 9] = [
    Tag::KEY_VALUE,
    Tag::KEY_MATERIAL,
    Tag::PASSWORD,
    Tag::DATA,
    Tag::OPAQUE_DATA_VALUE,
    Tag::DERIVATION_DATA,
    Tag::SALT,
    Tag::VENDOR_EXTENSION,
    Tag::ATTESTATION_MEASUREMENT,
];

/// Writes what `bytes` say. The error is that of `out`.
pub fn write(bytes: &[u8], secrets: Secrets, out: &mut dyn Write) -> fmt::Result {
    let context = Context::tolerant(Limits::default());
    let mut text = Text { out, secrets };
    let problem = match Reader::new(bytes, &context) {
        Ok(mut reader) => text.items(&mut reader, 0, false)?,
        Err(error) => Some(error),
    };
    match problem {
        Some(error) => writeln!(text.out, "!! {error}"),
        None => Ok(()),
    }
}

struct Text<'o> {
    out: &'o mut dyn Write,
    secrets: Secrets,
}

impl Text<'_> {
    /// Writes the items of a structure, `around` telling whether it is one whose items may be secret; tells what keeps
    /// the rest from being read.
    fn items(
        &mut self,
        reader: &mut Reader<'_, '_>,
        depth: usize,
        around: bool,
    ) -> Result<Option<DecodeError>, fmt::Error> {
        let mut siblings = Siblings::default();
        while !reader.is_empty() {
            let (tag, item_type) = match (reader.peek(), reader.next_type()) {
                (Some(tag), Ok(item_type)) => (tag, item_type),
                (_, Err(error)) => return Ok(Some(error)),
                (None, Ok(_)) => return Ok(None),
            };
            let is_secret = around || SECRET.contains(&tag);
            write!(self.out, "{:1$}{tag}", "", depth * 2)?;
            if item_type == ItemType::Structure {
                writeln!(self.out)?;
                let problem = match reader.enter(tag) {
                    Ok(mut inner) => self.items(&mut inner, depth + 1, is_secret)?,
                    Err(error) => Some(error),
                };
                if let Some(error) = problem {
                    return Ok(Some(error.within(tag, None)));
                }
                continue;
            }
            let value = match naming::simple(reader, tag, item_type) {
                Ok(value) => value,
                Err(error) => {
                    writeln!(self.out)?;
                    return Ok(Some(error));
                }
            };
            if let Simple::Text(text) = value {
                siblings.note(tag, text);
            }
            write!(self.out, ": ")?;
            self.simple(&value, siblings.meaning_of(tag), is_secret)?;
            writeln!(self.out)?;
        }
        Ok(None)
    }

    fn simple(&mut self, value: &Simple<'_>, meaning: Tag, is_secret: bool) -> fmt::Result {
        let hidden = is_secret && self.secrets == Secrets::Hidden;
        match value {
            Simple::Bytes(bytes) | Simple::BigInteger(bytes) if hidden => {
                write!(self.out, "<{} bytes>", bytes.len())
            }
            Simple::Text(text) if hidden => write!(self.out, "<{} bytes>", text.len()),
            Simple::Integer(number) => match naming::of_mask(meaning, (*number).into()) {
                Some(names) => write!(self.out, "{names}"),
                None => write!(self.out, "{number}"),
            },
            Simple::LongInteger(number) => write!(self.out, "{number}"),
            Simple::Enumeration(number) => match naming::of_enumeration(meaning, *number) {
                Some((_, text)) => write!(self.out, "{text}"),
                None => write!(self.out, "0x{number:08X}"),
            },
            Simple::Boolean(value) => write!(self.out, "{value}"),
            // Quoted, with what is not printable escaped: the text is the other side's.
            Simple::Text(text) => write!(self.out, "{text:?}"),
            Simple::Bytes(bytes) | Simple::BigInteger(bytes) => {
                bytes.iter().try_for_each(|byte| write!(self.out, "{byte:02x}"))
            }
            Simple::DateTime(moment) => write!(self.out, "{moment}"),
            Simple::Interval(seconds) => write!(self.out, "{seconds} s"),
            Simple::DateTimeExtended(moment) => {
                let (seconds, rest) = (moment.div_euclid(1_000_000), moment.rem_euclid(1_000_000));
                write!(self.out, "{} + {rest} µs", DateTime(seconds))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmip::output::ZeroizingOutput;
    use crate::kmip::ttlv::{DateTime, Item, Value, encode};

    fn text_of(items: Vec<Item>, secrets: Secrets) -> String {
        let mut out = ZeroizingOutput::new();
        encode(
            &Item::new(Tag::REQUEST_MESSAGE, Value::Structure(items)),
            &mut out,
        );
        let mut text = String::new();
        write(out.as_slice(), secrets, &mut text).unwrap();
        text
    }

    #[test]
    fn a_message_reads_as_words() {
        let attribute = |name: &str, value| {
            let name = Item::new(Tag::ATTRIBUTE_NAME, Value::TextString(name.to_owned()));
            Item::new(
                Tag::ATTRIBUTE,
                Value::Structure(vec![name, Item::new(Tag::ATTRIBUTE_VALUE, value)]),
            )
        };
        let text = text_of(
            vec![
                Item::new(Tag::OPERATION, Value::Enumeration(0x0A)),
                attribute("Cryptographic Usage Mask", Value::Integer(12)),
                attribute("Cryptographic Algorithm", Value::Enumeration(3)),
                attribute("x-Product", Value::TextString("a \"name\"\u{7}".to_owned())),
                Item::new(Tag::UNIQUE_BATCH_ITEM_ID, Value::ByteString(vec![0x51, 0x4c])),
                Item::new(Tag::TIME_STAMP, Value::DateTime(DateTime(0x47DA_67F8))),
                Item::new(Tag::new(0x54_0001), Value::Interval(10)),
            ],
            Secrets::Hidden,
        );
        let expected = "\
Request Message
  Operation: Get
  Attribute
    Attribute Name: \"Cryptographic Usage Mask\"
    Attribute Value: Encrypt | Decrypt
  Attribute
    Attribute Name: \"Cryptographic Algorithm\"
    Attribute Value: AES
  Attribute
    Attribute Name: \"x-Product\"
    Attribute Value: \"a \\\"name\\\"\\u{7}\"
  Unique Batch Item ID: 514c
  Time Stamp: 2008-03-14T11:56:40Z
  0x540001: 10 s
";
        assert_eq!(text, expected);
    }

    #[test]
    fn keys_and_passwords_are_shown_only_when_asked_for() {
        let items = || {
            let material = Item::new(Tag::KEY_MATERIAL, Value::ByteString(vec![0xAB; 4]));
            vec![
                Item::new(Tag::KEY_VALUE, Value::Structure(vec![material])),
                Item::new(Tag::PASSWORD, Value::TextString("s3cret".to_owned())),
            ]
        };
        let hidden = text_of(items(), Secrets::Hidden);
        assert!(
            hidden.contains("Key Material: <4 bytes>") && hidden.contains("Password: <6 bytes>"),
            "{hidden}"
        );
        assert!(!hidden.contains("abab") && !hidden.contains("s3cret"));
        let revealed = text_of(items(), Secrets::Revealed);
        assert!(revealed.contains("Key Material: abababab") && revealed.contains("s3cret"));
    }

    #[test]
    fn what_is_no_message_is_told_with_its_place() {
        let mut out = ZeroizingOutput::new();
        encode(&Item::new(Tag::OPERATION, Value::Enumeration(0x0A)), &mut out);
        let mut text = String::new();
        write(&out.as_slice()[..12], Secrets::Hidden, &mut text).unwrap();
        assert_eq!(
            text,
            "!! Operation, byte 0: the item needs 16 bytes, and 12 are left\n"
        );
    }
}
