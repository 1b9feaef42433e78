//! The order of handshakes.
//!
//! Where all hosts of a cluster come at once, those that came first get their keys first: if all handshakes were gone through
//! side by side, all would end at the end.

use std::pin::pin;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How many are gone through at a time.
const AT_A_TIME: usize = 64;
/// How long one may keep the others waiting; a peer that is slower goes on beside them.
const PATIENCE: Duration = Duration::from_millis(50);

/// The places of those whose handshake is gone through.
pub(super) struct Handshakes(Semaphore);

impl Default for Handshakes {
    fn default() -> Self {
        Self(Semaphore::new(AT_A_TIME))
    }
}

impl Handshakes {
    /// Goes through a handshake, of which the peer has sent the beginning, when it is its turn.
    pub(super) async fn in_turn<T>(&self, handshake: impl Future<Output = T>) -> T {
        // The semaphore is never closed; without a place it would go on all the same.
        let place = self.0.acquire().await.ok();
        let mut handshake = pin!(handshake);
        let within = timeout(PATIENCE, &mut handshake).await;
        drop(place);
        match within {
            Ok(done) => done,
            Err(_) => handshake.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures_util::future::{join_all, select};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn peers_that_say_no_more_hold_nobody_up_for_long() {
        let handshakes = Handshakes::default();
        let silent = join_all((0..10 * AT_A_TIME).map(|_| handshakes.in_turn(pending::<()>())));
        let start = tokio::time::Instant::now();
        let served = async {
            // Behind all of them.
            tokio::task::yield_now().await;
            handshakes.in_turn(ready(())).await;
        };
        select(pin!(silent), pin!(served)).await;
        assert!(start.elapsed() <= 11 * PATIENCE, "{:?}", start.elapsed());
    }

    #[tokio::test]
    async fn who_came_first_is_served_first() {
        let handshakes = Handshakes::default();
        let served = std::sync::Mutex::new(Vec::new());
        let each = |number| {
            let served = &served;
            handshakes.in_turn(async move {
                tokio::task::yield_now().await;
                served.lock().unwrap().push(number);
            })
        };
        join_all((0..4 * AT_A_TIME).map(each)).await;
        let served = served.into_inner().unwrap();
        let displaced = served
            .iter()
            .enumerate()
            .map(|(place, number)| place.abs_diff(*number));
        assert!(displaced.max().unwrap() <= AT_A_TIME, "{served:?}");
    }
}
