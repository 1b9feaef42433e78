//! The endpoint as clients meet it: who is let in, what they may take, how it ends.

#![allow(clippy::unwrap_used, reason = "what fails in a test fails the test")]
#![allow(unreachable_pub, reason = "the modules of a test have no other users")]

mod authorities;
mod certificates;
mod limits;
mod served;
mod sessions;
mod support;
mod trust;
