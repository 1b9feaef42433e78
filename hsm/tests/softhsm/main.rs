//! The device, its workers and its failures, on a real SoftHSMv2 token.

mod keys;
mod support;
