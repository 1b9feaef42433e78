//! From XML to the binary form.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesStart, Event};

use super::is_forbidden;
use crate::kmip::output::Output;
use crate::kmip::tag::Tag;
use crate::kmip::transcode::{self, Builder, Written};
use crate::kmip::ttlv::{DecodeError, DecodeErrorKind, ItemType, Limits};

/// More attributes than an element of KMIP has, declarations of namespaces included.
const MOST_ATTRIBUTES: usize = 16;

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
        xml: Reader::from_str(text),
        builder: Builder::new(out, limits),
        in_simple: false,
        is_done: false,
    }
    .run()
}

fn syntax(what: impl Into<Cow<'static, str>>) -> DecodeErrorKind {
    DecodeErrorKind::Syntax {
        encoding: "XML",
        what: what.into(),
    }
}

struct Reading<'t, 'o> {
    xml: Reader<&'t [u8]>,
    builder: Builder<'o>,
    /// Whether an element of a simple type is open.
    in_simple: bool,
    /// Whether the message has ended.
    is_done: bool,
}

/// What the attributes of an element say.
struct Element<'s> {
    tag: Tag,
    item_type: ItemType,
    value: Option<&'s str>,
}

impl Reading<'_, '_> {
    fn run(mut self) -> Result<(), DecodeError> {
        loop {
            let offset = self.position();
            let event = self.xml.read_event().map_err(|error| {
                let offset = usize::try_from(self.xml.error_position()).unwrap_or(offset);
                self.builder.error(syntax(well_formedness(&error)), offset)
            })?;
            match event {
                Event::Start(start) => {
                    let element = self.element(&start, offset)?;
                    self.open(&element, offset)?;
                    self.in_simple = element.item_type != ItemType::Structure;
                }
                Event::Empty(start) => {
                    let element = self.element(&start, offset)?;
                    self.open(&element, offset)?;
                    if element.item_type == ItemType::Structure {
                        self.builder.end();
                    }
                    self.is_done = self.builder.depth() == 0;
                }
                Event::End(_) => {
                    if !std::mem::take(&mut self.in_simple) {
                        self.builder.end();
                    }
                    self.is_done = self.builder.depth() == 0;
                }
                Event::Text(text) if text.iter().all(u8::is_ascii_whitespace) => {}
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
                Event::Eof if self.is_done => return Ok(()),
                Event::Eof => return Err(self.error("it ends within the message", offset)),
                Event::DocType(_) => {
                    return Err(self.error("it has a document type, which is not taken", offset));
                }
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => {
                    return Err(self.error("there is text between its elements", offset));
                }
            }
        }
    }

    fn position(&self) -> usize {
        usize::try_from(self.xml.buffer_position()).unwrap_or(usize::MAX)
    }

    #[cold]
    fn error(&self, what: &'static str, offset: usize) -> DecodeError {
        self.builder.error(syntax(what), offset)
    }

    /// Opens a structure, or writes a value.
    fn open(&mut self, element: &Element<'_>, offset: usize) -> Result<(), DecodeError> {
        let Element {
            tag,
            item_type,
            value,
        } = *element;
        if self.is_done {
            return Err(self.error("there is more than one message", offset));
        }
        if self.in_simple {
            return Err(self.error("there is an element within a value", offset));
        }
        let raw = match (item_type, value) {
            (ItemType::Structure, None) => return self.builder.begin(tag, offset),
            (ItemType::Structure, Some(_)) => {
                return Err(self.error("a structure has a value", offset));
            }
            // They may be empty, and some leave away what is.
            (ItemType::TextString | ItemType::ByteString, None) => "",
            (_, None) => return Err(self.error("an element has a type and no value", offset)),
            (_, Some(value)) => value,
        };
        let is_plain = !raw.contains(['&', '\t', '\n', '\r']) && !raw.contains(is_forbidden);
        let value = Written {
            raw,
            is_quoted: true,
            unescape: if is_plain { None } else { Some(unescape) },
            offset,
        };
        self.builder.simple(tag, item_type, &value)
    }

