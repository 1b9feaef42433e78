//! Why what is kept between requests is refused: tickets, and requests whose answers are fetched later.

use super::Refusal;
use crate::kmip::enumeration::ResultReason;
use crate::operation::tickets::Trouble;

impl Refusal {
    /// A ticket is not given or not taken (KMIP 2.1, sections 6.1.30, 6.1.31 and 11.46).
    pub(in crate::operation) fn of_ticket(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Invalid => Self::new(
                ResultReason::InvalidTicket,
                "There is no such ticket of this client, or it is over",
            ),
            Trouble::UsedUp => Self::new(
                ResultReason::UsageLimitExceeded,
                "The ticket has been used for as many requests as it was good for",
            ),
            Trouble::TooMany => Self::new(
                ResultReason::ServerLimitExceeded,
                "There are as many tickets as are kept; end a login first",
            ),
            Trouble::NoRandom => Self::failed(
                ResultReason::GeneralFailure,
                "The ticket could not be made",
                "there are no random numbers".into(),
            ),
        }
    }

    /// A login is to be good for an amount of use.
    pub(in crate::operation) fn ticket_usage_limits() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "Tickets with Usage Limits are not supported; a Request Count is",
        )
    }
}
