//! What is measured of connections.

use metrics::{Gauge, counter, gauge};

use super::identity::Crowded;
use super::session::Protocol;

/// A connection that is open until this is dropped.
pub(super) struct Open(Gauge);

impl Open {
    pub(super) fn over(protocol: Protocol) -> Self {
        let name = match protocol {
            Protocol::Kmip => "kmip",
            Protocol::KmipPrevious => "kmip-previous",
            Protocol::Https => "https",
        };
        counter!("claviger_kmip_connections_total", "protocol" => name).increment(1);
        let open = gauge!("claviger_kmip_connections", "protocol" => name);
        open.increment(1.0);
        Self(open)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// A connection was refused after its handshake.
pub(super) fn refused(crowded: Crowded) {
    let by = match crowded {
        Crowded::Client { .. } => "client",
        Crowded::Adapter { .. } => "adapter",
    };
    counter!("claviger_kmip_refused_connections_total", "by" => by).increment(1);
}
