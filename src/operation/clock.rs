//! The server's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::kmip::ttlv::DateTime;

/// What sets every date that an object gets here. It never goes back while the server runs, whatever is done to
/// the machine's clock.
#[derive(Clone)]
pub struct Clock {
    source: Arc<dyn Fn() -> DateTime + Send + Sync>,
    latest: Arc<AtomicI64>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::from_source(|| {
            let seconds = match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => since.as_secs(),
                Err(_) => 0,
            };
            DateTime(i64::try_from(seconds).unwrap_or(i64::MAX))
        })
    }

    /// A clock that another tells, as in a test of what happens when a date is reached.
    pub fn from_source(source: impl Fn() -> DateTime + Send + Sync + 'static) -> Self {
        Self {
            source: Arc::new(source),
            latest: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// The time, to the second.
    pub fn now(&self) -> DateTime {
        let told = (self.source)().0;
        DateTime(self.latest.fetch_max(told, Ordering::Relaxed).max(told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_never_before_one_that_was_given_already() {
        let told = Arc::new(AtomicI64::new(100));
        let source = Arc::clone(&told);
        let clock = Clock::from_source(move || DateTime(source.load(Ordering::Relaxed)));
        assert_eq!(clock.now(), DateTime(100));
        told.store(40, Ordering::Relaxed);
        assert_eq!(clock.now(), DateTime(100));
        told.store(101, Ordering::Relaxed);
        assert_eq!(clock.now(), DateTime(101));
    }
}
