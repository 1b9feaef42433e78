//! What a read gives.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use crate::adapter::RootKeyId;
use crate::custody::{Hash, RowFacts};
use crate::key::{ManagedObject, WrappedKek};

use super::Error;

/// A managed object as the store keeps it: verified where it came from a read.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyRow {
    /// Everything that is known of it but its key bytes.
    pub object: ManagedObject,
    /// Its key, wrapped; none once it is destroyed, and for objects without one.
    pub wrapped: Option<WrappedUnder>,
    /// How often it was written: 1 after the first time; 0 for a row that was never stored.
    pub revision: u64,
    /// SHA-256 over all columns of the row as it was read, for the custody record of the read; none for a row that was
    /// never stored.
    pub digest: Option<Hash>,
    /// Its place in the order of creation; 0 for a row that was never stored.
    pub(super) ordinal: u64,
}

impl KeyRow {
    /// A row that was never stored.
    pub fn new(object: ManagedObject, wrapped: Option<WrappedUnder>) -> Self {
        Self {
            object,
            wrapped,
            revision: 0,
            digest: None,
            ordinal: 0,
        }
    }

    /// What the custody log says of such a row; none of one that was never stored.
    pub fn facts(&self) -> Option<RowFacts> {
        Some(RowFacts {
            identifier: self.object.id(),
            revision: self.revision,
            sha256: self.digest?,
        })
    }
}

/// A key wrapped under a root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedUnder {
    /// The root key.
    pub root_key: RootKeyId,
    /// Its version at the time of wrapping.
    pub version: u32,
    /// The wrapped key.
    pub kek: WrappedKek,
}

/// All rows of a kind that can be trusted, and what was found wrong with the others.
#[derive(Debug)]
pub struct Listing<T> {
    /// The rows that are as this server wrote them.
    pub rows: Vec<T>,
    /// One error each for those that are not; to be recorded.
    pub refused: Vec<Error>,
}

impl<T> Listing<T> {
    /// The listing of rows that were read one by one.
    pub(super) fn of(results: impl IntoIterator<Item = Result<T, Error>>) -> Self {
        let mut listing = Self {
            rows: Vec::new(),
            refused: Vec::new(),
        };
        for result in results {
            match result {
                Ok(row) => listing.rows.push(row),
                Err(error) => listing.refused.push(error),
            }
        }
        listing
    }
}

/// A page of a Locate.
#[derive(Debug)]
pub struct Located {
    /// Rows that have all the terms, the last created first.
    pub rows: Vec<KeyRow>,
    /// One error each for candidates that were changed by another hand; to be recorded.
    pub refused: Vec<Error>,
    /// Where the next page begins; none where this is the last.
    pub next: Option<Cursor>,
}

/// A place in the order of creation. Stays right while rows are added and changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub(super) u64);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Cursor {
    type Err = ParseIntError;

    /// Reads what `Display` wrote.
    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}
