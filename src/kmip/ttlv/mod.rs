//! The binary encoding: tag, type, length, value (KMIP 1.4, section 9.1).
//!
//! Here belongs what any item is, whatever it means: its types, how it is read and written, and the owned tree
//! ([`Value`]) for items that are kept without being understood. What items mean belongs to `message`, `payload`
//! and `attribute`.

mod value;

pub use value::{DateTime, Item, ItemType, Value};
