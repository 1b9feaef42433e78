//! From JSON to the binary form.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::kmip::output::Output;
use crate::kmip::transcode::{self, Builder, Written};
use crate::kmip::ttlv::{DecodeError, DecodeErrorKind, ItemType, Limits};

/// Writes the binary form of the message that `text` holds, and nothing else, at the end of `out`.
///
/// Where that fails, what was read up to there stays in `out`, so that the message's version may be found in it; the
/// error's offset is a byte of `text`. The limits are those of the binary form, and `text` itself may not be longer
/// than a message.
pub fn read(text: &[u8], limits: &Limits, out: &mut dyn Output) -> Result<(), DecodeError> {
    if text.len() > limits.message_size {
        let (size, limit) = (text.len(), limits.message_size);
        return Err(DecodeError::new(DecodeErrorKind::TooLarge { size, limit }, 0));
    }
    let text = str::from_utf8(text)
        .map_err(|error| DecodeError::new(syntax("it is not in UTF-8"), error.valid_up_to()))?;
    Reading {
        text,
        builder: Builder::new(out, limits),
        failed: None,
    }
    .item(text)
}

/// What an item looks like.
const SHAPE: &str =
    "an item is an object with tag, type and value, and a structure's value is a list of items";

fn syntax(what: &'static str) -> DecodeErrorKind {
    DecodeErrorKind::Syntax {
        encoding: "JSON",
        what: what.into(),
    }
}

/// An item as it stands in the text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Object<'t> {
    #[serde(borrow)]
    tag: Cow<'t, str>,
    #[serde(borrow, default, rename = "name")]
    _name: Option<Cow<'t, str>>,
    #[serde(borrow, default, rename = "type")]
    item_type: Option<Cow<'t, str>>,
    #[serde(borrow, default)]
    value: Option<&'t RawValue>,
}

struct Reading<'t, 'o> {
    text: &'t str,
    builder: Builder<'o>,
    /// Why the reading of a list was broken off.
    failed: Option<DecodeError>,
}

impl<'t> Reading<'t, '_> {
    /// Where a part of the text is.
    fn offset(&self, part: &str) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    /// What is wrong with a part of the text. The lexer's own words may hold values, and are left out.
    #[cold]
    fn lexed(&self, part: &str, error: &serde_json::Error) -> DecodeError {
        let what = if error.is_data() {
            SHAPE
        } else if error.is_eof() {
            "it ends within the message"
        } else {
            "it is not well-formed"
        };
        let place = part
            .split_inclusive('\n')
            .take(error.line().saturating_sub(1))
            .map(str::len)
            .sum::<usize>()
            + error.column();
        self.builder.error(syntax(what), self.offset(part) + place)
    }

    fn item(&mut self, part: &'t str) -> Result<(), DecodeError> {
        let offset = self.offset(part);
        // The derived reader would take a list of the fields' values too.
        if part.trim_start().starts_with('[') {
            return Err(self.builder.error(syntax(SHAPE), offset));
        }
        let object: Object<'t> = serde_json::from_str(part).map_err(|error| self.lexed(part, &error))?;
        let tag = transcode::tag(&object.tag).map_err(|kind| self.builder.error(kind, offset))?;
        let item_type = object
            .item_type
            .map_or(Ok(ItemType::Structure), |name| transcode::item_type(&name))
            .map_err(|kind| self.builder.error(kind, offset).under(tag))?;
        // `null` is read as no value.
        let value = object.value.map(RawValue::get);
        if item_type == ItemType::Structure {
            self.builder.begin(tag, offset)?;
            if let Some(value) = value {
                self.items(value)?;
            }
            self.builder.end();
            return Ok(());
        }
        let value = value.ok_or_else(|| {
            let missing = syntax("an item has a type and no value");
            self.builder.error(missing, offset).under(tag)
        })?;
        let written = self.written(value).ok_or_else(|| {
            let wrong = syntax("the value of an item that is no structure is a list or an object");
            self.builder.error(wrong, offset).under(tag)
        })?;
        self.builder.simple(tag, item_type, &written)
    }

    /// A value that is a string, a number, `true` or `false`.
    fn written(&self, value: &'t str) -> Option<Written<'t>> {
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        if value.starts_with(['[', '{']) {
            return None;
        }
        let raw = quoted.unwrap_or(value);
        Some(Written {
            raw,
            is_quoted: quoted.is_some(),
            unescape: raw.contains('\\').then_some(unescape as _),
            offset: self.offset(value),
        })
    }

    fn items(&mut self, list: &'t str) -> Result<(), DecodeError> {
        let mut json = serde_json::Deserializer::from_str(list);
        let result = Items(self).deserialize(&mut json);
        match (self.failed.take(), result) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(self.lexed(list, &error)),
            (None, Ok(())) => Ok(()),
        }
    }
}

/// Reads the items of a list one by one.
struct Items<'r, 't, 'o>(&'r mut Reading<'t, 'o>);

impl<'t> DeserializeSeed<'t> for Items<'_, 't, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'t>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'t> Visitor<'t> for Items<'_, 't, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of items")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element::<&'t RawValue>()? {
            if let Err(error) = self.0.item(item.get()) {
                self.0.failed = Some(error);
                return Err(de::Error::custom("an item cannot be read"));
            }
        }
        Ok(())
    }
}

/// Writes what a string means, which the lexer has found to be well-formed but for lone surrogates.
fn unescape(raw: &str, out: &mut dyn Output) -> Result<(), DecodeErrorKind> {
    let mut rest = raw;
    while let Some(place) = rest.find('\\') {
        let (plain, from) = rest.split_at(place);
        out.append(plain.as_bytes());
        let wrong = || syntax("an escape is none of JSON's");
        let escape = from.as_bytes().get(1).ok_or_else(wrong)?;
        let simple: &[u8] = match escape {
            b'"' => b"\"",
            b'\\' => b"\\",
            b'/' => b"/",
            b'b' => b"\x08",
            b'f' => b"\x0C",
            b'n' => b"\n",
            b'r' => b"\r",
            b't' => b"\t",
            b'u' => {
                let (character, length) = utf_16(from).ok_or_else(wrong)?;
                out.append(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &from[length..];
                continue;
            }
            _ => return Err(wrong()),
        };
        out.append(simple);
        rest = &from[2..];
    }
    out.append(rest.as_bytes());
    Ok(())
}

/// The character of the one or two `\uXXXX` that `text` begins with, and their length.
fn utf_16(text: &str) -> Option<(char, usize)> {
    let unit = |from: usize| {
        let digits = text.get(from..from + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16)
            .ok()
            .filter(|_| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    let first = unit(0)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, 6));
    }
    let units = [first, unit(6)?];
    let character = char::decode_utf16(units).next()?.ok()?;
    Some((character, 12))
}
