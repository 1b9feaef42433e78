//! What the two text encodings, XML and JSON, have in common (KMIP Additional Message Encodings 1.0; KMIP Profiles 2.1).
//!
//! A message in text is turned into its binary form, which the decoder then reads, and an answer in binary is turned
//! into text: there is one model of messages, and one reader of it. Here belongs what a value looks like in either
//! text, and the counting of limits. What is special to one of them belongs to [`xml`](super::xml) and
//! [`json`](super::json).
//!
//! # What becomes of keys
//! A value goes from the text that was given straight to the [`Output`](super::output::Output) that was given, and the
//! other way round. Where a value other than a text has escapes in it, which no encoder writes, it is unescaped in
//! memory that is zeroised. Nothing else is copied, and no value is part of an error, except the names of tags, types
//! and enumeration values.

mod builder;
mod parse;
mod walk;
mod write;

pub(super) use builder::{Builder, Written};
pub(super) use parse::{item_type, tag};
pub(super) use walk::{Place, Visitor, walk};
pub(super) use write::{Text, append_hex};

/// How much of a name that is not known goes into an error.
const SHOWN: usize = 64;

/// The beginning of a name, for an error.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(SHOWN).collect()
}
