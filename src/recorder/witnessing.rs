//! Where the operator wants it: no client is answered before enough witnesses have seen what is recorded of it.

use std::time::Duration;

use super::{Error, Recorder};
use crate::custody::{Actor, Event, Outcome};

impl Recorder {
    /// From now on a commit that records a client's success returns once enough witnesses have cosigned its record, or fails
    /// with [`Error::Unwitnessed`] after this time. To be called once.
    pub fn require_witnesses(&self, wait: Duration) {
        let _ = self.witnesses.set(wait);
    }

    /// How long these events wait for witnesses, where they do. What a server records of itself, or an administrator does,
    /// does not: it is what brings witnesses back.
    pub(super) fn wait_of(&self, events: &[Event]) -> Option<Duration> {
        let is_meant =
            |event: &Event| matches!(event.actor, Actor::Client { .. }) && event.outcome == Outcome::Success;
        let wait = self.witnesses.get()?;
        events.iter().any(is_meant).then_some(*wait)
    }

    /// Returns when so many records are cosigned by enough witnesses.
    pub(super) async fn witnessed(&self, size: u64, wait: Duration) -> Result<(), Error> {
        let mut checkpoints = self.checkpoints();
        let enough = checkpoints.wait_for(|status| status.cosigned >= Some(size));
        if matches!(tokio::time::timeout(wait, enough).await, Ok(Ok(_))) {
            return Ok(());
        }
        let status = self.checkpoints().borrow().clone();
        let unsigned = status.key.is_none().then(|| "nothing signs the log".to_owned());
        let troubles: Vec<_> = status
            .witnesses
            .into_iter()
            .filter_map(|witness| Some(format!("{}: {}", witness.name, witness.trouble?)))
            .chain(status.failure.map(|failure| failure.why))
            .chain(unsigned)
            .collect();
        Err(Error::Unwitnessed {
            sequence: size - 1,
            wait,
            why: if troubles.is_empty() {
                "none of them answered in time".to_owned()
            } else {
                troubles.join("; ")
            },
        })
    }
}
