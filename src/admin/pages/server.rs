//! The listener of the pages: handshakes, who is at the other end, limits, and an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use time::OffsetDateTime;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::{Administration, BUNDLE_DEADLINE, Error};
use super::auditors::Auditors;
use super::refused::Refusals;
use super::tls::{RefusedCertificate, server_config};
use super::use_record::Visitor;
use crate::adapter::Fingerprint;
use crate::config::Web;

/// Connections at a time; another waits in the system's queue. A browser opens six.
const CONNECTIONS: usize = 64;
/// From the accepted connection to the end of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a browser may take to send the headers of a request, and how long a connection may be idle.
const HEADER_DEADLINE: Duration = Duration::from_mins(2);
/// From a request's headers to the beginning of its answer.
const DEADLINE: Duration = Duration::from_mins(1);
/// How long a stop waits for the answers that are under way.
const SHUTDOWN: Duration = Duration::from_secs(10);
/// How long to wait after the system would not give a connection, as when no descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where the pages are served: bound, and ready to shake hands.
pub struct WebListener {
    listeners: Vec<TcpListener>,
    tls: Arc<ServerConfig>,
    auditors: Auditors,
}

impl WebListener {
    /// Binds the addresses, and reads the certificates.
    ///
    /// # Errors
    /// An address that can't be bound, a certificate or key that can't be used.
    pub async fn bind(web: &Web) -> Result<Self, Error> {
        let auditors = Auditors::read(web.auditors.clone());
        if auditors.len() == 0 {
            tracing::warn!(
                "nobody is let in to the auditor's pages yet: put a certificate where `admin.web.auditors` says"
            );
        }
        let tls = server_config(web, auditors.clone())?;
        let mut listeners = Vec::new();
        for address in &web.listen {
            let listener = TcpListener::bind(address).await;
            listeners.push(listener.map_err(|source| Error::WebListen {
                address: *address,
                source,
            })?);
        }
        Ok(Self {
            listeners,
            tls,
            auditors,
        })
    }

    /// The addresses that it listens on, with the ports that the system chose.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let addresses = self.listeners.iter();
        addresses
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
    }
}

/// Serves the pages until `shutdown`, then lets the answers under way finish.
pub async fn serve(web: WebListener, administration: Arc<Administration>, shutdown: CancellationToken) {
    let server = Arc::new(Server {
        routes: super::routes(Arc::clone(&administration)),
        tls: TlsAcceptor::from(web.tls),
        auditors: web.auditors,
        refusals: Refusals::new(administration),
        places: Arc::new(Semaphore::new(CONNECTIONS)),
        connections: TaskTracker::new(),
        shutdown,
    });
    let accepting: Vec<_> = web
        .listeners
        .into_iter()
        .map(|listener| tokio::spawn(Arc::clone(&server).accept(listener)))
        .collect();
    for task in accepting {
        let _ = task.await;
    }
    server.connections.close();
    if timeout(SHUTDOWN, server.connections.wait()).await.is_err() {
        tracing::warn!("answers of the auditor's pages are cut off: they took too long");
    }
}

struct Server {
    routes: Router,
    tls: TlsAcceptor,
    auditors: Auditors,
    refusals: Refusals,
    places: Arc<Semaphore>,
    connections: TaskTracker,
    shutdown: CancellationToken,
}

impl Server {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return,
                accepted = accept(&listener, &self.places) => accepted,
            };
            match accepted {
                Ok((stream, peer, place)) => {
                    let server = Arc::clone(&self);
                    self.connections.spawn(async move {
                        server.converse(stream, peer).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection to the auditor's pages can be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn converse(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        self.auditors.refresh().await;
        let stream = match timeout(HANDSHAKE, self.tls.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                if let Some(refused) = RefusedCertificate::of(&error) {
                    self.refusals.tell(&refused, peer).await;
                } else {
                    tracing::debug!(%peer, %error, "a handshake with the auditor's pages broke off");
                }
                return;
            }
            Err(_) => return,
        };
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let Some(fingerprint) = certificates.first().map(|der| Fingerprint::of_der(der)) else {
            return;
        };
        let routes = Arc::clone(&self).routes_for(fingerprint, peer);
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_DEADLINE)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "a connection to the auditor's pages broke off");
        }
    }

    /// The pages as one connection has them: each request is judged anew.
    fn routes_for(self: Arc<Self>, fingerprint: Fingerprint, peer: SocketAddr) -> Router {
        let routes = self.routes.clone();
        routes.layer(middleware::from_fn(move |mut request: Request, next: Next| {
            let server = Arc::clone(&self);
            async move {
                server.auditors.refresh().await;
                match server.auditors.admit(&fingerprint, OffsetDateTime::now_utc()) {
                    Ok(auditor) => {
                        request.extensions_mut().insert(Visitor { auditor, peer });
                        within_deadline(request, next).await
                    }
                    Err(reason) => {
                        let claimed = None;
                        server
                            .refusals
                            .tell(&RefusedCertificate { reason, claimed }, peer)
                            .await;
                        (StatusCode::FORBIDDEN, [("connection", "close")]).into_response()
                    }
                }
            }
        }))
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

async fn within_deadline(request: Request, next: Next) -> Response {
    let deadline = match request.uri().path() {
        "/bundle" => BUNDLE_DEADLINE,
        _ => DEADLINE,
    };
    let answer = timeout(deadline, next.run(request)).await;
    answer.unwrap_or_else(|_| StatusCode::GATEWAY_TIMEOUT.into_response())
}
