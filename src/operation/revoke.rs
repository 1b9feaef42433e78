//! Revoke (KMIP 1.4, section 4.20).

use super::item::{Item, shortened};
use super::refusal::Refusal;
use crate::kmip::enumeration::{Operation, RevocationReasonCode};
use crate::kmip::payload::{RevokeRequest, RevokeResponse};
use crate::root_key::Pieces;

pub(super) async fn perform(
    item: &mut Item<'_>,
    request: RevokeRequest<'_>,
) -> Result<RevokeResponse, Refusal> {
    let reason = request.revocation_reason;
    item.event
        .details
        .insert("revocation-reason".into(), reason.code.to_string());
    if let Some(message) = &reason.message {
        item.event
            .details
            .insert("revocation-message".into(), shortened(message));
    }
    let compromise = matches!(
        reason.code,
        RevocationReasonCode::KeyCompromise | RevocationReasonCode::CACompromise
    );
    if matches!(reason.code, RevocationReasonCode::Other(_)) {
        return Err(Refusal::invalid_field("The Revocation Reason Code is not known"));
    }
    if request.compromise_occurrence_date.is_some() && !compromise {
        return Err(Refusal::invalid_field(
            "A Compromise Occurrence Date goes with a compromise alone",
        ));
    }
    let (id, held) = item
        .change(request.unique_identifier, |row, now| {
            row.object
                .revoke(reason.clone(), request.compromise_occurrence_date, now)
                .map_err(|error| Refusal::of_life_cycle(error, Operation::Revoke))?;
            Ok(Pieces::of(&row.object).zip(row.wrapped.clone()))
        })
        .await?;
    item.services.forget(held.as_ref()).await;
    Ok(RevokeResponse {
        unique_identifier: id.hyphenated().to_string(),
    })
}
