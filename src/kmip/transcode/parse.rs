//! Values out of text. Both encodings take what either of them may write: a mask's names parted by spaces or by `|`,
//! numbers in decimal or as `0x…`.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroize;

use super::shown;
use crate::kmip::naming;
use crate::kmip::output::Output;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DateTime, DecodeErrorKind, ItemType};

/// Bytes that are decoded at a time.
const CHUNK: usize = 64;

/// The tag of a name without spaces, or of a number such as `0x540001`.
pub(crate) fn tag(name: &str) -> Result<Tag, DecodeErrorKind> {
    let found = match hexadecimal(name) {
        Some(digits) => number_of(digits)
            .filter(|number| *number <= 0xFF_FFFF)
            .and_then(|number| u32::try_from(number).ok())
            .map(Tag::new),
        None => Tag::from_name(name),
    };
    match found {
        Some(found) if found.is_allowed() => Ok(found),
        Some(found) => Err(DecodeErrorKind::ForbiddenTag { found }),
        None => Err(DecodeErrorKind::UnknownTag { found: shown(name) }),
    }
}

/// The type of a name without spaces, or of a number such as `0x02`.
pub(crate) fn item_type(name: &str) -> Result<ItemType, DecodeErrorKind> {
    let found = match hexadecimal(name) {
        Some(digits) => number_of(digits)
            .and_then(|number| u8::try_from(number).ok())
            .and_then(ItemType::from_code),
        None => ItemType::from_name(name),
    };
    found.ok_or_else(|| DecodeErrorKind::UnknownTypeName { found: shown(name) })
}

/// The digits of a text that begins as a number in hexadecimal.
fn hexadecimal(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

fn number_of(digits: &str) -> Option<u64> {
    // `from_str_radix` would take a sign.
    let only_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| only_digits)
}

fn thirty_two(digits: &str) -> Option<u32> {
    number_of(digits).and_then(|number| u32::try_from(number).ok())
}

fn expected<T>(value: Option<T>, expected: &'static str) -> Result<T, DecodeErrorKind> {
    value.ok_or(DecodeErrorKind::BadValue { expected })
}

/// An Integer, or the names of a mask's bits.
pub(super) fn integer(text: &str, meaning: Tag) -> Result<i32, DecodeErrorKind> {
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let wrong = "an Integer";
    if naming::of_mask(meaning, 0).is_none() {
        return expected(
            hexadecimal(text).and_then(thirty_two).map(u32::cast_signed),
            wrong,
        );
    }
    let mut bits = 0;
    let mut is_empty = true;
    for name in text
        .split(|c: char| c == '|' || c.is_ascii_whitespace())
        .filter(|name| !name.is_empty())
    {
        is_empty = false;
        bits |= match hexadecimal(name) {
            Some(digits) => expected(thirty_two(digits), wrong)?,
            None => naming::mask_bits(meaning, name)
                .ok_or_else(|| DecodeErrorKind::UnknownName { found: shown(name) })?,
        };
    }
    expected((!is_empty).then_some(bits.cast_signed()), wrong)
}

/// A Long Integer.
pub(super) fn long_integer(text: &str) -> Result<i64, DecodeErrorKind> {
    let number = match hexadecimal(text) {
        Some(digits) => number_of(digits).map(u64::cast_signed),
        None => text.parse().ok(),
    };
    expected(number, "a Long Integer")
}

/// A number of an enumeration.
pub(super) fn enumeration(text: &str, meaning: Tag) -> Result<u32, DecodeErrorKind> {
    if let Some(digits) = hexadecimal(text) {
        return expected(thirty_two(digits), "an Enumeration");
    }
    naming::enumeration_number(meaning, text)
        .or_else(|| text.parse().ok())
        .ok_or_else(|| DecodeErrorKind::UnknownName { found: shown(text) })
}

/// An Interval, in seconds.
pub(super) fn interval(text: &str) -> Result<u32, DecodeErrorKind> {
    let number = match hexadecimal(text) {
        Some(digits) => thirty_two(digits),
        None => text.parse().ok(),
    };
    expected(number, "an Interval")
}

/// A Boolean.
pub(super) fn boolean(text: &str) -> Result<bool, DecodeErrorKind> {
    let value = match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => match hexadecimal(text).and_then(number_of) {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
    };
    expected(value, "a Boolean, true or false")
}

/// A moment as ISO 8601 writes it, UTC where it says nothing else; or its number in hexadecimal. What is finer than a
/// second is dropped.
pub(super) fn date_time(text: &str) -> Result<DateTime, DecodeErrorKind> {
    let value = match hexadecimal(text) {
        Some(digits) => number_of(digits).map(|seconds| DateTime(seconds.cast_signed())),
        None => moment(text).map(DateTime::from),
    };
    expected(value, "a date such as 2001-09-09T01:46:40+00:00")
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    /// No date with its time is longer, a fraction to the nanosecond and an offset included.
    const LONGEST: usize = 64;
    if text.len() > LONGEST {
        return None;
    }
    OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339))
        .ok()
}

