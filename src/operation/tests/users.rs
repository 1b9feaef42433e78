//! Users who share a client's certificate.

use super::batches::batch;
use super::server::{Server, create, get};
use crate::kmip::attribute::{Attribute, AttributeValue};
use crate::kmip::enumeration::{ResultReason, ResultStatus};
use crate::kmip::message::{Credential, RequestMessage, ResponseMessage};
use crate::kmip::payload::{LocateRequest, RequestPayload, ResponsePayload};

fn by<'a>(username: Option<&'a str>, payload: RequestPayload<'a>) -> RequestMessage<'a> {
    let mut request = batch(vec![payload]);
    let credential = |username| Credential::UsernameAndPassword {
        username,
        password: None,
    };
    request.header.credentials = username.map(credential).into_iter().collect();
    request
}

async fn made_by(server: &Server, user: Option<&str>, more: Vec<Attribute>) -> String {
    let response = server.message(&server.east, &by(user, create(more))).await;
    match &response.items[0].payload {
        Some(ResponsePayload::Create(made)) => made.unique_identifier.clone(),
        _ => panic!("{response:?}"),
    }
}

fn reason(response: &ResponseMessage<'_>) -> Option<ResultReason> {
    response.items[0].result_reason
}

fn owners_alone() -> Attribute {
    AttributeValue::OperationPolicyName("default".into()).into()
}

#[tokio::test]
async fn an_object_of_one_user_is_not_another_s() {
    let server = Server::start().await;
    let key = made_by(&server, Some("Fred"), vec![owners_alone()]).await;
    let fred = server.message(&server.east, &by(Some("Fred"), get(&key))).await;
    assert_eq!(fred.items[0].result_status, ResultStatus::Success);
    for user in [Some("Barney"), None] {
        let other = server.message(&server.east, &by(user, get(&key))).await;
        assert_eq!(reason(&other), Some(ResultReason::PermissionDenied), "{user:?}");
        let locate = RequestPayload::Locate(LocateRequest::default());
        let found = server.message(&server.east, &by(user, locate)).await;
        match &found.items[0].payload {
            Some(ResponsePayload::Locate(found)) => assert!(found.unique_identifiers.is_empty()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_user_name_alone_locks_nobody_out() {
    let server = Server::start().await;
    let key = made_by(&server, Some("Fred"), vec![]).await;
    let unnamed = made_by(&server, None, vec![owners_alone()]).await;
    for (id, user) in [(&key, Some("Barney")), (&key, None), (&unnamed, Some("Barney"))] {
        let response = server.message(&server.east, &by(user, get(id))).await;
        assert_eq!(response.items[0].result_status, ResultStatus::Success, "{user:?}");
    }
}
