//! `claviger witness run`: the witness answers until it is told to stop.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Exit, Failure, key, logs, memory};
use crate::cli::serve::{logging, process};
use crate::config;
use crate::witness::{Witness, serve, tls};

pub(super) fn run(config: &config::Witness) -> Result<Exit, Failure> {
    logging::start(&config.log, None);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?
        .block_on(until_told(config))
        .map(|()| Exit::Done)
}

async fn until_told(config: &config::Witness) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("cannot start: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let logs = logs(config)?;
    if logs.is_empty() {
        tracing::warn!("no log is witnessed: add a section [[witnessed]] to the configuration");
    }
    let tls = match &config.tls {
        Some((certificate, key)) => {
            Some(tls(certificate, key).map_err(|error| Failure::new(error.to_string()))?)
        }
        None => None,
    };
    let key = key(config)?;
    let memory = memory(config).await?;
    let mut listeners = Vec::new();
    for address in &config.listen {
        listeners.push(
            TcpListener::bind(address)
                .await
                .map_err(|error| Failure::new(format!("cannot listen on {address}: {error}")))?,
        );
    }
    let addresses: Vec<_> = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .collect();
    tracing::info!(
        key = %key.public(), listen = ?addresses, https = tls.is_some(), logs = logs.len(), "the witness is ready"
    );
    let witness = Arc::new(Witness::new(key, memory.clone(), logs));
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(listeners, tls, witness, stop.clone()));
    process::notify_systemd("READY=1");
    tokio::spawn(process::answer_watchdog());
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: the witness stops"),
        _ = interrupt.recv() => tracing::info!("SIGINT: the witness stops"),
    }
    process::notify_systemd("STOPPING=1");
    stop.cancel();
    let ended = serving.await;
    memory.close().await;
    ended.map_err(|error| Failure::new(format!("the witness ended in disorder: {error}")))
}
