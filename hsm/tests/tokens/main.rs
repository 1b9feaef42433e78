//! The device, its workers and its failures, on real tokens: the whole suite once for each of them.
//!
//! The suite's files are compiled once a token, in a module of the token's name, so that the name of a test says which
//! token it was on: `kryoptic::keys::…`. In what the tokens differ is a table, [`Expectations`]. What is asked of one
//! token only is in [`softhsm_alone`], and of two makers' in [`between_makers`].
//!
//! [`Expectations`]: claviger_hsm::testkit::Expectations
#![allow(clippy::duplicate_mod)] // That is the way in which the suite is made once a token.

#[path = "suite.rs"]
mod grep11;
#[path = "suite.rs"]
mod kryoptic;
#[path = "suite.rs"]
mod opencryptoki;
#[path = "suite.rs"]
mod softhsm;

mod between_makers;
mod softhsm_alone;
mod support;
