//! The XML encoding (KMIP Additional Message Encodings 1.0, section 6; KMIP Profiles 2.1, the XML Profile).
//!
//! An item is an element that bears the tag's name without spaces, with its type and its value as attributes; a
//! structure has no type and holds its items. A tag without a name is `<TTLV tag="0x540001">`. The names of a mask's
//! bits are parted by spaces.
//!
//! What is read may have a declaration, comments and instructions, which are passed over, and an `xmlns`. It has no
//! document type, no entities but the five that XML itself has, no CDATA, and no text but white space; it is UTF-8.
//! A text with control characters cannot be said in XML and is not written: [`write()`] refuses the message.
//!
//! Keys: see [`transcode`](super::transcode). The lexer lends what it finds in the text, and keeps of it the names of
//! the elements that are open.

mod read;
mod write;

pub use read::read;
pub use write::write;

/// The characters that cannot be said in XML 1.0, not even escaped.
fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}
