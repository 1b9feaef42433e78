//! The witnesses of the custody log, as the configuration and its policy have them.

use std::sync::Arc;

use super::Error;
use crate::config::CustodyWitness;
use crate::custody::Policy;
use crate::recorder::Cosigner;
use crate::witness::{Witnesses, WitnessesConfig};

/// Who is asked to cosign the log; nobody where the configuration says nothing of it.
pub(super) fn cosigner(configured: Option<&CustodyWitness>) -> Result<Option<Arc<dyn Cosigner>>, Error> {
    let Some(configured) = configured else {
        return Ok(None);
    };
    let failed = |why: String| Error::Witness {
        policy: configured.policy.clone(),
        why,
    };
    let policy = policy(configured)?;
    let witnesses = Witnesses::new(WitnessesConfig {
        policy,
        ca_file: configured.ca_file.clone(),
        deadline: configured.deadline,
    });
    let witnesses = witnesses.map_err(|error| failed(error.to_string()))?;
    Ok(Some(Arc::new(witnesses)))
}

/// The witnesses and their quorum.
pub(in crate::cli) fn policy(configured: &CustodyWitness) -> Result<Policy, Error> {
    let failed = |why: String| Error::Witness {
        policy: configured.policy.clone(),
        why,
    };
    let bytes = std::fs::read(&configured.policy).map_err(|error| failed(error.to_string()))?;
    Policy::from_bytes(&bytes).map_err(|error| failed(error.to_string()))
}
