//! What comes from a worker, and when its socket has room.
//!
//! # Why the unsafe code here is sound
//!
//! [`AsyncFd`] wants its file descriptor open, and of the same file, for as long as it is registered. It gets a descriptor
//! of its own, which it owns, and which nobody else closes or replaces.
#![allow(unsafe_code)]

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, Interest, ReadBuf};

use crate::Error;

/// The reading end of a worker's socket.
///
/// tokio's own waits for room to write as well, and the kernel tells of room whenever the worker has taken a message: one
/// thread woken for nothing with each request.
pub(super) struct Incoming(AsyncFd<UnixStream>);

impl Incoming {
    /// Of a socket that does not block.
    pub(super) fn of(stream: &UnixStream) -> Result<Self, Error> {
        watch(stream, Interest::READABLE)
            .map(Self)
            .map_err(Error::protocol)
    }
}

/// Returns when the socket has room, or an error.
pub(super) async fn room(stream: &UnixStream) -> io::Result<()> {
    watch(stream, Interest::WRITABLE)?.writable().await.map(|_| ())
}

fn watch(stream: &UnixStream, interest: Interest) -> io::Result<AsyncFd<UnixStream>> {
    let own = stream.try_clone()?;
    // SAFETY: see the module's documentation.
    Ok(unsafe { AsyncFd::register_with_interest(own, interest) }?)
}

impl AsyncRead for Incoming {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(context))?;
            let room = into.initialize_unfilled();
            if let Ok(read) = ready.try_io(|stream| stream.get_ref().read(room)) {
                return Poll::Ready(read.map(|length| into.advance(length)));
            }
        }
    }
}
