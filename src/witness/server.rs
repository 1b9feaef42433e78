//! The witness as others see it: `add-checkpoint`, and the checkpoint that was cosigned last, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::judge::{authenticate, consistent};
use super::{
    AddCheckpoint, Cosigned, Fork, KeyError, Memory, MemoryError, Refusal, WitnessKey, WitnessedLog,
};

/// The longest body that is read: more than 63 hashes and a checkpoint with many signatures.
const LONGEST_BODY: usize = 64 * 1024;
/// Connections at a time; another waits in the system's queue.
const CONNECTIONS: usize = 256;
/// How long a TLS handshake, the head of a request, and a request may take.
const DEADLINE: Duration = Duration::from_secs(10);
/// How long to wait after the system would not give a connection, as when no descriptor is free.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A witness: its key, what it remembers, and whose checkpoints it signs.
pub struct Witness {
    key: WitnessKey,
    memory: Memory,
    logs: Vec<WitnessedLog>,
    /// One checkpoint at a time is compared with the memory and put into it.
    turn: Mutex<()>,
}

/// What became of a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Answer {
    /// The checkpoint may not be signed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It can't be remembered, so it is not signed.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// It can't be signed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It can't be said when it was signed.
    #[error("the clock of the witness stands before 1970")]
    Clock,
}

impl Witness {
    /// A witness of these logs.
    pub fn new(key: WitnessKey, memory: Memory, logs: Vec<WitnessedLog>) -> Self {
        Self {
            key,
            memory,
            logs,
            turn: Mutex::new(()),
        }
    }

    /// Signs a checkpoint that continues what it signed before; the lines of its signatures. What it signs is on the disk
    /// when this returns.
    pub async fn add_checkpoint(&self, body: &str, now: OffsetDateTime) -> Result<String, Answer> {
        let request: AddCheckpoint = body.parse().map_err(Refusal::from)?;
        let authentic = authenticate(&request, &self.logs)?;
        let checkpoint = authentic.checkpoint;
        let time = u64::try_from(now.unix_timestamp()).ok().filter(|time| *time > 0);
        let time = time.ok_or(Answer::Clock)?;

        let _turn = self.turn.lock().await;
        let before = self.memory.latest(&checkpoint.origin).await?;
        let latest = before.as_ref().map(|before| before.checkpoint.head);
        if let Err(refusal) = consistent(&request, &checkpoint, latest) {
            if let (Refusal::Fork { .. }, Some(before)) = (&refusal, before) {
                self.memory.keep_fork(&fork(before, &request, time)).await?;
            }
            return Err(refusal.into());
        }
        let signature = self.key.cosign(&request.note.text, time)?;
        // What others can verify is kept: the log's signatures that were verified here, and this one.
        let mut note = request.note;
        note.signatures
            .retain(|signature| authentic.signers.iter().any(|key| key.is_named_by(signature)));
        note.signatures.push(signature.clone());
        let next = Cosigned {
            checkpoint,
            note: note.to_string(),
            time,
        };
        if !self.memory.keep(before.as_ref(), &next).await? {
            // Another process has the same memory and was faster.
            let latest = self.memory.latest(&next.checkpoint.origin).await?;
            return Err(Answer::Refused(Refusal::NotTheLatest {
                old: request.old,
                latest: latest.map_or(0, |latest| latest.checkpoint.head.size),
            }));
        }
        Ok(signature.to_string())
    }

    /// The checkpoint that was cosigned last, of the log whose name has this SHA-256, in hexadecimal.
    pub async fn checkpoint(&self, origin_hash: &str) -> Result<Option<String>, MemoryError> {
        let named = |log: &&WitnessedLog| hex::encode(Sha256::digest(&log.origin)) == origin_hash;
        let Some(log) = self.logs.iter().find(named) else {
            return Ok(None);
        };
        let latest = self.memory.latest(&log.origin).await?;
        Ok(latest.map(|latest| latest.note))
    }
}

