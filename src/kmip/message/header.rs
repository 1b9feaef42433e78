//! The headers of messages (KMIP 1.4, sections 6 and 7.2).

use super::{Credential, Nonce};
use crate::kmip::enumeration::{AsynchronousIndicator, AttestationType, BatchErrorContinuationOption};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DateTime, DecodeError, Field, Reader, Writer};
use crate::kmip::version::ProtocolVersion;

/// The header of a request. The Batch Count is not here: it is checked when a message is read, and counted when one
/// is written.
#[derive(Debug)]
pub struct RequestHeader<'a> {
    /// The version that the message is written in.
    pub protocol_version: ProtocolVersion,
    /// The largest response, in bytes, that the client can take.
    pub maximum_response_size: Option<u32>,
    /// A word of the client's about the request, for logs. Since 1.4.
    pub client_correlation_value: Option<&'a str>,
    /// The server's name of the request, in requests of servers. Since 1.4.
    pub server_correlation_value: Option<&'a str>,
    /// Whether the client can fetch the response later. A Boolean in 1.x, where true is read as Optional.
    pub asynchronous_indicator: Option<AsynchronousIndicator>,
    /// Whether the client can vouch for its state. Since 1.2.
    pub attestation_capable_indicator: Option<bool>,
    /// In which ways it can. Since 1.2.
    pub attestation_types: Vec<AttestationType>,
    /// Who the client says it is.
    pub credentials: Vec<Credential<'a>>,
    /// What happens to the other items when one fails. Absent means Stop.
    pub batch_error_continuation_option: Option<BatchErrorContinuationOption>,
    /// Whether items are to be worked on in their order. Absent means that the server may choose.
    pub batch_order_option: Option<bool>,
    /// The client's time.
    pub time_stamp: Option<DateTime>,
}

/// The header of a response. The Batch Count is not here: it is checked when a message is read, and counted when one
/// is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHeader<'a> {
    /// The version that the message is written in.
    pub protocol_version: ProtocolVersion,
    /// The server's time.
    pub time_stamp: DateTime,
    /// What an attestation is to be bound to. Since 1.2.
    pub nonce: Option<Nonce<'a>>,
    /// Attestations that the server wants. Since 1.2.
    pub attestation_types: Vec<AttestationType>,
    /// A word of the client's about the request, in responses of clients. Since 1.4.
    pub client_correlation_value: Option<String>,
    /// The server's name of the request, unique, and in its log. Since 1.4.
    pub server_correlation_value: Option<String>,
}

impl RequestHeader<'_> {
    /// A header that says nothing but the version, as VMware's products send it.
    pub const fn new(protocol_version: ProtocolVersion) -> Self {
        Self {
            protocol_version,
            maximum_response_size: None,
            client_correlation_value: None,
            server_correlation_value: None,
            asynchronous_indicator: None,
            attestation_capable_indicator: None,
            attestation_types: Vec::new(),
            credentials: Vec::new(),
            batch_error_continuation_option: None,
            batch_order_option: None,
            time_stamp: None,
        }
    }
}

impl ResponseHeader<'_> {
    /// A header that says nothing but version and time.
    pub const fn new(protocol_version: ProtocolVersion, time_stamp: DateTime) -> Self {
        Self {
            protocol_version,
            time_stamp,
            nonce: None,
            attestation_types: Vec::new(),
            client_correlation_value: None,
            server_correlation_value: None,
        }
    }
}

