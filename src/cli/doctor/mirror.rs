//! Whether the devices of a mirror have the same root keys.

use std::collections::{BTreeMap, BTreeSet};

use claviger_hsm::{Device, DeviceConfig, Error, RootKeyFacts, WorkerCommand};

use super::findings::{About, Findings};
use crate::cli::device::device_config;
use crate::config::{Config, Mirror};

const GROUP: &str = "root keys";
const CHECK: &str = "the same on each device";

/// What the labels of root keys begin with that this program made.
const OURS: &str = "claviger.";

/// Compares the root keys of each mirror's devices. Only devices of `sound` are opened: a PIN that was refused a moment
/// ago is not tried again.
pub(super) async fn compare(config: &Config, sound: &BTreeSet<String>, findings: &mut Findings) {
    for mirror in &config.mirrors {
        let subject = format!("mirror {}", mirror.name);
        let mut about = findings.about(&subject, GROUP);
        if let Some(unsound) = mirror.devices.iter().find(|name| !sound.contains(*name)) {
            let finding = format!("its root keys are not compared: device {unsound} does not serve");
            about.warning(CHECK, finding, "see what is said of the device");
            continue;
        }
        match root_keys(config, mirror).await {
            Ok(found) => report(&found, &mut about),
            Err(error) => {
                let remedy = "see what the module wrote to stderr above";
                about.failure(CHECK, error.to_string(), remedy);
            }
        }
    }
}

/// The check values of a token's root keys by their labels.
type ByLabel = BTreeMap<String, Vec<u8>>;

/// The root keys on each device of a mirror.
async fn root_keys(config: &Config, mirror: &Mirror) -> Result<Vec<(String, ByLabel)>, Error> {
    let command = WorkerCommand::this_program().map_err(|error| Error::Launch {
        reason: error.to_string(),
    })?;
    let mut found = Vec::new();
    let devices = config.devices.iter();
    for device in devices.filter(|device| mirror.devices.contains(&device.name)) {
        let one = DeviceConfig {
            workers: 1,
            sessions: 1,
            ..device_config(device)
        };
        let opened = Device::start(one, command.clone()).await?;
        let listed = opened.list_root_keys().await;
        opened.shutdown().await;
        let ours = listed?
            .into_iter()
            .filter(|facts| facts.locator.label.starts_with(OURS))
            .map(
                |RootKeyFacts {
                     locator, check_value, ..
                 }| (locator.label, check_value),
            )
            .collect();
        found.push((device.name.clone(), ours));
    }
    Ok(found)
}

fn report(found: &[(String, ByLabel)], about: &mut About<'_>) {
    let labels: BTreeSet<_> = found.iter().flat_map(|(_, keys)| keys.keys()).collect();
    let mut all_equal = true;
    for &label in &labels {
        let Some((having, value)) = found
            .iter()
            .find_map(|(name, keys)| Some((name, keys.get(label)?)))
        else {
            continue;
        };
        for (name, keys) in found {
            let (what, remedy) = match keys.get(label) {
                Some(other) if other == value => continue,
                Some(_) => (
                    format!("{label} of {name} is another key than that of {having}"),
                    "find out which of them wraps the keys, and clone it over the other",
                ),
                None => (
                    format!("{label} is on {having}, and {name} lacks it"),
                    "clone it by the HSM's own means; until then it is lost with the devices that have it",
                ),
            };
            all_equal = false;
            about.failure(CHECK, what, remedy);
        }
    }
    if all_equal {
        about.ok(CHECK, format!("{} on each device, the same", labels.len()));
    }
}

#[cfg(test)]
mod tests {
    use claviger_hsm::doctor::Verdict;

    use super::*;

    fn token(name: &str, keys: &[(&str, u8)]) -> (String, ByLabel) {
        let keys = keys
            .iter()
            .map(|(label, value)| ((*label).to_owned(), vec![*value; 8]));
        (name.to_owned(), keys.collect())
    }

    fn told(found: &[(String, ByLabel)]) -> Vec<(Verdict, String)> {
        let mut findings = Findings::default();
        report(found, &mut findings.about("mirror hsm", GROUP));
        let findings = findings.findings.into_iter();
        findings.map(|entry| (entry.verdict, entry.finding)).collect()
    }

    #[test]
    fn a_root_key_that_one_token_lacks_or_has_another_of_is_told() {
        let both = [("claviger.a.v1", 1), ("claviger.b.v1", 2)];
        assert_eq!(
            told(&[token("east", &both), token("west", &both)])[0].0,
            Verdict::Ok
        );
        let lacking = told(&[token("east", &both[..1]), token("west", &both)]);
        assert_eq!(
            lacking,
            [(
                Verdict::Failure,
                "claviger.b.v1 is on west, and east lacks it".to_owned()
            )]
        );
        let other = told(&[
            token("east", &both),
            token("west", &[both[0], ("claviger.b.v1", 3)]),
        ]);
        assert_eq!(other.len(), 1);
        assert!(other[0].1.contains("another key"), "{other:?}");
    }
}
