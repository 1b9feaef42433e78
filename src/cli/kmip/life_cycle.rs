//! `claviger kmip activate`, `revoke` and `destroy`: the operations of the same names.

use super::names;
use super::session::{Session, unexpected};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, say};
use crate::kmip::attribute::RevocationReason;
use crate::kmip::enumeration::RevocationReasonCode;
use crate::kmip::payload::{ActivateRequest, DestroyRequest, RequestPayload, ResponsePayload, RevokeRequest};
use crate::kmip::ttlv::DateTime;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Its Unique Identifier
    id: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RevokeArguments {
    /// Its Unique Identifier
    id: String,
    /// Why: cessation-of-operation makes it Deactivated, key-compromise makes it Compromised, …
    #[arg(long, default_value = "cessation-of-operation", value_name = "REASON", value_parser = names::revocation_reason)]
    reason: RevocationReasonCode,
    /// Words about it, which are kept with the key
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// When it was compromised [default: now, where the reason is a compromise]
    #[arg(long, value_name = "TIME", value_parser = names::date)]
    compromised_at: Option<DateTime>,
}

pub(super) async fn activate(
    arguments: &Arguments,
    session: &mut Session,
    output: Output,
) -> Result<Exit, Failure> {
    let request = ActivateRequest {
        unique_identifier: Some(arguments.id.as_str().into()),
    };
    change(RequestPayload::Activate(request), "activated", session, output).await
}

pub(super) async fn revoke(
    arguments: RevokeArguments,
    session: &mut Session,
    output: Output,
) -> Result<Exit, Failure> {
    let compromise = matches!(
        arguments.reason,
        RevocationReasonCode::KeyCompromise | RevocationReasonCode::CACompromise
    );
    let now = || DateTime::from(time::OffsetDateTime::now_utc());
    let request = RevokeRequest {
        unique_identifier: Some(arguments.id.as_str().into()),
        revocation_reason: RevocationReason {
            code: arguments.reason,
            message: arguments.message,
        },
        // The specification wants the date with a compromise, and only then.
        compromise_occurrence_date: arguments.compromised_at.or_else(|| compromise.then(now)),
    };
    change(RequestPayload::Revoke(request), "revoked", session, output).await
}

pub(super) async fn destroy(
    arguments: &Arguments,
    session: &mut Session,
    output: Output,
) -> Result<Exit, Failure> {
    let request = DestroyRequest {
        unique_identifier: Some(arguments.id.as_str().into()),
    };
    change(RequestPayload::Destroy(request), "destroyed", session, output).await
}

async fn change(
    request: RequestPayload<'_>,
    done: &str,
    session: &mut Session,
    output: Output,
) -> Result<Exit, Failure> {
    session
        .ask(request, |response| {
            let id = match response {
                ResponsePayload::Activate(response) => response.unique_identifier,
                ResponsePayload::Revoke(response) => response.unique_identifier,
                ResponsePayload::Destroy(response) => response.unique_identifier,
                other => return Err(unexpected(&other)),
            };
            output.data(&serde_json::json!({ "id": id }), |_| id.clone())?;
            say(done);
            Ok(())
        })
        .await
}
