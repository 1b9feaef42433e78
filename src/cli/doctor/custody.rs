//! Where the custody log is signed: the key there, compared with the one that is written down, and tried.

use std::collections::BTreeSet;

use claviger_hsm::{Device, DeviceConfig, Error, WorkerCommand};

use super::findings::{About, Findings};
use crate::cli::signing_key::{self, MAKE_ONE};
use crate::config::{Config, CustodySigner};
use crate::custody::VerifierKey;

/// What is signed in the trial. No checkpoint begins like it.
const TRIAL: &[u8] = b"claviger doctor tries the key of the custody log.";
/// Who makes software tokens, as they say themselves.
const SOFTWARE_MAKERS: [&str; 2] = ["SoftHSM", "Kryoptic"];

/// `sound` are the devices that serve.
pub(super) async fn check(config: &Config, sound: &BTreeSet<String>, findings: &mut Findings) {
    let mut about = findings.about("custody log", "signature");
    let by_software = matches!(config.custody.signer, CustodySigner::Software(_));
    if let CustodySigner::Nowhere = config.custody.signer {
        about.warning(
            "key",
            "the custody log is NOT SIGNED: whoever has the database can write another",
            "name the device that signs: device = \"NAME\" in [custody]; without a device, add [custody.software]",
        );
        return;
    }
    let key = match signing_key::known(config) {
        Ok(Some(key)) => key,
        Ok(None) => {
            let finding = "the custody log is NOT SIGNED yet: no key was made";
            about.warning("key", finding, MAKE_ONE);
            return;
        }
        Err(failure) => {
            let remedy = failure.remedy_text().unwrap_or_default().to_owned();
            about.failure("key", failure.to_string(), remedy);
            return;
        }
    };
    let command = match WorkerCommand::this_program() {
        Ok(command) => command,
        Err(error) => {
            let finding = format!("this program cannot find its own file: {error}");
            about.failure("key", finding, "start it by its full path");
            return;
        }
    };
    for device in signing_key::devices(config) {
        // What is wrong with a device is said of the device.
        if by_software || sound.contains(&device.name) {
            tried(config, &key, device, &command, by_software, &mut about).await;
        }
    }
}

async fn tried(
    config: &Config,
    key: &VerifierKey,
    device: DeviceConfig,
    command: &WorkerCommand,
    by_software: bool,
    about: &mut About<'_>,
) {
    let name = device.name.clone();
    match sign(&config.custody.key_label, key, device, command).await {
        Err(error) => about.failure(
            "key",
            format!("{name} does not sign the custody log: {error}"),
            match error {
                Error::SigningKeyNotFound { .. } | Error::SigningKeyMismatch { .. } => {
                    "put the token back that has the key, or restore it by the vendor's tool"
                }
                _ => "see that the device works, and run this again",
            },
        ),
        Ok(maker) if by_software || SOFTWARE_MAKERS.iter().any(|each| maker.contains(each)) => about.warning(
            "key",
            format!("{name} signs BY SOFTWARE ({maker}), {}", described(key)),
            "whoever has this host can sign another log: sign on an HSM, or have the log witnessed by another host",
        ),
        Ok(_) => about.ok("key", format!("{name} signs, {}", described(key))),
    }
}

fn described(key: &VerifierKey) -> String {
    format!("{}, {key}", key.signature_type().name())
}

/// Signs once; gives who made the token.
async fn sign(
    label: &str,
    key: &VerifierKey,
    device: DeviceConfig,
    command: &WorkerCommand,
) -> Result<String, Error> {
    let device = Device::start(device, command.clone()).await?;
    let key = signing_key::signing_key(label, key).ok_or_else(|| Error::SigningKeyUnfit {
        label: label.to_owned(),
        reason: "it is a witness's".to_owned(),
    })?;
    let signed = device.sign(&key, TRIAL).await;
    let maker = device.known_token().map(|token| token.manufacturer);
    device.shutdown().await;
    signed.map(|_| maker.unwrap_or_default())
}
