//! For tests that load SoftHSM's module into their own process: each runs in a process of its own, since the module
//! takes its configuration from the environment and can be initialised once only.

use std::process::Command;

use crate::testkit::SoftHsm;
use crate::worker::TransportPair;
use crate::worker::protocol::Start;

const TOKEN: &str = "CLAVIGER_TEST_TOKEN";

/// Runs `body` with a new token, in a process of its own. `test` is the path of the calling test.
pub(crate) fn with_token(test: &str, body: impl FnOnce(Start)) {
    if let Some(folder) = std::env::var_os(TOKEN) {
        let start = postcard::from_bytes(&std::fs::read(folder).unwrap()).unwrap();
        return body(start);
    }
    let token = SoftHsm::new();
    let config = token.device_config("test");
    let start = Start {
        module: config.module,
        slot: config.slot,
        pin_file: config.pin_file,
        sessions: 1,
        queue: 8,
        deadline: config.deadline,
        renewal: config.transport_renewal,
        wrap_profile: config.wrap_profile,
        release_profile: config.release_profile,
        kept_keys: config.kept_keys,
        transport_recipient: TransportPair::generate().unwrap().recipient(),
    };
    let file = token.directory().join("start");
    std::fs::write(&file, postcard::to_allocvec(&start).unwrap()).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(TOKEN, file)
        .envs(config.environment)
        .status()
        .unwrap();
    assert!(status.success(), "{test} failed in its own process");
}
