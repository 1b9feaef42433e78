//! The managed key and its life cycle. Pure: no socket, no store, no device.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is known of an object except its key bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManagedObject {
    /// Its Unique Identifier.
    pub id: Uuid,
    /// Its adapter.
    pub adapter: Uuid,
    /// Its state.
    pub state: String,
    /// Its names.
    pub names: Vec<String>,
}

impl ManagedObject {
    /// Its Unique Identifier.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Its adapter.
    pub fn adapter(&self) -> Uuid {
        self.adapter
    }

    /// What Locate finds it by.
    pub fn index_terms(&self) -> Vec<IndexTerm> {
        let state = IndexTerm {
            name: "State".into(),
            value: self.state.clone(),
        };
        let names = self.names.iter().map(|name| IndexTerm {
            name: "Name".into(),
            value: name.clone(),
        });
        std::iter::once(state).chain(names).collect()
    }
}

/// One thing that Locate finds an object by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexTerm {
    /// The attribute.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How a key is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrapProfile {
    /// AES key wrap.
    AesKw,
}

/// A wrapped key.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKek {
    /// How it is wrapped.
    pub profile: WrapProfile,
    /// The wrapped bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for WrappedKek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedKek").finish_non_exhaustive()
    }
}

impl fmt::Display for WrapProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("aes-kw")
    }
}

impl std::str::FromStr for WrapProfile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "aes-kw" => Ok(Self::AesKw),
            other => Err(format!("no wrap profile is called {other:?}")),
        }
    }
}
