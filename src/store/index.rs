//! The terms that Locate finds objects by, in the form that is stored.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::key::IndexTerm;

/// The key of a term in the index: 16 bytes of SHA-256 over adapter, attribute and value, so that every entry is equally
/// short and two adapters never share one.
pub(super) fn term(adapter: Uuid, term: &IndexTerm) -> [u8; 16] {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(adapter.as_bytes())
        .chain_update((term.name.len() as u64).to_be_bytes())
        .chain_update(&term.name)
        .chain_update(&term.value)
        .finalize()
        .into();
    *hash.first_chunk().expect("32 bytes begin with 16")
}
