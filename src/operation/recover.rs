//! Recover (KMIP 1.4, section 4.23). What is at hand already stays so, and that is no error.

use super::item::{Commit, Item};
use super::refusal::Refusal;
use crate::kmip::payload::{RecoverRequest, RecoverResponse};
use crate::store::Change;

/// How often it is tried anew because somebody else changed the object meanwhile.
const ATTEMPTS: usize = 32;

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: RecoverRequest<'_>,
) -> Result<RecoverResponse, Refusal> {
    for _ in 0..ATTEMPTS {
        let mut row = item.object_wherever(request.unique_identifier).await?;
        let unique_identifier = row.object.id().hyphenated().to_string();
        let mut changes = Vec::new();
        if row.object.recover(item.now()) {
            item.becomes(&row.object);
            changes.push(Change::update_key(row));
        }
        if item.commit(changes).await? == Commit::Done {
            return Ok(RecoverResponse { unique_identifier });
        }
    }
    Err(Refusal::busy())
}
