//! Traces of requests, as a collector that others wrote the messages of receives them.

mod support;

use std::io::{BufRead as _, BufReader};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use support::books::Books;
use support::identity;
use support::message::{self, about};
use support::server::Server;

/// An identifier that no key has.
const NO_KEY: &str = "00000000-0000-7000-8000-000000000000";

/// A collector on a port of its own.
struct Collector {
    process: Child,
    printed: BufReader<ChildStdout>,
    endpoint: String,
}

impl Collector {
    /// None where there is no Python for it, and tests may be skipped.
    fn start() -> Option<Self> {
        Self::start_with("http", &[])
    }

    /// The same, by TLS, with this certificate and key.
    fn start_by_tls(certificate: &Path, key: &Path) -> Option<Self> {
        Self::start_with("https", &[certificate, key])
    }

    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    fn start_with(scheme: &str, arguments: &[&Path]) -> Option<Self> {
        let Some(python) = std::env::var_os("CLAVIGER_TEST_PYTHON") else {
            assert!(
                std::env::var_os("CLAVIGER_TEST_NO_SKIP").is_none(),
                "CLAVIGER_TEST_PYTHON names no Python"
            );
            eprintln!(
                "SKIPPED: CLAVIGER_TEST_PYTHON names no Python with opentelemetry-proto; scripts/test makes one."
            );
            return None;
        };
        let mut process = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/traces/collector.py"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the Python starts");
        let mut printed = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut port = String::new();
        printed.read_line(&mut port).expect("the collector says its port");
        Some(Self {
            process,
            printed,
            endpoint: format!("{scheme}://127.0.0.1:{}", port.trim()),
        })
    }

    /// All spans that came, once the server that sends them has stopped.
    fn spans(mut self) -> Vec<Value> {
        self.process.kill().expect("the collector runs");
        self.process.wait().expect("the collector ends");
        let lines = self.printed.lines().map(|line| line.expect("text"));
        lines
            .map(|line| serde_json::from_str(&line).expect("a span as JSON"))
            .collect()
    }
}

/// The spans of a name.
fn named<'s>(spans: &'s [Value], name: &str) -> Vec<&'s Value> {
    spans.iter().filter(|span| span["name"] == name).collect()
}

fn text<'s>(span: &'s Value, attribute: &str) -> &'s str {
    span["attributes"][attribute].as_str().unwrap_or_default()
}