/// The bytes of a Byte String, in hexadecimal.
pub(super) fn bytes(text: &str, out: &mut dyn Output) -> Result<(), DecodeErrorKind> {
    let wrong = DecodeErrorKind::BadValue {
        expected: "bytes in hexadecimal",
    };
    if !text.len().is_multiple_of(2) {
        return Err(wrong);
    }
    let mut chunk = [0; CHUNK];
    let mut result = Ok(());
    for digits in text.as_bytes().chunks(2 * CHUNK) {
        let decoded = &mut chunk[..digits.len() / 2];
        if hex::decode_to_slice(digits, decoded).is_err() {
            result = Err(wrong);
            break;
        }
        out.append(decoded);
    }
    chunk.zeroize();
    result
}

/// A Big Integer in hexadecimal, with or without `0x`, filled up at its front with its sign.
pub(super) fn big_integer(text: &str, out: &mut dyn Output) -> Result<(), DecodeErrorKind> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let Some(first) = digits.chars().next().and_then(|digit| digit.to_digit(16)) else {
        return Err(DecodeErrorKind::BadValue {
            expected: "a Big Integer in hexadecimal",
        });
    };
    let missing = (digits.len() / 2).wrapping_neg() & 7;
    let sign = if first < 8 { 0x00 } else { 0xFF };
    out.append(&[sign; 7][..missing]);
    bytes(digits, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmip::output::ZeroizingOutput;

    #[test]
    fn a_mask_is_read_from_names_in_any_order_and_from_numbers() {
        let mask = |text| integer(text, Tag::CRYPTOGRAPHIC_USAGE_MASK);
        assert_eq!(mask("Decrypt Encrypt"), Ok(12));
        assert_eq!(mask("Encrypt|Decrypt"), Ok(12));
        assert_eq!(mask("Encrypt | 0x80000000"), Ok(i32::MIN | 4));
        assert_eq!(mask("0x0000000C"), Ok(12));
        assert_eq!(mask("12"), Ok(12));
        assert!(matches!(mask("Fly"), Err(DecodeErrorKind::UnknownName { .. })));
        assert!(mask("").is_err() && mask("|").is_err());
        assert!(integer("Encrypt", Tag::BATCH_COUNT).is_err());
        assert_eq!(integer("0xFFFFFFFF", Tag::BATCH_COUNT), Ok(-1));
        assert!(
            integer("0x1FFFFFFFF", Tag::BATCH_COUNT).is_err() && integer("0x", Tag::BATCH_COUNT).is_err()
        );
    }

    #[test]
    fn a_date_is_read_with_any_offset_and_without_one() {
        for text in [
            "2008-03-14T11:56:40+00:00",
            "2008-03-14T11:56:40Z",
            "2008-03-14T11:56:40",
            "2008-03-14T21:56:40+10:00",
            "2008-03-14T11:56:40.987654-00:00",
            "0x0000000047da67f8",
        ] {
            assert_eq!(date_time(text), Ok(DateTime(0x47DA_67F8)), "{text}");
        }
        for text in ["", "2008-03-14", "0x", "yesterday", "2008-13-14T11:56:40Z"] {
            assert!(date_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_big_integer_keeps_its_sign() {
        let read = |text| {
            let mut out = ZeroizingOutput::new();
            big_integer(text, &mut out).map(|()| out.as_slice().to_vec())
        };
        assert_eq!(read("0x0102"), Ok(vec![0, 0, 0, 0, 0, 0, 1, 2]));
        assert_eq!(
            read("FE"),
            Ok(vec![0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE])
        );
        assert!(read("").is_err() && read("0x").is_err() && read("123").is_err() && read("-1").is_err());
    }

    #[test]
    fn a_number_that_does_not_fit_is_refused() {
        assert_eq!(long_integer("9223372036854775807"), Ok(i64::MAX));
        assert_eq!(long_integer("0x8000000000000000"), Ok(i64::MIN));
        for text in [
            "9223372036854775808",
            "1e3",
            "1.0",
            "0x10000000000000000",
            "0x+1",
            "",
        ] {
            assert!(long_integer(text).is_err(), "{text}");
        }
        assert!(interval("-1").is_err() && interval("4294967296").is_err());
        assert_eq!(boolean("0x0000000000000001"), Ok(true));
        assert!(boolean("yes").is_err() && boolean("0x2").is_err());
        assert!(tag("0x010000").is_err() && tag("0x1420078").is_err() && tag("Nothing").is_err());
        assert_eq!(item_type("0x07"), Ok(ItemType::TextString));
        assert!(item_type("0x107").is_err() && item_type("Text").is_err());
    }
}
