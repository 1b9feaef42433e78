//! From the binary form to XML.

use super::is_forbidden;
use crate::kmip::naming::{self, Simple};
use crate::kmip::output::Output;
use crate::kmip::tag::Tag;
use crate::kmip::transcode::{Place, Text, Visitor, append_hex, walk};
use crate::kmip::ttlv::{DecodeError, DecodeErrorKind, ItemType};

/// Writes the XML form of the message `ttlv` at the end of `out`, an element a line. Where that fails, `out` is as it
/// was before.
pub fn write(ttlv: &[u8], out: &mut dyn Output) -> Result<(), DecodeError> {
    let start = out.len();
    out.append(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let result = walk(ttlv, &mut Xml(Text(out)));
    if result.is_err() {
        out.truncate(start);
    }
    result
}

struct Xml<'o>(Text<'o>);

impl Xml<'_> {
    /// Writes `<Name`, and for a tag without a name `<TTLV tag="0x540001"`.
    fn name(&mut self, depth: usize, tag: Tag) {
        self.0.indent(depth);
        match tag.name() {
            Some(name) => self.0.format(format_args!("<{name}")),
            None => self
                .0
                .format(format_args!("<TTLV tag=\"0x{:06X}\"", tag.number())),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), DecodeError> {
        let mut rest = text;
        while let Some(place) =
            rest.find(|c| matches!(c, '&' | '<' | '>' | '"' | '\t' | '\n' | '\r') || is_forbidden(c))
        {
            let (plain, from) = rest.split_at(place);
            self.0.put(plain);
            let escaped = match from.as_bytes()[0] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                b'\t' => "&#9;",
                b'\n' => "&#10;",
                b'\r' => "&#13;",
                _ => return Err(DecodeError::new(DecodeErrorKind::NotInXml, 0)),
            };
            self.0.put(escaped);
            rest = &from[1..];
        }
        self.0.put(rest);
        Ok(())
    }
}

impl Visitor for Xml<'_> {
    fn begin(&mut self, place: Place, tag: Tag, is_empty: bool) {
        self.name(place.depth, tag);
        self.0.put(if is_empty { "/>\n" } else { ">\n" });
    }

    fn end(&mut self, depth: usize, tag: Tag, is_empty: bool) {
        if !is_empty {
            self.0.indent(depth);
            self.0
                .format(format_args!("</{}>\n", tag.name().unwrap_or("TTLV")));
        }
    }

    fn simple(
        &mut self,
        place: Place,
        tag: Tag,
        item_type: ItemType,
        meaning: Tag,
        value: &Simple<'_>,
    ) -> Result<(), DecodeError> {
        self.name(place.depth, tag);
        self.0
            .format(format_args!(" type=\"{}\" value=\"", item_type.name()));
        let out = &mut self.0;
        match value {
            Simple::Integer(number) => match naming::of_mask(meaning, (*number).into()) {
                Some(names) => out.put(&names.replace(" | ", " ")),
                None => out.format(format_args!("{number}")),
            },
            Simple::LongInteger(number) => out.format(format_args!("{number}")),
            Simple::Enumeration(number) => match naming::of_enumeration(meaning, *number) {
                Some((name, _)) => out.put(name),
                None => out.format(format_args!("0x{number:08X}")),
            },
            Simple::Boolean(value) => out.format(format_args!("{value}")),
            Simple::Text(text) => self.text(text)?,
            Simple::Bytes(bytes) | Simple::BigInteger(bytes) => append_hex(bytes, out.0),
            Simple::DateTime(moment) => match naming::of_date_time(*moment) {
                Some(text) => out.put(&text),
                None => out.format(format_args!("0x{:016X}", moment.0)),
            },
            Simple::DateTimeExtended(moment) => out.format(format_args!("0x{moment:016X}")),
            Simple::Interval(seconds) => out.format(format_args!("{seconds}")),
        }
        self.0.put("\"/>\n");
        Ok(())
    }
}