fn fork(before: Cosigned, request: &AddCheckpoint, time: u64) -> Fork {
    Fork {
        origin: before.checkpoint.origin,
        cosigned: before.note,
        refused: request.note.to_string(),
        time,
    }
}

/// Answers at these sockets, in TLS where a certificate is given, until `shutdown`; then lets what is under way finish.
pub async fn serve(
    listeners: Vec<TcpListener>,
    tls: Option<TlsAcceptor>,
    witness: Arc<Witness>,
    shutdown: CancellationToken,
) {
    let routes = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin}/checkpoint", get(checkpoint))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(middleware::from_fn(within_deadline))
        .with_state(witness);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    for listener in listeners {
        let (routes, tls, places) = (routes.clone(), tls.clone(), Arc::clone(&places));
        let (shutdown, tracker) = (shutdown.clone(), connections.clone());
        connections.spawn(async move { listen(&listener, tls, routes, &places, shutdown, &tracker).await });
    }
    shutdown.cancelled().await;
    connections.close();
    connections.wait().await;
}

async fn listen(
    listener: &TcpListener,
    tls: Option<TlsAcceptor>,
    routes: Router,
    places: &Arc<Semaphore>,
    shutdown: CancellationToken,
    connections: &TaskTracker,
) {
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = async {
                let place = Arc::clone(places).acquire_owned().await.map_err(std::io::Error::other)?;
                let (stream, _) = listener.accept().await?;
                Ok::<_, std::io::Error>((stream, place))
            } => accepted,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // An answer is one small write, which waits for nothing.
        let _ = stream.set_nodelay(true);
        let (routes, tls, shutdown) = (routes.clone(), tls.clone(), shutdown.clone());
        connections.spawn(async move {
            let Some(tls) = tls else {
                converse(stream, routes, shutdown).await;
                return drop(place);
            };
            match tokio::time::timeout(DEADLINE, tls.accept(stream)).await {
                Ok(Ok(stream)) => converse(stream, routes, shutdown).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            }
            drop(place);
        });
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(stream: S, routes: Router, shutdown: CancellationToken) {
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(DEADLINE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            // Whoever sends nothing more does not hold up the stop.
            tokio::time::timeout(DEADLINE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Somebody who sends a request slowly does not hold its place.
async fn within_deadline(request: Request, next: Next) -> Response {
    tokio::time::timeout(DEADLINE, next.run(request))
        .await
        .unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Bytes) -> Response {
    let Ok(body) = std::str::from_utf8(&body) else {
        return (StatusCode::BAD_REQUEST, "the body is not UTF-8\n").into_response();
    };
    match witness.add_checkpoint(body, OffsetDateTime::now_utc()).await {
        Ok(signatures) => signatures.into_response(),
        Err(Answer::Refused(Refusal::NotTheLatest { old, latest })) => {
            // Usual where the log's server has started anew and asks for the size, or lost an answer.
            tracing::debug!(old, latest, "asked to continue another size than the latest");
            let headers = [(header::CONTENT_TYPE, "text/x.tlog.size")];
            (StatusCode::CONFLICT, headers, format!("{latest}\n")).into_response()
        }
        Err(Answer::Refused(refusal)) => {
            if matches!(refusal, Refusal::Fork { .. } | Refusal::Inconsistent(_)) {
                tracing::error!("NOT COSIGNED: {refusal}");
            } else {
                tracing::warn!("not cosigned: {refusal}");
            }
            let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
            (status, format!("{refusal}\n")).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "not cosigned");
            let words = "the witness can't sign now; its own log says why\n";
            (StatusCode::INTERNAL_SERVER_ERROR, words).into_response()
        }
    }
}

async fn checkpoint(State(witness): State<Arc<Witness>>, Path(origin): Path<String>) -> Response {
    match witness.checkpoint(&origin).await {
        Ok(Some(note)) => note.into_response(),
        Ok(None) => (
            StatusCode::NOT_FOUND,
            "no checkpoint of this log was cosigned here\n",
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "the latest checkpoint can't be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
