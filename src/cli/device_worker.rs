//! `claviger device-worker`: the process that loads a vendor's module. Hidden, because only the server starts it.

use std::process::ExitCode;

/// Serves the device that comes over the socket inherited as stdin, until that is closed.
pub(super) fn run() -> ExitCode {
    claviger_hsm::worker::serve_inherited()
}
