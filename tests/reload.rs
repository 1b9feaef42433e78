//! The configuration of a server that runs is changed.

mod support;

use std::fs;

use serde_json::Value;
use support::message;
use support::server::{self, HEALTHY, Server};

/// The records of reloads, in their order.
fn reloads(server: &Server) -> Vec<Value> {
    let is_reload = |record: &Value| record["event"] == "server.reload";
    server.custody_records().into_iter().filter(is_reload).collect()
}

#[test]
fn what_can_change_without_a_restart_does_what_cannot_is_named_and_a_broken_file_changes_nothing() {
    let server = Server::start_with_sections("[log]\nlevel = \"info\"\n");
    let whole = fs::read_to_string(server.config()).expect("the configuration");
    let reload = |text: &str, said: &str| {
        let position = server.log.position();
        fs::write(server.config(), text).expect("it can be written");
        server::signal(server.pid(), "HUP");
        server.log.wait_for(position, said)
    };

    let position = server.log.position();
    reload(
        &whole.replace("level = \"info\"", "level = \"debug\""),
        "the configuration was read again",
    );
    server.client("vcenter-1").connect();
    server.log.wait_for(position, "DEBUG");
    assert!(server.wait_for_status(HEALTHY).get("needs_restart").is_none());

    let fewer = whole.replace("[log]\n", "[kmip.limits]\nconnections_per_client = 1\n[log]\n");
    reload(&fewer, "the configuration was read again");
    assert!(server.wait_for_status(HEALTHY).get("needs_restart").is_none());
    let client = server.client("vcenter-3");
    let position = server.log.position();
    let mut connection = client.connect();
    drop(client.try_connect());
    server
        .log
        .wait_for(position, "kmip.limits.connections_per_client");
    message::outcome(&connection.exchange(&message::create())).expect("the first is served");

    let more = whole.replace("[log]\n", "[kmip.limits]\nrequest_size = \"2MiB\"\n[log]\n");
    let said = reload(&more, "works only after a restart");
    assert!(said.contains("kmip"), "{said}");
    let status = server.wait_for_status(HEALTHY);
    assert_eq!(status["needs_restart"], serde_json::json!(["kmip"]));

    reload("no TOML", "was not read again");
    // The command line reads the same file.
    fs::write(server.config(), &more).expect("it can be written");
    server.client("vcenter-2").connect();
    assert_eq!(
        server.wait_for_status(HEALTHY)["needs_restart"],
        status["needs_restart"]
    );

    let outcomes: Vec<_> = reloads(&server)
        .iter()
        .map(|record| record["outcome"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(outcomes, ["success", "success", "success", "failed"]);
}
