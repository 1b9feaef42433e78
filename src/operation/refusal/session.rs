//! Why who asks is not known well enough; why what is kept between requests is refused: tickets, and requests whose answers
//! are fetched later; and what goes beyond the quota of the client's adapter.

use super::Refusal;
use crate::kmip::enumeration::{Operation, ResultReason};
use crate::operation::passwords::Denied;
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

    /// A password is not taken. Why, is for the record alone: who guesses is not told how near that was.
    pub(in crate::operation) fn of_password(denied: &Denied) -> Self {
        let mut refusal = Self::new(
            ResultReason::AuthenticationNotSuccessful,
            "The user name or the password is not right",
        );
        if let Denied::Failed(cause) = denied {
            return Self::failed(
                ResultReason::GeneralFailure,
                "The password could not be verified",
                cause.clone(),
            );
        }
        refusal.more.cause = Some(denied.to_string());
        refusal
    }

    /// A request has to show a user of the adapter.
    pub(in crate::operation) fn password_needed() -> Self {
        Self::new(
            ResultReason::AuthenticationNotSuccessful,
            "A user name and a password are needed in the request's header",
        )
    }

    /// A login is to be good for an amount of use.
    pub(in crate::operation) fn ticket_usage_limits() -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            "Tickets with Usage Limits are not supported; a Request Count is",
        )
    }

    /// There is no such request of this client whose answer could be fetched (KMIP 1.4, section 11.27).
    pub(in crate::operation) fn no_asynchronous() -> Self {
        Self::new(
            ResultReason::ItemNotFound,
            "There is no outstanding request with this Asynchronous Correlation Value",
        )
        .since_2(ResultReason::InvalidAsynchronousCorrelationValue)
    }

    /// There are as many requests as are kept.
    pub(in crate::operation) fn too_many_asynchronous() -> Self {
        Self::new(
            ResultReason::PermissionDenied,
            "There are as many outstanding requests as are kept; fetch an answer first",
        )
        .since_2(ResultReason::ServerLimitExceeded)
    }

    /// The adapter has as many keys as it may have. Before 2.0 there is no reason that says so.
    pub(in crate::operation) fn key_quota(most: u64) -> Self {
        Self::new(
            ResultReason::PermissionDenied,
            format!("This client's adapter may have {most} keys and has them; destroy one, or have the quota raised"),
        )
        .since_2(ResultReason::ServerLimitExceeded)
    }

    /// The adapter sends more than it may, and its turn is too far off.
    pub(in crate::operation) fn request_quota(per_second: u32) -> Self {
        Self::new(
            ResultReason::PermissionDenied,
            format!("More requests came than the {per_second} a second of this client's adapter; try again"),
        )
        .since_2(ResultReason::ServerLimitExceeded)
    }

    /// An operation is always answered at once.
    pub(in crate::operation) fn not_asynchronous(operation: Operation) -> Self {
        Self::new(
            ResultReason::FeatureNotSupported,
            format!("{operation} cannot be carried out asynchronously"),
        )
    }

    /// An item was canceled before it was carried out.
    pub(in crate::operation) fn canceled() -> Self {
        Self::new(
            ResultReason::OperationCanceledByRequester,
            "The request was canceled before it was carried out",
        )
    }

    /// A request is processed already.
    pub(in crate::operation) fn processed_already() -> Self {
        Self::new(
            ResultReason::InvalidField,
            "The request has been processed; its answer can be fetched",
        )
        .since_2(ResultReason::DuplicateProcessRequest)
    }

    /// An item was not carried out, since one before it in its batch failed.
    pub(in crate::operation) fn not_reached() -> Self {
        Self::new(
            ResultReason::GeneralFailure,
            "The request was not carried out, since one before it in its batch failed",
        )
    }
}
