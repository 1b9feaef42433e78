//! The JSON encoding (KMIP Additional Message Encodings 1.0, section 4; KMIP Profiles 2.1, the JSON Profile).
//!
//! An item is an object with `tag`, `type` and `value`, in any order; a structure has no type, and its value is the
//! list of its items. A tag without a name is a number such as `"0x540001"`. The names of a mask's bits are parted by
//! `|`. Long Integers beyond 2^52 are written in hexadecimal, because most readers of JSON have no more precision, and
//! are read exactly either way.
//!
//! Keys: see [`transcode`](super::transcode). The lexer lends each value as it stands in the text, escapes included,
//! and they are resolved on their way to the output.

mod read;
mod write;

pub use read::read;
pub use write::write;
