//! Tokens for tests and benches: SoftHSMv2, openCryptoki's soft token and Kryoptic.
//!
//! Each is new, has a user PIN and nothing on it, and goes when it is dropped. Nothing here belongs into a product:
//! PINs are known and go over command lines.
//!
//! | module | what belongs there |
//! |---|---|
//! | `token` | what is the same for all: [`TestToken`] |
//! | `kind` | which tokens there are, and that one that is missing is not missing in silence: [`TokenKind`] |
//! | `expectations` | what is not the same: the table of [`Expectations`] |
//! | `softhsm`, `opencryptoki`, `kryoptic` | how each is had |
//! | `faults` | what stands before any of them and fails by script: [`Faults`] |
//! | `allocations` | how often code asks for memory: [`CountingAllocator`] |

mod allocations;
mod expectations;
mod faults;
mod kind;
mod kryoptic;
mod opencryptoki;
mod softhsm;
mod token;

pub use allocations::{CountingAllocator, allocations};
pub use expectations::Expectations;
pub use faults::Faults;
pub use kind::TokenKind;
pub use softhsm::SoftHsm;
pub use token::TestToken;

use crate::WorkerCommand;

/// The running test program as a worker program: `test` is the full path of one of its tests that is marked as ignored
/// and does nothing but call [`serve_inherited`](crate::worker::serve_inherited).
pub fn worker_in_this_test_program(test: &str) -> WorkerCommand {
    let program = std::env::current_exe().expect("this program has a file");
    let arguments = [test, "--exact", "--ignored", "--nocapture"]
        .map(Into::into)
        .into();
    WorkerCommand { program, arguments }
}
