//! What the kernel knows of this host's clock.
//!
//! It is here because no safe library reads it, and this crate alone may be unsafe.

/// What the kernel says of the host's clock (`adjtimex(2)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelClock {
    /// Whether something, such as an NTP client, keeps it.
    pub synchronised: bool,
    /// The most that it may be wrong, in microseconds, as whoever keeps it estimates; without meaning where nobody does.
    pub max_error_us: u64,
}

/// Asks the kernel. None where it does not answer, or not on this system.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub fn kernel() -> Option<KernelClock> {
    // SAFETY: `timex` is plain numbers, for which all zeros is a value; with no mode set, `adjtimex` reads, writes to the
    // structure that it is given alone, and keeps no pointer to it.
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut timex), timex)
    };
    let max_error_us = u64::try_from(timex.maxerror).ok()?;
    (state >= 0).then_some(KernelClock {
        synchronised: state != libc::TIME_ERROR && timex.status & libc::STA_UNSYNC == 0,
        max_error_us,
    })
}

/// Asks the kernel. None where it does not answer, or not on this system.
#[cfg(not(target_os = "linux"))]
pub fn kernel() -> Option<KernelClock> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn the_kernel_says_whether_its_clock_is_kept() {
        let clock = super::kernel().unwrap();
        assert!(clock.max_error_us > 0, "no clock is exact: {clock:?}");
    }
}
