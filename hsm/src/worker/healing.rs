//! How often a device had to be healed, step by step.

use std::iter::Sum;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// What was done since the start so that a device serves again. A device that is well has noughts, or numbers that stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Healing {
    /// Sessions that were opened anew in the place of a broken one.
    pub sessions: u64,
    /// Modules that were finalised and initialised anew.
    pub modules: u64,
    /// Workers that were started anew.
    pub workers: u64,
    /// Requests that were repeated, by a worker or at another one.
    pub requests: u64,
}

/// What a worker tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// A thread takes a fresh session.
    Session,
    /// The module was initialised anew.
    Module,
    /// A request is tried again.
    Repetition,
}

/// The numbers, while they grow.
#[derive(Default)]
pub(super) struct Counters {
    sessions: AtomicU64,
    modules: AtomicU64,
    workers: AtomicU64,
    requests: AtomicU64,
}

impl Counters {
    pub(super) fn count(&self, step: Step) {
        let counter = match step {
            Step::Session => &self.sessions,
            Step::Module => &self.modules,
            Step::Repetition => &self.requests,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn worker_started_anew(&self) {
        self.workers.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn now(&self) -> Healing {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Healing {
            sessions: read(&self.sessions),
            modules: read(&self.modules),
            workers: read(&self.workers),
            requests: read(&self.requests),
        }
    }
}

impl Sum for Healing {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            sessions: sum.sessions + one.sessions,
            modules: sum.modules + one.modules,
            workers: sum.workers + one.workers,
            requests: sum.requests + one.requests,
        })
    }
}
