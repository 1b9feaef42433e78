//! What goes wrong on demand.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::Call;

/// Something that goes wrong with requests.
///
/// In JSON, as the control interface takes it: `{"calls": ["wrap"], "kind": {"status": {"status": 429, "retry_after": 1}},
/// "when": {"next": 3}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// With these calls; with none given, with every call but [`Call::Token`].
    #[serde(default)]
    pub calls: Vec<Call>,
    /// What it is.
    pub kind: FaultKind,
    /// With which of the requests.
    #[serde(default)]
    pub when: When,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// An error of this HTTP status is answered, and nothing is carried out.
    Status {
        /// Such as 429 or 503.
        status: u16,
        /// The header `Retry-After`, in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The connection is cut, and nothing is carried out.
    CutBefore,
    /// The request is carried out and durable, and then the connection is cut.
    CutAfter,
    /// The request waits before it is carried out.
    Delay {
        /// So long.
        milliseconds: u64,
    },
    /// The request is carried out, and something that is no JSON is answered with status 200.
    Garbage,
    /// Every token that is out is good no longer, that of this request among them.
    ExpireTokens,
    /// Somebody else does this to the key that the request names, just before it is carried out.
    Meanwhile(KeyEvent),
}

/// What somebody else does to a key. Neither waits nor authorisations nor the key's own state stand in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyEvent {
    /// It has a new version.
    Rotate,
    /// It is not active yet, as one that is still being made.
    Preactivate,
    /// It is suspended.
    Disable,
    /// It is active again.
    Enable,
    /// It is deactivated, as one that has expired.
    Deactivate,
    /// It is destroyed, and can be restored.
    Delete,
    /// It is active again after its deletion.
    Restore,
    /// It is gone, whether it was deleted before or not.
    Purge,
}

/// With which requests a fault comes, of those that it is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// With all.
    #[default]
    Always,
    /// With so many from now on; then it is over.
    Next(u64),
    /// With every so manieth.
    Every(u64),
}

/// A fault, and how often it came.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FaultCount {
    /// The fault.
    pub fault: Fault,
    /// Requests that it is for, since it was asked for.
    pub requests: u64,
    /// How often it came.
    pub came: u64,
}

/// The faults that are asked for.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<FaultCount>>);

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        self.lock().push(FaultCount {
            fault,
            requests: 0,
            came: 0,
        });
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn counts(&self) -> Vec<FaultCount> {
        self.lock().clone()
    }

    /// Those that come with this request, in the order in which they were asked for.
    pub(crate) fn with(&self, call: Call) -> Vec<FaultKind> {
        let mut faults = self.lock();
        let mut come = Vec::new();
        for count in faults.iter_mut() {
            let calls = &count.fault.calls;
            if !(calls.contains(&call) || (calls.is_empty() && call != Call::Token)) {
                continue;
            }
            count.requests += 1;
            let comes = match count.fault.when {
                When::Always => true,
                When::Next(number) => count.came < number,
                When::Every(number) => number != 0 && count.requests % number == 0,
            };
            if comes {
                count.came += 1;
                come.push(count.fault.kind.clone());
            }
        }
        come
    }

    fn lock(&self) -> MutexGuard<'_, Vec<FaultCount>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(when: When) -> Faults {
        let faults = Faults::default();
        faults.add(Fault {
            calls: vec![Call::Wrap],
            kind: FaultKind::Garbage,
            when,
        });
        faults
    }

    fn came(faults: &Faults, requests: usize) -> Vec<usize> {
        (0..requests)
            .filter(|_| !faults.with(Call::Wrap).is_empty())
            .collect()
    }

    #[test]
    fn a_fault_for_the_next_requests_is_over_after_them() {
        assert_eq!(came(&faults(When::Next(2)), 5), [0, 1]);
    }

    #[test]
    fn every_third_request_is_every_third() {
        assert_eq!(came(&faults(When::Every(3)), 7), [2, 5]);
    }

    #[test]
    fn other_calls_neither_have_the_fault_nor_count() {
        let faults = faults(When::Next(1));
        assert!(faults.with(Call::Unwrap).is_empty());
        assert_eq!(faults.with(Call::Wrap), [FaultKind::Garbage]);
    }
}
