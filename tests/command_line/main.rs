//! The command line as an operator meets it, with the real binary.

mod offline;
mod operator;
mod server;
mod support;
