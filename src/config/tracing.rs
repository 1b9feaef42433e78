//! `[tracing]`: traces of requests, for a collector that speaks OpenTelemetry's protocol.

use std::path::PathBuf;

use reqwest::Url;

use super::reader::Section;

/// The segments that the protocol has behind the collector's address (OTLP 1.x, "OTLP/HTTP Request").
const TRACES: &str = "/v1/traces";
/// What `one_in` is at the most.
const RAREST: u64 = 1_000_000;

/// Where traces of requests go, and of which requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracing {
    /// The address of the collector that traces are sent to, `/v1/traces` at its end.
    pub endpoint: String,
    /// Of so many requests one is traced, chosen at random.
    pub one_in: u64,
    /// PEM certificates of authorities that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// The section; none where it names no collector, and nothing is traced.
pub(super) fn tracing(mut section: Section<'_>) -> Option<Tracing> {
    let endpoint = section.string("endpoint");
    let one_in = section.integer("one_in", &(1..=RAREST));
    let ca_file = section.path("ca_file");
    let endpoint = match endpoint.as_deref().map(address) {
        Some(Some(endpoint)) => Some(endpoint),
        Some(None) => {
            section.wrong(
                "endpoint",
                "is no address of a collector",
                "write it as \"http://127.0.0.1:4318\": OTLP over HTTP, without user, query and fragment",
            );
            None
        }
        None => {
            if one_in.is_some() || ca_file.is_some() {
                section.missing(
                    "endpoint",
                    "name the collector, such as \"http://127.0.0.1:4318\"",
                );
            }
            None
        }
    };
    section.finish();
    Some(Tracing {
        endpoint: endpoint?,
        one_in: one_in.unwrap_or(1),
        ca_file,
    })
}

/// Where traces are sent at a collector that is named with or without the end of the address.
fn address(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_usable = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let base = url.as_str().trim_end_matches('/');
    is_usable.then(|| format!("{}{TRACES}", base.strip_suffix(TRACES).unwrap_or(base)))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn a_collector_is_named_with_or_without_the_end_of_its_address() {
        let whole = Some("http://127.0.0.1:4318/v1/traces".to_owned());
        for text in [
            "http://127.0.0.1:4318",
            "http://127.0.0.1:4318/",
            "http://127.0.0.1:4318/v1/traces",
        ] {
            assert_eq!(address(text), whole, "{text}");
        }
        let behind_a_path = Some("https://collector.example/otlp/v1/traces".to_owned());
        assert_eq!(address("https://collector.example/otlp"), behind_a_path);
        for text in [
            "127.0.0.1:4318",
            "grpc://127.0.0.1:4317",
            "http://user:word@host",
            "http://host/?a=b",
            "",
        ] {
            assert_eq!(address(text), None, "{text}");
        }
    }
}
