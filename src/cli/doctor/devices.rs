//! The devices of the configuration: each examined in a worker process, with the root keys that the database has of it.

use std::collections::BTreeSet;
use std::path::Path;

use claviger_hsm::doctor::{Group, Report, Verdict, examine};
use claviger_hsm::{RootKeyLocator, WorkerCommand};

use super::findings::Findings;
use crate::adapter::RootKey;
use crate::cli::device::device_config;
use crate::config::Config;
use crate::{root_key, store};

/// Examines each device; returns the names of those that serve, whatever is wrong with their root keys.
pub(super) async fn check(config: &Config, findings: &mut Findings) -> BTreeSet<String> {
    let mut sound = BTreeSet::new();
    let recorded = recorded(&config.store.path, findings).await;
    let command = match WorkerCommand::this_program() {
        Ok(command) => command,
        Err(error) => {
            let finding = format!("this program cannot find its own file: {error}");
            let mut about = findings.about("host", "devices");
            about.failure("worker", finding, "start it by its full path");
            return sound;
        }
    };
    for device in &config.devices {
        let subject = format!("device {}", device.name);
        let expected: Vec<RootKeyLocator> = recorded
            .iter()
            .filter(|root_key| is_on(config, &root_key.backend, &device.name))
            .map(root_key::locator)
            .collect();
        match examine(&device_config(device), &command, &expected).await {
            Ok(report) => {
                if serves(&report) {
                    sound.insert(device.name.clone());
                }
                for check in report.checks {
                    findings.take(&subject, check);
                }
            }
            Err(error) => findings.about(&subject, "module").failure(
                "worker",
                error.to_string(),
                "see what the module wrote to stderr above",
            ),
        }
    }
    let is_known = |backend: &str| {
        let mut devices = config.devices.iter();
        devices.any(|device| is_on(config, backend, &device.name))
    };
    for root_key in recorded.iter().filter(|root_key| !is_known(&root_key.backend)) {
        findings.about("host", "store").failure(
            &root_key.label,
            format!(
                "it is on the device {}, which is not configured",
                root_key.backend
            ),
            format!(
                "configure the device with the token \"{}\" (serial {}) again, by that name",
                root_key.token_label, root_key.token_serial
            ),
        );
    }
    sound
}

/// Whether a backend, a device or a mirror, has its root keys on this device.
fn is_on(config: &Config, backend: &str, device: &str) -> bool {
    let mut mirrors = config.mirrors.iter();
    match mirrors.find(|mirror| mirror.name == backend) {
        Some(mirror) => mirror.devices.iter().any(|member| member == device),
        None => backend == device,
    }
}

fn serves(report: &Report) -> bool {
    let mut checks = report.checks.iter();
    checks.all(|check| check.verdict != Verdict::Failure || check.group == Group::RootKeys)
}

/// The root keys that the database has, where it is there and can be read.
async fn recorded(file: &Path, findings: &mut Findings) -> Vec<RootKey> {
    if !file.is_file() {
        return Vec::new();
    }
    let mut about = findings.about("host", "store");
    match store::recorded_root_keys(file).await {
        Ok(recorded) => {
            let finding = format!("{} recorded, each looked for on its device", recorded.len());
            about.ok("root keys", finding);
            recorded
        }
        Err(error) => {
            let finding = format!("what is recorded of root keys cannot be read: {error}");
            let remedy = "run as the user of the server; a database of another version is read once the server has \
                          been started";
            about.warning("root keys", finding, remedy);
            Vec::new()
        }
    }
}
