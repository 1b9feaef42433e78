//! From the binary form to JSON.

use crate::kmip::naming::{self, Simple};
use crate::kmip::output::Output;
use crate::kmip::tag::Tag;
use crate::kmip::transcode::{Place, Text, Visitor, append_hex, walk};
use crate::kmip::ttlv::{DecodeError, ItemType};

/// The numbers that every reader of JSON has exactly.
const EXACT: std::ops::Range<i64> = -(1 << 52) + 1..1 << 52;

/// Writes the JSON form of the message `ttlv` at the end of `out`, an item a line. Where that fails, `out` is as it was
/// before.
pub fn write(ttlv: &[u8], out: &mut dyn Output) -> Result<(), DecodeError> {
    let start = out.len();
    let result = walk(ttlv, &mut Json(Text(out)));
    if result.is_err() {
        out.truncate(start);
    } else {
        out.append(b"\n");
    }
    result
}

struct Json<'o>(Text<'o>);

impl Json<'_> {
    fn object(&mut self, place: Place, tag: Tag) {
        self.0.put(match place {
            Place {
                depth: 0,
                is_first: true,
            } => "",
            Place { is_first: true, .. } => "\n",
            Place { is_first: false, .. } => ",\n",
        });
        self.0.indent(place.depth);
        match tag.name() {
            Some(name) => self.0.format(format_args!("{{\"tag\":\"{name}\"")),
            None => self
                .0
                .format(format_args!("{{\"tag\":\"0x{:06X}\"", tag.number())),
        }
    }

    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(place) = rest.find(|c| matches!(c, '"' | '\\' | '\0'..='\u{1F}')) {
            let (plain, from) = rest.split_at(place);
            self.0.put(plain);
            match from.as_bytes()[0] {
                b'"' => self.0.put("\\\""),
                b'\\' => self.0.put("\\\\"),
                control => self.0.format(format_args!("\\u{control:04x}")),
            }
            rest = &from[1..];
        }
        self.0.put(rest);
    }
}

impl Visitor for Json<'_> {
    fn begin(&mut self, place: Place, tag: Tag, _is_empty: bool) {
        self.object(place, tag);
        self.0.put(",\"value\":[");
    }

    fn end(&mut self, depth: usize, _tag: Tag, is_empty: bool) {
        if !is_empty {
            self.0.put("\n");
            self.0.indent(depth);
        }
        self.0.put("]}");
    }

    fn simple(
        &mut self,
        place: Place,
        tag: Tag,
        item_type: ItemType,
        meaning: Tag,
        value: &Simple<'_>,
    ) -> Result<(), DecodeError> {
        self.object(place, tag);
        self.0
            .format(format_args!(",\"type\":\"{}\",\"value\":", item_type.name()));
        let out = &mut self.0;
        match value {
            Simple::Integer(number) => match naming::of_mask(meaning, (*number).into()) {
                Some(names) => out.format(format_args!("\"{}\"", names.replace(" | ", "|"))),
                None => out.format(format_args!("{number}")),
            },
            Simple::LongInteger(number) if EXACT.contains(number) => out.format(format_args!("{number}")),
            Simple::LongInteger(number) => out.format(format_args!("\"0x{number:016X}\"")),
            Simple::Enumeration(number) => match naming::of_enumeration(meaning, *number) {
                Some((name, _)) => out.format(format_args!("\"{name}\"")),
                None => out.format(format_args!("\"0x{number:08X}\"")),
            },
            Simple::Boolean(value) => out.format(format_args!("{value}")),
            Simple::Text(text) => {
                out.put("\"");
                self.text(text);
                self.0.put("\"");
            }
            Simple::Bytes(bytes) => {
                out.put("\"");
                append_hex(bytes, out.0);
                out.put("\"");
            }
            Simple::BigInteger(bytes) => {
                out.put("\"0x");
                append_hex(bytes, out.0);
                out.put("\"");
            }
            Simple::DateTime(moment) => match naming::of_date_time(*moment) {
                Some(text) => out.format(format_args!("\"{text}\"")),
                None => out.format(format_args!("\"0x{:016X}\"", moment.0)),
            },
            Simple::DateTimeExtended(moment) => out.format(format_args!("\"0x{moment:016X}\"")),
            Simple::Interval(seconds) => out.format(format_args!("{seconds}")),
        }
        self.0.put("}");
        Ok(())
    }
}
