//! A device that fails, hangs and crashes by script, and how it is healed.

mod away;
mod hang;
mod ladder;
mod pin;
mod root_keys;
mod signing_keys;
mod support;
