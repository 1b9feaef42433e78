//! The circuit breaker: while the service is away, requests are refused at once, and one now and then tries it.
//!
//! What opens it is the service itself failing (no connection, 5xx, no answer, garbage), several times in a row and for
//! some time. That it refuses a request is an answer, and keeps it closed.
//!
//! A pure state machine: whoever asks says what time it is.

use std::time::Duration;

use tokio::time::Instant;

/// So many failures without a success between them, and
const FAILURES: u32 = 5;
/// so long since the first of them: a burst of cut connections is nothing that a second try would not mend.
const PATIENCE: Duration = Duration::from_secs(1);
/// While it is open a try is let through this long after the last one began. One that is never told the end of does no
/// harm: the next one is let through all the same.
pub(super) const REST: Duration = Duration::from_millis(250);

/// Whether requests go to the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Breaker {
    /// They do, and the last one was answered.
    #[default]
    Closed,
    /// They do, and the last ones failed.
    Failing {
        /// How many.
        failures: u32,
        /// When the first of them failed.
        since: Instant,
    },
    /// They don't, but for one now and then.
    Open {
        /// When one was let through last, or when it opened.
        tried: Instant,
    },
}

impl Breaker {
    /// Whether a request may go to the service now.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        match self {
            Self::Closed | Self::Failing { .. } => true,
            Self::Open { tried } if now.saturating_duration_since(*tried) >= REST => {
                *tried = now;
                true
            }
            Self::Open { .. } => false,
        }
    }

    /// The service answered. Whether it had been given up.
    pub(super) fn answered(&mut self) -> bool {
        let was_open = self.is_open();
        *self = Self::Closed;
        was_open
    }

    /// The service failed. Whether it is given up for that.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        match *self {
            Self::Closed => {
                *self = Self::Failing {
                    failures: 1,
                    since: now,
                };
                false
            }
            Self::Failing { failures, since } => {
                let failures = failures.saturating_add(1);
                let opens = failures >= FAILURES && now.saturating_duration_since(since) >= PATIENCE;
                *self = if opens {
                    Self::Open { tried: now }
                } else {
                    Self::Failing { failures, since }
                };
                opens
            }
            Self::Open { .. } => false,
        }
    }

    /// Whether the service is given up for now.
    pub(super) fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Ask,
        Answered,
        Failed,
        Wait(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            Just(Step::Ask),
            Just(Step::Answered),
            Just(Step::Failed),
            (0_u64..600).prop_map(Step::Wait),
        ];
        proptest::collection::vec(step, 0..80)
    }

    proptest! {
        #[test]
        fn a_service_that_is_away_is_asked_seldom_and_one_that_is_back_is_noticed(steps in steps()) {
            let mut breaker = Breaker::default();
            let mut now = Instant::now();
            let (mut failures, mut since, mut let_through) = (0_u32, now, None::<Instant>);
            for step in steps {
                match step {
                    Step::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                    Step::Ask => {
                        let open = breaker.is_open();
                        let admitted = breaker.admits(now);
                        prop_assert!(open || admitted, "a closed one admits all");
                        if open && admitted {
                            if let Some(last) = let_through {
                                prop_assert!(now - last >= REST, "two tries within a rest");
                            }
                            let_through = Some(now);
                        }
                        prop_assert!(!breaker.admits(now) || !open, "two tries at one time");
                    }
                    Step::Answered => {
                        breaker.answered();
                        prop_assert!(breaker.admits(now) && !breaker.is_open());
                        (failures, let_through) = (0, None);
                    }
                    Step::Failed => {
                        if failures == 0 {
                            since = now;
                        }
                        failures += 1;
                        if breaker.failed(now) {
                            prop_assert!(failures >= FAILURES && now - since >= PATIENCE);
                            let_through = Some(now);
                        }
                    }
                }
                // Whatever happened: after a rest somebody is let through.
                let mut later = breaker;
                prop_assert!(later.admits(now + REST));
            }
        }
    }

    #[test]
    fn a_burst_of_cut_connections_does_not_give_the_service_up() {
        let mut breaker = Breaker::default();
        let now = Instant::now();
        for _ in 0..1000 {
            assert!(!breaker.failed(now));
        }
        assert!(breaker.admits(now));
    }

    #[test]
    fn a_service_that_fails_for_a_second_is_given_up_and_taken_back_at_its_first_answer() {
        let mut breaker = Breaker::default();
        let mut now = Instant::now();
        for _ in 0..4 {
            assert!(!breaker.failed(now));
        }
        now += PATIENCE;
        assert!(breaker.failed(now));
        assert!(!breaker.admits(now));
        now += REST;
        assert!(breaker.admits(now));
        assert!(!breaker.admits(now), "one at a time");
        assert!(!breaker.failed(now), "it is said once");
        assert!(breaker.answered());
        assert!(breaker.admits(now));
    }
}
