//! Why the administration interface cannot be opened.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the administration interface cannot be opened. What a request is refused with is a reply, not this.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A server answers at the socket.
    #[error("another server is running: it answers at the administration socket {}", path.display())]
    SocketInUse {
        /// The socket.
        path: PathBuf,
    },
    /// The path of the socket is that of something else, which was left as it is.
    #[error("{} is not a socket; name another path as `admin.socket`, or move that file away", path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// No socket can have so long a path.
    #[error("the path of a socket has at most {limit} bytes, and {} has {length}", path.display())]
    SocketPathTooLong {
        /// The path.
        path: PathBuf,
        /// Its length in bytes.
        length: usize,
        /// The greatest length.
        limit: usize,
    },
    /// The configuration names a user that the system does not know.
    #[error("`admin.administrators` names {user:?}, and this machine has no such user")]
    NoSuchUser {
        /// The name.
        user: String,
    },
    /// The system refused to make the socket.
    #[error("cannot listen at the administration socket {}: {source}", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An address of the metrics can't be listened on.
    #[error("can't listen on {address} for health and metrics: {source}; see `metrics.listen`")]
    MetricsListen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// An address of the auditor's pages can't be listened on.
    #[error("can't listen on {address} for the auditor's pages: {source}; see `admin.web.listen`")]
    WebListen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The certificate of the interface over HTTPS and its key can't be used.
    #[error("{0}; see `admin.web`")]
    WebCertificate(#[from] crate::tls::Error),
    /// TLS can't be spoken as it is set up.
    #[error("TLS of `admin.web` can't be set up: {0}")]
    WebTls(#[from] rustls::Error),
}
