//! KMIP over HTTPS: POST to `/kmip`, answered in the encoding that the request came in (KMIP Profiles 2.1, the HTTPS
//! Profile).
//!
//! A request takes the way of the KMIP port: it is held back in locked memory until it is whole, then answered, and the
//! answer is sealed into TLS records before its first byte is sent. So no copy of a key is made that is not zeroised:
//! the body stays where TLS opened it, or is gathered from its chunks in locked memory; its binary form and the answer
//! in either form lie in locked memory. Only a request's head, in which there is no key, is parsed into ordinary memory.
//!
//! What is no KMIP at all (another path, method or media type) is refused by HTTP's own codes, in words that say nothing
//! of the server, and is not recorded: it touches no object, and only clients whose certificate is admitted get as far.
//! A body that should be KMIP and is not is answered in KMIP, with code 200, and recorded as on the KMIP port.

use claviger_hsm::memory::LockedBuffer;
use time::OffsetDateTime;

use super::frame::Frame;
use super::http::{self, Body, Encoding, Framing, Head, Status};
use super::session::{Next, Session};
use super::stream::StreamError;
use crate::kmip::ttlv::Limits;
use crate::kmip::{json, xml};

/// Room for an answer of the usual size; it grows where one is larger.
const ANSWER: usize = 1024;

/// What of a request is there.
enum Step {
    /// Its head; the client waits to be told to send the rest.
    Continue,
    /// All of it.
    Whole(Body),
}

/// Answers one request after the other.
pub(super) async fn run(mut session: Session<'_>) -> Result<(), StreamError> {
    loop {
        let mut framing = Framing::default();
        let body = match next(&mut session, &mut framing).await? {
            Next::Request(body) => body,
            Next::Broken(status) => {
                tracing::info!(
                    peer = %session.peer(), adapter = %session.caller.adapter_name,
                    "an HTTP request is refused: {}", status.line()
                );
                refuse(&mut session, status, false).await?;
                return session.part().await;
            }
            Next::End(reason) => {
                tracing::debug!(
                    peer = %session.peer(), adapter = %session.caller.adapter_name, "closing: {reason}"
                );
                return Ok(());
            }
            Next::Stop => return session.part().await,
        };
        let Some(Head {
            encoding, keeps_open, ..
        }) = framing.head()
        else {
            return Err(StreamError::Unexpected("a request without a head"));
        };
        match *encoding {
            Ok(encoding) => answer(&mut session, &body, encoding, *keeps_open).await?,
            Err(status) => {
                session.stream.received.discard(body.end);
                refuse(&mut session, status, *keeps_open).await?;
            }
        }
        if !keeps_open {
            return session.part().await;
        }
    }
}

/// Waits for a whole request. A client that waits to be told to send the body is told, or refused at once where the
/// body would be of no use.
async fn next(session: &mut Session<'_>, framing: &mut Framing) -> Result<Next<Body, Status>, StreamError> {
    let mut is_told = false;
    loop {
        let step = session
            .next(|bytes, limit| match framing.find(bytes, limit) {
                Ok(Some(body)) => Frame::Whole(Step::Whole(body)),
                Ok(None) => match framing.head() {
                    Some(head) if head.expects_continue && !is_told => match head.encoding {
                        Ok(_) => Frame::Whole(Step::Continue),
                        Err(status) => Frame::Broken(status),
                    },
                    _ => Frame::Partial,
                },
                Err(status) => Frame::Broken(status),
            })
            .await?;
        match step {
            Next::Request(Step::Whole(body)) => return Ok(Next::Request(body)),
            Next::Request(Step::Continue) => {
                is_told = true;
                session.stream.seal(http::CONTINUE)?;
                session.send().await?;
            }
            Next::Broken(status) => return Ok(Next::Broken(status)),
            Next::End(reason) => return Ok(Next::End(reason)),
            Next::Stop => return Ok(Next::Stop),
        }
    }
}

async fn answer(
    session: &mut Session<'_>,
    body: &Body,
    encoding: Encoding,
    keeps_open: bool,
) -> Result<(), StreamError> {
    let mut out = LockedBuffer::with_capacity(ANSWER);
    {
        let mut gathered = LockedBuffer::default();
        let received = session.stream.received.filled();
        let request = match &body.parts[..] {
            [one] => &received[one.clone()],
            parts => {
                for part in parts {
                    gathered.extend_from_slice(&received[part.clone()]);
                }
                gathered.as_slice()
            }
        };
        put_answer(session, request, encoding, &mut out).await;
    }
    session.stream.received.discard(body.end);
    let text = match encoding {
        _ if out.is_empty() => return refuse(session, Status::InternalError, keeps_open).await,
        Encoding::Ttlv => out,
        Encoding::Xml | Encoding::Json => {
            let mut text = LockedBuffer::with_capacity(ANSWER);
            let written = match encoding {
                Encoding::Xml => xml::write(out.as_slice(), &mut text),
                _ => json::write(out.as_slice(), &mut text),
            };
            drop(out);
            if let Err(error) = written {
                tracing::info!(peer = %session.peer(), %error, "an answer can't be said in its encoding");
                return refuse(session, Status::NotAcceptable, keeps_open).await;
            }
            text
        }
    };
    let now = OffsetDateTime::now_utc();
    let head = http::response_head(Status::Ok, encoding.media_type(), text.len(), keeps_open, now);
    session.stream.seal(head.as_bytes())?;
    session.stream.seal(text.as_slice())?;
    // What was in the clear is gone before the first byte is sent.
    drop(text);
    session.send().await
}

/// Has a request answered, and puts the answer's binary form into `out`.
async fn put_answer(session: &Session<'_>, request: &[u8], encoding: Encoding, out: &mut LockedBuffer) {
    let (answer, caller) = (&session.shared.answer, &session.caller);
    // HTTP tells where the next request starts, so that one that can't be read is no reason to close.
    let read = match encoding {
        Encoding::Ttlv => {
            let _ = answer.answer(caller, request, out).await;
            return;
        }
        Encoding::Xml => xml::read,
        Encoding::Json => json::read,
    };
    let limits = Limits {
        message_size: session.shared.bounds.now().request_bytes,
        ..Limits::default()
    };
    let mut ttlv = LockedBuffer::with_capacity(request.len() / 2);
    match read(request, &limits, &mut ttlv) {
        Ok(()) => {
            let _ = answer.answer(caller, ttlv.as_slice(), out).await;
        }
        Err(error) => answer.refuse(caller, ttlv.as_slice(), &error, out).await,
    }
}

/// Answers with a code alone.
async fn refuse(session: &mut Session<'_>, status: Status, keeps_open: bool) -> Result<(), StreamError> {
    let text = format!("{}\n", status.line());
    let now = OffsetDateTime::now_utc();
    let head = http::response_head(status, "text/plain; charset=utf-8", text.len(), keeps_open, now);
    session.stream.seal(format!("{head}{text}").as_bytes())?;
    session.send().await
}
