//! Archive (KMIP 1.4, section 4.22). What archiving means here is said in [`key`](crate::key).

use super::item::Item;
use super::refusal::Refusal;
use crate::kmip::payload::{ArchiveRequest, ArchiveResponse};

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: ArchiveRequest<'_>,
) -> Result<ArchiveResponse, Refusal> {
    let (id, ()) = item
        .change(request.unique_identifier, |row, now| {
            if row.object.archive(now) {
                Ok(())
            } else {
                Err(Refusal::archived())
            }
        })
        .await?;
    Ok(ArchiveResponse {
        unique_identifier: id.hyphenated().to_string(),
    })
}
