//! The mark for the device: making and releasing keys through PKCS#11 with nothing around it, in as many processes
//! and sessions as the server's workers have.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use claviger_hsm::device::measure;
use claviger_hsm::{DeviceConfig, RootKeyLocator};
use serde_json::Value;

use crate::support::server::Server;

const SECONDS: &str = "CLAVIGER_BENCH_RAW_SECONDS";
const ROOT_KEY: &str = "CLAVIGER_BENCH_RAW_ROOT_KEY";
const TOKEN: &str = "CLAVIGER_BENCH_RAW_TOKEN";

/// Operations a second of all processes together.
pub struct Raw {
    pub generate: f64,
    pub release: f64,
}

/// Measures on the server's token, with its root key; the server must be idle meanwhile.
pub fn run(server: &Server, config: &DeviceConfig, seconds: u64) -> Raw {
    let (workers, sessions) = (config.workers, config.sessions);
    let root_key = server.json(&["root-key", "show", "root"]);
    let children: Vec<_> = (0..workers)
        .map(|_| {
            Command::new(std::env::current_exe().expect("this program's path"))
                .env(SECONDS, seconds.to_string())
                .env(ROOT_KEY, root_key.to_string())
                .env(
                    TOKEN,
                    serde_json::json!([config.module, config.slot, config.pin_file, sessions]).to_string(),
                )
                .envs(config.environment.iter().map(|(name, value)| (name, value)))
                .stdout(Stdio::piped())
                .spawn()
                .expect("this program starts again")
        })
        .collect();
    let mut raw = Raw {
        generate: 0.0,
        release: 0.0,
    };
    for child in children {
        let output = child.wait_with_output().expect("a measuring process ends");
        let measured: Value =
            serde_json::from_slice(&output.stdout).expect("a measuring process prints JSON");
        let rate = |what: &str| measured[what]["per_second"].as_f64().expect("a rate");
        raw.generate += rate("generate_wrap_and_digest");
        raw.release += rate("unwrap_and_rewrap");
    }
    raw
}

/// Where the environment asks for it, measures, prints the result as JSON, and ends the process.
pub fn run_if_asked() {
    let Ok(seconds) = std::env::var(SECONDS) else {
        return;
    };
    let json = |name: &str| -> Value {
        serde_json::from_str(&std::env::var(name).expect("the bench sets it")).expect("the bench writes JSON")
    };
    let (token, root_key) = (json(TOKEN), json(ROOT_KEY));
    let path = |place: usize| PathBuf::from(token[place].as_str().expect("a path"));
    let slot = serde_json::from_value(token[1].clone()).expect("a slot");
    let mut config = DeviceConfig::new("raw", path(0), slot, path(2));
    config.sessions = serde_json::from_value(token[3].clone()).expect("a number");
    let id: String = serde_json::from_value(root_key["id"].clone()).expect("an identifier");
    let root = RootKeyLocator {
        label: root_key["label"].as_str().expect("a label").to_owned(),
        id: hex::decode(id.replace('-', "")).expect("a UUID"),
        check_value: None,
    };
    let duration = Duration::from_secs(seconds.parse().expect("a number"));
    let measured = measure(&config, &root, duration).expect("the device can be measured");
    println!("{}", serde_json::to_string(&measured).expect("JSON"));
    std::process::exit(0);
}
