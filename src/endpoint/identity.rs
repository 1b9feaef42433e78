//! Which client certificates are admitted, and what each stands for. Shared by every connection, changed at once.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::refusal::Reason;
use crate::adapter::{AdapterId, Caller, ClientCertificate, Fingerprint, Origin};

/// The admitted client certificates. Clones share one list.
///
/// [`Identities::replace`] takes effect at once: the next handshake is judged by the new list, resumed sessions
/// included, and kept connections of a certificate that is gone are closed before they get another answer.
#[derive(Clone, Default)]
pub struct Identities(Arc<RwLock<Known>>);

/// Who is let in, and what the certificates of an adapter share.
#[derive(Default)]
struct Known {
    clients: HashMap<Fingerprint, Arc<Client>>,
    adapters: HashMap<AdapterId, Arc<Places>>,
}

/// The connections of an adapter: how many are open, and how many may be.
struct Places {
    open: AtomicUsize,
    most: AtomicUsize,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            open: AtomicUsize::new(0),
            most: AtomicUsize::new(usize::MAX),
        }
    }
}

impl Identities {
    /// Takes `admitted`, each certificate with the name of its adapter, as the whole list.
    pub fn replace(&self, admitted: impl IntoIterator<Item = (ClientCertificate, String)>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Known { clients, adapters } = &mut *known;
        let mut before = std::mem::take(clients);
        for (certificate, adapter_name) in admitted {
            let kept = before.remove(&certificate.fingerprint);
            // A client that is what it was keeps its connections and their count.
            let client = match kept {
                Some(kept) if kept.adapter == certificate.adapter && kept.adapter_name == adapter_name => {
                    kept
                }
                other => {
                    before.extend(other.map(|other| (certificate.fingerprint, other)));
                    let places = Arc::clone(adapters.entry(certificate.adapter).or_default());
                    Arc::new(Client::new(&certificate, adapter_name, places))
                }
            };
            clients.insert(certificate.fingerprint, client);
        }
        for gone in before.values() {
            gone.removed.cancel();
        }
    }

    /// Lets each of these adapters have so many connections, and every other as many as there are. Those that are open
    /// beyond that stay.
    pub fn bound_connections(&self, bounds: &HashMap<AdapterId, usize>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for adapter in bounds.keys() {
            known.adapters.entry(*adapter).or_default();
        }
        for (adapter, places) in &known.adapters {
            let most = bounds.get(adapter).copied().unwrap_or(usize::MAX);
            places.most.store(most, Ordering::Release);
        }
    }

    /// How many certificates are admitted.
    pub fn len(&self) -> usize {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.clients.len()
    }

    /// Whether no certificate is admitted, so that no client can connect.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The client of a certificate at a moment, or why it is not let in.
    pub(super) fn admit(
        &self,
        fingerprint: &Fingerprint,
        now: OffsetDateTime,
        allow_expired: bool,
    ) -> Result<Arc<Client>, Reason> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let client = known.clients.get(fingerprint).ok_or(Reason::Unknown)?;
        if !allow_expired && now < client.not_before {
            return Err(Reason::NotYetValid {
                from: client.not_before,
            });
        }
        if !allow_expired && now > client.not_after {
            return Err(Reason::Expired {
                since: client.not_after,
            });
        }
        Ok(Arc::clone(client))
    }
}

/// One admitted certificate, and what its connections share.
pub(super) struct Client {
    pub(super) fingerprint: Fingerprint,
    adapter: AdapterId,
    adapter_name: String,
    name: String,
    subject: String,
    issuer: String,
    serial: String,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    /// Cancelled when the certificate is no longer admitted.
    pub(super) removed: CancellationToken,
    connections: AtomicUsize,
    /// Those of the adapter, this client's among them.
    places: Arc<Places>,
    /// The day, counted from 1970, on which its expiry was last warned of.
    warned_on: AtomicI64,
}

impl Client {
    fn new(certificate: &ClientCertificate, adapter_name: String, places: Arc<Places>) -> Self {
        Self {
            fingerprint: certificate.fingerprint,
            adapter: certificate.adapter,
            adapter_name,
            name: certificate.name.clone(),
            subject: certificate.subject.clone(),
            issuer: certificate.issuer.clone(),
            serial: certificate.serial.clone(),
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            removed: CancellationToken::new(),
            connections: AtomicUsize::new(0),
            places,
            warned_on: AtomicI64::new(0),
        }
    }

    /// The name of its adapter.
    pub(super) fn adapter_name(&self) -> &str {
        &self.adapter_name
    }

    /// The caller of a connection from `peer`.
    pub(super) fn caller(&self, peer: SocketAddr, tls_version: &str) -> Caller {
        Caller {
            adapter: self.adapter,
            adapter_name: self.adapter_name.clone(),
            certificate: self.fingerprint,
            subject: self.subject.clone(),
            issuer: self.issuer.clone(),
            serial: self.serial.clone(),
            origin: Origin {
                address: peer.ip().to_canonical(),
                port: peer.port(),
                tls_version: tls_version.to_owned(),
            },
        }
    }

    /// Takes one of the client's connections, of which it may have `limit`, and one of its adapter's.
    pub(super) fn connect(self: &Arc<Self>, limit: usize) -> Result<Connected, Crowded> {
        if !take(&self.connections, limit) {
            return Err(Crowded::Client { limit });
        }
        let limit = self.places.most.load(Ordering::Acquire);
        if !take(&self.places.open, limit) {
            self.connections.fetch_sub(1, Ordering::AcqRel);
            return Err(Crowded::Adapter { limit });
        }
        Ok(Connected(Arc::clone(self)))
    }

    /// Warns once a day where the certificate expires within `ahead`, or has expired and is let in all the same.
    pub(super) fn warn_of_expiry(&self, now: OffsetDateTime, ahead: time::Duration) {
        let remaining = self.not_after - now;
        let today = now.unix_timestamp() / 86_400;
        if remaining > ahead || self.warned_on.swap(today, Ordering::Relaxed) == today {
            return;
        }
        let what = if remaining.is_negative() {
            "has expired"
        } else {
            "expires soon"
        };
        tracing::warn!(
            adapter = %self.adapter_name,
            certificate = %self.name,
            fingerprint = %self.fingerprint,
            not_after = %self.not_after.date(),
            days = remaining.whole_days(),
            "a client certificate {what}; admit its successor: claviger certificate add {} FILE",
            self.adapter_name,
        );
    }
}

/// Counts one more, where there are fewer than `limit`.
fn take(count: &AtomicUsize, limit: usize) -> bool {
    let counted = count.fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
        (count < limit).then_some(count + 1)
    });
    counted.is_ok()
}

/// Whose connections are as many as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crowded {
    /// The client's, by the configuration.
    Client { limit: usize },
    /// Its adapter's, by the quota of that.
    Adapter { limit: usize },
}

/// A place among the connections of a client, and of its adapter; given back on drop.
pub(super) struct Connected(Arc<Client>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::AcqRel);
        self.0.places.open.fetch_sub(1, Ordering::AcqRel);
    }
}
