//! A TLS connection whose buffers are ours.
//!
//! rustls is driven through its unbuffered interface, for three reasons. TLS opens records in place, and a request can
//! carry a key: the place is a [`Buffer`] of locked memory that is zeroised as it is used. An idle connection holds no
//! buffer at all, so that a thousand of them are cheap. And a request costs one read and one write.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError, UnbufferedStatus,
    WriteTraffic,
};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::buffer::Buffer;
use super::tls::version_name;

/// What a read asks for: more than a request usually needs, and a block of the pool of locked memory.
const READ: usize = 4096;

/// The most that waits to be opened: a whole flight of a handshake with a long chain of certificates. A record of
/// application data is never longer than 16 KiB and some.
const INCOMING_LIMIT: usize = 128 * 1024;

/// How a connection ends before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamError {
    /// The socket failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The peer broke TLS, or was refused in the handshake; the alert is sent.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// TLS state that this server never asks for.
    #[error("unexpected TLS state: {0}")]
    Unexpected(&'static str),
}

/// What a read brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Bytes, of which some may be in [`TlsStream::received`] now.
    Some,
    /// The peer's end; what it sent before is in [`TlsStream::received`].
    End,
}

/// One connection.
pub(super) struct TlsStream {
    socket: TcpStream,
    tls: UnbufferedServerConnection,
    /// TLS records as they came.
    incoming: Buffer,
    /// What the client said and nobody has used yet.
    pub(super) received: Buffer,
    /// TLS records to be sent.
    outgoing: Vec<u8>,
    /// The peer has said that it sends nothing more.
    ended: bool,
}

impl TlsStream {
    pub(super) fn new(socket: TcpStream, config: Arc<ServerConfig>) -> Result<Self, StreamError> {
        Ok(Self {
            socket,
            tls: UnbufferedServerConnection::new(config)?,
            incoming: Buffer::default(),
            received: Buffer::default(),
            outgoing: Vec::new(),
            ended: false,
        })
    }

    /// Returns when something has come from the peer, or its end.
    pub(super) async fn has_come(&self) -> Result<(), StreamError> {
        Ok(self.socket.readable().await?)
    }

    /// Goes through the handshake. [`Read::End`]: the peer left before its end.
    pub(super) async fn handshake(&mut self) -> Result<Read, StreamError> {
        loop {
            let read = self.read().await?;
            if !self.tls.is_handshaking() {
                return Ok(Read::Some);
            }
            if read == Read::End {
                return Ok(Read::End);
            }
        }
    }

    /// Whether bytes of a request are here, opened or not.
    pub(super) fn has_begun(&self) -> bool {
        !self.received.is_empty() || !self.incoming.is_empty()
    }

