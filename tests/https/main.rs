//! KMIP over HTTPS, with `curl` as the client: a real server, in all three encodings.

#[path = "../support/mod.rs"]
mod support;

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use claviger::kmip::output::{Output as _, ZeroizingOutput};
use claviger::kmip::{json, ttlv, xml};
use claviger_hsm::testkit::SoftHsm;
use support::client::Client;
use support::message::{self, about, create, identifier, key_material};
use support::server::{ADAPTER, Server, device};
use support::ttlv::Item;

/// The document whose commands are run here.
const DOCUMENT: &str = include_str!("../../docs/kmip.md");
const JSON: &str = "application/json";
const XML: &str = "text/xml";
const TTLV: &str = "application/octet-stream";

/// A server that speaks HTTPS too, with the port that the system gave it.
struct HttpsServer {
    server: Server,
    port: u16,
}

impl HttpsServer {
    fn start(limits: &str) -> Self {
        let token = SoftHsm::new();
        let section = device("hsm", &token.device_config("hsm"), 1, 2);
        let sections = format!("[kmip.limits]\n{limits}\n[https]\nlisten = [\"127.0.0.1:0\"]\n{section}");
        let server = Server::start_configured(vec![token], &sections);
        server.must(&["root-key", "create", "root"]);
        server.adapter(ADAPTER);
        let ready = server.wait_for_log("the server is ready");
        let port = ready
            .split("https=")
            .nth(1)
            .and_then(|rest| rest.split("127.0.0.1:").nth(1))
            .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>())
            .and_then(|port| port.parse().ok())
            .unwrap_or_else(|| panic!("no port in {ready}"));
        Self { server, port }
    }

    /// Runs `curl` as this client, with the answer's head before its body.
    fn curl(client: &Client, arguments: &[&str], body: &[u8]) -> Output {
        let mut curl = Command::new("curl")
            .args(["--silent", "--show-error", "--include", "--max-time", "60"])
            .arg("--cacert")
            .arg(&client.ca)
            .arg("--cert")
            .arg(&client.certificate)
            .arg("--key")
            .arg(&client.key)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("curl is installed: scripts/install-needs curl");
        // A server that refuses at once does not take the body.
        let _ = curl.stdin.take().expect("a pipe").write_all(body);
        curl.wait_with_output().expect("curl ends")
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/kmip", self.port)
    }

    /// Posts a message; returns the answer's head and body.
    fn post(&self, client: &Client, media_type: &str, body: &[u8]) -> (String, Vec<u8>) {
        let content_type = format!("Content-Type: {media_type}");
        let output = Self::curl(
            client,
            &["--header", &content_type, "--data-binary", "@-", &self.url()],
            body,
        );
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        split(&output.stdout)
    }
}

/// The command of the document that posts a message of this media type, and the message.
fn documented(media_type: &str) -> (&'static str, &'static str) {
    let command = DOCUMENT
        .split("```")
        .find(|block| block.starts_with("sh\n") && block.contains(media_type))
        .and_then(|block| block.strip_prefix("sh\n"))
        .expect("the document has a command for it");
    let (_, rest) = command
        .split_once("<<'EOF'\n")
        .expect("the message follows the command");
    let (message, _) = rest.split_once("\nEOF").expect("the message has an end");
    (command, message)
}

/// The last head of an answer, and its body.
fn split(answer: &[u8]) -> (String, Vec<u8>) {
    let mut rest = answer;
    loop {
        let end = rest
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .expect("an answer has a head");
        let head = String::from_utf8(rest[..end].to_vec()).expect("a head is text");
        rest = &rest[end + 4..];
        if !head.contains(" 100 ") {
            return (head, rest.to_vec());
        }
    }
}

fn in_xml(message: &Item) -> Vec<u8> {
    let mut out = ZeroizingOutput::new();
    xml::write(&message.encode(), &mut out).expect("the message can be said");
    out.as_slice().to_vec()
}

fn in_json(message: &Item) -> Vec<u8> {
    let mut out = ZeroizingOutput::new();
    json::write(&message.encode(), &mut out).expect("the message can be said");
    out.as_slice().to_vec()
}

