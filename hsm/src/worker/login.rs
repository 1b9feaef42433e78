//! One login at a time, and none after the PIN was refused: for all workers of a device together.
//!
//! Each worker logs in for itself, at its start and again where its token forgot it. Were each to find out by itself that
//! a PIN is no longer right, as many workers as there are would try it, and lock the token. So all workers of a device
//! have one file in memory that the starting process made. A login locks it, and the byte in it says whether any login
//! of them was refused. The lock of a worker that ends is the kernel's to free.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, memfd_create};

use crate::Error;

/// Where a worker finds the file: its standard output, on which it has nothing to say.
const INHERITED: &str = "/proc/self/fd/1";
/// Where in the file the byte is: behind all that a program may print before it takes its standard output away.
const PLACE: u64 = 1 << 20;

/// The file that a device's workers have in common.
pub(crate) struct Logins {
    file: File,
}

impl Logins {
    /// For the workers of one device. Nothing was refused yet.
    pub(crate) fn new() -> Result<Self, Error> {
        let file = memfd_create("claviger-logins", MemfdFlags::CLOEXEC).map_err(launch)?;
        Ok(Self { file: file.into() })
    }

    /// What a worker is to have as its standard output.
    pub(super) fn for_a_worker(&self) -> Result<OwnedFd, Error> {
        self.file.try_clone().map(OwnedFd::from).map_err(launch)
    }

    /// In a worker: the file that it was started with, opened once more, so that its lock is this process's own. What a
    /// module prints goes nowhere from now on.
    pub(super) fn inherited() -> Result<Self, Error> {
        let mut options = File::options();
        let file = options.read(true).write(true).open(INHERITED).map_err(launch)?;
        let nowhere = options.open("/dev/null").map_err(launch)?;
        rustix::stdio::dup2_stdout(nowhere).map_err(launch)?;
        Ok(Self { file })
    }

    /// Does a login while no other worker does one. Where a login was refused before, this one is not tried.
    pub(super) fn once<T>(&self, login: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.file.lock().map_err(launch)?;
        let outcome = if self.was_refused() {
            Err(Error::PinIncorrect {
                name: "refused before".to_owned(),
            })
        } else {
            login()
        };
        if let Err(Error::PinIncorrect { .. }) = &outcome {
            // Where this fails the others try the PIN once each.
            let _ = self.file.write_all_at(&[1], PLACE);
        }
        let _ = self.file.unlock();
        outcome
    }

    fn was_refused(&self) -> bool {
        let mut byte = [0];
        // The file ends before it where none was refused.
        self.file.read_exact_at(&mut byte, PLACE).is_ok()
    }
}

fn launch(error: impl Into<io::Error>) -> Error {
    let error: io::Error = error.into();
    Error::Launch {
        reason: format!("the workers' common file: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_pin_is_tried_by_nobody_again() {
        let logins = Logins::new().unwrap();
        let other = Logins {
            file: logins.file.try_clone().unwrap(),
        };
        let refused = Error::PinIncorrect {
            name: "CKR_PIN_INCORRECT".to_owned(),
        };
        let failed = Error::Deadline;
        assert_eq!(logins.once(|| Err::<(), _>(failed.clone())), Err(failed));
        assert_eq!(other.once(|| Ok(1)), Ok(1));
        assert_eq!(logins.once(|| Err::<(), _>(refused.clone())), Err(refused));
        for logins in [logins, other] {
            let refused = logins.once(|| -> Result<(), Error> { panic!("it is tried again") });
            assert!(matches!(refused, Err(Error::PinIncorrect { .. })));
        }
    }
}
