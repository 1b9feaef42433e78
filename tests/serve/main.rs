//! The server as a whole: how it starts, what it does without its device, how it stops.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]
#![allow(unreachable_pub, reason = "the modules of a test have no other users")]

mod support;

use claviger::cli::serve::{self, Error};
use serde_json::Value;
use support::{Installation, eventually, worker};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_start_and_each_stop_is_on_record() {
    let installation = Installation::new();
    installation.start().await.stop().await;
    let running = installation.start().await;
    let records = installation.json(&["custody", "list"]).await;
    let events: Vec<_> = records
        .as_array()
        .unwrap()
        .iter()
        .map(|record| &record["event"])
        .collect();
    assert_eq!(events, ["server.start", "server.stop", "server.start"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_the_same_state_is_refused_and_harms_nothing() {
    let installation = Installation::new();
    let running = installation.start().await;
    let Err(error) = serve::start(installation.config(), worker()).await else {
        panic!("two servers on one state directory");
    };
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert!(
        error.to_string().contains(&std::process::id().to_string()),
        "{error}"
    );
    installation.done(&["status"]).await;
    running.stop().await;
    installation.start().await.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_stops_the_start_before_anything_is_recorded() {
    let installation = Installation::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut config = installation.config();
    config.kmip.listen = vec![address.parse().unwrap()];
    let Err(error) = serve::start(config, worker()).await else {
        panic!("two listen on one port");
    };
    assert!(error.to_string().contains(&address), "{error}");
    assert!(!installation.path("state/claviger.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_served_again_once_a_device_that_was_away_at_the_start_is_back() {
    let installation = Installation::new();
    let running = installation.start().await;
    installation.done(&["root-key", "create", "root"]).await;
    installation.done(&["adapter", "create", "vcenter"]).await;
    let client = installation.make_client("client");
    installation
        .done(&["certificate", "add", "vcenter", &client])
        .await;
    let made = installation.kmip(&running, &["create"]).await;
    let id = made["id"].as_str().unwrap().to_owned();
    running.stop().await;

    installation.take_token_away();
    let running = installation.start().await;
    assert_ne!(installation.run(&["status"]).await.status.code(), Some(0));
    // Rows under a root key that is not open can't be verified, and nobody is let in by such a row.
    assert_ne!(
        installation.try_kmip(&running, &["get", &id]).await.status.code(),
        Some(0)
    );

    installation.bring_token_back();
    eventually(async || {
        installation
            .try_kmip(&running, &["get", &id])
            .await
            .status
            .success()
    })
    .await;
    eventually(async || installation.run(&["status"]).await.status.success()).await;
    let records = installation.json(&["custody", "list"]).await;
    let verified: Vec<&Value> = records
        .as_array()
        .unwrap()
        .iter()
        .filter(|record| record["event"] == "root-key.verify")
        .collect();
    let outcomes: Vec<_> = verified.iter().map(|record| &record["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "success"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_that_can_not_work_is_told_with_lines_and_remedies() {
    let installation = Installation::new();
    std::fs::remove_file(installation.path("server.key")).unwrap();
    std::fs::remove_file(installation.path("pin")).unwrap();
    for command in [["config", "check"].as_slice(), &["serve"]] {
        let output = installation.run(command).await;
        assert_ne!(output.status.code(), Some(0));
        let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        for problem in ["`kmip.key`", "`device[0].pin_file`"] {
            let line = told
                .lines()
                .find(|line| line.contains(problem))
                .unwrap_or_else(|| panic!("{told}"));
            assert!(line.contains("claviger.toml:"), "{line}");
        }
        assert_eq!(told.matches("remedy: ").count(), 2, "{told}");
    }
    assert!(!installation.path("state").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_stops_the_program_in_order() {
    let installation = Installation::new();
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let mut program = installation.program();
        program.ready().await;
        rustix::process::kill_process(program.id(), signal).unwrap();
        assert_eq!(program.exit_code().await, Some(0));
    }
    let running = installation.start().await;
    let records = installation.json(&["custody", "list"]).await;
    let events: Vec<_> = records
        .as_array()
        .unwrap()
        .iter()
        .map(|record| &record["event"])
        .collect();
    assert_eq!(
        events,
        [
            "server.start",
            "server.stop",
            "server.start",
            "server.stop",
            "server.start"
        ]
    );
    running.stop().await;
}
