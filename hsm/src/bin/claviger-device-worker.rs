//! The worker program of this crate's own tests. The product has it as a hidden command of its one binary.

fn main() -> std::process::ExitCode {
    claviger_hsm::worker::serve_inherited()
}