#[test]
fn a_request_is_a_trace_with_what_it_waited_for_and_the_identifier_that_the_log_has() {
    let Some(collector) = Collector::start() else {
        return;
    };
    let mut server = Server::start_with_sections(&format!(
        "[tracing]\nendpoint = \"{}\"\n[log]\nformat = \"json\"\nlevel = \"debug\"\n",
        collector.endpoint
    ));
    let client = server.client("vcenter-1");
    let books = Books::default();
    let mut connection = client.connect();
    books.make_and_read(&mut connection);
    let refused = connection.exchange(&about(message::GET, NO_KEY));
    assert!(message::outcome(&refused).is_err());
    assert!(server.stop().success());
    let log = server.log.text();
    let spans = collector.spans();

    let requests = named(&spans, "kmip");
    let told: Vec<_> = requests
        .iter()
        .map(|span| (text(span, "operation"), text(span, "result")))
        .collect();
    let expected = [
        ("Create", "success"),
        ("Get", "success"),
        ("Get", "success"),
        ("Get", "ItemNotFound"),
    ];
    assert_eq!(told, expected, "{spans:#?}");
    for span in &requests {
        assert_eq!(span["kind"], "SPAN_KIND_SERVER");
        assert_eq!(span["parent"], "");
        assert_eq!(text(span, "adapter"), support::server::ADAPTER);
        assert_eq!(span["resource"]["service.name"], "claviger");
        assert_eq!(span["resource"]["service.instance.id"], "test");
    }
    assert_eq!(requests[0]["status"], "STATUS_CODE_UNSET");
    assert_eq!(requests[3]["status"], "STATUS_CODE_ERROR");

    for (request, device) in [(requests[0], "generate"), (requests[1], "release")] {
        for (name, operation) in [("device", Some(device)), ("commit", None)] {
            let children = named(&spans, name);
            let child = children
                .into_iter()
                .find(|child| child["parent"] == request["span"])
                .unwrap_or_else(|| panic!("no {name} under {request:#}"));
            assert_eq!(child["trace"], request["trace"]);
            assert_eq!(child["kind"], "SPAN_KIND_CLIENT");
            assert_eq!(text(child, "result"), "success");
            assert!(operation.is_none_or(|operation| text(child, "operation") == operation));
            let time = |span: &Value, end: &str| span[end].as_u64().expect("a time");
            assert!(time(request, "begin") <= time(child, "begin"));
            assert!(time(child, "end") <= time(request, "end"));
        }
    }
    // What the server does by itself is no trace.
    assert!(
        spans
            .iter()
            .all(|span| span["name"] == "kmip" || span["parent"] != ""),
        "{spans:#?}"
    );

    let line = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["message"] == "a request was refused")
        .unwrap_or_else(|| panic!("no request was refused in\n{log}"));
    assert_eq!(line["span"]["name"], "kmip");
    assert_eq!(
        line["span"]["request_id"],
        requests[3]["attributes"]["request_id"]
    );

    let all = serde_json::to_string(&spans).expect("JSON");
    let keys = books.keys.lock().expect("no test failed");
    for told in keys.keys().map(String::as_str).chain(["vcenter-1", NO_KEY]) {
        assert!(!all.contains(told), "{told} is in {all}");
    }
}

#[test]
fn a_collector_behind_tls_is_known_by_the_authority_that_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    identity::write(&identity::server(address), folder.path(), "collector");
    let certificate = folder.path().join("collector.pem");
    let Some(collector) = Collector::start_by_tls(&certificate, &folder.path().join("collector.key")) else {
        return;
    };
    let section = format!("[tracing]\nendpoint = \"{}\"\n", collector.endpoint);
    let mut server =
        Server::start_with_sections(&format!("{section}ca_file = \"{}\"\n", certificate.display()));
    let client = server.client("vcenter-1");
    Books::default().make_and_read(&mut client.connect());
    assert!(server.stop().success());
    let mut stranger = Server::start_with_sections(&section);
    let client = stranger.client("vcenter-1");
    Books::default().make_and_read(&mut client.connect());
    stranger.wait_for_log("traces are lost");
    assert!(stranger.stop().success());
    let spans = collector.spans();
    assert_eq!(named(&spans, "kmip").len(), 3, "{spans:#?}");
}

#[test]
fn of_many_requests_few_are_traced_where_that_is_wanted() {
    let Some(collector) = Collector::start() else {
        return;
    };
    let mut server = Server::start_with_sections(&format!(
        "[tracing]\nendpoint = \"{}\"\none_in = 1000000\n",
        collector.endpoint
    ));
    let client = server.client("vcenter-1");
    Books::default().make_and_read(&mut client.connect());
    assert!(server.stop().success());
    assert_eq!(collector.spans(), Vec::<Value>::new());
}

#[test]
fn a_collector_that_is_away_costs_no_request_and_no_stop() {
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = nobody.local_addr().expect("an address");
    drop(nobody);
    let mut server = Server::start_with_sections(&format!("[tracing]\nendpoint = \"http://{endpoint}\"\n"));
    let client = server.client("vcenter-1");
    let books = Books::default();
    books.make_and_read(&mut client.connect());
    server.wait_for_log("traces are lost");
    books.make_and_read(&mut client.connect());
    assert_eq!(books.refused.into_inner(), 0);
    assert!(server.stop().success());
    assert_eq!(server.log.text().matches("traces are lost").count(), 1);
}
