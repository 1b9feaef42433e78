//! A wrapped key that takes the place of another in its row: which of the two no row names any more is decided by the commit.

use crate::adapter::RootKey;
use crate::key::WrappedKek;
use crate::recorder;
use crate::root_key::{self, Pieces, RootKeys};

/// A wrapped value, and the root key that it is under.
#[derive(Clone, Copy)]
pub(super) struct Under<'a> {
    pub(super) root_key: &'a RootKey,
    pub(super) kek: &'a WrappedKek,
}

/// Gives up in its backend what no row names after this commit: what was there before, or, where nothing was written, what was
/// to come after it; where nobody knows, neither. What can't be given up is for the inventory to find.
pub(super) async fn give_up<T>(
    root_keys: &RootKeys,
    pieces: &Pieces,
    committed: &Result<T, recorder::Error>,
    before: Under<'_>,
    after: Under<'_>,
) {
    let Under { root_key, kek } = match committed {
        Ok(_) => before,
        Err(error) if error.is_outcome_unknown() => return,
        Err(_) => after,
    };
    let given_up: Result<(), root_key::Error> = async {
        let backend = root_keys.for_root(root_key)?;
        pieces.forget(&*backend, root_key, kek).await;
        pieces.discard(&*backend, root_key, kek).await
    }
    .await;
    if let Err(error) = given_up {
        tracing::warn!(root_key = %root_key.name, %error,
            "a wrapped key that is of no use any more is still in the backend");
    }
}