    fn element<'s>(&self, start: &'s BytesStart<'_>, offset: usize) -> Result<Element<'s>, DecodeError> {
        let failed = |kind| self.builder.error(kind, offset);
        let (mut tag_text, mut type_text, mut value) = (None, None, None);
        let mut count = 0;
        for attribute in start.attributes() {
            count += 1;
            if count > MOST_ATTRIBUTES {
                return Err(self.error("an element has too many attributes", offset));
            }
            let attribute =
                attribute.map_err(|_| self.error("an element's attributes cannot be read", offset))?;
            let slot = match attribute.key.as_ref() {
                b"tag" => &mut tag_text,
                b"type" => &mut type_text,
                b"value" => &mut value,
                b"name" | b"xmlns" => continue,
                other if other.starts_with(b"xmlns:") => continue,
                _ => {
                    return Err(self.error(
                        "an element has an attribute that is none of tag, name, type and value",
                        offset,
                    ));
                }
            };
            *slot = Some(self.lent(&attribute.value, offset)?);
        }
        let name = start.local_name();
        let name = str::from_utf8(name.as_ref()).map_err(|_| failed(DecodeErrorKind::NotUtf8))?;
        let name = match (name, tag_text) {
            ("TTLV", Some(tag)) => tag,
            (name, None) => name,
            (_, Some(_)) => return Err(self.error("an element other than TTLV has a tag", offset)),
        };
        let tag = transcode::tag(name).map_err(failed)?;
        let item_type = type_text
            .map_or(Ok(ItemType::Structure), transcode::item_type)
            .map_err(|kind| failed(kind).under(tag))?;
        Ok(Element {
            tag,
            item_type,
            value,
        })
    }

    /// An attribute's value as the text has it.
    fn lent<'s>(&self, value: &Cow<'s, [u8]>, offset: usize) -> Result<&'s str, DecodeError> {
        // The lexer lends what it finds. Would it ever copy, a key could be in the copy.
        let Cow::Borrowed(value) = value else {
            return Err(self.error("an attribute cannot be read in its place", offset));
        };
        str::from_utf8(value).map_err(|_| self.builder.error(DecodeErrorKind::NotUtf8, offset))
    }
}

/// What is wrong, in words that hold nothing of the text.
fn well_formedness(error: &quick_xml::Error) -> &'static str {
    use quick_xml::Error;
    use quick_xml::errors::{IllFormedError, SyntaxError};
    match error {
        Error::Syntax(SyntaxError::UnclosedTag) => "a tag is not closed",
        Error::Syntax(SyntaxError::UnclosedComment) => "a comment is not closed",
        Error::IllFormed(IllFormedError::MismatchedEndTag { .. }) => "an element ends with another's name",
        Error::IllFormed(IllFormedError::UnmatchedEndTag(_)) => "an element ends that has not begun",
        _ => "it is not well-formed",
    }
}

/// Writes what an attribute's value means: references resolved, white space as spaces (XML 1.0, section 3.3.3).
fn unescape(raw: &str, out: &mut dyn Output) -> Result<(), DecodeErrorKind> {
    let mut rest = raw;
    loop {
        let special = rest.find(|c| matches!(c, '&' | '\t' | '\n' | '\r') || is_forbidden(c));
        let (plain, from) = rest.split_at(special.unwrap_or(rest.len()));
        out.append(plain.as_bytes());
        let Some(first) = from.chars().next() else {
            return Ok(());
        };
        match first {
            '&' => {
                let (name, behind) = from[1..]
                    .split_once(';')
                    .ok_or_else(|| syntax("a reference has no end"))?;
                reference(name, out)?;
                rest = behind;
            }
            // Line breaks of Windows are one character.
            '\r' if from[1..].starts_with('\n') => rest = &from[1..],
            '\t' | '\n' | '\r' => {
                out.append(b" ");
                rest = &from[1..];
            }
            _ => return Err(syntax("it has a control character")),
        }
    }
}

fn reference(name: &str, out: &mut dyn Output) -> Result<(), DecodeErrorKind> {
    if let Some(text) = resolve_xml_entity(name) {
        out.append(text.as_bytes());
        return Ok(());
    }
    let number = name.strip_prefix('#').and_then(|number| {
        let (digits, radix) = match number.strip_prefix('x') {
            Some(digits) => (digits, 16),
            None => (number, 10),
        };
        // `from_str_radix` would take a sign.
        let only_digits = digits.chars().all(|digit| digit.is_digit(radix));
        u32::from_str_radix(digits, radix).ok().filter(|_| only_digits)
    });
    let character = number
        .and_then(char::from_u32)
        .filter(|c| !is_forbidden(*c))
        .ok_or_else(|| syntax("a reference is none of XML's own"))?;
    out.append(character.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(())
}
