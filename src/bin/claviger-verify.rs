//! The auditor's verifier: says of a bundle or a checkpoint of the custody log whether it is what it claims to be. It needs no
//! network, no database and no device.

#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use claviger::verifier::{self, Command};

fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            // A stream that is closed cannot be told of it.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(64)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match verifier::run(&command.arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // As above.
            let _ = writeln!(std::io::stderr(), "{error}");
            error.exit_code()
        }
    }
}
