//! The bundle: one file that an auditor takes along, and that proves itself without the server that made it.
//!
//! An uncompressed tar archive of these members, in this order:
//!
//! | member | what it is |
//! |---|---|
//! | `bundle.json` | [`Manifest`] |
//! | `policy` | the log's and the witnesses' keys (C2SP tlog-policy). For a first look: an auditor verifies with a policy of his own |
//! | `checkpoint` | the signed note that the bundle is proved by; its size is that of the log |
//! | `checkpoints` | the other checkpoints over `from` records or more, in order, an empty line between one and the next |
//! | `tile/…` | tiles at their paths of C2SP tlog-tiles: those of level 0 from record `from` on, in order; before them all that is needed for the part before it |
//! | `records.jsonl` | the exact bytes of the records `from` to the end, one a line |
//! | `rows.jsonl` | where it was exported with them: the [`RowFacts`](super::RowFacts) of each key's row in the store, read when the log had `rows_at` records |
//! | `identities.jsonl` | as of the same moment: the [`IdentityFacts`](super::IdentityFacts) of each adapter, client certificate and root key in the store |
//!
//! `from` is a multiple of 256, so that it begins a tile. The leaf of a record is the hash of its line without the line feed.

mod path;
mod write;

use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub use path::tile_at;
pub use write::BundleWriter;

/// The version of the form that is written.
pub const BUNDLE_FORMAT: u32 = 1;

/// What a bundle says of itself. Believed only as far as the checkpoint bears it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the form: [`BUNDLE_FORMAT`].
    pub format: u32,
    /// Which log it is of.
    pub origin: String,
    /// The number of the first record in it.
    pub from: u64,
    /// How many records the log has by its checkpoint.
    pub size: u64,
    /// How many records the log had when the rows were read; none where no rows are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_at: Option<u64>,
    /// The number of the first record that the log has not pruned; none where it has all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_from: Option<u64>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// The version of the program that made it.
    pub server_version: String,
}

/// What a bundle says of itself, by its first member. Nothing of it is verified.
pub fn manifest_of(bundle: impl Read) -> io::Result<Manifest> {
    let no_bundle = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let mut archive = tar::Archive::new(bundle);
    let mut entries = archive.entries()?;
    let first = entries.next().ok_or_else(|| no_bundle("it is empty"))??;
    if first.path_bytes() != MANIFEST.as_bytes() {
        return Err(no_bundle("it does not begin with what it says of itself"));
    }
    Ok(serde_json::from_reader(first.take(LONGEST_MANIFEST))?)
}

/// The longest manifest that is read, in bytes.
const LONGEST_MANIFEST: u64 = 1 << 16;

/// The members, by name.
pub(super) const MANIFEST: &str = "bundle.json";
pub(super) const POLICY: &str = "policy";
pub(super) const CHECKPOINT: &str = "checkpoint";
pub(super) const CHECKPOINTS: &str = "checkpoints";
pub(super) const RECORDS: &str = "records.jsonl";
pub(super) const ROWS: &str = "rows.jsonl";
pub(super) const IDENTITIES: &str = "identities.jsonl";
