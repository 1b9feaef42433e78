//! The auditor's verifier: says of a bundle or a checkpoint of the custody log whether it is what it claims to be. It needs no
//! network, no database and no device.

#![forbid(unsafe_code)]

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use claviger::verifier::{self, Arguments};

/// Verifies offline what the custody log of a Claviger says
///
/// Exit code 0: verified. 1: refused, with the reason. 2: not tried.
#[derive(Debug, Parser)]
#[command(name = "claviger-verify", version)]
struct Command {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    match verifier::run(&Command::parse().arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A stream that is closed cannot be told of it.
            let _ = writeln!(std::io::stderr(), "{error}");
            error.exit_code()
        }
    }
}
