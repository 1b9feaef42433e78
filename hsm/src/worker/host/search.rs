//! Keys that are known to be there and are not found: whether the module is initialised anew to look for them.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::super::lock;
use super::super::protocol::{Operation, TokenChange};
use crate::key::RootKeyLocator;
use crate::signing_key::SigningKey;

/// How long a key that an initialised module did not find is not searched for by initialising it again: the others of
/// its token are served meanwhile.
const SEARCH_REST: Duration = Duration::from_secs(30);

/// When each was searched for.
#[derive(Default)]
pub(super) struct Searches {
    last: Mutex<HashMap<Sought, Instant>>,
}

/// A key that is known to be there.
#[derive(PartialEq, Eq, Hash)]
enum Sought {
    RootKey(RootKeyLocator),
    SigningKey(SigningKey),
}

impl Sought {
    fn by(operation: &Operation) -> Option<Self> {
        match operation {
            Operation::Sign { key, .. } => Some(Self::SigningKey(key.clone())),
            _ => operation.recorded_root_key().cloned().map(Self::RootKey),
        }
    }
}

impl Searches {
    /// Whether the module is to be initialised anew, since it does not find the operation's key. Each time this says so
    /// it does not for a while.
    pub(super) fn is_due(&self, operation: &Operation) -> bool {
        if let Operation::Change(TokenChange::DestroyRootKey(_)) = operation {
            return true;
        }
        let Some(sought) = Sought::by(operation) else {
            return false;
        };
        let mut searched = lock(&self.last);
        let is_due = searched
            .get(&sought)
            .is_none_or(|last| last.elapsed() >= SEARCH_REST);
        if is_due {
            searched.insert(sought, Instant::now());
        }
        is_due
    }
}
