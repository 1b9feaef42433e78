//! One connection from its handshake to its end: requests one after the other, answers in their order.
//!
//! What a client may take is bounded at each step: the handshake, the time from a request's first byte to its last, the
//! idle time between requests, the size of a request, the time to take an answer. The identity is judged when the
//! handshake ends, because a resumed handshake brings the certificate of an earlier one, and again before each
//! request, because it can be removed meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use claviger_hsm::memory::LockedBuffer;
use rustls::ServerConfig;
use time::OffsetDateTime;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::Answer;
use super::bounds::Bounds;
use super::frame::{self, Frame};
use super::https;
use super::identity::{Client, Connected, Crowded, Identities};
use super::in_turn::Handshakes;
use super::measure::{self, Open};
use super::refusal::{Reason, Refusal};
use super::stream::{Read, StreamError, TlsStream};
use super::telling::Refusals;
use crate::adapter::Caller;
use crate::operation::Disposition;

/// Room for an answer of the usual size; it grows where one is larger.
const ANSWER: usize = 1024;

/// How long a goodbye may take: nobody waits for it but this task.
const GOODBYE: Duration = Duration::from_secs(1);

/// What is spoken over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// KMIP messages one after the other.
    Kmip,
    /// The same, with the other certificate.
    KmipPrevious,
    /// KMIP messages in HTTP requests.
    Https,
}

/// What all connections share.
pub(super) struct Shared {
    pub(super) answer: Arc<dyn Answer>,
    pub(super) identities: Identities,
    pub(super) refusals: Refusals,
    pub(super) tls: Arc<ServerConfig>,
    /// The same with the other certificate; as `tls`, where there is none.
    pub(super) previous: Arc<ServerConfig>,
    /// The same for HTTPS.
    pub(super) https: Arc<ServerConfig>,
    pub(super) bounds: Bounds,
    pub(super) handshakes: Handshakes,
    pub(super) allow_expired: bool,
    pub(super) warn_before_expiry: time::Duration,
    pub(super) sessions: TaskTracker,
    /// Cancelled when the endpoint stops: what is under way is finished, nothing else is begun.
    pub(super) stopping: CancellationToken,
    /// Cancelled when the stop has waited long enough.
    pub(super) aborting: CancellationToken,
}

/// Serves one connection. Returns when it is closed.
pub(super) async fn serve(
    shared: Arc<Shared>,
    socket: TcpStream,
    peer: SocketAddr,
    protocol: Protocol,
    _place: OwnedSemaphorePermit,
) {
    let _open = Open::over(protocol);
    tokio::select! {
        biased;
        () = shared.aborting.cancelled() => {
            tracing::warn!(%peer, "a connection is cut: its request took longer than the stop waits");
        }
        () = converse(&shared, socket, peer, protocol) => {}
    }
}

async fn converse(shared: &Shared, socket: TcpStream, peer: SocketAddr, protocol: Protocol) {
    // An answer is one write: waiting to fill a packet would only delay it.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "the connection is gone");
        return;
    }
    let tls = match protocol {
        Protocol::Kmip => &shared.tls,
        Protocol::KmipPrevious => &shared.previous,
        Protocol::Https => &shared.https,
    };
    let mut stream = match TlsStream::new(socket, Arc::clone(tls)) {
        Ok(stream) => stream,
        Err(error) => {
            tracing::error!(%peer, %error, "TLS can't begin");
            return;
        }
    };
    if !shake_hands(shared, &mut stream, peer).await {
        return;
    }
    if let Some((client, connected)) = identify(shared, &stream, peer) {
        let caller = client.caller(peer, stream.version());
        tracing::debug!(
            %peer, adapter = %caller.adapter_name, tls = stream.version(), resumed = stream.is_resumed(),
            "a client is connected"
        );
        let session = Session {
            shared,
            stream: &mut stream,
            client,
            caller,
            _connected: connected,
        };
        let ended = match protocol {
            Protocol::Kmip | Protocol::KmipPrevious => session.run().await,
            Protocol::Https => https::run(session).await,
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "the connection failed");
            return;
        }
    }
    let _ = timeout(GOODBYE, async {
        if stream.seal_close_notify().is_ok() {
            let _ = stream.flush().await;
        }
    })
    .await;
}

