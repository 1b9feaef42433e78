//! Health and metrics, as a monitoring system sees them.

mod support;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use claviger_key_protect_stand_in::Form;
use support::books::Books;
use support::health::{LISTEN, address, get};
use support::key_protect::{self, KeyProtect};
use support::server::{self, Server, UNHEALTHY};

/// Asks until the answer has this status. What is ready is found by trial, in the background.
fn wait_for_readiness(address: SocketAddr, status: u16) {
    let start = Instant::now();
    while get(address, "/readyz").0 != status {
        assert!(
            start.elapsed() < Duration::from_mins(2),
            "/readyz never answered {status}"
        );
    }
}

/// The value of a metric with these labels, in this order.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series));
    let value = line.and_then(|rest| rest.trim().parse().ok());
    value.unwrap_or_else(|| panic!("there is no {series} in\n{metrics}"))
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("claviger_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_clients_did_is_counted_and_names_no_key_and_no_client() {
    let server = Server::start_with_sections(LISTEN);
    let address = address(&server);
    assert_eq!(get(address, "/livez"), (200, "alive\n".to_owned()));
    let (status, body) = get(address, "/readyz");
    assert_eq!(status, 200, "{body}");
    assert_eq!(get(address, "/").0, 404);

    let client = server.client("vcenter-1");
    let books = Books::default();
    for _ in 0..2 {
        books.make_and_read(&mut client.connect());
    }
    let (status, metrics) = get(address, "/metrics");
    assert_eq!(status, 200);
    let get = r#"claviger_kmip_requests_total{operation="Get",result="success"}"#;
    assert!(value(&metrics, get) >= 2.0, "{metrics}");
    let took = r#"claviger_kmip_request_duration_seconds_count{operation="Get"}"#;
    assert!(value(&metrics, took) >= 2.0, "{metrics}");
    let made = r#"claviger_device_operations_total{device="hsm",operation="generate",result="success"}"#;
    assert!(value(&metrics, made) >= 1.0, "{metrics}");
    assert!(value(&metrics, "claviger_custody_commit_duration_seconds_count") >= 3.0);
    assert!(value(&metrics, "claviger_custody_records") >= 3.0);
    assert!((value(&metrics, "claviger_ready") - 1.0).abs() < f64::EPSILON);
    assert!(
        value(
            &metrics,
            r#"claviger_certificate_expiry_time_seconds{of="client"}"#
        ) > 1e9
    );
    assert!(
        value(
            &metrics,
            r#"claviger_certificate_expiry_time_seconds{of="server"}"#
        ) > 1e9
    );
    let keys = books.keys.lock().expect("no test failed");
    let identifiers = keys.keys().map(String::as_str);
    for told in identifiers.chain(["vcenter-1", server::ADAPTER]) {
        assert!(!metrics.contains(told), "{told} is in\n{metrics}");
    }
}

#[test]
fn what_the_key_manager_is_asked_is_counted() {
    let server = Server::start_on_key_protect(KeyProtect::start(Form::KeyProtect), "", LISTEN);
    let address = address(&server);
    Books::default().make_and_read(&mut server.client("vcenter-1").connect());
    let (_, metrics) = get(address, "/metrics");
    for request in ["wrap", "unwrap"] {
        let labels = format!("{{backend=\"{}\",request=\"{request}\"", key_protect::NAME);
        let ended = format!("claviger_key_protect_requests_total{labels},result=\"success\"}}");
        assert!(value(&metrics, &ended) >= 1.0, "{metrics}");
        let took = format!("claviger_key_protect_request_duration_seconds_count{labels}}}");
        assert!(value(&metrics, &took) >= 1.0, "{metrics}");
    }
}

#[test]
fn a_server_whose_hsm_is_away_lives_and_is_not_ready() {
    let server = Server::start_with_sections(LISTEN);
    let address = address(&server);
    assert_eq!(get(address, "/readyz").0, 200);
    let token = server.token();
    let (here, away) = (token.token_directory(), token.directory().join("away"));
    std::fs::rename(&here, &away).expect("the token is there");
    server.wait_for_status(UNHEALTHY);
    wait_for_readiness(address, 503);
    assert_eq!(get(address, "/livez").0, 200);
    let (_, metrics) = get(address, "/metrics");
    assert!(
        value(&metrics, "claviger_ready").abs() < f64::EPSILON,
        "{metrics}"
    );
}

#[test]
fn the_dashboard_and_the_alerts_name_metrics_that_are_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring");
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).expect("a document");
    let (dashboard, alerts) = (read("dashboard.json"), read("alerts.yaml"));
    let panels: serde_json::Value = serde_json::from_str(&dashboard).expect("JSON");
    assert!(
        panels["panels"]
            .as_array()
            .is_some_and(|panels| panels.len() > 10)
    );
    let rules = yaml_rust2::YamlLoader::load_from_str(&alerts).expect("YAML");
    let rules = rules[0]["groups"][0]["rules"].as_vec().expect("rules");
    for rule in rules {
        assert!(
            rule["alert"].as_str().is_some() && rule["expr"].as_str().is_some(),
            "{rule:?}"
        );
    }

    // What is there only with a witness or a feed, or after a failure, is described all the same.
    let server = Server::start_with_sections(LISTEN);
    let described = claviger::admin::metric_names();
    let (_, metrics) = get(address(&server), "/metrics");
    let suffixes = ["_bucket", "_sum", "_count"];
    for name in names(&dashboard).union(&names(&alerts)) {
        let base = suffixes
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix))
            .unwrap_or(name);
        assert!(described.contains(&base), "{name} is no metric");
    }
    for name in names(&metrics) {
        let base = suffixes
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix))
            .unwrap_or(&name);
        assert!(described.contains(&base), "{name} is not described");
    }
}
