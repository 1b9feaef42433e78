//! The listener: what is asked, and an orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::{Administration, Error, status};
use super::catalogue::{Measuring, measure};
use super::state;
use crate::config::Metrics;

/// Connections at a time; another waits in the system's queue. A monitoring system has one or two.
const CONNECTIONS: usize = 16;
/// How long a client may take to send the headers of a request, and how long a connection may be idle.
const HEADER_DEADLINE: Duration = Duration::from_mins(2);
/// From a request's headers to its answer.
const DEADLINE: Duration = Duration::from_secs(10);
/// How often what was measured is put in order, so that it takes no more room where nobody asks for it.
const UPKEEP: Duration = Duration::from_secs(5);
/// How long to wait after the system would not give a connection, as when no descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where health and metrics are served: bound, and measuring since then.
pub struct MetricsListener {
    listeners: Vec<TcpListener>,
    measuring: Measuring,
}

impl MetricsListener {
    /// Binds the addresses, and begins to measure; none where the configuration names no address.
    ///
    /// # Errors
    /// An address that can't be bound.
    pub async fn bind(metrics: &Metrics) -> Result<Option<Self>, Error> {
        if metrics.listen.is_empty() {
            return Ok(None);
        }
        let mut listeners = Vec::new();
        for address in &metrics.listen {
            let listener = TcpListener::bind(address).await;
            listeners.push(listener.map_err(|source| Error::MetricsListen {
                address: *address,
                source,
            })?);
        }
        Ok(Some(Self {
            listeners,
            measuring: measure(),
        }))
    }

    /// The addresses that it listens on, with the ports that the system chose.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let addresses = self.listeners.iter();
        addresses
            .filter_map(|listener| listener.local_addr().ok())
            .collect()
    }
}

/// Answers until `shutdown`.
pub async fn serve(
    listener: MetricsListener,
    administration: Arc<Administration>,
    shutdown: CancellationToken,
) {
    let MetricsListener { listeners, measuring } = listener;
    let connections = TaskTracker::new();
    let server = Arc::new(Server {
        routes: routes(administration, measuring.clone()),
        places: Arc::new(Semaphore::new(CONNECTIONS)),
        connections: connections.clone(),
        shutdown: shutdown.clone(),
    });
    for listener in listeners {
        connections.spawn(Arc::clone(&server).accept(listener));
    }
    let mut due = interval(UPKEEP);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            _ = due.tick() => measuring.0.run_upkeep(),
        }
    }
    connections.close();
    connections.wait().await;
}

struct Server {
    routes: Router,
    places: Arc<Semaphore>,
    connections: TaskTracker,
    shutdown: CancellationToken,
}

impl Server {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                return;
            };
            let accepted = tokio::select! {
                () = self.shutdown.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let server = Arc::clone(&self);
                    self.connections.spawn(async move {
                        server.converse(stream).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "no connection for the metrics can be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn converse(&self, stream: TcpStream) {
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_DEADLINE)
            .serve_connection(
                TokioIo::new(stream),
                TowerToHyperService::new(self.routes.clone()),
            );
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                timeout(DEADLINE, connection).await.unwrap_or(Ok(()))
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection for the metrics broke off");
        }
    }
}

fn routes(administration: Arc<Administration>, measuring: Measuring) -> Router {
    let metrics = get(async move |State(administration): State<Arc<Administration>>| {
        render(&administration, &measuring).await
    });
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", metrics)
        .with_state(administration)
        .layer(middleware::from_fn(within_deadline))
}

async fn ready(State(administration): State<Arc<Administration>>) -> (StatusCode, &'static str) {
    if status::is_ready(&administration).await {
        (StatusCode::OK, "ready\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready: `claviger status` on the server says why\n",
        )
    }
}

async fn render(administration: &Administration, measuring: &Measuring) -> Response {
    state::look(administration).await;
    let form = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (form, measuring.0.render()).into_response()
}

async fn within_deadline(request: axum::extract::Request, next: Next) -> Response {
    let answer = timeout(DEADLINE, next.run(request)).await;
    answer.unwrap_or_else(|_| (StatusCode::SERVICE_UNAVAILABLE, "no answer in time\n").into_response())
}
