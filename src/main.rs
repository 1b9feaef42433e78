//! Reads the arguments and calls a command.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    claviger::cli::run()
}
