//! The device as the signer of the custody log.

use std::sync::Arc;

use async_trait::async_trait;
use claviger_hsm::SigningKey;

use super::devices::{Devices, LateBackend};
use crate::cli::signing_key::{self, MAKE_ONE};
use crate::config::{Config, CustodySigner};
use crate::custody::VerifierKey;
use crate::recorder::{Checkpoints, Cosigner, SignError, Signer};
use crate::root_key::RootKeyBackend as _;

/// The key on one device, or on each of several that are one.
struct DeviceSigner {
    devices: Vec<Arc<LateBackend>>,
    key: VerifierKey,
    signing_key: SigningKey,
}

#[async_trait]
impl Signer for DeviceSigner {
    fn key(&self) -> VerifierKey {
        self.key.clone()
    }

    async fn sign(&self, text: &str) -> Result<Vec<u8>, SignError> {
        let mut why = Vec::new();
        for backend in &self.devices {
            let device = match backend.device() {
                Ok(device) => device,
                Err(error) => {
                    why.push(error.to_string());
                    continue;
                }
            };
            match device.sign(&self.signing_key, text.as_bytes()).await {
                Ok(signature) => return Ok(signature),
                Err(error) => why.push(format!("the device {}: {error}", device.name())),
            }
        }
        Err(SignError(why.join("; ")))
    }
}

/// How the log is signed by what the configuration says; none where nothing signs it, which is said. Keys are served all the
/// same, as while a signer is away.
pub(super) fn checkpoints(
    config: &Config,
    devices: &Devices,
    cosigner: Option<Arc<dyn Cosigner>>,
) -> Option<Checkpoints> {
    let custody = &config.custody;
    if let CustodySigner::Nowhere = custody.signer {
        // The check of the configuration has said so.
        return None;
    }
    let key = match signing_key::known(config) {
        Ok(Some(key)) => key,
        Ok(None) => {
            tracing::warn!("no checkpoint of the custody log is signed: {MAKE_ONE}");
            return None;
        }
        Err(failure) => {
            tracing::error!("no checkpoint of the custody log is signed: {failure}");
            return None;
        }
    };
    let Some(signing_key) = signing_key::signing_key(&custody.key_label, &key) else {
        tracing::error!(
            "no checkpoint of the custody log is signed: {} is the key of a witness",
            custody.public_key.display()
        );
        return None;
    };
    Some(Checkpoints {
        origin: key.name().to_owned(),
        signer: Arc::new(DeviceSigner {
            devices: devices.signers(&custody.signer),
            key,
            signing_key,
        }),
        cosigner,
        interval: custody.interval,
        heartbeat: custody.heartbeat,
    })
}
