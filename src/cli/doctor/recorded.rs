//! The root keys that the database has, and whether what holds them is configured.

use super::devices::is_on;
use super::findings::Findings;
use crate::adapter::RootKey;
use crate::cli::database;
use crate::config::{Config, Store};
use crate::store;

/// All of them, with a finding for each that nothing of the configuration holds.
pub(super) async fn root_keys(config: &Config, findings: &mut Findings) -> Vec<RootKey> {
    let recorded = read(config, findings).await;
    let is_known = |backend: &str| {
        let (mut devices, mut instances) = (config.devices.iter(), config.key_protect.iter());
        devices.any(|device| is_on(config, backend, &device.name))
            || instances.any(|instance| instance.name == backend)
    };
    for root_key in recorded.iter().filter(|root_key| !is_known(&root_key.backend)) {
        findings.about("host", "store").failure(
            &root_key.label,
            format!("it is in {}, which is not configured", root_key.backend),
            format!(
                "configure by that name again what holds it: the device with the token {:?} (serial {}), or the instance of \
                 that number",
                root_key.token_label, root_key.token_serial
            ),
        );
    }
    recorded
}

/// The root keys that the database has, where it is there and can be read.
async fn read(config: &Config, findings: &mut Findings) -> Vec<RootKey> {
    let recorded = match &config.store {
        Store::Sqlite(file) if !file.is_file() => return Vec::new(),
        Store::Sqlite(file) => store::recorded_root_keys(file).await,
        Store::Postgres(postgres) => match database::options(postgres) {
            Ok(options) => store::recorded_root_keys_at(&options).await,
            Err(error) => {
                let mut about = findings.about("host", "store");
                about.failure(
                    "database",
                    error.to_string(),
                    "`claviger config check` tells what is wrong with it",
                );
                return Vec::new();
            }
        },
    };
    let mut about = findings.about("host", "store");
    match recorded {
        Ok(recorded) => {
            let finding = format!("{} recorded, each looked for where it is", recorded.len());
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
