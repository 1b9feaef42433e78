//! Sockets that listen, and the loop that accepts what they bring.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt::set_ipv6_v6only;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::Instant;

use super::session::{self, Protocol, Shared};
use super::{Error, config};

/// Connections that the kernel completes ahead of us: every host of a cluster that boots after a power cut comes at
/// once.
const BACKLOG: u32 = 1024;

/// How long accepting rests after an error of the system, such as no more file descriptors; doubled up to the second.
const SHORTEST_REST: Duration = Duration::from_millis(10);
const LONGEST_REST: Duration = Duration::from_secs(1);

/// How often connections over the limit are told of.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// Binds the addresses of a configuration.
///
/// Fails at the first that can't be bound. Where the file names no address, a host without IPv6 is served on IPv4.
pub fn listen(kmip: &config::Kmip) -> Result<Vec<TcpListener>, Error> {
    let mut listeners = Vec::new();
    for address in &kmip.listen {
        match bind(*address) {
            Ok(listener) => listeners.push(listener),
            Err(error) if !kmip.listen_is_given && address.is_ipv6() && is_missing(&error) => {
                tracing::info!(%address, "this host has no IPv6: IPv4 alone is served");
            }
            Err(source) => {
                return Err(Error::Listen {
                    address: *address,
                    source,
                });
            }
        }
    }
    Ok(listeners)
}

/// Binds the addresses at which another certificate is shown, if there are any. Fails at the first that can't be bound.
pub fn listen_previous(kmip: &config::Kmip) -> Result<Vec<TcpListener>, Error> {
    let addresses = kmip.previous.iter().flat_map(|previous| &previous.listen);
    bind_all(addresses)
}

/// Binds the addresses for HTTPS, if there are any. Fails at the first that can't be bound.
pub fn listen_https(https: &config::Https) -> Result<Vec<TcpListener>, Error> {
    bind_all(&https.listen)
}

fn bind_all<'a>(addresses: impl IntoIterator<Item = &'a SocketAddr>) -> Result<Vec<TcpListener>, Error> {
    addresses
        .into_iter()
        .map(|address| {
            bind(*address).map_err(|source| Error::Listen {
                address: *address,
                source,
            })
        })
        .collect()
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() {
        TcpSocket::new_v6()?
    } else {
        TcpSocket::new_v4()?
    };
    if address.is_ipv6() {
        // Otherwise 0.0.0.0 and :: on the same port exclude each other.
        set_ipv6_v6only(&socket, true)?;
    }
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
    ) || error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

/// Accepts connections until the endpoint stops.
pub(super) async fn accept(listener: TcpListener, protocol: Protocol, shared: Arc<Shared>) {
    let mut rest = SHORTEST_REST;
    let mut crowd = Crowd::default();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shared.stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                rest = SHORTEST_REST;
                match shared.bounds.place() {
                    Some(place) => {
                        shared.sessions.spawn(session::serve(
                            Arc::clone(&shared),
                            socket,
                            peer,
                            protocol,
                            place,
                        ));
                    }
                    // Dropped here: the peer sees its connection closed, and is not left waiting.
                    None => crowd.refused(peer, shared.bounds.now().connections),
                }
            }
            Err(error) if is_of_one_connection(&error) => {
                tracing::debug!(%error, "a connection was gone before it was accepted");
            }
            Err(error) => {
                tracing::error!(%error, rest = ?rest, "connections can't be accepted; it is tried again");
                tokio::select! {
                    () = shared.stopping.cancelled() => return,
                    () = tokio::time::sleep(rest) => {}
                }
                rest = (rest * 2).min(LONGEST_REST);
            }
        }
    }
}

/// The errors of accept(2) that tell of the connection, not of this server.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
    ) || error.raw_os_error() == Some(rustix::io::Errno::PROTO.raw_os_error())
}

/// Tells of connections over the limit, now and then.
#[derive(Default)]
struct Crowd {
    told: Option<Instant>,
    untold: u64,
}

impl Crowd {
    fn refused(&mut self, peer: SocketAddr, limit: usize) {
        self.untold += 1;
        if self.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            tracing::warn!(
                %peer, limit, refused = self.untold,
                "connections are refused: as many as kmip.limits.connections allows are open"
            );
            *self = Self {
                told: Some(Instant::now()),
                untold: 0,
            };
        }
    }
}
