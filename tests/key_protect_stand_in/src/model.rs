//! What the service knows: keys, key rings, policies. All of it is written to the journal as it stands here.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long a deleted key can be restored.
pub(crate) const RESTORABLE: Duration = Duration::days(30);
/// When a deleted key goes by itself.
pub(crate) const KEPT: Duration = Duration::days(90);

/// A key: a root key, or a standard key, whose material its clients may read.
#[allow(clippy::struct_field_names)] // The service's word is "key ring".
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) aliases: Vec<Alias>,
    pub(crate) key_ring: String,
    pub(crate) state: State,
    pub(crate) imported: bool,
    /// The material of a standard key, sealed; `None` for a root key, whose versions are on the token.
    pub(crate) material: Option<Vec<u8>>,
    /// The versions of a root key, the latest last. A standard key has one, which stands for its material.
    pub(crate) versions: Vec<Version>,
    pub(crate) created: Touched,
    pub(crate) updated: OffsetDateTime,
    /// The last change of state since it was made, for what must wait after it.
    pub(crate) state_changed: Option<OffsetDateTime>,
    pub(crate) rotated: Option<OffsetDateTime>,
    pub(crate) expires: Option<OffsetDateTime>,
    pub(crate) deletion: Option<Touched>,
    pub(crate) dual_auth_delete: Option<Policy>,
    pub(crate) rotation: Option<Policy>,
    /// The first of the two authorisations to delete it.
    pub(crate) set_for_deletion: Option<SetForDeletion>,
    pub(crate) registrations: Vec<Registration>,
}

/// NIST SP 800-57's states as the service numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum State {
    PreActive = 0,
    Active = 1,
    Suspended = 2,
    Deactivated = 3,
    Destroyed = 5,
}

impl State {
    pub(crate) fn number(self) -> u8 {
        self as u8
    }
}

/// Who did it, and when.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Touched {
    pub(crate) at: OffsetDateTime,
    pub(crate) by: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) id: Uuid,
    pub(crate) created: OffsetDateTime,
    /// For an imported one: tells its material from any other.
    pub(crate) material_tag: Option<[u8; 32]>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Alias {
    pub(crate) alias: String,
    pub(crate) created: Touched,
}

/// A policy of a key.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) id: Uuid,
    pub(crate) created: Touched,
    pub(crate) updated: Touched,
    pub(crate) enabled: bool,
    /// Of a rotation policy.
    pub(crate) interval_month: Option<u64>,
}

/// A policy of the instance.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct InstancePolicy {
    pub(crate) kind: String,
    pub(crate) created: Touched,
    pub(crate) updated: Touched,
    pub(crate) enabled: bool,
    pub(crate) attributes: Map<String, Value>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SetForDeletion {
    pub(crate) by: String,
    pub(crate) until: OffsetDateTime,
}

/// A resource of the cloud that a key protects. Clients can't make one; the control interface can.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Registration {
    pub(crate) resource_crn: String,
    pub(crate) prevent_key_deletion: bool,
    pub(crate) description: String,
    pub(crate) created: Touched,
    pub(crate) version: Uuid,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeyRing {
    pub(crate) id: String,
    pub(crate) created: Touched,
}

/// An RSA pair under which key material can be imported.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ImportToken {
    pub(crate) created: OffsetDateTime,
    pub(crate) expires: OffsetDateTime,
    pub(crate) expiration: u64,
    pub(crate) retrievals: u64,
    pub(crate) remaining: u64,
    /// The private key, PKCS#8 in DER, sealed.
    pub(crate) private_key: Vec<u8>,
    pub(crate) nonce: Vec<u8>,
}

impl Key {
    /// Whether its material can leave the service: a standard key.
    pub(crate) fn extractable(&self) -> bool {
        self.material.is_some()
    }

    /// Its state at this time: what has expired is deactivated.
    pub(crate) fn state(&self, now: OffsetDateTime) -> State {
        match self.state {
            State::Active | State::Suspended if self.expires.is_some_and(|expires| expires <= now) => {
                State::Deactivated
            }
            state => state,
        }
    }

    /// The version that wraps.
    pub(crate) fn latest(&self) -> &Version {
        self.versions
            .last()
            .expect("a key is made with its first version")
    }

    /// Whether two authorisations are needed to delete it.
    pub(crate) fn needs_two(&self) -> bool {
        self.dual_auth_delete
            .as_ref()
            .is_some_and(|policy| policy.enabled)
    }

    /// Moves to another state.
    pub(crate) fn enter(&mut self, state: State, now: OffsetDateTime) {
        self.state = state;
        self.state_changed = Some(now);
        self.updated = now;
    }
}
