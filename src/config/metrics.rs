//! `[metrics]`: health and metrics for a monitoring system.

use std::net::SocketAddr;

use super::reader::Section;
use super::sections::addresses;

/// The usual port.
const PORT: u16 = 9464;

/// Health and metrics, over plain HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    /// The addresses to listen on; none where it is not wanted.
    pub listen: Vec<SocketAddr>,
}

/// The section; `taken` are the addresses that others listen on.
pub(super) fn metrics(mut section: Section<'_>, taken: &[SocketAddr]) -> Metrics {
    let texts = section.strings("listen").unwrap_or_default();
    let listen = addresses(&mut section, texts, PORT);
    let both = listen
        .iter()
        .find(|address| address.port() != 0 && taken.contains(address));
    if let Some(both) = both {
        section.wrong(
            "listen",
            format!("has {both}, which another section has too"),
            format!("give the metrics a port of their own, such as \"127.0.0.1:{PORT}\""),
        );
    }
    section.finish();
    Metrics { listen }
}
