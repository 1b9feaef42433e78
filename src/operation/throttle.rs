//! How many requests an adapter may send in a second, at this server.
//!
//! A client that sends more waits for its turn, so that a host which starts all of its machines at once is only slowed down.
//! Where its turn is too far off, it is refused. Of such refusals one in a while is recorded, with their number: a flood is not
//! to become one of the log as well.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::adapter::AdapterId;

/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two records of refusals, for one adapter.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// The turns of all adapters that have a bound.
#[derive(Default)]
pub(super) struct Throttle(Mutex<HashMap<AdapterId, Arc<Turns>>>);

/// The turns of one adapter.
struct Turns {
    per_second: NonZeroU32,
    limiter: DefaultDirectRateLimiter,
    refused: Mutex<Refused>,
}

/// The refusals that are not recorded yet.
#[derive(Default)]
struct Refused {
    told: Option<Instant>,
    untold: u64,
}

/// A request is not waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany {
    /// How many were refused since that was recorded last, where it is time to record it again.
    pub(super) to_tell: Option<u64>,
}

impl Throttle {
    /// Returns when it is the turn of a request of so many items, of an adapter that may send `per_second` of them.
    pub(super) async fn wait(
        &self,
        adapter: AdapterId,
        per_second: NonZeroU32,
        items: usize,
    ) -> Result<(), TooMany> {
        let turns = self.turns_of(adapter, per_second);
        // A batch longer than a second's worth takes all of one.
        let items = u32::try_from(items).unwrap_or(u32::MAX).min(per_second.get());
        let Some(items) = NonZeroU32::new(items) else {
            return Ok(());
        };
        let until = Instant::now() + PATIENCE;
        loop {
            let Ok(Err(not_yet)) = turns.limiter.check_n(items) else {
                return Ok(());
            };
            let wait = not_yet.wait_time_from(DefaultClock::default().now());
            if Instant::now() + wait > until {
                return Err(turns.refuse());
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// The turns as they are bounded now.
    fn turns_of(&self, adapter: AdapterId, per_second: NonZeroU32) -> Arc<Turns> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&adapter).filter(|turns| turns.per_second == per_second);
        if let Some(turns) = known {
            return Arc::clone(turns);
        }
        let turns = Arc::new(Turns {
            per_second,
            limiter: RateLimiter::direct(Quota::per_second(per_second)),
            refused: Mutex::default(),
        });
        all.insert(adapter, Arc::clone(&turns));
        turns
    }
}

impl Turns {
    fn refuse(&self) -> TooMany {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.untold += 1;
        let is_due = refused.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY);
        let to_tell = is_due.then(|| std::mem::take(&mut refused.untold));
        if is_due {
            refused.told = Some(Instant::now());
        }
        TooMany { to_tell }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_a_second() -> NonZeroU32 {
        NonZeroU32::MIN
    }

    #[tokio::test]
    async fn of_a_flood_some_are_served_the_others_refused_and_one_refusal_is_recorded() {
        let throttle = Throttle::default();
        let adapter = AdapterId::new();
        let asked = (0..50).map(|_| throttle.wait(adapter, one_a_second(), 1));
        let answers = futures_util::future::join_all(asked).await;
        let refused: Vec<_> = answers.iter().filter_map(|answer| answer.err()).collect();
        assert!(refused.len() < 50, "the first has its turn at once");
        assert!(refused.len() > 25, "nobody waits for long");
        let told: Vec<_> = refused.iter().filter_map(|refused| refused.to_tell).collect();
        assert_eq!(told, [1]);
    }

    #[tokio::test]
    async fn a_batch_beyond_a_seconds_worth_is_served_all_the_same() {
        let throttle = Throttle::default();
        let served = throttle.wait(AdapterId::new(), one_a_second(), 1_000).await;
        assert_eq!(served, Ok(()));
    }

    #[tokio::test]
    async fn one_adapter_does_not_wait_for_another() {
        let throttle = Throttle::default();
        for _ in 0..50 {
            let served = throttle.wait(AdapterId::new(), one_a_second(), 1).await;
            assert_eq!(served, Ok(()));
        }
    }
}
