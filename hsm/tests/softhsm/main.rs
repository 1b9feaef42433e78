//! The device, its workers and its failures, on a real SoftHSMv2 token.

mod doctor;
mod keys;
mod load;
mod pin;
mod root_keys;
mod support;
mod workers;
