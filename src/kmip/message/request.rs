//! Requests (KMIP 1.4, section 7).

use smallvec::SmallVec;

use super::{EncodeError, MessageExtension, RequestHeader, read_batch, read_extensions};
use crate::kmip::enumeration::Operation;
use crate::kmip::output::Output;
use crate::kmip::payload::RequestPayload;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Context, DecodeError, Field, Limits, Reader, Writer};
use crate::kmip::version::ProtocolVersion;

/// The items of a request. Of the usual request there is one, which needs no memory of its own.
pub type RequestItems<'a> = SmallVec<[RequestItem<'a>; 1]>;

/// A request: a header and batch items.
#[derive(Debug)]
pub struct RequestMessage<'a> {
    /// What is said once for all items.
    pub header: RequestHeader<'a>,
    /// What is asked, at least one item.
    pub items: RequestItems<'a>,
}

/// A batch item of a request.
#[derive(Debug)]
pub struct RequestItem<'a> {
    /// What is to be done.
    pub operation: Operation,
    /// Whether the output of the operation is not to be told. Since 2.0.
    pub ephemeral: Option<bool>,
    /// The client's name of the item, to be echoed to the byte.
    pub unique_batch_item_id: Option<&'a [u8]>,
    /// With what; or why that cannot be read, which is no matter of the other items. It is of `operation`.
    pub payload: Result<RequestPayload<'a>, DecodeError>,
    /// What vendors added. One at most before 2.0.
    pub message_extensions: Vec<MessageExtension<'a>>,
}

impl<'a> RequestItem<'a> {
    /// An item without an identifier.
    pub fn new(payload: RequestPayload<'a>) -> Self {
        Self {
            operation: payload.operation(),
            ephemeral: None,
            unique_batch_item_id: None,
            payload: Ok(payload),
            message_extensions: Vec::new(),
        }
    }

    /// Reads the item. Only what keeps the item's frame from being read is an error of the message.
    fn read(reader: &mut Reader<'a, '_>, position: usize) -> Result<Self, DecodeError> {
        let mut inner = reader.enter(Tag::BATCH_ITEM)?;
        inner
            .whole(|inner| {
                let operation = inner.open_enumeration(Tag::OPERATION)?;
                let ephemeral = Field::read(inner, Tag::EPHEMERAL)?;
                let unique_batch_item_id = Field::read(inner, Tag::UNIQUE_BATCH_ITEM_ID)?;
                // The place of the payload is known before it is read, so that the items after it can be found.
                let mut at_payload = inner.fork();
                if !inner.is_next(Tag::REQUEST_PAYLOAD) {
                    return Err(inner.missing(Tag::REQUEST_PAYLOAD));
                }
                inner.pass()?;
                let payload = RequestPayload::read(&mut at_payload, operation).map_err(|error| {
                    error
                        .within(Tag::BATCH_ITEM, Some(position))
                        .within(Tag::REQUEST_MESSAGE, None)
                });
                let message_extensions = read_extensions(inner)?;
                Ok(Self {
                    operation,
                    ephemeral,
                    unique_batch_item_id,
                    payload,
                    message_extensions,
                })
            })
            .map_err(|error| error.within(Tag::BATCH_ITEM, Some(position)))
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), EncodeError> {
        writer.structure(Tag::BATCH_ITEM, |inner| {
            inner.enumeration(Tag::OPERATION, self.operation);
            inner.field(Tag::EPHEMERAL, &self.ephemeral);
            inner.field(Tag::UNIQUE_BATCH_ITEM_ID, &self.unique_batch_item_id);
            self.payload
                .as_ref()
                .map_err(|error| EncodeError::Unreadable(error.clone()))?
                .write(inner);
            inner.field(Tag::MESSAGE_EXTENSION, &self.message_extensions);
            Ok(())
        })
    }
}

impl<'a> RequestMessage<'a> {
    /// Reads a request from bytes that hold nothing else.
    ///
    /// An error here is one of the whole message: of its frame, its header, or the frame of a batch item. What is
    /// wrong in the payload of an item is told there.
    ///
    /// The version is read, not judged: whether it is one that can be answered is for the caller to ask. Of a version
    /// that is not known here, fields that are not known are passed over.
    pub fn decode(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let context = Context::strict(*limits);
        Reader::message(bytes, &context, Tag::REQUEST_MESSAGE, |inner| {
            let (header, batch_count) = RequestHeader::read(inner)?;
            let items = read_batch(inner, batch_count, RequestItem::read)?;
            Ok(Self { header, items })
        })
    }

    /// Writes the request at the end of `out`. Where that fails, `out` is as it was before.
    pub fn encode(&self, out: &mut dyn Output) -> Result<(), EncodeError> {
        super::encode(out, self.header.protocol_version, |writer| {
            writer.structure(Tag::REQUEST_MESSAGE, |inner| {
                self.header.write(inner, self.items.len());
                self.items.iter().try_for_each(|item| item.write(inner))
            })
        })
    }

    /// The version that a message claims to be written in, where that much of it can be read. So that a message that
    /// cannot be read is answered in its own version.
    pub fn sniff_version(bytes: &[u8]) -> Option<ProtocolVersion> {
        let start = bytes.get(..64.min(bytes.len()))?;
        let field = |at: usize, tag: Tag, code: u8| {
            let header = start.get(at..at + 8)?;
            (header[..3] == tag.to_bytes() && header[3] == code).then_some(())
        };
        let number = |at: usize, tag: Tag| {
            field(at, tag, 0x02)?;
            let value = start.get(at + 8..at + 12)?;
            Some(u32::from_be_bytes(value.try_into().ok()?))
        };
        field(0, Tag::REQUEST_MESSAGE, 0x01)?;
        field(8, Tag::REQUEST_HEADER, 0x01)?;
        field(16, Tag::PROTOCOL_VERSION, 0x01)?;
        let major = number(24, Tag::PROTOCOL_VERSION_MAJOR)?;
        let minor = number(40, Tag::PROTOCOL_VERSION_MINOR)?;
        Some(ProtocolVersion { major, minor })
    }
}
