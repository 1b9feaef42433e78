//! Those who are not let in, recorded: however many come, the log grows by a bounded amount.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::Administration;
use super::tls::RefusedCertificate;
use crate::custody::{Actor, CertificateFacts, Event, EventName, Origin};

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

    /// Tells the operator and the auditor of one.
    pub(super) async fn tell(&self, refused: &RefusedCertificate, peer: SocketAddr) {
        let before = {
            let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
            window.take(Instant::now())
        };
        let Some(before) = before else {
            return;
        };
        tracing::warn!(%peer, reason = %refused.reason, "somebody was not let in to the auditor's pages");
        let mut event =
            Event::new(EventName::AuditorRefused, Actor::Unknown).refused(refused.reason.to_string());
        event.origin = Some(Origin {
            address: peer.ip().to_canonical(),
            port: peer.port(),
            tls_version: None,
        });
        event.certificate = refused.claimed.as_ref().map(|claimed| CertificateFacts {
            fingerprint: claimed.fingerprint.to_string(),
            name: None,
            subject: bounded(&claimed.subject),
            issuer: bounded(&claimed.issuer),
            serial: bounded(&claimed.serial),
        });
        if before > 0 {
            event = event.detail("unrecorded_before", before.to_string());
        }
        if let Err(refusal) = self.administration.commit(Vec::new(), event).await {
            let error = refusal.message();
            tracing::error!(%peer, %error, "that somebody was not let in could not be recorded");
        }
    }
}

/// The text without control characters, and not longer than a line of a log should be.
pub(super) fn bounded(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .take(400)
        .collect()
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
