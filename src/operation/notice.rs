//! Log and Interop (KMIP 2.1, sections 6.1.29 and 6.1.26): what a client lets the server know goes into the custody log, and
//! changes nothing else.

use super::item::{Item, shortened};
use super::refusal::Refusal;
use crate::kmip::payload::{EmptyPayload, InteropRequest, LogRequest};

/// The longest message of a client's, in bytes, that is written down.
pub(super) const MESSAGE_AT_MOST: usize = 4_096;

/// Writes a message into the custody log, whole.
pub(super) async fn log(item: &mut Item<'_>, request: &LogRequest<'_>) -> Result<EmptyPayload, Refusal> {
    let message = request.log_message;
    if message.len() > MESSAGE_AT_MOST {
        return Err(Refusal::log_message(MESSAGE_AT_MOST));
    }
    item.event.details.insert("message".into(), message.to_owned());
    item.record().await?;
    Ok(EmptyPayload)
}

/// Marks where a test begins, ends or begins anew. Nothing is reset: what the test made is its own to destroy.
pub(super) async fn interop(
    item: &mut Item<'_>,
    request: &InteropRequest<'_>,
) -> Result<EmptyPayload, Refusal> {
    let details = &mut item.event.details;
    details.insert("function".into(), request.interop_function.to_string());
    details.insert("test".into(), shortened(request.interop_identifier));
    item.record().await?;
    Ok(EmptyPayload)
}
