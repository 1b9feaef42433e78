//! What a client lets the server know: Interop and Log (KMIP 2.1, sections 6.1.26 and 6.1.29). Since 2.0. Their answers are
//! empty.

use crate::kmip::enumeration::InteropFunction;
use crate::kmip::ttlv::structure_fields;

/// A test of interoperability begins, ends, or begins anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InteropRequest<'a> {
    /// Which of these.
    pub interop_function: InteropFunction,
    /// The client's name of the test.
    pub interop_identifier: &'a str,
}

/// Write a message into the server's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRequest<'a> {
    /// The message.
    pub log_message: &'a str,
}

structure_fields!(InteropRequest<'a> {
    interop_function: INTEROP_FUNCTION,
    interop_identifier: INTEROP_IDENTIFIER,
});
structure_fields!(LogRequest<'a> { log_message: LOG_MESSAGE, });
