//! KMIP, the Key Management Interoperability Protocol, versions 1.0 to 2.1: what is said on the wire.
//!
//! Here belongs what a message means and how it is read and written, in both directions. Nothing here opens a
//! socket, looks up a key or knows a device. There is one model of messages and attributes; the versions differ only
//! where they are read and written.
//!
//! | module | what it holds |
//! |---|---|
//! | [`version`] | protocol versions |
//! | [`tag`], [`enumeration`], [`mask`] | the specification's tables, with the version that each value came with |
//! | [`ttlv`] | items: types, reader, writer, limits |
//! | [`output`] | where a message is written, and how key material gets there |
//! | [`attribute`] | attributes: typed values, and the rules for each |
//! | [`object`] | keys and other objects as they travel |
//! | [`payload`] | what operations ask and answer |
//! | [`message`] | headers and batch items |
//! | [`text`] | a message in words |
//! | [`xml`], [`json`] | a message in the two text encodings, from and to the binary one |
//! | [`transcode`], [`naming`] | what those have in common: values and limits, and the names of numbers |

pub mod attribute;
pub mod enumeration;
pub mod json;
pub mod mask;
pub mod message;
mod naming;
pub mod object;
pub mod output;
pub mod payload;
pub mod tag;
pub mod text;
mod transcode;
pub mod ttlv;
pub mod version;
pub mod xml;

pub use version::ProtocolVersion;
