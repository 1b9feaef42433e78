//! The key that signs the custody log: where it is, and what is known of it on this host.
//!
//! It is made once and its public key written to the file `custody.public_key`, for auditors and for the server: where the
//! token has another key later, nothing is signed.

pub(super) mod software;

use std::path::Path;

use claviger_hsm::{DeviceConfig, SignatureScheme, SigningKey};

use super::device::device_config;
use super::exit::Failure;
use super::init::files::write_file;
use crate::config::{Config, CustodySigner, Device};
use crate::custody::{NoteError, SignatureType, VerifierKey};

/// What there is to do where no key is known.
pub(crate) const MAKE_ONE: &str =
    "make the key that signs: `claviger custody key create`, then start the server again";

/// The public key that was written down, by its name as the log's; none where no key was made yet.
///
/// # Errors
/// The file is none, or of another log than the configuration's.
pub(crate) fn known(config: &Config) -> Result<Option<VerifierKey>, Failure> {
    let file = &config.custody.public_key;
    let failed = |why: String| Failure::new(format!("the key of the custody log, {}: {why}", file.display()));
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string()).remedy("run as the user of the server")),
    };
    let key: VerifierKey = text.trim_end().parse().map_err(|error: NoteError| {
        failed(error.to_string()).remedy("put the file back as `claviger custody key create` wrote it")
    })?;
    let origin = &config.custody.origin;
    let is_said = config.line_of("custody.origin").is_some();
    let by_software = matches!(config.custody.signer, CustodySigner::Software(_));
    // A host that is called otherwise since goes on with its log.
    let is_ours = key.name() == origin
        || (!is_said && by_software == key.name().ends_with(crate::config::Custody::BY_SOFTWARE));
    if !is_ours {
        return Err(
            failed(format!("it is of the log {:?}, not {origin:?}", key.name())).remedy(
                "a log keeps its name for good: write that as `custody.origin`, or put the right file there",
            ),
        );
    }
    Ok(Some(key))
}

/// Writes the public key down.
pub(crate) fn write_down(file: &Path, key: &VerifierKey) -> Result<(), Failure> {
    write_file(file, format!("{key}\n").as_bytes(), 0o644)
}

/// A key of a device's, as one of the log of this name.
pub(crate) fn verifier_key(origin: &str, key: &SigningKey) -> Result<VerifierKey, Failure> {
    let signature_type = match key.scheme {
        SignatureScheme::Ed25519 => SignatureType::Ed25519,
        SignatureScheme::EcdsaP256 => SignatureType::EcdsaP256,
    };
    VerifierKey::new(origin, signature_type, &key.public_key)
        .map_err(|error| Failure::new(format!("the device's key can't sign the custody log: {error}")))
}

/// The other way round: what a device is asked to sign by. None of a witness's key.
pub(crate) fn signing_key(label: &str, key: &VerifierKey) -> Option<SigningKey> {
    let scheme = match key.signature_type() {
        SignatureType::Ed25519 => SignatureScheme::Ed25519,
        SignatureType::EcdsaP256 => SignatureScheme::EcdsaP256,
        SignatureType::Cosignature => return None,
    };
    Some(SigningKey {
        label: label.to_owned(),
        scheme,
        public_key: key.key().to_vec(),
    })
}

/// The devices that have the key, or will.
pub(crate) fn devices(config: &Config) -> Vec<DeviceConfig> {
    let alone = |device: &Device| DeviceConfig {
        workers: 1,
        sessions: 1,
        ..device_config(device)
    };
    match &config.custody.signer {
        CustodySigner::Devices(names) => {
            let devices = config.devices.iter();
            let signers = devices.filter(|device| names.contains(&device.name));
            signers.map(alone).collect()
        }
        CustodySigner::Software(device) => vec![alone(device)],
        CustodySigner::Nowhere => Vec::new(),
    }
}
