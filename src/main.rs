//! Reads the arguments and calls a command.

#![forbid(unsafe_code)]

use claviger_hsm::memory::WipingAllocator;
use tikv_jemallocator::Jemalloc;

/// What libraries free of a request or of a key is wiped too. jemalloc is quicker where many threads ask for memory; what is
/// written in C, a device's module above all, keeps the system's allocator.
#[global_allocator]
static ALLOCATOR: WipingAllocator<Jemalloc> = WipingAllocator::over(Jemalloc);

fn main() -> std::process::ExitCode {
    claviger::cli::run()
}
