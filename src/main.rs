//! Reads the arguments and calls a command.

#![forbid(unsafe_code)]

use claviger_hsm::memory::WipingAllocator;

/// What libraries free of a request or of a key is wiped too.
#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator::new();

fn main() -> std::process::ExitCode {
    claviger::cli::run()
}
