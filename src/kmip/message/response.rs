//! Responses (KMIP 1.4, section 7).

use std::borrow::Cow;

use super::{EncodeError, MessageExtension, ResponseHeader, read_batch};
use crate::kmip::enumeration::{Enumeration, Operation, ResultReason, ResultStatus};
use crate::kmip::output::Output;
use crate::kmip::payload::ResponsePayload;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Context, DecodeError, Field, Limits, Reader, Writer};
use crate::kmip::version::ProtocolVersion;

/// A response: a header and batch items.
#[derive(Debug)]
pub struct ResponseMessage<'a> {
    /// What is said once for all items.
    pub header: ResponseHeader<'a>,
    /// What is answered.
    pub items: Vec<ResponseItem<'a>>,
}

/// A batch item of a response.
#[derive(Debug)]
pub struct ResponseItem<'a> {
    /// What was to be done; absent where the request could not be read.
    pub operation: Option<Operation>,
    /// The client's name of the item, as it came.
    pub unique_batch_item_id: Option<Cow<'a, [u8]>>,
    /// How it went.
    pub result_status: ResultStatus,
    /// Why it failed. Written as General Failure to a client that does not know the reason yet.
    pub result_reason: Option<ResultReason>,
    /// The same in words.
    pub result_message: Option<String>,
    /// By which the client can fetch the answer later.
    pub asynchronous_correlation_value: Option<Vec<u8>>,
    /// The answer. It is of `operation`.
    pub payload: Option<ResponsePayload<'a>>,
    /// What a vendor added.
    pub message_extension: Option<MessageExtension<'a>>,
}

impl<'a> ResponseItem<'a> {
    /// An item that went well.
    pub fn success(payload: ResponsePayload<'a>) -> Self {
        Self {
            operation: Some(payload.operation()),
            unique_batch_item_id: None,
            result_status: ResultStatus::Success,
            result_reason: None,
            result_message: None,
            asynchronous_correlation_value: None,
            payload: Some(payload),
            message_extension: None,
        }
    }

    /// An item that failed.
    pub fn failure(operation: Option<Operation>, reason: ResultReason, message: impl Into<String>) -> Self {
        Self {
            operation,
            unique_batch_item_id: None,
            result_status: ResultStatus::OperationFailed,
            result_reason: Some(reason),
            result_message: Some(message.into()),
            asynchronous_correlation_value: None,
            payload: None,
            message_extension: None,
        }
    }

    /// An item whose answer can be fetched later.
    pub fn pending(operation: Operation, asynchronous_correlation_value: Vec<u8>) -> Self {
        Self {
            operation: Some(operation),
            unique_batch_item_id: None,
            result_status: ResultStatus::OperationPending,
            result_reason: None,
            result_message: None,
            asynchronous_correlation_value: Some(asynchronous_correlation_value),
            payload: None,
            message_extension: None,
        }
    }

    /// The same item, under the client's name of it.
    #[must_use]
    pub fn with_id(self, unique_batch_item_id: Option<impl Into<Cow<'a, [u8]>>>) -> Self {
        Self {
            unique_batch_item_id: unique_batch_item_id.map(Into::into),
            ..self
        }
    }

    fn read(reader: &mut Reader<'a, '_>, position: usize) -> Result<Self, DecodeError> {
        let mut inner = reader.enter(Tag::BATCH_ITEM)?;
        inner
            .whole(Self::read_fields)
            .map_err(|error| error.within(Tag::BATCH_ITEM, Some(position)))
    }

