//! Login and Logout (KMIP 2.1, sections 6.1.30 and 6.1.31).

use super::item::Item;
use super::refusal::Refusal;
use super::tickets::{LONGEST_LEASE, USUAL_LEASE, shown};
use crate::kmip::enumeration::TicketType;
use crate::kmip::payload::{
    EmptyPayload, LoginRequest, LoginResponse, LogoutRequest, Ticket, TicketLease, TicketValue,
};
use crate::kmip::ttlv::DateTime;

/// Gives a ticket. A lease of zero seconds is one that is left to the server.
pub(super) async fn login(item: &mut Item<'_>, request: &LoginRequest) -> Result<LoginResponse, Refusal> {
    if request.usage_limits.is_some() {
        return Err(Refusal::ticket_usage_limits());
    }
    let now = item.now();
    let seconds = match request.lease_time {
        None | Some(TicketLease::For(0)) => USUAL_LEASE,
        Some(TicketLease::For(seconds)) => seconds.into(),
        Some(TicketLease::Until(moment)) => moment.0.saturating_sub(now.0),
    };
    if seconds <= 0 {
        return Err(Refusal::invalid_field("The Lease Time of the ticket is over"));
    }
    let until = DateTime(now.0.saturating_add(seconds.min(LONGEST_LEASE)));
    let requests = request
        .request_count
        .map(|count| u32::try_from(count).ok().filter(|count| *count > 0));
    if requests == Some(None) {
        return Err(Refusal::invalid_field(
            "The Request Count of the ticket is not above zero",
        ));
    }
    let secret = item
        .services
        .tickets
        .give(
            item.caller,
            now,
            until,
            requests.flatten(),
            item.authentication.proof,
        )
        .map_err(Refusal::of_ticket)?;
    let details = &mut item.event.details;
    details.insert("ticket".into(), shown(&secret));
    details.insert("until".into(), until.to_string());
    if let Some(requests) = requests.flatten() {
        details.insert("requests".into(), requests.to_string());
    }
    if let Err(refusal) = item.record().await {
        // It was never heard of, and so is not good for anything.
        let _ = item.services.tickets.end(item.caller, now, &secret);
        return Err(refusal);
    }
    Ok(LoginResponse {
        ticket: Ticket {
            ticket_type: TicketType::Login,
            ticket_value: TicketValue::new(secret),
        },
    })
}

/// Ends a login.
pub(super) async fn logout(item: &mut Item<'_>, request: &LogoutRequest) -> Result<EmptyPayload, Refusal> {
    let secret = request.ticket.ticket_value.expose();
    item.event.details.insert("ticket".into(), shown(secret));
    item.services
        .tickets
        .end(item.caller, item.now(), secret)
        .map_err(Refusal::of_ticket)?;
    item.record().await?;
    Ok(EmptyPayload)
}
