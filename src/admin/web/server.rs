//! The listener: handshakes, who is at the other end, limits, and an orderly end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, FromRequest as _, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::service::Service as _;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::refusal::{Kind, Refusal};
use super::super::server::guarded;
use super::super::{Administration, Error, WHOLE_DEADLINE, key_protect, pages, routes};
use super::entrance::{Entrance, NotLetIn};
use super::exchange;
use super::holders::Holders;
use super::refused::Refusals;
use super::tls::{RefusedCertificate, server_config};
use crate::adapter::{Fingerprint, Role};
use crate::config::Web;
use crate::tls::ServedCertificate;

/// Connections at a time; another waits in the system's queue. A browser opens six.
const CONNECTIONS: usize = 64;
/// From the accepted connection to the end of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a browser may take to send the headers of a request, and how long a connection may be idle.
const HEADER_DEADLINE: Duration = Duration::from_mins(2);
/// From a request's headers to the beginning of its answer; the resources have a longer one of their own.
const DEADLINE: Duration = Duration::from_mins(1);
/// How long a stop waits for the answers that are under way.
const SHUTDOWN: Duration = Duration::from_secs(10);
/// How long to wait after the system would not give a connection, as when no descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where the interface is served: bound, and ready to shake hands.
pub struct WebListener {
    listeners: Vec<TcpListener>,
    tls: Arc<ServerConfig>,
    certificate: Arc<ServedCertificate>,
    holders: Holders,
    takes_tokens: bool,
}

impl WebListener {
    /// Binds the addresses, and reads the certificates.
    ///
    /// # Errors
    /// An address that can't be bound, a certificate or key that can't be used.
    pub async fn bind(web: &Web) -> Result<Self, Error> {
        let of = |role: Role, paths: &[PathBuf]| {
            let paths = paths.iter();
            paths.map(|path| (role, path.clone())).collect::<Vec<_>>()
        };
        let holders = Holders::read(
            [
                of(Role::Auditor, &web.auditors),
                of(Role::Operator, &web.operators),
                of(Role::Administrator, &web.administrators),
            ]
            .concat(),
        );
        if holders.len() == 0 && !web.tokens {
            tracing::warn!(
                "nobody is let in over HTTPS yet: put a certificate where `admin.web.auditors`, `operators` or \
                 `administrators` says"
            );
        }
        let (tls, certificate) = server_config(web, holders.clone())?;
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
            certificate,
            holders,
            takes_tokens: web.tokens,
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

/// Serves the pages and the resources until `shutdown`, then lets the answers under way finish.
pub async fn serve(web: WebListener, administration: Arc<Administration>, shutdown: CancellationToken) {
    tokio::spawn(web.certificate.follow(shutdown.clone()));
    let server = Arc::new(Server {
        pages: pages::routes(Arc::clone(&administration)),
        resources: guarded(routes(Arc::clone(&administration))),
        tls: TlsAcceptor::from(web.tls),
        entrance: Entrance {
            holders: web.holders,
            administration: Arc::clone(&administration),
        },
        takes_tokens: web.takes_tokens,
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
        tracing::warn!("answers over HTTPS are cut off: they took too long");
    }
}

struct Server {
    pages: Router,
    resources: Router,
    tls: TlsAcceptor,
    entrance: Entrance,
    takes_tokens: bool,
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
                    tracing::warn!(%error, "no connection over HTTPS can be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn converse(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        self.entrance.holders.refresh().await;
        let stream = match timeout(HANDSHAKE, self.tls.accept(stream)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                if let Some(refused) = RefusedCertificate::of(&error) {
                    self.refusals.tell(&refused, peer).await;
                } else {
                    tracing::debug!(%peer, %error, "a handshake broke off");
                }
                return;
            }
            Err(_) => return,
        };
        let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let certificate = certificates.first().map(|der| Fingerprint::of_der(der));
        if certificate.is_none() && !self.takes_tokens {
            return;
        }
        let server = Arc::clone(&self);
        let routes = Router::new().fallback(move |request: Request| {
            let server = Arc::clone(&server);
            async move { server.answer(request, certificate, peer).await }
        });
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
            tracing::debug!(%peer, %error, "a connection over HTTPS broke off");
        }
    }

    /// Judges a request anew, whatever came before it on its connection, and has it answered.
    async fn answer(
        &self,
        mut request: Request,
        certificate: Option<Fingerprint>,
        peer: SocketAddr,
    ) -> Response {
        let is_exchange = request.uri().path() == exchange::PATH;
        if is_exchange && self.takes_tokens {
            let exchanged =
                async { exchange::exchanged(&self.entrance, Form::from_request(request, &()).await).await };
            let Ok((answer, refused)) = timeout(DEADLINE, exchanged).await else {
                return StatusCode::REQUEST_TIMEOUT.into_response();
            };
            if let Some(why) = refused {
                self.refusals.tell_of_token(why, peer).await;
            }
            return unkept(answer);
        }
        let is_resource = is_resource(request.uri().path());
        if is_resource && request.headers().contains_key(header::ORIGIN) {
            let refusal = Refusal::new(
                Kind::NotAdmitted,
                "a page of a browser asked this, and programs alone may",
            );
            return unkept(key_protect::in_form(
                request.uri().path(),
                refusal.into_response(),
            ));
        }
        let caller = match self.entrance.caller(certificate, request.headers(), peer).await {
            Ok(caller) => caller,
            Err(why) => {
                let answer = self.not_let_in(why, peer).await;
                return unkept(key_protect::in_form(request.uri().path(), answer));
            }
        };
        if !is_resource && certificate.is_none() {
            return (
                StatusCode::FORBIDDEN,
                "The pages are for certificates, not for tokens.\n",
            )
                .into_response();
        }
        request.extensions_mut().insert(caller);
        if is_resource {
            return unkept(answered(&self.resources, request).await);
        }
        let deadline = match request.uri().path() {
            "/bundle" => WHOLE_DEADLINE,
            _ => DEADLINE,
        };
        timeout(deadline, answered(&self.pages, request))
            .await
            .unwrap_or_else(|_| StatusCode::GATEWAY_TIMEOUT.into_response())
    }

    async fn not_let_in(&self, why: NotLetIn, peer: SocketAddr) -> Response {
        let unauthorized = |message: &str| {
            let refusal = Refusal::new(Kind::Unauthorized, message).remedy(
                "show an access token that `claviger token create` has made: Authorization: Bearer …",
            );
            let challenge = HeaderValue::from_static("Bearer");
            ([(header::WWW_AUTHENTICATE, challenge)], refusal).into_response()
        };
        match why {
            NotLetIn::Certificate(reason) => {
                let claimed = None;
                let refused = RefusedCertificate { reason, claimed };
                self.refusals.tell(&refused, peer).await;
                (StatusCode::FORBIDDEN, [("connection", "close")]).into_response()
            }
            NotLetIn::Token(why) => {
                self.refusals.tell_of_token(why, peer).await;
                // Which of the reasons it was is for the log.
                unauthorized("the access token lets nobody in")
            }
            NotLetIn::Nothing => unauthorized("neither a client certificate nor an access token was shown"),
            NotLetIn::Unknown(refusal) => refusal.into_response(),
        }
    }
}

/// Whether a path is one of the resources, and not of the pages.
fn is_resource(path: &str) -> bool {
    ["/v1/", "/api/v2/"].iter().any(|prefix| path.starts_with(prefix))
}

async fn answered(routes: &Router, request: Request) -> Response {
    match TowerToHyperService::new(routes.clone()).call(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// The answer, for its asker alone and not to be guessed at.
fn unkept(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    answer
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
