//! The command line as an operator meets it, with the real binary.

#![allow(
    clippy::unwrap_used,
    reason = "what a helper of a test cannot do fails the test"
)]

mod offline;
mod operator;
mod server;
mod support;
