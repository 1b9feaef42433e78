//! How much was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::Call;

/// Counts since the start of the stand-in or since they were set back. A stop and a start go on with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Requests, by call. Those to the control interface do not count.
    pub requests: BTreeMap<Call, u64>,
    /// Responses, by HTTP status.
    pub statuses: BTreeMap<u16, u64>,
    /// Connections that were taken.
    pub connections: u64,
    /// Connections that are open now.
    pub open_connections: u64,
    /// Requests that are under way now.
    pub under_way: u64,
    /// The most requests that were under way at one time.
    pub most_under_way: u64,
}

impl Counters {
    /// Requests of this call.
    pub fn of(&self, call: Call) -> u64 {
        self.requests.get(&call).copied().unwrap_or_default()
    }
}

/// The counters while they count.
#[derive(Clone, Default)]
pub(crate) struct Counting(Arc<Mutex<Counters>>);

/// Ends what it stands for when it is dropped.
pub(crate) struct Ends(Counting, fn(&mut Counters));

impl Counting {
    pub(crate) fn now(&self) -> Counters {
        self.lock().clone()
    }

    /// Sets everything back but what is there now.
    pub(crate) fn reset(&self) {
        let mut counters = self.lock();
        *counters = Counters {
            open_connections: counters.open_connections,
            under_way: counters.under_way,
            ..Counters::default()
        };
    }

    pub(crate) fn connection(&self) -> Ends {
        let mut counters = self.lock();
        counters.connections += 1;
        counters.open_connections += 1;
        Ends(self.clone(), |counters| counters.open_connections -= 1)
    }

    pub(crate) fn request(&self, call: Call) -> Ends {
        let mut counters = self.lock();
        *counters.requests.entry(call).or_default() += 1;
        counters.under_way += 1;
        counters.most_under_way = counters.most_under_way.max(counters.under_way);
        Ends(self.clone(), |counters| counters.under_way -= 1)
    }

    pub(crate) fn response(&self, status: u16) {
        *self.lock().statuses.entry(status).or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        (self.1)(&mut self.0.lock());
    }
}
