//! The devices of the configuration: each examined in a worker process, with the root keys that the database has of it.

use std::collections::BTreeSet;

use claviger_hsm::doctor::{Group, Report, Verdict, examine};
use claviger_hsm::{RootKeyLocator, WorkerCommand};

use super::findings::Findings;
use crate::adapter::RootKey;
use crate::cli::device::device_config;
use crate::config::Config;
use crate::root_key;

/// Examines each device; returns the names of those that serve, whatever is wrong with their root keys.
pub(super) async fn check(
    config: &Config,
    recorded: &[RootKey],
    findings: &mut Findings,
) -> BTreeSet<String> {
    let mut sound = BTreeSet::new();
    if config.devices.is_empty() {
        return sound;
    }
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
    sound
}

/// Whether a backend, a device or a mirror, has its root keys on this device.
pub(super) fn is_on(config: &Config, backend: &str, device: &str) -> bool {
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
