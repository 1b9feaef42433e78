//! One question and its answer, as every `kmip` command has them.

use zeroize::Zeroizing;

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, printable};
use crate::kmip::enumeration::ResultStatus;
use crate::kmip::message::{RequestHeader, RequestItem, RequestMessage, ResponseMessage};
use crate::kmip::output::ZeroizingOutput;
use crate::kmip::payload::{RequestPayload, ResponsePayload};
use crate::kmip::text::{self, Secrets};
use crate::kmip::ttlv::Limits;
use crate::kmip::version::ProtocolVersion;

use super::connection::{self, ANSWER_LIMIT, Connection};

/// A connection, the version that is spoken on it, and whether its messages are shown.
pub(super) struct Session {
    connection: Connection,
    version: ProtocolVersion,
    /// Whether messages are shown, and how the keys in them.
    shown: Option<Secrets>,
}

impl Session {
    pub(super) async fn open(
        arguments: &connection::Arguments,
        version: ProtocolVersion,
    ) -> Result<Self, Failure> {
        Ok(Self {
            connection: Connection::open(arguments).await?,
            version,
            shown: None,
        })
    }

    /// From now on messages are shown, in place of what the commands make of them.
    pub(super) fn show_messages(&mut self, secrets: Secrets) {
        self.shown = Some(secrets);
    }

    pub(super) fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// Sends a request of one item, and hands what answers it to `show`, unless the messages themselves are shown.
    pub(super) async fn ask(
        &mut self,
        payload: RequestPayload<'_>,
        show: impl FnOnce(ResponsePayload<'_>) -> Result<(), Failure>,
    ) -> Result<Exit, Failure> {
        let request = RequestMessage {
            header: RequestHeader::new(self.version),
            items: vec![RequestItem::new(payload)].into(),
        };
        let mut out = ZeroizingOutput::with_capacity(1024);
        request
            .encode(&mut out)
            .map_err(|error| Failure::new(format!("the request cannot be written: {error}")))?;
        self.show_message(out.as_slice())?;
        let answer = self.connection.exchange(out.as_slice()).await?;
        self.show_message(&answer)?;
        let payload = payload_of(&answer)?;
        if self.shown.is_none() {
            show(payload)?;
        }
        Ok(Exit::Done)
    }

    fn show_message(&self, message: &[u8]) -> Result<(), Failure> {
        let Some(secrets) = self.shown else { return Ok(()) };
        let mut words = Zeroizing::new(String::with_capacity(64 << 10));
        text::write(message, secrets, &mut *words)
            .map_err(|_| Failure::new("the message cannot be shown"))?;
        output::print(&words)
    }
}

/// The payload of the answer's one item; a failure where the server refused.
fn payload_of(answer: &[u8]) -> Result<ResponsePayload<'_>, Failure> {
    let limits = Limits {
        message_size: ANSWER_LIMIT,
        items: 1 << 20,
        ..Limits::default()
    };
    let response = ResponseMessage::decode(answer, &limits)
        .map_err(|error| Failure::new(format!("the answer cannot be understood: {error}")))?;
    let items = response.items.len();
    let Ok([item]) = <[_; 1]>::try_from(response.items) else {
        return Err(Failure::new(format!(
            "an answer of one item was expected, and one of {items} came"
        )));
    };
    if item.result_status != ResultStatus::Success {
        let reason = item
            .result_reason
            .map_or_else(|| "no reason".to_owned(), |reason| reason.to_string());
        let message = item.result_message.as_deref().map(printable).unwrap_or_default();
        return Err(Failure::new(format!(
            "{}: {reason}: {message}",
            item.result_status
        )));
    }
    item.payload
        .ok_or_else(|| Failure::new("the server answered with success and nothing else"))
}

/// The failure of an answer to another question.
pub(super) fn unexpected(payload: &ResponsePayload<'_>) -> Failure {
    Failure::new(format!(
        "the answer is one to {}, which was not asked",
        payload.operation()
    ))
}
