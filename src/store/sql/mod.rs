//! The SQL that all databases take, written once.
//!
//! Each database has this folder as a module of its own, compiled with its own types: its `dialect`, beside it, names them
//! and has the few statements that differ. So every statement is checked against the very types that it runs with, and none
//! is written in a form that suits no database.
//!
//! What keeps it portable: parameters are numbered (`$1`), identifiers are bytes, numbers are 64 bits wide, and a row that
//! is there already is met with `ON CONFLICT`.

use super::dialect;

pub(in crate::store) mod change;
pub(in crate::store) mod custody;
pub(in crate::store) mod identity;
pub(in crate::store) mod inventory;
pub(in crate::store) mod key;
mod name;
pub(in crate::store) mod prune;
mod quota;
pub(in crate::store) mod read;
pub(in crate::store) mod recorded;
mod root_key;
pub(in crate::store) mod rows;
pub(in crate::store) mod schema;
mod setting;
mod token;
