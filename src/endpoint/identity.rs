//! Which client certificates are admitted, and what each stands for. Shared by every connection, changed at once.
//!
//! A certificate that is admitted by itself goes first. Another one is judged by the authorities that adapters trust; it stands
//! for a client of the one adapter whose authority issued it, and lets in nobody where those of two adapters did.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rustls::pki_types::CertificateDer;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::issuer::Issuer;
use super::refusal::Reason;
use crate::adapter::{AdapterId, Authority, Caller, ClientCertificate, Fingerprint, Origin};

/// With so many clients of authorities, those that have no connection are forgotten.
const ISSUED: usize = 4_096;

/// The admitted client certificates, and the trusted authorities. Clones share one list.
///
/// [`Identities::replace`] and [`Identities::trust`] take effect at once: the next handshake is judged by the new list, resumed
/// sessions included, and kept connections of a certificate that is gone are closed before they get another answer.
#[derive(Clone, Default)]
pub struct Identities(Arc<RwLock<Admitted>>);

#[derive(Default)]
struct Admitted {
    pinned: HashMap<Fingerprint, Arc<Client>>,
    issuers: Vec<Arc<Issuer>>,
    /// Clients of the issuers that have come, so that their connections are counted together.
    issued: HashMap<Fingerprint, Issued>,
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

impl Admitted {
    /// What the connections of an adapter share.
    fn places(&mut self, adapter: AdapterId) -> Arc<Places> {
        Arc::clone(self.adapters.entry(adapter).or_default())
    }
}

struct Issued {
    client: Arc<Client>,
    by: Arc<Issuer>,
}

/// A client that is let in: known already, or by an authority.
enum Judged {
    Pinned(Arc<Client>),
    Issued(Arc<Issuer>),
}

impl Identities {
    /// Takes `admitted`, each certificate with the name of its adapter, as the whole list of those that are admitted by
    /// themselves.
    pub fn replace(&self, admitted: impl IntoIterator<Item = (ClientCertificate, String)>) {
        let mut all = self.write();
        let mut before = std::mem::take(&mut all.pinned);
        for (certificate, adapter_name) in admitted {
            let kept = before.remove(&certificate.fingerprint);
            // A client that is what it was keeps its connections and their count.
            let client = match kept {
                Some(kept) if kept.adapter == certificate.adapter && kept.adapter_name == adapter_name => {
                    kept
                }
                other => {
                    before.extend(other.map(|other| (certificate.fingerprint, other)));
                    let places = all.places(certificate.adapter);
                    Arc::new(Client::new(&certificate, adapter_name, places, true))
                }
            };
            // It was let in by an authority so far, and perhaps to another adapter.
            if let Some(issued) = all.issued.remove(&certificate.fingerprint) {
                issued.client.removed.cancel();
            }
            all.pinned.insert(certificate.fingerprint, client);
        }
        for gone in before.values() {
            gone.removed.cancel();
        }
    }

    /// Takes `trusted`, each authority with its adapter and that one's name, as the whole list of authorities. Tells of those
    /// that can't be one, and so let nobody in.
    pub fn trust(
        &self,
        trusted: impl IntoIterator<Item = (AdapterId, String, Authority)>,
    ) -> Vec<(String, String)> {
        let mut refused = Vec::new();
        let mut all = self.write();
        let before = std::mem::take(&mut all.issuers);
        for (adapter, adapter_name, authority) in trusted {
            let name = format!("{} of {adapter_name}", authority.name);
            match Issuer::new(adapter, adapter_name, authority) {
                Ok(issuer) => {
                    let kept = before.iter().find(|known| known.is_like(&issuer));
                    let issuer = kept.map_or_else(|| Arc::new(issuer), Arc::clone);
                    all.issuers.push(issuer);
                }
                Err(why) => refused.push((name, why)),
            }
        }
        let Admitted { issuers, issued, .. } = &mut *all;
        issued.retain(|_, issued| {
            let stays = issuers.iter().any(|issuer| Arc::ptr_eq(issuer, &issued.by));
            if !stays {
                issued.client.removed.cancel();
            }
            stays
        });
        refused
    }

    /// Lets each of these adapters have so many connections, and every other as many as there are. Those that are open
    /// beyond that stay.
    pub fn bound_connections(&self, bounds: &HashMap<AdapterId, usize>) {
        let mut all = self.write();
        for adapter in bounds.keys() {
            all.adapters.entry(*adapter).or_default();
        }
        for (adapter, places) in &all.adapters {
            let most = bounds.get(adapter).copied().unwrap_or(usize::MAX);
            places.most.store(most, Ordering::Release);
        }
    }

    /// How many certificates are admitted by themselves, and authorities trusted.
    pub fn len(&self) -> usize {
        let all = self.read();
        all.pinned.len() + all.issuers.len()
    }