    /// The certificate that the client has proven to own, in this handshake or in the one that it resumes, and those that came
    /// behind it.
    pub(super) fn client_chain(&self) -> Option<(&CertificateDer<'static>, &[CertificateDer<'static>])> {
        self.tls.peer_certificates()?.split_first()
    }

    /// The version of TLS.
    pub(super) fn version(&self) -> &'static str {
        version_name(self.tls.protocol_version())
    }

    /// Whether the handshake resumed an earlier session.
    pub(super) fn is_resumed(&self) -> bool {
        self.tls.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
    }

    /// Waits for bytes and opens them; sends what TLS itself has to say. May be dropped while it waits.
    pub(super) async fn read(&mut self) -> Result<Read, StreamError> {
        if self.ended || self.fill().await? == 0 {
            return Ok(Read::End);
        }
        match self.drive(|_, _| Ok(())) {
            Ok(read) => {
                self.flush().await?;
                Ok(read)
            }
            Err(error) => {
                self.encode_alert();
                // The peer may be gone; why it was refused matters more than that.
                let _ = self.flush().await;
                Err(error)
            }
        }
    }

    /// Seals `plaintext` for the peer. Nothing is sent before [`TlsStream::flush`], and nothing of `plaintext` is
    /// kept.
    pub(super) fn seal(&mut self, plaintext: &[u8]) -> Result<(), StreamError> {
        self.drive(|traffic, outgoing| seal_into(outgoing, |room| traffic.encrypt(plaintext, room)))
            .map(|_| ())
    }

    /// Says that nothing more will come.
    pub(super) fn seal_close_notify(&mut self) -> Result<(), StreamError> {
        self.drive(|traffic, outgoing| seal_into(outgoing, |room| traffic.queue_close_notify(room)))
            .map(|_| ())
    }

    /// Sends what was sealed.
    pub(super) async fn flush(&mut self) -> io::Result<()> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        let outgoing = std::mem::take(&mut self.outgoing);
        self.socket.write_all(&outgoing).await
    }

    /// Closes the sending side, then takes what still comes until the peer closes: a socket that is closed over unread
    /// bytes is reset, and a reset can overtake the last answer.
    pub(super) async fn linger(&mut self) -> io::Result<()> {
        self.socket.shutdown().await?;
        for _ in 0..64 {
            let count = self.fill().await?;
            self.incoming.discard(self.incoming.len());
            if count == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Reads what the socket has into [`TlsStream::incoming`]. While there is nothing, no memory is held.
    async fn fill(&mut self) -> io::Result<usize> {
        if self.incoming.len() > INCOMING_LIMIT {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a TLS message that never ends",
            ));
        }
        let (socket, incoming) = (&mut self.socket, &mut self.incoming);
        poll_fn(|context| {
            let mut room = ReadBuf::new(incoming.room(READ));
            let polled = Pin::new(&mut *socket).poll_read(context, &mut room);
            let count = room.filled().len();
            let Poll::Ready(result) = polled else {
                incoming.release();
                return Poll::Pending;
            };
            incoming.fill(count);
            incoming.release();
            Poll::Ready(result.map(|()| count))
        })
        .await
    }

    /// Opens what came and collects what TLS has to send, then calls `ready` where application data can be sent.
    fn drive(
        &mut self,
        ready: impl FnOnce(&mut WriteTraffic<'_, ServerConnectionData>, &mut Vec<u8>) -> Result<(), StreamError>,
    ) -> Result<Read, StreamError> {
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.tls.process_tls_records(self.incoming.filled_mut());
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        self.received.push(record.payload);
                    }
                    self.incoming.discard(discard);
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    encode(&mut data, &mut self.outgoing)?;
                    self.incoming.discard(discard);
                }
                Ok(ConnectionState::TransmitTlsData(data)) => {
                    // It lies in `outgoing`, ahead of anything that is sealed later.
                    data.done();
                    self.incoming.discard(discard);
                }
                Ok(ConnectionState::BlockedHandshake) => {
                    self.incoming.discard(discard);
                    return Ok(Read::Some);
                }
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    ready(&mut traffic, &mut self.outgoing)?;
                    self.incoming.discard(discard);
                    return Ok(Read::Some);
                }
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => {
                    self.ended = true;
                    self.incoming.discard(discard);
                    return Ok(Read::End);
                }
                Ok(_) => return Err(StreamError::Unexpected("early data came, which is never offered")),
                Err(error) => {
                    self.incoming.discard(discard);
                    return Err(error.into());
                }
            }
        }
    }

    /// Collects what rustls has queued before and with an error, the alert last.
    fn encode_alert(&mut self) {
        // Not one call more than there is to send: with nothing left to send, rustls would look at the broken bytes
        // again, and it takes a second fatal alert for a mistake of its own.
        while self.tls.wants_write() {
            let UnbufferedStatus { discard, state } =
                self.tls.process_tls_records(self.incoming.filled_mut());
            let Ok(ConnectionState::EncodeTlsData(mut data)) = state else {
                return;
            };
            if encode(&mut data, &mut self.outgoing).is_err() {
                return;
            }
            self.incoming.discard(discard);
        }
    }
}

/// Puts what the handshake has to say behind `outgoing`.
fn encode(
    data: &mut EncodeTlsData<'_, ServerConnectionData>,
    outgoing: &mut Vec<u8>,
) -> Result<(), StreamError> {
    let start = outgoing.len();
    let mut room = 0;
    loop {
        outgoing.resize(start + room, 0);
        match data.encode(&mut outgoing[start..]) {
            Ok(count) => {
                outgoing.truncate(start + count);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size }))
                if required_size > room =>
            {
                room = required_size;
            }
            Err(_) => return Err(StreamError::Unexpected("handshake data that can't be encoded")),
        }
    }
}

/// Puts sealed records behind `outgoing`.
fn seal_into(
    outgoing: &mut Vec<u8>,
    mut seal: impl FnMut(&mut [u8]) -> Result<usize, EncryptError>,
) -> Result<(), StreamError> {
    let start = outgoing.len();
    let mut room = 0;
    loop {
        outgoing.resize(start + room, 0);
        match seal(&mut outgoing[start..]) {
            Ok(count) => {
                outgoing.truncate(start + count);
                return Ok(());
            }
            Err(EncryptError::InsufficientSize(InsufficientSizeError { required_size }))
                if required_size > room =>
            {
                room = required_size;
            }
            Err(_) => return Err(StreamError::Unexpected("the keys of the session are used up")),
        }
    }
}
