//! The custody log as a thing to read: what a record says, the Merkle tree over the records, and the proof that
//! a log is whole. Pure: no clock, no database, no device. Imports nothing else of the house.
//!
//! # The log
//!
//! The log is a sequence of records, numbered from 0. A record is one JSON object ([`Record`]); what counts are
//! its exact bytes as they were stored, and nobody writes them again. The leaf of record *n* is
//! `SHA-256(0x00 || bytes)`, a node is `SHA-256(0x01 || left || right)`, and the tree is that of RFC 6962,
//! section 2.1. A [`Head`] names a log's size and root; two logs with the same head are the same log.
//!
//! [`verify()`] takes records and a head and recomputes all of it.
//!
//! The head is signed as a *checkpoint*, a signed note ([`SignedNote`], [`Checkpoint`]: C2SP signed-note and tlog-checkpoint).
//! From *tiles* ([`Tile`]: C2SP tlog-tiles) proofs are made that a record is in a log, and that one log is the beginning of
//! another.
//!
//! A [`bundle`] is what an auditor takes along; [`verification`] says of it whether it is what it claims to be, by the auditor's
//! [`Policy`].
//!
//! # What a record never has
//!
//! The bytes of a key, in the clear or wrapped. It names keys by identifier, and their rows by digest.

pub mod bundle;
mod checkpoint;
mod event;
pub mod export;
mod hash;
mod inventory;
mod ledger;
mod merkle;
mod name;
mod note;
mod policy;
mod proof;
mod record;
pub mod report;
mod thinning;
mod tile;
mod tlog_proof;
pub mod verification;
mod verify;
mod words;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use event::{
    Actor, AdapterFacts, Approver, CertificateFacts, ClockFacts, ClockState, DeviceFault, Event, ObjectFacts,
    Origin, Outcome, RequestFacts, RootKeyFacts, RowFacts,
};
pub use hash::Hash;
pub use inventory::{Identity, IdentityFacts, IdentityFault, Inventory};
pub use ledger::{EARLY, RowFault, RowLedger, pruned_below};
pub use merkle::{CompactRange, CompactRangeError, leaf_hash, node_hash};
pub use name::EventName;
pub use note::{NoteError, NoteSignature, SignatureType, Signed, SignedNote, VerifierKey, cosigned};
pub use policy::{Believed, Disbelief, Policy, PolicyError, PolicyLog, PolicyWitness};
pub use proof::{
    Node, ProofError, Run, consistency_plan, fold, inclusion_plan, root_plan, verify_consistency,
    verify_inclusion,
};
pub use record::{RECORD_VERSION, Record};
pub use thinning::spare_checkpoints;
pub use tile::{Entries, TILE_HEIGHT, TILE_WIDTH, Tile, TileHash, Tiles, tiles_of};
pub use tlog_proof::{TlogProof, TlogProofError};
pub use verify::{Fault, Head, StoredRecord, Verified, Verifier, verify};
pub use words::common_name;
