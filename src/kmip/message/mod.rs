//! Messages: headers and batch items (KMIP 1.4, sections 6 and 7).
//!
//! Here belongs what is around payloads. What is in them belongs to `payload`.

mod credential;
mod extension;
mod header;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use credential::{AttestationCredential, Credential, DeviceCredential, Nonce, OtherCredential, Password};
pub use extension::MessageExtension;
pub use header::{RequestHeader, ResponseHeader};
pub use request::{RequestItem, RequestItems, RequestMessage};
pub use response::{OpenMessage, ResponseItem, ResponseMessage};

use smallvec::SmallVec;

use super::output::{MaterialError, Output};
use super::tag::Tag;
use super::ttlv::{DecodeError, DecodeErrorKind, Field, Reader, Writer};
use super::version::ProtocolVersion;

/// A message that cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Key material in it could not be opened.
    #[error(transparent)]
    Material(#[from] MaterialError),
    /// A payload in it is one that could not be read.
    #[error("a payload that could not be read cannot be written: {0}")]
    Unreadable(DecodeError),
}

/// Writes with `write`, and leaves `out` as it was where that fails.
fn encode(
    out: &mut dyn Output,
    version: ProtocolVersion,
    write: impl FnOnce(&mut Writer<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let mut writer = Writer::new(out, version);
    let result = write(&mut writer).and_then(|()| writer.finish().map_err(EncodeError::from));
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Reads batch items to the end of the message, and compares their number with the one announced.
fn read_batch<'a, T>(
    reader: &mut Reader<'a, '_>,
    batch_count: i32,
    read: impl Fn(&mut Reader<'a, '_>, usize) -> Result<T, DecodeError>,
) -> Result<SmallVec<[T; 1]>, DecodeError> {
    let mut items = SmallVec::new();
    while reader.is_next(Tag::BATCH_ITEM) {
        items.push(read(reader, items.len())?);
    }
    let (announced, found) = (i64::from(batch_count), items.len());
    if found == 0 {
        return Err(reader.missing(Tag::BATCH_ITEM));
    }
    if usize::try_from(batch_count) != Ok(found) {
        return Err(reader.error(DecodeErrorKind::BatchCount { announced, found }));
    }
    Ok(items)
}

/// Reads what vendors added to a batch item: at most once in 1.x, and as often as they like from 2.0 on.
fn read_extensions<'a>(reader: &mut Reader<'a, '_>) -> Result<Vec<MessageExtension<'a>>, DecodeError> {
    if reader.version().tags_attributes() {
        return Field::read(reader, Tag::MESSAGE_EXTENSION);
    }
    let only: Option<MessageExtension<'a>> = Field::read(reader, Tag::MESSAGE_EXTENSION)?;
    Ok(only.into_iter().collect())
}
