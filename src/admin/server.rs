//! The server of the interface: connections, who is at their other end, limits, and an orderly end.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::refusal::{Kind, Refusal};
use super::{
    Administration, Admitted, BODY_LIMIT, Caller, DEADLINE, Peer, Socket, WHOLE_DEADLINE, key_protect, routes,
};
use crate::custody::EventName;

/// Connections at a time; another waits in the system's queue.
const CONNECTIONS: usize = 64;

/// How long a client may take to send the headers of a request.
const HEADER_DEADLINE: Duration = Duration::from_secs(10);

/// How long to wait after the system would not give a connection, as when no descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers at `socket` until `shutdown`, then lets the requests and changes under way finish.
///
/// The socket's file is gone when it returns.
pub async fn serve(
    socket: Socket,
    administration: Arc<Administration>,
    admitted: Admitted,
    shutdown: CancellationToken,
) {
    let server = Arc::new(Server::new(administration, admitted));
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&socket, &places) => accepted,
        };
        match accepted {
            Ok((stream, place)) => {
                let (server, shutdown) = (Arc::clone(&server), shutdown.clone());
                connections.spawn(async move {
                    server.converse(stream, shutdown).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no administration connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    connections.close();
    connections.wait().await;
    server.administration.finish().await;
}

async fn accept(
    socket: &Socket,
    places: &Arc<Semaphore>,
) -> std::io::Result<(UnixStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, _) = socket.listener().accept().await?;
    Ok((stream, place))
}

/// What a connection is served with.
pub(super) struct Server {
    routes: Router,
    administration: Arc<Administration>,
    admitted: Admitted,
}

impl Server {
    pub(super) fn new(administration: Arc<Administration>, admitted: Admitted) -> Self {
        Self {
            routes: guarded(routes(Arc::clone(&administration))),
            administration,
            admitted,
        }
    }

    async fn converse(&self, stream: UnixStream, shutdown: CancellationToken) {
        let peer = match Peer::of(&stream).await {
            Ok(peer) => peer,
            Err(error) => {
                tracing::warn!(%error, "the kernel does not say who an administration connection is from");
                return;
            }
        };
        let routes = self.routes_for(peer).await;
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_DEADLINE)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "an administration connection broke off");
        }
    }

    /// The routes as one peer has them: with its name for the records, or a refusal of everything.
    pub(super) async fn routes_for(&self, peer: Peer) -> Router {
        if self.admitted.admits(peer.uid) {
            return self.routes.clone().layer(Extension(Caller::user(peer)));
        }
        let refusal = Refusal::new(
            Kind::NotAdmitted,
            format!("{} (uid {}) may not administer this server", peer.user, peer.uid),
        )
        .remedy("run the command as the server's user or as root");
        tracing::warn!(uid = peer.uid, user = %peer.user, "refused an administration connection");
        let event = Caller::user(peer)
            .event(EventName::AdministratorRefused)
            .refused(refusal.message());
        let refusal = self
            .administration
            .commit(Vec::new(), event)
            .await
            .err()
            .unwrap_or(refusal);
        Router::new().fallback(async move || refusal)
    }
}

/// The routes with what holds for each of them.
pub(super) fn guarded(routes: Router) -> Router {
    routes
        .fallback(async |request: Request| Refusal::not_found("resource", request.uri().path()))
        .method_not_allowed_fallback(async |request: Request| {
            let (method, path) = (request.method(), request.uri().path());
            Refusal::new(Kind::MethodNotAllowed, format!("{path} does not take {method}"))
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(within_deadline))
        .layer(middleware::from_fn(key_protect::in_its_form))
}

async fn within_deadline(request: Request, next: Next) -> Response {
    let deadline = match request.uri().path() {
        "/v1/custody/bundle" | "/v1/custody/comparison" | "/v1/backups" => WHOLE_DEADLINE,
        _ => DEADLINE,
    };
    tokio::time::timeout(deadline, next.run(request))
        .await
        .unwrap_or_else(|_| {
            let message = format!("no answer within {} seconds", deadline.as_secs());
            Refusal::new(Kind::Deadline, message)
                .remedy("the change may still take place; read the resource before repeating it")
                .into_response()
        })
}
