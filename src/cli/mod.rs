//! The command line: a file a command. Data goes to stdout, words to stderr.

use std::process::ExitCode;

/// Reads the arguments of this process and runs the command that they name.
pub fn run() -> ExitCode {
    ExitCode::SUCCESS
}
