//! KMIP over TLS: listener, client certificates, limits, sessions. Knows bytes and identities, no operation.
//!
//! The way of a connection: [`listener`] accepts it and counts it; [`stream`] goes through the handshake, in which
//! [`verifier`] finds the client's certificate in the list of [`identity`], or has an authority's [`issuer`] judge it; [`session`] then takes one request after
//! the other, cut out of the stream by [`frame`], has each answered through [`answer`], and sends the answer. Whom the
//! verifier refuses ([`refusal`]) is told to the operator and the auditor by [`telling`].
//!
//! Over HTTPS the same messages come in requests of HTTP ([`http`]), in any of the three encodings ([`https`]): the
//! listener, TLS, the identities, the limits and whoever answers are the same.
//!
//! No key outlives its answer here: requests and answers lie in locked, zeroised memory, and an answer is sealed into
//! TLS records before the first byte of it is sent.

mod answer;
mod bounds;
mod buffer;
mod frame;
mod http;
mod https;
mod identity;
mod in_turn;
mod issuer;
mod listener;
mod measure;
mod refusal;
mod served;
mod session;
mod signature;
mod stream;
mod telling;
mod tls;
mod verifier;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use answer::Answer;
pub use identity::Identities;
pub use listener::{listen, listen_https, listen_previous};
pub use refusal::{Reason, Refusal, ShownCertificate};
pub use telling::{RefusalRecorder, Told};

use crate::config;
use bounds::Bounds;
use in_turn::Handshakes;
use session::{Protocol, Shared};
use telling::Refusals;

/// Why the endpoint can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An address can't be listened on.
    #[error("can't listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The server's certificate or its key can't be read.
    #[error("the server's certificate and its key: {0}")]
    Certificate(#[from] crate::tls::Error),
    /// TLS can't be spoken as it is set up.
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// A socket does not know its own address.
    #[error("a listening socket is of no use: {0}")]
    Socket(#[from] io::Error),
}

/// What the endpoint needs of others.
pub struct Services {
    /// Who answers requests.
    pub answer: Arc<dyn Answer>,
    /// Who is let in.
    pub identities: Identities,
    /// Where refusals are recorded.
    pub refusals: Arc<dyn RefusalRecorder>,
    /// The folder that keeps refused certificates, for an administrator to admit.
    pub refused_certificates: PathBuf,
}

/// The sockets that an endpoint listens on.
#[derive(Debug, Default)]
pub struct Listeners {
    /// For KMIP: [`listen`] binds them.
    pub kmip: Vec<TcpListener>,
    /// For KMIP with the other certificate: [`listen_previous`] binds them.
    pub previous: Vec<TcpListener>,
    /// For KMIP over HTTPS: [`listen_https`] binds them.
    pub https: Vec<TcpListener>,
}

/// A running endpoint.
pub struct Endpoint {
    addresses: Vec<SocketAddr>,
    previous_addresses: Vec<SocketAddr>,
    https_addresses: Vec<SocketAddr>,
    shared: Arc<Shared>,
    listeners: Vec<JoinHandle<()>>,
    refusals: JoinHandle<()>,
}

impl Endpoint {
    /// Serves KMIP on the sockets of `listeners`.
    pub fn start(kmip: &config::Kmip, listeners: Listeners, services: Services) -> Result<Self, Error> {
        let addresses = addresses_of(&listeners.kmip)?;
        let previous_addresses = addresses_of(&listeners.previous)?;
        let https_addresses = addresses_of(&listeners.https)?;
        let files = (&*kmip.certificate, &*kmip.key);
        let (tls, certificate) = tls::server_config(kmip, files, &services.identities)?;
        let mut certificates = vec![certificate];
        let previous = match &kmip.previous {
            Some(previous) => {
                let files = (&*previous.certificate, &*previous.key);
                let (tls, certificate) = tls::server_config(kmip, files, &services.identities)?;
                certificates.push(certificate);
                tls
            }
            None => Arc::clone(&tls),
        };
        let recorder = Arc::clone(&services.refusals);
        let (refusals, telling) = Refusals::start(services.refused_certificates, services.refusals);
        let shared = Arc::new(Shared {
            answer: services.answer,
            identities: services.identities,
            refusals,
            https: tls::https_config(&tls),
            tls,
            previous,
            bounds: Bounds::new(kmip.limits.clone()),
            handshakes: Handshakes::default(),
            allow_expired: kmip.allow_expired_client_certificates,
            warn_before_expiry: kmip.warn_before_expiry.try_into().unwrap_or(time::Duration::MAX),
            sessions: TaskTracker::new(),
            stopping: CancellationToken::new(),
            aborting: CancellationToken::new(),
        });
        for certificate in certificates {
            let shown = certificate.shown();
            tokio::spawn(certificate.follow(shared.stopping.clone()));
            tokio::spawn(served::record(
                shown,
                Arc::clone(&recorder),
                shared.stopping.clone(),
            ));
        }
        let with = |listeners: Vec<TcpListener>, protocol| {
            listeners.into_iter().map(move |listener| (listener, protocol))
        };
        let listeners = with(listeners.kmip, Protocol::Kmip)
            .chain(with(listeners.previous, Protocol::KmipPrevious))
            .chain(with(listeners.https, Protocol::Https))
            .map(|(listener, protocol)| {
                tokio::spawn(listener::accept(listener, protocol, Arc::clone(&shared)))
            })
            .collect();
        Ok(Self {
            addresses,
            previous_addresses,
            https_addresses,
            shared,
            listeners,
            refusals: telling,
        })
    }

    /// The addresses that it listens on, with the ports that the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The addresses at which it shows the other certificate.
    pub fn previous_addresses(&self) -> &[SocketAddr] {
        &self.previous_addresses
    }

    /// The addresses that it listens on for HTTPS.
    pub fn https_addresses(&self) -> &[SocketAddr] {
        &self.https_addresses
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.sessions.len()
    }

    /// What clients may take from now on: the next connection, and the next request of each. To be called where futures are run.
    pub fn change_limits(&self, limits: config::Limits) {
        self.shared.bounds.change(limits);
    }

    /// Stops: nothing new is accepted, idle connections are closed, requests under way are answered. What is not done
    /// after `kmip.limits.shutdown` is cut off. When this returns, no connection is open and each refusal is told of.
    pub async fn stop(self) {
        let Self {
            shared,
            listeners,
            refusals,
            ..
        } = self;
        shared.stopping.cancel();
        for listener in listeners {
            let _ = listener.await;
        }
        shared.sessions.close();
        if timeout(shared.bounds.now().shutdown, shared.sessions.wait())
            .await
            .is_err()
        {
            shared.aborting.cancel();
            shared.sessions.wait().await;
        }
        // The last sender of refusals goes with it, which ends their task.
        drop(shared);
        let _ = refusals.await;
    }
}

fn addresses_of(listeners: &[TcpListener]) -> io::Result<Vec<SocketAddr>> {
    listeners.iter().map(TcpListener::local_addr).collect()
}
