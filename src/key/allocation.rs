//! What a client is allowed for a while: a lease of what it knows of an object, and an allocation of its Usage Limits
//! (KMIP 1.4, sections 3.20, 3.21, 4.17 and 4.18).

use super::life_cycle::PlannedDate;
use super::object::ManagedObject;
use crate::kmip::enumeration::State;
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::ttlv::DateTime;

/// What a key with Usage Limits protects with.
const PROTECTING: [CryptographicUsageMask; 6] = [
    CryptographicUsageMask::ENCRYPT,
    CryptographicUsageMask::SIGN,
    CryptographicUsageMask::WRAP_KEY,
    CryptographicUsageMask::MAC_GENERATE,
    CryptographicUsageMask::DERIVE_KEY,
    CryptographicUsageMask::TRANSLATE_WRAP,
];

/// The Lease Time that says that no lease interval is effective (section 4.17).
const NO_INTERVAL: u32 = 0;

/// Why a client is not allowed what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AllocationError {
    /// It has no life cycle, and is not used.
    #[error("a template is not used, so that there is nothing to allow")]
    NoLifeCycle,
    /// Not in its state.
    #[error("the object is {0}, in which state it may not be used so")]
    State(State),
    /// The Protect Stop Date has been reached.
    #[error("the Protect Stop Date has passed")]
    Stopped,
    /// It has no Usage Limits.
    #[error("the object has no Usage Limits")]
    NoLimits,
    /// Its Cryptographic Usage Mask has nothing in it that protects.
    #[error("nothing is protected with an object of this Cryptographic Usage Mask")]
    NotProtecting,
    /// Less is asked for than nothing.
    #[error("a Usage Limits Count cannot be negative")]
    Negative,
    /// Not as much is left.
    #[error("the Usage Limits have less left than this")]
    Exceeded,
}

impl ManagedObject {
    /// Whether a client may go on using what it knows of the object, and for how many seconds. A key that is no longer to
    /// be used for anything new is not leased; a lease of one that is has no end, which is told as zero: so the standard's
    /// own case has it.
    pub fn lease(&self, now: DateTime) -> Result<u32, AllocationError> {
        match self.state(now) {
            Some(State::PreActive | State::Active) => Ok(NO_INTERVAL),
            Some(state) => Err(AllocationError::State(state)),
            None => Err(AllocationError::NoLifeCycle),
        }
    }

    /// Takes `count` units off what the Usage Limits have left, if the object may protect as much at `now`. Upon an error
    /// nothing has changed.
    pub fn allocate(&mut self, count: i64, now: DateTime) -> Result<(), AllocationError> {
        let content = self.content().ok_or(AllocationError::NoLifeCycle)?;
        if self.usage_limits().is_none() {
            return Err(AllocationError::NoLimits);
        }
        if !PROTECTING
            .iter()
            .any(|use_of| content.usage_mask.contains(*use_of))
        {
            return Err(AllocationError::NotProtecting);
        }
        let state = content.life_cycle.state(now);
        if state != State::Active {
            return Err(AllocationError::State(state));
        }
        let stop = content.life_cycle.planned(PlannedDate::ProtectStop);
        if stop.is_some_and(|stop| stop <= now) {
            return Err(AllocationError::Stopped);
        }
        if count < 0 {
            return Err(AllocationError::Negative);
        }
        self.take(count).map_err(|_| AllocationError::Exceeded)?;
        self.touch(now);
        Ok(())
    }
}