    /// Whether no certificate is admitted and no authority trusted, so that no client can connect.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a chain, the client's certificate first, is let in at a moment, or why it is not.
    pub(super) fn is_admitted(
        &self,
        chain: (&CertificateDer<'_>, &[CertificateDer<'_>]),
        now: OffsetDateTime,
        allow_expired: bool,
    ) -> Result<(), Reason> {
        let fingerprint = Fingerprint::of_der(chain.0);
        self.judge(fingerprint, chain, now, allow_expired).map(drop)
    }

    /// The client of a chain at a moment, or why it is not let in.
    pub(super) fn admit(
        &self,
        chain: (&CertificateDer<'_>, &[CertificateDer<'_>]),
        now: OffsetDateTime,
        allow_expired: bool,
    ) -> Result<Arc<Client>, Reason> {
        let fingerprint = Fingerprint::of_der(chain.0);
        match self.judge(fingerprint, chain, now, allow_expired)? {
            Judged::Pinned(client) => Ok(client),
            Judged::Issued(by) => self.enter(fingerprint, chain.0, by, now),
        }
    }

    fn judge(
        &self,
        fingerprint: Fingerprint,
        (end_entity, intermediates): (&CertificateDer<'_>, &[CertificateDer<'_>]),
        now: OffsetDateTime,
        allow_expired: bool,
    ) -> Result<Judged, Reason> {
        let issuers = {
            let all = self.read();
            if let Some(client) = all.pinned.get(&fingerprint) {
                client.is_valid(now, allow_expired)?;
                return Ok(Judged::Pinned(Arc::clone(client)));
            }
            all.issuers.clone()
        };
        let mut found: Option<Arc<Issuer>> = None;
        let mut refused = Reason::Unknown;
        for issuer in issuers {
            match issuer.judge(end_entity, intermediates, now) {
                Ok(()) => match &found {
                    Some(other) if other.adapter != issuer.adapter => return Err(Reason::Ambiguous),
                    Some(_) => {}
                    None => found = Some(issuer),
                },
                Err(Reason::Unknown) => {}
                Err(reason) => refused = reason,
            }
        }
        found.map(Judged::Issued).ok_or(refused)
    }

    /// The client of a certificate that an authority issued, which its other connections share.
    fn enter(
        &self,
        fingerprint: Fingerprint,
        end_entity: &CertificateDer<'_>,
        by: Arc<Issuer>,
        now: OffsetDateTime,
    ) -> Result<Arc<Client>, Reason> {
        let mut all = self.write();
        // The lists may have changed since the chain was judged.
        if all.pinned.contains_key(&fingerprint) || !all.issuers.iter().any(|issuer| Arc::ptr_eq(issuer, &by))
        {
            return Err(Reason::Removed);
        }
        if let Some(known) = all.issued.get(&fingerprint)
            && Arc::ptr_eq(&known.by, &by)
        {
            return Ok(Arc::clone(&known.client));
        }
        let certificate = ClientCertificate::from_der(by.adapter, &by.authority.name, end_entity, now)
            .map_err(|_| Reason::Untrusted)?;
        let places = all.places(by.adapter);
        let client = Arc::new(Client::new(&certificate, by.adapter_name.clone(), places, false));
        if all.issued.len() >= ISSUED {
            all.issued
                .retain(|_, issued| Arc::strong_count(&issued.client) > 1);
        }
        let issued = Issued {
            client: Arc::clone(&client),
            by,
        };
        if let Some(before) = all.issued.insert(fingerprint, issued) {
            before.client.removed.cancel();
        }
        Ok(client)
    }

    fn read(&self) -> RwLockReadGuard<'_, Admitted> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Admitted> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
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
    /// Whether it is admitted by itself, and not by an authority.
    is_pinned: bool,
}

impl Client {
    fn new(
        certificate: &ClientCertificate,
        adapter_name: String,
        places: Arc<Places>,
        is_pinned: bool,
    ) -> Self {
        Self {
            is_pinned,
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

    fn is_valid(&self, now: OffsetDateTime, allow_expired: bool) -> Result<(), Reason> {
        if !allow_expired && now < self.not_before {
            return Err(Reason::NotYetValid {
                from: self.not_before,
            });
        }
        if !allow_expired && now > self.not_after {
            return Err(Reason::Expired {
                since: self.not_after,
            });
        }
        Ok(())
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

    /// Warns once a day where the certificate expires within `ahead`, or has expired and is let in all the same. One that an
    /// authority issued is that one's to renew, and may last for days only.
    pub(super) fn warn_of_expiry(&self, now: OffsetDateTime, ahead: time::Duration) {
        if !self.is_pinned {
            return;
        }
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
