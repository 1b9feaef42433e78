//! Poll, Cancel, Process and Query Asynchronous Requests (KMIP 1.4, sections 4.27 and 4.28; KMIP 2.1, sections 6.1.5,
//! 6.1.38, 6.1.39 and 6.1.41). Process's answer is empty; Poll's is that of the operation that is asked after, or none.

use crate::kmip::enumeration::{CancellationResult, Operation, ProcessingStage};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{DecodeError, Field, Reader, Writer, structure_fields};

/// Give the answer to an earlier request, if it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollRequest<'a> {
    /// Which request.
    pub asynchronous_correlation_value: &'a [u8],
}

/// Do not carry out an earlier request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelRequest<'a> {
    /// Which request.
    pub asynchronous_correlation_value: &'a [u8],
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CancelResponse {
    /// Which request.
    pub asynchronous_correlation_value: Vec<u8>,
    /// What became of it.
    pub cancellation_result: CancellationResult,
}

/// Carry out an earlier request now. Since 2.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessRequest<'a> {
    /// Which request.
    pub asynchronous_correlation_value: &'a [u8],
}

/// Which requests were made whose answers were not fetched? Since 2.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryAsynchronousRequestsRequest {
    /// Only of these.
    pub asynchronous_correlation_values: Option<AsynchronousCorrelationValues>,
    /// Only of these operations.
    pub operations: Option<Operations>,
}

/// The requests. Since 2.1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryAsynchronousRequestsResponse {
    /// Each of them.
    pub asynchronous_requests: Vec<AsynchronousRequest>,
}

/// Names of requests (KMIP 2.1, section 7.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AsynchronousCorrelationValues {
    /// Each of them.
    pub values: Vec<Vec<u8>>,
}

/// A list of operations (KMIP 2.1, section 7.20).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Each of them.
    pub operations: Vec<Operation>,
}

/// A request whose answer was not fetched (KMIP 2.1, section 7.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsynchronousRequest {
    /// Its name.
    pub asynchronous_correlation_value: Vec<u8>,
    /// What was asked.
    pub operation: Operation,
    /// When, in microseconds since 1970-01-01 00:00:00 UTC.
    pub submission_date: i64,
    /// How far it is.
    pub processing_stage: ProcessingStage,
}

structure_fields!(PollRequest<'a> { asynchronous_correlation_value: ASYNCHRONOUS_CORRELATION_VALUE, });
structure_fields!(CancelRequest<'a> { asynchronous_correlation_value: ASYNCHRONOUS_CORRELATION_VALUE, });
structure_fields!(ProcessRequest<'a> { asynchronous_correlation_value: ASYNCHRONOUS_CORRELATION_VALUE, });
structure_fields!(CancelResponse {
    asynchronous_correlation_value: ASYNCHRONOUS_CORRELATION_VALUE,
    cancellation_result: CANCELLATION_RESULT,
});
structure_fields!(QueryAsynchronousRequestsRequest {
    asynchronous_correlation_values: ASYNCHRONOUS_CORRELATION_VALUES,
    operations: OPERATIONS,
});
structure_fields!(QueryAsynchronousRequestsResponse {
    asynchronous_requests: ASYNCHRONOUS_REQUEST,
});
structure_fields!(AsynchronousCorrelationValues {
    values: ASYNCHRONOUS_CORRELATION_VALUE,
});
structure_fields!(Operations {
    operations: OPERATION,
});

impl<'a> Field<'a> for AsynchronousRequest {
    fn read(reader: &mut Reader<'a, '_>, tag: Tag) -> Result<Self, DecodeError> {
        reader.structure(tag, |inner| {
            Ok(Self {
                asynchronous_correlation_value: Field::read(inner, Tag::ASYNCHRONOUS_CORRELATION_VALUE)?,
                operation: Field::read(inner, Tag::OPERATION)?,
                submission_date: inner.date_time_extended(Tag::SUBMISSION_DATE)?,
                processing_stage: Field::read(inner, Tag::PROCESSING_STAGE)?,
            })
        })
    }

    fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
        writer.structure(tag, |inner| {
            inner.field(
                Tag::ASYNCHRONOUS_CORRELATION_VALUE,
                &self.asynchronous_correlation_value,
            );
            inner.field(Tag::OPERATION, &self.operation);
            inner.date_time_extended(Tag::SUBMISSION_DATE, self.submission_date);
            inner.field(Tag::PROCESSING_STAGE, &self.processing_stage);
        });
    }
}
