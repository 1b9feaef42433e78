//! Get and Create where the device takes its time, as one that is not this machine's processor does.

use claviger_hsm::DeviceConfig;
use claviger_hsm::testkit::{Faults, SoftHsm};

use crate::load::{Rounds, Watched, about_key, connector, heading, kept_by, one_key};
use crate::options::Options;
use crate::raw;
use crate::support::message;
use crate::support::server::Server;
use crate::table::{Goal, Table};

/// Two calls of a Get, and two of a Create, wait a millisecond each: two for an operation.
const DELAYS: &str = "C_WrapKey all delay 1\nC_UnwrapKey all delay 1\nC_GenerateKey all delay 1";
/// Sessions of all workers together.
pub const SESSIONS: usize = 8;

/// So many that a session is never without a request, while others are recorded.
const CONNECTIONS: usize = 64;

/// A token's device with its faults, of so many workers.
pub fn device(token: &SoftHsm, workers: usize) -> (DeviceConfig, Faults) {
    let mut config = DeviceConfig {
        workers,
        sessions: SESSIONS / workers,
        ..token.device_config("hsm")
    };
    let faults = Faults::before(&mut config, token.directory().join("script"));
    (config, faults)
}

pub async fn run(options: &Options, table: &mut Table) {
    let token = SoftHsm::new();
    let (config, faults) = device(&token, options.workers);
    let server = Server::start_on_device(token, &config);
    let identity = server.client("bench");
    let ours = connector(&identity, identity.address, true);
    let get = about_key(&one_key(&ours).await);
    let create = message::create().encode();
    faults.set(DELAYS);
    heading(&format!(
        "a device of {SESSIONS} sessions that takes two milliseconds longer for an operation, {CONNECTIONS} connections"
    ));
    let mut creates = Rounds::new("Create, kept", Watched::server(&server));
    let mut gets = Rounds::new("Get, kept", Watched::server(&server));
    let (mut raw_creates, mut raw_gets) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let raw = raw::run(&server, &config, options.time.as_secs());
        raw_creates.push(raw.generate);
        raw_gets.push(raw.release);
        creates
            .round(kept_by(CONNECTIONS, &ours, options.time, create.clone()))
            .await;
        gets.round(kept_by(CONNECTIONS, &ours, options.time, get.clone()))
            .await;
    }
    let (raw_creates, raw_gets) = (crate::load::median(raw_creates), crate::load::median(raw_gets));
    println!("{:<48} {raw_creates:>10.0}", "raw device: generate, wrap, digest");
    let creates = creates.line();
    println!("{:<48} {raw_gets:>10.0}", "raw device: unwrap, wrap");
    let gets = gets.line();
    table.goal(
        "Get / raw device, 2 ms an operation",
        gets.per_second / raw_gets,
        Goal::AtLeast(0.95),
    );
    table.goal(
        "Create / raw device, 2 ms an operation",
        creates.per_second / raw_creates,
        Goal::AtLeast(0.95),
    );
}