/// Returns when the endpoint stops and the runtime has looked what has come by then: that is read first, and whoever sent it does
/// not have to ask elsewhere.
async fn told_to_stop(stopping: &CancellationToken) {
    stopping.cancelled().await;
    tokio::task::yield_now().await;
}

/// Goes through the handshake once the peer has begun it and it is its turn.
async fn in_turn(shared: &Shared, stream: &mut TlsStream) -> Result<Read, StreamError> {
    stream.has_come().await?;
    shared.handshakes.in_turn(stream.handshake()).await
}

/// Whether the handshake came to its good end.
async fn shake_hands(shared: &Shared, stream: &mut TlsStream, peer: SocketAddr) -> bool {
    let limit = shared.bounds.now().handshake;
    let handshake = tokio::select! {
        biased;
        () = shared.stopping.cancelled() => return false,
        handshake = timeout(limit, in_turn(shared, stream)) => handshake,
    };
    match handshake {
        Ok(Ok(Read::Some)) => true,
        // Health checks and port scans do this all day.
        Ok(Ok(Read::End)) => {
            tracing::debug!(%peer, "the peer left in the handshake");
            false
        }
        Ok(Err(StreamError::Tls(error))) => {
            if let Some(refusal) = Refusal::from_error(&error) {
                shared.refusals.report(refusal, peer);
            } else {
                tracing::info!(%peer, %error, "a TLS handshake failed");
            }
            false
        }
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "the connection failed in the handshake");
            false
        }
        Err(_) => {
            tracing::info!(%peer, ?limit, "a TLS handshake took too long");
            false
        }
    }
}

/// The client behind the certificate, judged now, with one of its places; none where it is not let in.
fn identify(shared: &Shared, stream: &TlsStream, peer: SocketAddr) -> Option<(Arc<Client>, Connected)> {
    let Some(chain) = stream.client_chain() else {
        shared.refusals.report(
            Refusal {
                reason: Reason::NoCertificate,
                certificate: None,
            },
            peer,
        );
        return None;
    };
    let now = OffsetDateTime::now_utc();
    let admitted = shared.identities.admit(chain, now, shared.allow_expired);
    let client = match admitted {
        Ok(client) => client,
        Err(reason) => {
            // The handshake let it in, or an earlier one that this one resumed: it was admitted then.
            let reason = if reason == Reason::Unknown {
                Reason::Removed
            } else {
                reason
            };
            shared
                .refusals
                .report(Refusal::of_certificate(reason, chain.0), peer);
            return None;
        }
    };
    client.warn_of_expiry(now, shared.warn_before_expiry);
    match client.connect(shared.bounds.now().connections_per_client) {
        Ok(connected) => Some((client, connected)),
        Err(crowded) => {
            measure::refused(crowded);
            let (fingerprint, adapter) = (&client.fingerprint, client.adapter_name());
            match crowded {
                Crowded::Client { limit } => tracing::warn!(
                    %peer, %fingerprint, limit,
                    "a connection is refused: its client has as many as kmip.limits.connections_per_client allows"
                ),
                Crowded::Adapter { limit } => tracing::warn!(
                    %peer, %fingerprint, adapter, limit,
                    "a connection is refused: its adapter has as many as its quota allows"
                ),
            }
            None
        }
    }
}

/// A connection whose client is known.
pub(super) struct Session<'s> {
    pub(super) shared: &'s Shared,
    pub(super) stream: &'s mut TlsStream,
    client: Arc<Client>,
    pub(super) caller: Caller,
    _connected: Connected,
}

