//! How far the re-wrapping of keys is: numbers for the command line and for a metrics page.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use uuid::Uuid;

/// What the jobs tell of their work: by the root key whose keys are wrapped anew, and by the adapter whose keys are moved. A
/// clone is the same numbers.
#[derive(Clone, Default)]
pub struct Progress(Arc<Mutex<BTreeMap<Uuid, Run>>>);

/// The work on one of them since it began; begun anew after there was nothing to do.
struct Run {
    started: Instant,
    rewrapped: u64,
    failed: u64,
}

/// How the work on one root key or adapter does. How many keys are left is the store's to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RotationProgress {
    /// Keys that were wrapped anew since this run began.
    pub rewrapped: u64,
    /// Tries that failed since then; each is made again.
    pub failed: u64,
    /// How long the run takes already.
    pub elapsed: Duration,
}

impl RotationProgress {
    /// Keys a second over the whole run; none before the first key.
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.elapsed.as_secs_f64();
        #[allow(clippy::cast_precision_loss)] // Exact up to 2^53 keys.
        let keys = self.rewrapped as f64;
        (keys > 0.0 && seconds > 0.0).then(|| keys / seconds)
    }

    /// How long `left` more keys take at that rate.
    pub fn time_left(&self, left: u64) -> Option<Duration> {
        #[allow(clippy::cast_precision_loss)]
        let seconds = left as f64 / self.rate()?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

impl Progress {
    /// The work on this root key or adapter; none where there is nothing to do.
    pub fn of(&self, id: Uuid) -> Option<RotationProgress> {
        self.runs().get(&id).map(|run| RotationProgress {
            rewrapped: run.rewrapped,
            failed: run.failed,
            elapsed: run.started.elapsed(),
        })
    }

    pub(super) fn rewrapped(&self, id: Uuid) {
        self.run(id, |run| run.rewrapped += 1);
    }

    pub(super) fn failed(&self, id: Uuid) {
        self.run(id, |run| run.failed += 1);
    }

    /// There is work, though none of it is done yet.
    pub(super) fn begin(&self, id: Uuid) {
        self.run(id, |_| ());
    }

    /// There is nothing left to do.
    pub(super) fn end(&self, id: Uuid) {
        self.runs().remove(&id);
    }

    fn run(&self, id: Uuid, change: impl FnOnce(&mut Run)) {
        change(self.runs().entry(id).or_insert_with(|| Run {
            started: Instant::now(),
            rewrapped: 0,
            failed: 0,
        }));
    }

    fn runs(&self) -> MutexGuard<'_, BTreeMap<Uuid, Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_from_what_was_done() {
        let progress = RotationProgress {
            rewrapped: 300,
            failed: 2,
            elapsed: Duration::from_secs(3),
        };
        assert_eq!(progress.time_left(1_000), Some(Duration::from_secs(10)));
        let nothing = RotationProgress {
            rewrapped: 0,
            ..progress
        };
        assert_eq!((nothing.rate(), nothing.time_left(1)), (None, None));
    }

    #[test]
    fn a_run_ends_when_nothing_is_left_and_the_next_counts_anew() {
        let (progress, root_key) = (Progress::default(), Uuid::now_v7());
        progress.rewrapped(root_key);
        assert_eq!(progress.of(root_key).unwrap().rewrapped, 1);
        progress.end(root_key);
        assert_eq!(progress.of(root_key), None);
    }
}
