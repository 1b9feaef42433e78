//! What a store has, as far as the custody log tells of it, as of one moment.

use crate::adapter::{Adapter, ClientCertificate, RootKey};
use crate::custody::{IdentityFacts, RowFacts};

/// Every row that the log tells of, as it stands there: no seal was looked at, for it is the log that judges. A row that
/// can't be read is not among them, so that the log misses it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowsAt {
    /// How many records the log had at that moment.
    pub size: u64,
    /// The row of each key, in the order of creation.
    pub keys: Vec<RowFacts>,
    /// Each root key, adapter and client certificate.
    pub identities: Vec<IdentityFacts>,
}

impl From<&RootKey> for IdentityFacts {
    fn from(root_key: &RootKey) -> Self {
        Self::RootKey {
            id: root_key.id.uuid(),
            token_serial: root_key.token_serial.clone(),
            label: root_key.label.clone(),
            version: root_key.version,
            state: root_key.state.name().to_owned(),
        }
    }
}

impl From<&Adapter> for IdentityFacts {
    fn from(adapter: &Adapter) -> Self {
        Self::Adapter {
            id: adapter.id.uuid(),
            name: adapter.name.clone(),
            root_key: adapter.root_key.uuid(),
        }
    }
}

impl From<&ClientCertificate> for IdentityFacts {
    fn from(certificate: &ClientCertificate) -> Self {
        Self::Certificate {
            fingerprint: certificate.fingerprint.to_string(),
            adapter: certificate.adapter.uuid(),
        }
    }
}