    fn read_fields(reader: &mut Reader<'a, '_>) -> Result<Self, DecodeError> {
        let operation = Field::read(reader, Tag::OPERATION)?;
        let unique_batch_item_id: Option<&[u8]> = Field::read(reader, Tag::UNIQUE_BATCH_ITEM_ID)?;
        Ok(Self {
            operation,
            unique_batch_item_id: unique_batch_item_id.map(Cow::Borrowed),
            result_status: Field::read(reader, Tag::RESULT_STATUS)?,
            result_reason: Field::read(reader, Tag::RESULT_REASON)?,
            result_message: Field::read(reader, Tag::RESULT_MESSAGE)?,
            asynchronous_correlation_value: Field::read(reader, Tag::ASYNCHRONOUS_CORRELATION_VALUE)?,
            payload: reader.optional(Tag::RESPONSE_PAYLOAD, |reader| {
                // An answer that does not say to what can only be passed over.
                ResponsePayload::read(reader, operation.unwrap_or(Operation::Other(0)))
            })?,
            message_extension: Field::read(reader, Tag::MESSAGE_EXTENSION)?,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.structure(Tag::BATCH_ITEM, |inner| {
            if let Some(operation) = self.operation {
                // Echoed as it came, so that it is not asked whether the client knows it.
                inner.enumeration(Tag::OPERATION, operation);
            }
            if let Some(id) = &self.unique_batch_item_id {
                inner.bytes(Tag::UNIQUE_BATCH_ITEM_ID, id);
            }
            inner.field(Tag::RESULT_STATUS, &self.result_status);
            let version = inner.version();
            let reason = self.result_reason.map(|reason| {
                if reason.is_known_in(version) {
                    reason
                } else {
                    ResultReason::GeneralFailure
                }
            });
            inner.field(Tag::RESULT_REASON, &reason);
            inner.field(Tag::RESULT_MESSAGE, &self.result_message);
            inner.field(
                Tag::ASYNCHRONOUS_CORRELATION_VALUE,
                &self.asynchronous_correlation_value,
            );
            if let Some(payload) = &self.payload {
                payload.write(inner);
            }
            inner.field(Tag::MESSAGE_EXTENSION, &self.message_extension);
        });
    }

    /// Writes the item alone at the end of `out`, for a client of this version: for servers that write a message item
    /// by item after [`ResponseMessage::encode_header`]. Where that fails, `out` is as it was before.
    pub fn encode(&self, version: ProtocolVersion, out: &mut dyn Output) -> Result<(), EncodeError> {
        super::encode(out, version, |writer| {
            self.write(writer);
            Ok(())
        })
    }
}

impl<'a> ResponseMessage<'a> {
    /// Reads a response from bytes that hold nothing else. Values of enumerations that are not known are let pass: the
    /// server may be newer.
    pub fn decode(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let context = Context::tolerant(*limits);
        Reader::message(bytes, &context, Tag::RESPONSE_MESSAGE, |inner| {
            let (header, batch_count) = ResponseHeader::read(inner)?;
            let items = read_batch(inner, batch_count, ResponseItem::read)?.into_vec();
            Ok(Self { header, items })
        })
    }

    /// Writes the response at the end of `out`, without what the client's version, that of the header, does not know.
    /// Where that fails, `out` is as it was before.
    pub fn encode(&self, out: &mut dyn Output) -> Result<(), EncodeError> {
        super::encode(out, self.header.protocol_version, |writer| {
            writer.structure(Tag::RESPONSE_MESSAGE, |inner| {
                self.header.write(inner, self.items.len());
                self.items.iter().for_each(|item| item.write(inner));
            });
            Ok(())
        })
    }

    /// Writes the start of a response of `batch_count` items at the end of `out`, for servers that write item by item,
    /// so that an item that turns out too large or fails to be written can be replaced. The items follow, by
    /// [`ResponseItem::encode`], and [`OpenMessage::close`] ends the message.
    ///
    /// Returns what `close` needs.
    pub fn encode_header(
        header: &ResponseHeader<'_>,
        batch_count: usize,
        out: &mut dyn Output,
    ) -> Result<OpenMessage, EncodeError> {
        let start = out.len();
        super::encode(out, header.protocol_version, |writer| {
            writer.structure(Tag::RESPONSE_MESSAGE, |inner| header.write(inner, batch_count));
            Ok(())
        })?;
        Ok(OpenMessage { start })
    }
}

/// A response whose items are still being written.
#[derive(Debug)]
#[must_use = "the message has no length until it is closed"]
pub struct OpenMessage {
    start: usize,
}

impl OpenMessage {
    /// How many bytes the message has so far.
    pub fn len(&self, out: &dyn Output) -> usize {
        out.len() - self.start
    }

    /// Fills in the length of the message, which ends where `out` ends.
    pub fn close(self, out: &mut dyn Output) {
        let length = u32::try_from(self.len(out) - 8).expect("a message is smaller than 4 GiB");
        out.as_mut_slice()[self.start + 4..self.start + 8].copy_from_slice(&length.to_be_bytes());
    }
}
