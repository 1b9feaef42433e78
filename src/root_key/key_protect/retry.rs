//! When a request that failed is tried again: exponential back-off with full jitter, within the request's deadline.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::time::Instant;

/// The first rest is at most this long, and each further one at most twice as long,
const FIRST: Duration = Duration::from_millis(100);
/// up to this.
const LONGEST: Duration = Duration::from_secs(2);

/// The rests between the tries of one request.
pub(super) struct BackOff {
    until: Instant,
    longest: Duration,
}

impl BackOff {
    /// For a request that must be done by then.
    pub(super) fn new(until: Instant) -> Self {
        Self {
            until,
            longest: FIRST,
        }
    }

    /// How long to rest before the next try; `asked` is how long the service said to wait. None where the deadline would be
    /// over before that.
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let rest = match asked {
            // Whoever was told the same time does not come back at the same moment.
            Some(asked) => asked + self.longest.mul_f64(random()),
            None => self.longest.mul_f64(random()),
        };
        self.longest = (self.longest * 2).min(LONGEST);
        let fits = Instant::now() + rest < self.until;
        fits.then_some(rest)
    }

    /// How long the next try may take: half of what is left, so that a connection that has gone silent leaves time for
    /// another, but a second where there is one.
    pub(super) fn patience(&self) -> Duration {
        let left = self.until.saturating_duration_since(Instant::now());
        (left / 2).max(left.min(Duration::from_secs(1)))
    }
}

/// How long `Retry-After` says to wait (RFC 9110, section 10.2.3): seconds, or a time.
pub(super) fn retry_after(text: &str, now: OffsetDateTime) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = OffsetDateTime::parse(text.trim(), &Rfc2822).ok()?;
    Some(Duration::try_from(at - now).unwrap_or_default())
}

/// At random from 0 to 1.
fn random() -> f64 {
    let mut bytes = [0; 4];
    // Without a random number all rest equally long.
    if openssl::rand::rand_bytes(&mut bytes).is_err() {
        return 1.0;
    }
    f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[tokio::test(start_paused = true)]
    async fn no_try_begins_behind_the_deadline() {
        let until = Instant::now() + Duration::from_millis(150);
        let mut back_off = BackOff::new(until);
        while let Some(rest) = back_off.next(None) {
            assert!(Instant::now() + rest < until);
            tokio::time::advance(rest.max(Duration::from_millis(1))).await;
        }
        assert_eq!(BackOff::new(until).next(Some(Duration::from_secs(1))), None);
        assert!(BackOff::new(until).patience() <= Duration::from_millis(150));
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_service_asks_for_is_waited() {
        let mut back_off = BackOff::new(Instant::now() + Duration::from_mins(1));
        for _ in 0..20 {
            let rest = back_off.next(Some(Duration::from_secs(3))).unwrap();
            assert!(rest >= Duration::from_secs(3) && rest <= Duration::from_secs(5));
        }
        for _ in 0..20 {
            assert!(back_off.next(None).unwrap() <= LONGEST);
        }
    }

    #[test]
    fn both_forms_of_retry_after_are_understood() {
        let now = datetime!(1994-11-06 08:49:30 UTC);
        assert_eq!(retry_after("7", now), Some(Duration::from_secs(7)));
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(retry_after(date, now), Some(Duration::from_secs(7)));
        let past = datetime!(2024-01-01 00:00:00 UTC);
        assert_eq!(retry_after(date, past), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
        assert_eq!(retry_after("-1", now), None);
    }
}
