//! The command line as an operator meets it, with the real binary.

mod offline;
mod support;