impl<'a> RequestHeader<'a> {
    /// Reads the header and the Batch Count.
    pub(super) fn read(reader: &mut Reader<'a, '_>) -> Result<(Self, i32), DecodeError> {
        reader.structure(Tag::REQUEST_HEADER, |inner| {
            let protocol_version = read_version(inner)?;
            let header = Self {
                protocol_version,
                maximum_response_size: inner.optional(Tag::MAXIMUM_RESPONSE_SIZE, |inner| {
                    inner.unsigned(Tag::MAXIMUM_RESPONSE_SIZE)
                })?,
                client_correlation_value: Field::read(inner, Tag::CLIENT_CORRELATION_VALUE)?,
                server_correlation_value: Field::read(inner, Tag::SERVER_CORRELATION_VALUE)?,
                asynchronous_indicator: read_asynchronous_indicator(inner)?,
                attestation_capable_indicator: Field::read(inner, Tag::ATTESTATION_CAPABLE_INDICATOR)?,
                attestation_types: Field::read(inner, Tag::ATTESTATION_TYPE)?,
                credentials: inner
                    .optional(Tag::AUTHENTICATION, |inner| {
                        inner.structure(Tag::AUTHENTICATION, read_credentials)
                    })?
                    .unwrap_or_default(),
                batch_error_continuation_option: Field::read(inner, Tag::BATCH_ERROR_CONTINUATION_OPTION)?,
                batch_order_option: Field::read(inner, Tag::BATCH_ORDER_OPTION)?,
                time_stamp: Field::read(inner, Tag::TIME_STAMP)?,
            };
            Ok((header, inner.integer(Tag::BATCH_COUNT)?))
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>, batch_count: usize) {
        writer.structure(Tag::REQUEST_HEADER, |inner| {
            inner.field(Tag::PROTOCOL_VERSION, &self.protocol_version);
            if let Some(size) = self.maximum_response_size {
                inner.unsigned(Tag::MAXIMUM_RESPONSE_SIZE, size);
            }
            inner.field(Tag::CLIENT_CORRELATION_VALUE, &self.client_correlation_value);
            inner.field(Tag::SERVER_CORRELATION_VALUE, &self.server_correlation_value);
            write_asynchronous_indicator(inner, self.asynchronous_indicator);
            inner.field(
                Tag::ATTESTATION_CAPABLE_INDICATOR,
                &self.attestation_capable_indicator,
            );
            inner.field(Tag::ATTESTATION_TYPE, &self.attestation_types);
            if !self.credentials.is_empty() {
                inner.structure(Tag::AUTHENTICATION, |inner| {
                    self.credentials.write(inner, Tag::CREDENTIAL);
                });
            }
            inner.field(
                Tag::BATCH_ERROR_CONTINUATION_OPTION,
                &self.batch_error_continuation_option,
            );
            inner.field(Tag::BATCH_ORDER_OPTION, &self.batch_order_option);
            inner.field(Tag::TIME_STAMP, &self.time_stamp);
            write_count(inner, batch_count);
        });
    }
}

impl<'a> ResponseHeader<'a> {
    /// Reads the header and the Batch Count.
    pub(super) fn read(reader: &mut Reader<'a, '_>) -> Result<(Self, i32), DecodeError> {
        reader.structure(Tag::RESPONSE_HEADER, |inner| {
            let protocol_version = read_version(inner)?;
            let header = Self {
                protocol_version,
                time_stamp: Field::read(inner, Tag::TIME_STAMP)?,
                nonce: Field::read(inner, Tag::NONCE)?,
                attestation_types: Field::read(inner, Tag::ATTESTATION_TYPE)?,
                client_correlation_value: Field::read(inner, Tag::CLIENT_CORRELATION_VALUE)?,
                server_correlation_value: Field::read(inner, Tag::SERVER_CORRELATION_VALUE)?,
            };
            Ok((header, inner.integer(Tag::BATCH_COUNT)?))
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>, batch_count: usize) {
        writer.structure(Tag::RESPONSE_HEADER, |inner| {
            inner.field(Tag::PROTOCOL_VERSION, &self.protocol_version);
            inner.field(Tag::TIME_STAMP, &self.time_stamp);
            inner.field(Tag::NONCE, &self.nonce);
            if inner.knows(Tag::NONCE) {
                inner.field(Tag::ATTESTATION_TYPE, &self.attestation_types);
            }
            inner.field(Tag::CLIENT_CORRELATION_VALUE, &self.client_correlation_value);
            inner.field(Tag::SERVER_CORRELATION_VALUE, &self.server_correlation_value);
            write_count(inner, batch_count);
        });
    }
}

/// Reads the version, by which the rest is read: of a minor version that is not known, unknown fields are passed over
/// (section 11.1).
fn read_version(reader: &mut Reader<'_, '_>) -> Result<ProtocolVersion, DecodeError> {
    let version = ProtocolVersion::read(reader, Tag::PROTOCOL_VERSION)?;
    reader.context().set_version(version);
    if !version.is_supported() {
        reader.context().skip_unknown_items();
    }
    Ok(version)
}

fn read_asynchronous_indicator(
    reader: &mut Reader<'_, '_>,
) -> Result<Option<AsynchronousIndicator>, DecodeError> {
    let tag = Tag::ASYNCHRONOUS_INDICATOR;
    if reader.version().tags_attributes() {
        return Field::read(reader, tag);
    }
    let indicator: Option<bool> = Field::read(reader, tag)?;
    Ok(indicator.map(|accepted| {
        if accepted {
            AsynchronousIndicator::Optional
        } else {
            AsynchronousIndicator::Prohibited
        }
    }))
}

fn write_asynchronous_indicator(writer: &mut Writer<'_>, indicator: Option<AsynchronousIndicator>) {
    let tag = Tag::ASYNCHRONOUS_INDICATOR;
    match indicator {
        Some(indicator) if writer.version().tags_attributes() => writer.enumeration(tag, indicator),
        Some(indicator) => writer.boolean(tag, indicator != AsynchronousIndicator::Prohibited),
        None => {}
    }
}

fn read_credentials<'a>(reader: &mut Reader<'a, '_>) -> Result<Vec<Credential<'a>>, DecodeError> {
    let credentials: Vec<_> = Field::read(reader, Tag::CREDENTIAL)?;
    if credentials.is_empty() {
        Err(reader.missing(Tag::CREDENTIAL))
    } else {
        Ok(credentials)
    }
}

fn write_count(writer: &mut Writer<'_>, batch_count: usize) {
    writer.unsigned(Tag::BATCH_COUNT, u32::try_from(batch_count).unwrap_or(u32::MAX));
}