fn from_xml(text: &[u8]) -> Item {
    let mut out = ZeroizingOutput::new();
    xml::read(text, &ttlv::Limits::default(), &mut out).expect("the answer is XML");
    Item::decode(out.as_mut_slice())
}

fn from_json(text: &[u8]) -> Item {
    let mut out = ZeroizingOutput::new();
    json::read(text, &ttlv::Limits::default(), &mut out).expect("the answer is JSON");
    Item::decode(out.as_mut_slice())
}

#[test]
fn the_commands_of_the_document_work_as_they_stand_there() {
    let https = HttpsServer::start("");
    let client = https.server.client("client");
    for media_type in [JSON, XML] {
        let (command, _) = documented(media_type);
        let command = command.replace("https://kms.example/kmip", &https.url());
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(client.ca.parent().expect("a folder"))
            .output()
            .expect("there is a shell");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("Success"),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn curl_asks_in_json_and_in_xml_what_the_server_can_do() {
    let https = HttpsServer::start("");
    let client = https.server.client("curl");
    let (head, body) = https.post(&client, JSON, documented(JSON).1.as_bytes());
    assert!(
        head.starts_with("HTTP/1.1 200 OK") && head.contains("Content-Type: application/json"),
        "{head}"
    );
    assert!(
        head.contains("Cache-Control: no-store") && !head.contains("Server:"),
        "{head}"
    );
    let answer: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(answer["tag"], "ResponseMessage");
    let text = String::from_utf8(body.clone()).expect("text");
    assert!(
        text.contains(r#"{"tag":"ResultStatus","type":"Enumeration","value":"Success"}"#),
        "{text}"
    );
    assert!(
        text.contains(r#"{"tag":"Operation","type":"Enumeration","value":"Create"}"#),
        "{text}"
    );

    let (head, body_xml) = https.post(&client, "application/xml", documented(XML).1.as_bytes());
    assert!(
        head.starts_with("HTTP/1.1 200 OK") && head.contains("Content-Type: text/xml"),
        "{head}"
    );
    let text = String::from_utf8(body_xml.clone()).expect("text");
    assert!(
        text.contains(r#"<ObjectType type="Enumeration" value="SymmetricKey"/>"#),
        "{text}"
    );
    let payload = |answer: Item| message::outcome(&answer).expect("Query succeeds").encode();
    assert_eq!(payload(from_xml(&body_xml)), payload(from_json(&body)));
}

#[test]
fn a_key_is_the_same_bytes_in_every_encoding_and_each_release_is_on_record() {
    let https = HttpsServer::start("");
    let client = https.server.client("curl");
    let mut connection = client.connect();
    let id = identifier(&connection.exchange(&create()));
    connection.exchange(&about(message::ACTIVATE, &id));
    let get = about(message::GET, &id);
    let key = key_material(&connection.exchange(&get));
    let (_, body) = https.post(&client, TTLV, &get.encode());
    assert_eq!(key_material(&Item::decode(&body)), key);
    let (_, body) = https.post(&client, XML, &in_xml(&get));
    assert_eq!(key_material(&from_xml(&body)), key);
    let (_, body) = https.post(&client, JSON, &in_json(&get));
    assert_eq!(key_material(&from_json(&body)), key);
    let records = https.server.custody_records();
    let releases = records
        .iter()
        .filter(|record| {
            record["event"]
                .as_str()
                .is_some_and(|event| event.contains("get"))
        })
        .count();
    assert_eq!(releases, 4, "{records:#?}");
    https.server.verify_custody_log();
}

#[test]
fn what_can_not_be_read_is_answered_in_its_own_encoding_and_version_and_recorded() {
    let https = HttpsServer::start("");
    let client = https.server.client("curl");
    let broken = documented(JSON).1.replace("QueryObjects", "QueryEverything");
    let (head, body) = https.post(&client, JSON, broken.as_bytes());
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    let (reason, text) = message::outcome(&from_json(&body)).expect_err("it is refused");
    assert!(reason == 7 && text.contains("QueryEverything"), "{reason} {text}");
    assert!(String::from_utf8_lossy(&body).contains(r#""ProtocolVersionMinor","type":"Integer","value":4"#));
    let (head, body) = https.post(&client, XML, b"<RequestMessage>");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    let (reason, _) = message::outcome(&from_xml(&body)).expect_err("it is refused");
    assert_eq!(reason, 4);
    https.server.wait_for_event("kmip.message-refused");
}

#[test]
fn an_unknown_certificate_learns_nothing() {
    let https = HttpsServer::start("");
    let stranger = https.server.unknown_client("stranger");
    let type_json = format!("Content-Type: {JSON}");
    let output = HttpsServer::curl(
        &stranger,
        &["--header", &type_json, "--data-binary", "@-", &https.url()],
        documented(JSON).1.as_bytes(),
    );
    assert!(!output.status.success() && output.stdout.is_empty());
    let url = https.url();
    let output = Command::new("curl")
        .args(["--silent", "--insecure", "--include", &url])
        .output()
        .expect("curl is installed");
    assert!(!output.status.success() && output.stdout.is_empty());
    https.server.wait_for_event("certificate.refused");
}

#[test]
fn what_is_no_kmip_is_refused_by_http_and_the_next_request_is_served() {
    let https = HttpsServer::start("request_size = \"4KiB\"");
    let client = https.server.client("curl");
    let url = https.url();
    let other = url.replace("/kmip", "/");
    let (type_json, type_text) = (format!("Content-Type: {JSON}"), "Content-Type: text/plain");
    let cases: [(&[&str], &str); 5] = [
        (&[&url], "405 Method Not Allowed"),
        (
            &["--header", &type_json, "--data-binary", "{}", &other],
            "404 Not Found",
        ),
        (
            &["--header", type_text, "--data-binary", "{}", &url],
            "415 Unsupported Media Type",
        ),
        (
            &["--request", "POST", "--header", &type_json, &url],
            "411 Length Required",
        ),
        (
            &[
                "--header",
                &type_json,
                "--header",
                "Expect: 100-continue",
                "--data-binary",
                "@-",
                &url,
            ],
            "413 Content Too Large",
        ),
    ];
    let large = vec![b' '; 5000];
    for (arguments, status) in cases {
        let output = HttpsServer::curl(&client, arguments, &large);
        let (head, body) = split(&output.stdout);
        assert!(head.contains(status), "{arguments:?}: {head}");
        assert!(body.len() < 64 && !String::from_utf8_lossy(&body).contains("claviger"));
    }
    // Two requests on one connection, the second after a refusal; one in chunks, and one that waits to be told to go on.
    let output = HttpsServer::curl(
        &client,
        &[
            &other,
            "--next",
            "--silent",
            "--include",
            "--cacert",
            client.ca.to_str().expect("a path"),
            "--cert",
            client.certificate.to_str().expect("a path"),
            "--key",
            client.key.to_str().expect("a path"),
            "--header",
            &type_json,
            "--header",
            "Transfer-Encoding: chunked",
            "--header",
            "Expect: 100-continue",
            "--data-binary",
            "@-",
            &url,
        ],
        documented(JSON).1.as_bytes(),
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("404 Not Found") && text.contains("100 Continue") && text.contains("200 OK"),
        "{text}"
    );
    assert!(text.contains("\"Success\""), "{text}");
}

#[test]
fn a_client_that_sends_half_a_request_is_not_waited_for() {
    let https = HttpsServer::start("request = \"200ms\"");
    let client = Client {
        address: ([127, 0, 0, 1], https.port).into(),
        ..https.server.client("slow")
    };
    for half in [
        "POST /kmip HTTP/1.1\r\nHost: localhost\r\n",
        "POST /kmip HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: 9\r\n\r\n<",
    ] {
        let mut connection = client.connect();
        connection.stream.write_all(half.as_bytes()).expect("it is sent");
        let mut rest = Vec::new();
        let _ = connection.stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
}
