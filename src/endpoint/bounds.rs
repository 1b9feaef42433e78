//! What clients may take, which can change while they are served.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

/// The limits as they are now, and the places for connections that they give.
pub(super) struct Bounds {
    limits: RwLock<Arc<Limits>>,
    places: Arc<Semaphore>,
}

impl Bounds {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places(&limits))),
            limits: RwLock::new(Arc::new(limits)),
        }
    }

    /// The limits.
    pub(super) fn now(&self) -> Arc<Limits> {
        Arc::clone(&self.limits.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The place of one connection more; none where as many are open as may be.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Takes these limits from now on: with the next connection and the next request of each. Where more connections are open than
    /// may be now they stay, and no other is let in before enough of them have gone.
    ///
    /// To be called where futures are run.
    pub(super) fn change(&self, limits: Limits) {
        let mut now = self.limits.write().unwrap_or_else(PoisonError::into_inner);
        let (before, after) = (places(&now), places(&limits));
        *now = Arc::new(limits);
        if let Some(more) = after.checked_sub(before) {
            self.places.add_permits(more);
            return;
        }
        let fewer = u32::try_from(before - after).unwrap_or(u32::MAX);
        let places = Arc::clone(&self.places);
        tokio::spawn(async move {
            if let Ok(taken) = places.acquire_many_owned(fewer).await {
                taken.forget();
            }
        });
    }
}

fn places(limits: &Limits) -> usize {
    limits.connections.min(Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(connections: usize) -> Limits {
        Limits {
            connections,
            ..Limits::default()
        }
    }

    /// Lets what was spawned run.
    async fn settled() {
        tokio::task::yield_now().await;
    }

    #[tokio::test]
    async fn fewer_connections_let_nobody_in_before_enough_have_gone() {
        let bounds = Bounds::new(of(3));
        let mut open: Vec<_> = (0..3).map(|_| bounds.place().expect("a place")).collect();
        assert!(bounds.place().is_none());
        bounds.change(of(1));
        settled().await;
        for _ in 0..2 {
            open.pop();
            settled().await;
            assert!(bounds.place().is_none());
        }
        open.pop();
        settled().await;
        let one = bounds.place();
        assert!(one.is_some() && bounds.place().is_none());
    }

    #[tokio::test]
    async fn more_connections_are_let_in_at_once() {
        let bounds = Bounds::new(of(1));
        let open = bounds.place();
        assert!(open.is_some() && bounds.place().is_none());
        bounds.change(of(2));
        let other = bounds.place();
        assert!(other.is_some() && bounds.place().is_none());
        assert_eq!(bounds.now().connections, 2);
    }
}
