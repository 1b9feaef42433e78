//! The sockets that clients come to: all bound before anything is recorded, so that a port that is taken stops a start early.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Error;
use crate::admin::{self, Administration, MetricsListener, WebListener};
use crate::config::Config;
use crate::custody::{Actor, Event, EventName};
use crate::endpoint;

/// The sockets, bound.
pub(super) struct Listeners {
    pub(super) endpoint: endpoint::Listeners,
    pub(super) web: Option<WebListener>,
    pub(super) metrics: Option<MetricsListener>,
}

impl Listeners {
    pub(super) async fn bind(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            endpoint: endpoint::Listeners {
                kmip: endpoint::listen(&config.kmip)?,
                previous: endpoint::listen_previous(&config.kmip)?,
                https: endpoint::listen_https(&config.https)?,
            },
            web: match &config.admin.web {
                Some(web) => Some(WebListener::bind(web).await?),
                None => None,
            },
            metrics: MetricsListener::bind(&config.metrics).await?,
        })
    }

    /// The addresses that KMIP is spoken on.
    pub(super) fn kmip_addresses(&self) -> Vec<String> {
        addresses_of(&self.endpoint.kmip)
    }

    /// The port of HTTPS, where it is served.
    pub(super) fn https_port(&self) -> Option<u16> {
        Some(self.endpoint.https.first()?.local_addr().ok()?.port())
    }

    /// The record of a start.
    pub(super) fn started(&self) -> Event {
        let kmip = self.kmip_addresses().join(", ");
        let mut started = Event::new(EventName::ServerStart, Actor::Server).detail("kmip", kmip);
        for (name, listeners) in [
            ("kmip_previous", &self.endpoint.previous),
            ("https", &self.endpoint.https),
        ] {
            if !listeners.is_empty() {
                started = started.detail(name, addresses_of(listeners).join(", "));
            }
        }
        if let Some(web) = &self.web {
            let addresses: Vec<_> = web.addresses().iter().map(ToString::to_string).collect();
            started = started.detail("web", addresses.join(", "));
        }
        started
    }
}

fn addresses_of(listeners: &[TcpListener]) -> Vec<String> {
    listeners
        .iter()
        .filter_map(|listener| Some(listener.local_addr().ok()?.to_string()))
        .collect()
}

pub(super) fn serve_pages(
    web: Option<WebListener>,
    administration: &Arc<Administration>,
    stop: &CancellationToken,
) -> Option<JoinHandle<()>> {
    let web = web?;
    tracing::info!(addresses = ?web.addresses(), "the auditor's pages are served");
    Some(tokio::spawn(admin::serve_web(
        web,
        Arc::clone(administration),
        stop.clone(),
    )))
}

pub(super) fn serve_metrics(
    metrics: Option<MetricsListener>,
    administration: &Arc<Administration>,
    stop: &CancellationToken,
) -> Option<JoinHandle<()>> {
    let metrics = metrics?;
    tracing::info!(addresses = ?metrics.addresses(), "health and metrics are served");
    Some(tokio::spawn(admin::serve_metrics(
        metrics,
        Arc::clone(administration),
        stop.clone(),
    )))
}
