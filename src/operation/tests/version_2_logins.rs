//! Logins of KMIP 2.x: a ticket is good for its client alone, for its time and its number of requests.

use zeroize::Zeroizing;

use super::super::tickets::{LONGEST_LEASE, OF_A_CLIENT, USUAL_LEASE};
use super::server::Server;
use crate::adapter::{Caller, Fingerprint};
use crate::kmip::enumeration::{ResultReason, ResultStatus, TicketType};
use crate::kmip::message::{Credential, RequestHeader, RequestItem, RequestMessage, ResponseItem};
use crate::kmip::payload::{
    DiscoverVersionsRequest, LoginRequest, LogoutRequest, RequestPayload, ResponsePayload, Ticket,
    TicketLease, TicketValue,
};
use crate::kmip::version::V2_1;

pub(super) fn ticket(secret: &[u8]) -> Ticket {
    Ticket {
        ticket_type: TicketType::Login,
        ticket_value: TicketValue::new(Zeroizing::new(secret.to_vec())),
    }
}

async fn ask_with(
    server: &Server,
    caller: &Caller,
    secret: Option<&[u8]>,
    payload: RequestPayload<'_>,
) -> ResponseItem<'static> {
    let mut header = RequestHeader::new(V2_1);
    header
        .credentials
        .extend(secret.map(|secret| Credential::Ticket(ticket(secret))));
    let request = RequestMessage {
        header,
        items: vec![RequestItem::new(payload)].into(),
    };
    server.message(caller, &request).await.items.pop().unwrap()
}

async fn log_in(server: &Server, caller: &Caller, request: LoginRequest) -> Result<Vec<u8>, ResultReason> {
    let item = ask_with(server, caller, None, RequestPayload::Login(request)).await;
    match item.payload {
        Some(ResponsePayload::Login(answer)) => Ok(answer.ticket.ticket_value.expose().to_vec()),
        _ => Err(item.result_reason.unwrap()),
    }
}

async fn use_ticket(server: &Server, caller: &Caller, secret: &[u8]) -> Option<ResultReason> {
    let asked = RequestPayload::DiscoverVersions(DiscoverVersionsRequest::default());
    ask_with(server, caller, Some(secret), asked).await.result_reason
}

#[tokio::test]
async fn a_ticket_is_good_for_as_many_requests_as_were_asked_for() {
    let server = Server::start().await;
    let request = LoginRequest {
        lease_time: Some(TicketLease::For(0)),
        request_count: Some(2),
        usage_limits: None,
    };
    let secret = log_in(&server, &server.east, request).await.unwrap();
    for expected in [None, None, Some(ResultReason::UsageLimitExceeded)] {
        assert_eq!(use_ticket(&server, &server.east, &secret).await, expected);
    }
}

#[tokio::test]
async fn a_ticket_is_good_for_nobody_else() {
    let server = Server::start().await;
    let secret = log_in(&server, &server.east, LoginRequest::default())
        .await
        .unwrap();
    let neighbour = Caller {
        certificate: Fingerprint([6; 32]),
        ..server.east.clone()
    };
    for caller in [&server.west, &neighbour] {
        assert_eq!(
            use_ticket(&server, caller, &secret).await,
            Some(ResultReason::InvalidTicket)
        );
    }
    assert_eq!(
        use_ticket(&server, &server.east, &[0; 32]).await,
        Some(ResultReason::InvalidTicket)
    );
    assert_eq!(use_ticket(&server, &server.east, &secret).await, None);
}

#[tokio::test]
async fn a_ticket_is_over_in_time() {
    let server = Server::start().await;
    let lasting = |lease_time| LoginRequest {
        lease_time,
        ..LoginRequest::default()
    };
    for (lease, seconds) in [
        (None, USUAL_LEASE),
        (Some(TicketLease::For(60)), 60),
        (Some(TicketLease::For(u32::MAX)), LONGEST_LEASE),
        (
            Some(TicketLease::Until(crate::kmip::ttlv::DateTime(i64::MAX))),
            LONGEST_LEASE,
        ),
    ] {
        let secret = log_in(&server, &server.east, lasting(lease)).await.unwrap();
        server.wait(seconds - 1);
        assert_eq!(
            use_ticket(&server, &server.east, &secret).await,
            None,
            "{lease:?}"
        );
        server.wait(1);
        let reason = use_ticket(&server, &server.east, &secret).await;
        assert_eq!(reason, Some(ResultReason::InvalidTicket), "{lease:?}");
    }
    let past = lasting(Some(TicketLease::Until(crate::kmip::ttlv::DateTime(0))));
    assert_eq!(
        log_in(&server, &server.east, past).await,
        Err(ResultReason::InvalidField)
    );
}

#[tokio::test]
async fn a_ticket_is_good_no_more_after_a_logout() {
    let server = Server::start().await;
    let secret = log_in(&server, &server.east, LoginRequest::default())
        .await
        .unwrap();
    for (caller, status) in [
        (&server.west, ResultStatus::OperationFailed),
        (&server.east, ResultStatus::Success),
        (&server.east, ResultStatus::OperationFailed),
    ] {
        let request = LogoutRequest {
            ticket: ticket(&secret),
        };
        let item = ask_with(&server, caller, None, RequestPayload::Logout(request)).await;
        assert_eq!(item.result_status, status);
    }
    assert_eq!(
        use_ticket(&server, &server.east, &secret).await,
        Some(ResultReason::InvalidTicket)
    );
}

#[tokio::test]
async fn a_client_cannot_fill_the_server_with_tickets() {
    let server = Server::start().await;
    for _ in 0..OF_A_CLIENT {
        log_in(&server, &server.east, LoginRequest::default())
            .await
            .unwrap();
    }
    assert_eq!(
        log_in(&server, &server.east, LoginRequest::default()).await,
        Err(ResultReason::ServerLimitExceeded)
    );
    log_in(&server, &server.west, LoginRequest::default())
        .await
        .unwrap();
    server.wait(USUAL_LEASE);
    log_in(&server, &server.east, LoginRequest::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn the_custody_log_tells_of_a_ticket_and_does_not_hold_it() {
    let server = Server::start().await;
    let secret = log_in(&server, &server.east, LoginRequest::default())
        .await
        .unwrap();
    let records = serde_json::to_string(&server.records().await).unwrap();
    assert!(records.contains("kmip.login"));
    assert!(!records.contains(&hex::encode(&secret)));
}
