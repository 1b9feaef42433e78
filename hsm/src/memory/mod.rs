//! Memory for secrets: locked against swapping, left out of core dumps and of forked children, zeroised.
//!
//! A [`LockedBuffer`] comes from a pool of mappings that are locked once and kept, so that taking and giving back a
//! buffer costs no system call.
//!
//! # When the system refuses to lock
//!
//! `mlock` is bounded by `RLIMIT_MEMLOCK` (`LimitMEMLOCK=` of a systemd unit). The rule is: strict at the start,
//! serving at the peak. [`reserve`] locks memory ahead and fails with the remedy in its text; a server calls it before
//! it opens its socket and does not start without. Should the reserve and the limit both be used up later, a buffer
//! is still handed out, unlocked but out of dumps and zeroised: hosts that reboot together and wait for their keys
//! weigh more than a page that could be swapped out for the microseconds that it holds one. It is counted in
//! [`status`], where a health check sees it, and logged once.

mod allocator;
mod buffer;
mod pool;

use std::sync::atomic::Ordering;

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

pub use allocator::WipingAllocator;
pub use buffer::LockedBuffer;

use crate::Error;

/// How much memory for secrets there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryStatus {
    /// Bytes that are mapped and locked.
    pub locked_bytes: usize,
    /// Bytes that are mapped and that the system refused to lock; 0 is as it should be.
    pub unlocked_bytes: usize,
    /// `RLIMIT_MEMLOCK` of this process in bytes; `None` is no limit.
    pub limit: Option<u64>,
}

/// How much memory for secrets this process has now.
pub fn status() -> MemoryStatus {
    MemoryStatus {
        locked_bytes: pool::LOCKED_BYTES.load(Ordering::Relaxed),
        unlocked_bytes: pool::UNLOCKED_BYTES.load(Ordering::Relaxed),
        limit: getrlimit(Resource::Memlock).current,
    }
}

/// Maps and locks at least `bytes` bytes ahead of their use.
///
/// Fails with [`Error::Memory`], and keeps nothing unlocked, where the system refuses.
pub fn reserve(bytes: usize) -> Result<(), Error> {
    pool::reserve(bytes).map_err(|refusal| {
        let limit = status().limit.map_or_else(|| "none".to_owned(), |limit| format!("{limit} bytes"));
        Error::Memory {
            reason: format!(
                "the system refused {bytes} bytes ({refusal}); RLIMIT_MEMLOCK is {limit}: raise it with LimitMEMLOCK= \
                 in the systemd unit or `ulimit -l`"
            ),
        }
    })
}

/// Has the kernel write no core dump of this process (`RLIMIT_CORE`), and lets no other process of the same user read
/// its memory (`PR_SET_DUMPABLE`). For every process that has keys, at its start.
pub fn forbid_dumps() -> Result<(), Error> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)
        .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable))
        .map_err(|refusal| Error::Memory {
            reason: format!("core dumps can't be forbidden: {refusal}"),
        })
}

#[cfg(test)]
mod tests {
    use rustix::process::dumpable_behavior;

    use super::*;

    #[test]
    fn a_process_with_keys_is_dumped_by_nobody() {
        forbid_dumps().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        let limit = getrlimit(Resource::Core);
        assert_eq!((limit.current, limit.maximum), (Some(0), Some(0)));
    }
}
