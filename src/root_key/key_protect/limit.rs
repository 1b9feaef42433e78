//! How much is asked of the service at one time.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::Error;

/// For each request that goes on so many may wait.
const WAITING: usize = 4;

/// The places for requests.
pub(super) struct Limit {
    places: Semaphore,
    /// How many are under way, those that wait for a place among them.
    under_way: AtomicUsize,
    most: usize,
}

/// A place, until it is dropped.
pub(super) struct Place<'a> {
    _counted: Counted<'a>,
    _permit: SemaphorePermit<'a>,
}

struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Limit {
    /// So many at one time, one at least.
    pub(super) fn new(requests: usize) -> Self {
        let requests = requests.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            places: Semaphore::new(requests),
            under_way: AtomicUsize::new(0),
            most: requests.saturating_mul(1 + WAITING),
        }
    }

    /// Waits for a place, in the order of coming.
    ///
    /// Fails with [`Error::Busy`] where too many wait already, or where none was free in time.
    pub(super) async fn enter(&self, until: Instant) -> Result<Place<'_>, Error> {
        let before = self.under_way.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(&self.under_way);
        if before >= self.most {
            return Err(Error::Busy);
        }
        let permit = timeout_at(until, self.places.acquire())
            .await
            .map_err(|_| Error::Busy)?
            .expect("the places are never closed");
        Ok(Place {
            _counted: counted,
            _permit: permit,
        })
    }

    /// How many are under way, those that wait for a place among them.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn more_than_a_sensible_queue_is_refused_at_once() {
        let limit = Limit::new(1);
        let far = Instant::now() + Duration::from_hours(1);
        let first = limit.enter(far).await.unwrap();
        let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(limit.enter(far))).collect();
        for place in &mut waiting {
            assert!(futures_util::poll!(place).is_pending());
        }
        assert_eq!(limit.under_way(), 1 + WAITING);
        assert!(matches!(limit.enter(far).await, Err(Error::Busy)));
        drop(first);
        assert!(futures_util::poll!(&mut waiting[0]).is_ready());
        drop(waiting);
        assert_eq!(limit.under_way(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_longer_than_the_deadline_is_refused() {
        let limit = Limit::new(1);
        let soon = Instant::now() + Duration::from_secs(1);
        let _first = limit.enter(soon).await.unwrap();
        assert!(matches!(limit.enter(soon).await, Err(Error::Busy)));
    }
}