/// What comes next on a connection.
pub(super) enum Next<W, B> {
    /// A whole request.
    Request(W),
    /// What can't be followed.
    Broken(B),
    /// Nothing: the connection is to be closed, for this reason.
    End(&'static str),
    /// Nothing, for the server stops; something may be on its way all the same.
    Stop,
}

impl Session<'_> {
    async fn run(mut self) -> Result<(), StreamError> {
        loop {
            match self.next(frame::find).await? {
                // Of this many bytes.
                Next::Request(length) => {
                    if self.answer(length).await? == Disposition::Close {
                        return self.part().await;
                    }
                }
                Next::Broken(broken) => {
                    tracing::info!(peer = %self.peer(), adapter = %self.caller.adapter_name, "{broken}");
                    // What came is answered with the error that it deserves, and the rest is not waited for.
                    let _ = self.answer(self.stream.received.len()).await?;
                    return self.part().await;
                }
                Next::End(reason) => {
                    tracing::debug!(peer = %self.peer(), adapter = %self.caller.adapter_name, "closing: {reason}");
                    return Ok(());
                }
                Next::Stop => return self.part().await,
            }
        }
    }

    /// Waits for the next request, whose end `find` finds in what came, given the most that a request may have.
    pub(super) async fn next<W, B>(
        &mut self,
        mut find: impl FnMut(&[u8], usize) -> Frame<W, B> + Send,
    ) -> Result<Next<W, B>, StreamError> {
        let limits = self.shared.bounds.now();
        let mut deadline = Instant::now() + limits.idle;
        let mut begun = false;
        loop {
            if self.client.removed.is_cancelled() {
                return Ok(Next::End("the certificate is no longer admitted"));
            }
            match find(self.stream.received.filled(), limits.request_bytes) {
                Frame::Whole(request) => return Ok(Next::Request(request)),
                Frame::Broken(broken) => return Ok(Next::Broken(broken)),
                Frame::Partial => {}
            }
            // A request that is half here may still come whole.
            if !begun && self.stream.has_begun() {
                begun = true;
                deadline = Instant::now() + limits.request;
            }
            let read = tokio::select! {
                biased;
                () = self.client.removed.cancelled() => continue,
                read = timeout_at(deadline, self.stream.read()) => read,
                () = told_to_stop(&self.shared.stopping), if !begun => return Ok(Next::Stop),
            };
            match read {
                Ok(Ok(Read::Some)) => {}
                // The peer sends nothing more; a request that is whole is answered all the same.
                Ok(Ok(Read::End)) => {
                    let rest = self.stream.received.filled();
                    return Ok(match find(rest, limits.request_bytes) {
                        Frame::Whole(request) => Next::Request(request),
                        Frame::Broken(broken) => Next::Broken(broken),
                        Frame::Partial => Next::End("the peer has closed"),
                    });
                }
                Ok(Err(error)) => return Err(error),
                Err(_) if begun => {
                    tracing::info!(
                        peer = %self.peer(), adapter = %self.caller.adapter_name,
                        bytes = self.stream.received.len(), limit = ?limits.request,
                        "a request was not sent to its end in time"
                    );
                    return Ok(Next::End("a request was not sent to its end in time"));
                }
                Err(_) => return Ok(Next::End("it was idle for too long")),
            }
        }
    }

    /// Has the first `length` bytes answered, and sends the answer.
    async fn answer(&mut self, length: usize) -> Result<Disposition, StreamError> {
        let mut out = LockedBuffer::with_capacity(ANSWER);
        let request = &self.stream.received.filled()[..length];
        let disposition = self.shared.answer.answer(&self.caller, request, &mut out).await;
        self.stream.received.discard(length);
        if out.is_empty() {
            return Ok(Disposition::Close);
        }
        self.stream.seal(out.as_slice())?;
        // What was in the clear is gone before the first byte is sent.
        drop(out);
        self.send().await?;
        Ok(disposition)
    }

    /// Sends what was sealed, which the peer has to take in time.
    pub(super) async fn send(&mut self) -> Result<(), StreamError> {
        match timeout(self.shared.bounds.now().request, self.stream.flush()).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(StreamError::Unexpected(
                "the peer did not take its answer in time",
            )),
        }
    }

    /// Closes so that the last answer arrives, whatever the peer is still sending.
    pub(super) async fn part(self) -> Result<(), StreamError> {
        let _ = timeout(GOODBYE, async {
            self.stream.seal_close_notify()?;
            self.stream.flush().await?;
            self.stream.linger().await?;
            Ok::<_, StreamError>(())
        })
        .await;
        Ok(())
    }

    pub(super) fn peer(&self) -> SocketAddr {
        SocketAddr::new(self.caller.origin.address, self.caller.origin.port)
    }
}
