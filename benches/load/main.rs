//! How fast the server is, beside the raw device and a bare TLS server, all in one run.
//!
//! The load generator shares the processors with what it measures, so absolute figures are low; the ratios
//! hold. `scripts/bench` runs this.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::cast_precision_loss,
    clippy::print_stdout
)]

mod accounting;
mod client;
mod echo;
mod handshake;
mod kept;
mod load;
mod measure;
mod nodes;
mod options;
mod raw;
mod rotation;
mod size;
mod slow;
mod soak;
mod stores;
mod storm;
#[path = "../../tests/support/mod.rs"]
mod support;
mod table;

use options::Options;
use table::Table;

fn main() {
    echo::run_if_asked();
    raw::run_if_asked();
    let options = Options::read();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut table = Table::default();
    runtime.block_on(async {
        let theme = options::theme();
        let is_asked = |name: &str| theme.as_deref().is_none_or(|theme| theme == name);
        if is_asked("kept") {
            kept::run(&options, &mut table).await;
        }
        if is_asked("slow") {
            slow::run(&options, &mut table).await;
        }
        if is_asked("handshake") {
            handshake::run(&options, &mut table).await;
        }
        if is_asked("storm") {
            storm::run(&options, &mut table).await;
        }
        if is_asked("nodes") {
            nodes::run(&options, &mut table).await;
        }
        if is_asked("rotation") {
            rotation::run(&options, &mut table).await;
        }
        if is_asked("size") {
            size::run(&options, &mut table).await;
        }
        // An hour long: only where it is asked for.
        if theme.as_deref() == Some("soak") {
            soak::run(&options, &mut table).await;
        }
    });
    println!("\n{table}");
}
