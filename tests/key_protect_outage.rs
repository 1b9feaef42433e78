//! Key Protect is away for a while, under load: what clients are told meanwhile, what they have afterwards, and when the
//! server is ready again.

mod support;

use std::time::{Duration, Instant};

use claviger_key_protect_stand_in::Form;
use support::key_protect::KeyProtect;
use support::ledger::{GENERAL_FAILURE, Ledger, until};
use support::server::{HEALTHY, Server, UNHEALTHY};

/// Stops Key Protect under load, keeps it away for so long once that was noticed, and starts it again.
#[allow(clippy::print_stdout)] // How long it took is read by a person; it decides nothing.
fn outage(away: Duration) {
    let mut server = Server::start_on_key_protect(KeyProtect::start(Form::KeyProtect), "", "");
    let client = server.client("load");
    let ledger = Ledger::default();
    let told = ledger.load(&client, || {
        ledger.wait_for_answers(100);
        server.wait_for_status(HEALTHY);

        let stopped = Instant::now();
        server.key_protect_mut().stop();
        let status = server.wait_for_status(UNHEALTHY);
        let noticed = stopped.elapsed();
        until("nobody is refused", || ledger.refused_for(GENERAL_FAILURE) >= 100);
        until("the outage is not over", || stopped.elapsed() >= away);

        let before = ledger.answered();
        server.key_protect_mut().start_again();
        let back = Instant::now();
        server.wait_for_status(HEALTHY);
        let ready = back.elapsed();
        until("nobody is served", || ledger.answered() > before);
        ledger.wait_for_answers(100);
        format!(
            "away for {:.1?}; not ready after {noticed:.1?} ({}); ready again {ready:.1?} after the service",
            back - stopped,
            status["problems"][0]
        )
    });
    let settled = ledger.settle(&server, &client);
    println!("{told}");
    settled.must_be_whole("the outage");
    for (reason, message) in ledger.refusals() {
        assert_eq!(reason, GENERAL_FAILURE, "nothing is said to be broken: {message}");
    }
}

#[test]
fn an_outage_costs_no_key_and_is_over_by_itself() {
    outage(Duration::ZERO);
}

#[test]
#[ignore = "takes more than a minute: cargo nextest run --test key_protect_outage --run-ignored only --no-capture"]
fn an_outage_of_a_minute_costs_no_key_and_is_over_by_itself() {
    outage(Duration::from_mins(1));
}

/// A restart while the service is away: the server starts, says so, and serves when the service is there.
#[test]
fn a_server_that_starts_while_the_service_is_away_serves_when_it_is_back() {
    let mut server = Server::start_on_key_protect(KeyProtect::start(Form::KeyProtect), "", "");
    let client = server.client("load");
    let ledger = Ledger::default();
    ledger.load(&client, || ledger.wait_for_answers(50));
    server.key_protect_mut().stop();
    server.restart();
    server.wait_for_status(UNHEALTHY);
    server.key_protect_mut().start_again();
    server.wait_for_status(HEALTHY);
    ledger.load(&client, || ledger.wait_for_answers(50));
    ledger
        .settle(&server, &client)
        .must_be_whole("started while the service is away");
}
