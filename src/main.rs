//! Reads the arguments and calls a command.

fn main() -> std::process::ExitCode {
    claviger::cli::run()
}
