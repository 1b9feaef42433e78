//! Those who are not let in, recorded: however many come, the log grows by a bounded amount.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::Administration;
use super::super::caller::origin;
use super::super::permission::bounded;
use super::tls::RefusedCertificate;
use crate::custody::{Actor, CertificateFacts, Event, EventName};

/// In how much time how many are recorded each by itself; the rest is a number in a later record.
const WINDOW: Duration = Duration::from_mins(1);
const NAMED_IN_A_WINDOW: u32 = 16;

/// Records refusals.
pub(super) struct Refusals {
    administration: Arc<Administration>,
    window: Mutex<Window>,
}

struct Window {
    since: Instant,
    recorded: u32,
    unrecorded: u64,
}

impl Window {
    /// Whether one more is recorded, and then how many before it were not.
    fn take(&mut self, now: Instant) -> Option<u64> {
        if now.duration_since(self.since) >= WINDOW {
            self.since = now;
            self.recorded = 0;
        }
        if self.recorded >= NAMED_IN_A_WINDOW {
            self.unrecorded += 1;
            return None;
        }
        self.recorded += 1;
        Some(std::mem::take(&mut self.unrecorded))
    }
}

impl Refusals {
    pub(super) fn new(administration: Arc<Administration>) -> Self {
        let window = Window {
            since: Instant::now(),
            recorded: 0,
            unrecorded: 0,
        };
        Self {
            administration,
            window: Mutex::new(window),
        }
    }

    /// Tells the operator and the auditor of a certificate.
    pub(super) async fn tell(&self, refused: &RefusedCertificate, peer: SocketAddr) {
        let mut event =
            Event::new(EventName::AuditorRefused, Actor::Unknown).refused(refused.reason.to_string());
        event.certificate = refused.claimed.as_ref().map(|claimed| CertificateFacts {
            fingerprint: claimed.fingerprint.to_string(),
            name: None,
            subject: bounded(&claimed.subject),
            issuer: bounded(&claimed.issuer),
            serial: bounded(&claimed.serial),
        });
        self.record(event, peer).await;
    }

    /// Tells them of somebody whose token lets nobody in.
    pub(super) async fn tell_of_token(&self, why: &str, peer: SocketAddr) {
        let event = Event::new(EventName::AdministratorRefused, Actor::Unknown).refused(why);
        self.record(event, peer).await;
    }

    async fn record(&self, mut event: Event, peer: SocketAddr) {
        let before = {
            let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
            window.take(Instant::now())
        };
        let Some(before) = before else {
            return;
        };
        let reason = event.reason.as_deref().unwrap_or_default();
        tracing::warn!(%peer, reason, "somebody was not let in over HTTPS");
        event.origin = Some(origin(peer));
        if let Some(origin) = &mut event.origin {
            // A handshake that was refused did not get that far.
            origin.tls_version = None;
        }
        if before > 0 {
            event = event.detail("unrecorded_before", before.to_string());
        }
        if let Err(refusal) = self.administration.commit(Vec::new(), event).await {
            let error = refusal.message();
            tracing::error!(%peer, %error, "that somebody was not let in could not be recorded");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_strangers_is_counted_and_does_not_fill_the_log() {
        let start = Instant::now();
        let mut window = Window {
            since: start,
            recorded: 0,
            unrecorded: 0,
        };
        let recorded = (0..1000).filter(|_| window.take(start).is_some()).count();
        assert_eq!(recorded, 16);
        assert_eq!(window.take(start + WINDOW), Some(984));
        assert_eq!(window.take(start + WINDOW), Some(0));
    }
}
