//! Users that an adapter knows by their passwords.

use time::OffsetDateTime;

use super::super::passwords::hash_password;
use super::server::{Server, create, get};
use super::version_2_logins::ticket;
use crate::adapter::{Caller, Credentials, Fingerprint, PasswordUser};
use crate::cryptography::Argon2id;
use crate::custody::{Actor, Event, EventName, Outcome};
use crate::kmip::ProtocolVersion;
use crate::kmip::enumeration::{ResultReason, ResultStatus};
use crate::kmip::message::{Credential, Password, RequestHeader, RequestItem, RequestMessage, ResponseItem};
use crate::kmip::payload::{
    DiscoverVersionsRequest, LoginRequest, LogoutRequest, RequestPayload, ResponsePayload,
};
use crate::kmip::version::{V1_1, V2_1};
use crate::store::{Change, SettingKind};

const RIGHT: &str = "correct horse battery staple";
const WRONG: &str = "correct horse battery stable";
const UNSUCCESSFUL: Option<ResultReason> = Some(ResultReason::AuthenticationNotSuccessful);

/// As many as are looked at one after the other.
const GUESSES: usize = 5;

/// As little as Argon2id takes.
const CHEAP: Argon2id = Argon2id {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
};

fn user(username: &str, password: &str) -> PasswordUser {
    PasswordUser {
        username: username.into(),
        password: hash_password(password, CHEAP).unwrap(),
        added_at: OffsetDateTime::UNIX_EPOCH,
        added_by: "olivia".into(),
    }
}

async fn set(server: &Server, required: bool, users: Vec<PasswordUser>) {
    let document = Credentials { required, users }.to_document().unwrap();
    let change = Change::SetForAdapter {
        adapter: server.east.adapter,
        kind: SettingKind::Credentials,
        document,
    };
    let event = Event::new(EventName::CredentialAdd, Actor::Server);
    server.recorder.commit(vec![change], event).await.unwrap();
}

async fn ask(
    server: &Server,
    caller: &Caller,
    version: ProtocolVersion,
    credential: Option<Credential<'_>>,
    payload: RequestPayload<'_>,
) -> ResponseItem<'static> {
    let mut header = RequestHeader::new(version);
    header.credentials.extend(credential);
    let request = RequestMessage {
        header,
        items: vec![RequestItem::new(payload)].into(),
    };
    server.message(caller, &request).await.items.pop().unwrap()
}

fn shown<'a>(username: &'a str, password: &str) -> Credential<'a> {
    Credential::UsernameAndPassword {
        username,
        password: Some(Password::new(password)),
    }
}

/// Why a Create is refused; none where it is not.
async fn refused(
    server: &Server,
    caller: &Caller,
    credential: Option<Credential<'_>>,
) -> Option<ResultReason> {
    ask(server, caller, V1_1, credential, create(vec![]))
        .await
        .result_reason
}

#[tokio::test]
async fn a_password_that_is_shown_has_to_be_right_once_the_adapter_has_users() {
    let server = Server::start().await;
    assert_eq!(
        refused(&server, &server.east, Some(shown("vc", WRONG))).await,
        None
    );
    set(&server, false, vec![user("vc", RIGHT), user("other", WRONG)]).await;
    assert_eq!(
        refused(&server, &server.east, Some(shown("vc", RIGHT))).await,
        None
    );
    assert_eq!(refused(&server, &server.east, None).await, None);
    let without = Credential::UsernameAndPassword {
        username: "vc",
        password: None,
    };
    for wrong in [
        shown("vc", WRONG),
        shown("nobody", RIGHT),
        shown("other", RIGHT),
        without,
    ] {
        assert_eq!(refused(&server, &server.east, Some(wrong)).await, UNSUCCESSFUL);
    }
    assert_eq!(
        refused(&server, &server.west, Some(shown("vc", WRONG))).await,
        None,
        "another adapter has no users"
    );
}

#[tokio::test]
async fn where_a_user_is_required_nothing_leaves_without_one() {
    let server = Server::start().await;
    let key = server.create(vec![]).await;
    set(&server, true, vec![user("vc", RIGHT)]).await;
    assert_eq!(
        server.refused(get(&key)).await,
        ResultReason::AuthenticationNotSuccessful
    );
    let got = ask(&server, &server.east, V1_1, Some(shown("vc", RIGHT)), get(&key)).await;
    assert_eq!(got.result_status, ResultStatus::Success);
    let versions = RequestPayload::DiscoverVersions(DiscoverVersionsRequest::default());
    let told = ask(&server, &server.east, V1_1, None, versions).await;
    assert_eq!(
        told.result_status,
        ResultStatus::Success,
        "a client asks before it knows more"
    );
    let versions = RequestPayload::DiscoverVersions(DiscoverVersionsRequest::default());
    let told = ask(&server, &server.east, V1_1, Some(shown("vc", WRONG)), versions).await;
    assert_eq!(told.result_reason, UNSUCCESSFUL);
}

#[tokio::test]
async fn the_log_says_who_was_proved_and_who_was_refused_and_no_password() {
    let server = Server::start().await;
    set(&server, false, vec![user("vc", RIGHT)]).await;
    for password in [RIGHT, WRONG] {
        refused(&server, &server.east, Some(shown("vc", password))).await;
    }
    let records = server.records().await;
    let [made, refused] = &records[records.len() - 2..] else {
        panic!("two records");
    };
    assert_eq!(made.event, EventName::KmipCreate);
    assert_eq!(made.details["authenticated"], "password");
    assert!(!made.details.contains_key("credentials-not-used"));
    assert_eq!(
        (refused.event, refused.outcome),
        (EventName::KmipMessageRefused, Outcome::Refused)
    );
    assert!(
        matches!(&refused.actor, Actor::Client { user: Some(user), .. } if user == "user vc"),
        "{:?}",
        refused.actor
    );
    let text = serde_json::to_string(&records).unwrap();
    assert!(!text.contains(RIGHT) && !text.contains(WRONG));
}

#[tokio::test]
async fn who_guesses_is_not_looked_at_and_does_not_lock_others_out() {
    let server = Server::start().await;
    set(&server, true, vec![user("vc", RIGHT), user("late", RIGHT)]).await;
    assert_eq!(
        refused(&server, &server.east, Some(shown("vc", RIGHT))).await,
        None
    );
    for guess in 0..GUESSES {
        let guess = format!("guess number {guess}");
        let reason = refused(&server, &server.east, Some(shown("vc", &guess))).await;
        assert_eq!(reason, UNSUCCESSFUL);
    }
    assert_eq!(
        refused(&server, &server.east, Some(shown("late", RIGHT))).await,
        UNSUCCESSFUL,
        "a guess that happens to be right is not looked at"
    );
    let record = server.records().await.pop().unwrap();
    assert!(record.reason.unwrap().contains("too many"));
    assert_eq!(
        refused(&server, &server.east, Some(shown("vc", RIGHT))).await,
        None,
        "who was known before goes on"
    );
    let neighbour = Caller {
        certificate: Fingerprint([6; 32]),
        ..server.east.clone()
    };
    assert_eq!(
        refused(&server, &neighbour, Some(shown("late", RIGHT))).await,
        None
    );
}

#[tokio::test]
async fn a_password_that_was_right_is_refused_once_its_user_has_another_or_is_gone() {
    let server = Server::start().await;
    for users in [vec![user("vc", WRONG)], vec![user("other", RIGHT)]] {
        set(&server, false, vec![user("vc", RIGHT)]).await;
        assert_eq!(
            refused(&server, &server.east, Some(shown("vc", RIGHT))).await,
            None
        );
        set(&server, false, users).await;
        assert_eq!(
            refused(&server, &server.east, Some(shown("vc", RIGHT))).await,
            UNSUCCESSFUL
        );
    }
}

#[tokio::test]
async fn a_login_stands_for_the_password_as_long_as_that_is_the_user_s() {
    let server = Server::start().await;
    set(&server, true, vec![user("vc", RIGHT)]).await;
    let login = || RequestPayload::Login(LoginRequest::default());
    let denied = ask(&server, &server.east, V2_1, None, login()).await;
    assert_eq!(denied.result_reason, UNSUCCESSFUL);
    let given = ask(&server, &server.east, V2_1, Some(shown("vc", RIGHT)), login()).await;
    let Some(ResponsePayload::Login(given)) = given.payload else {
        panic!("{given:?}");
    };
    let secret = given.ticket.ticket_value.expose().to_vec();
    let by_ticket = async || {
        let credential = Some(Credential::Ticket(ticket(&secret)));
        ask(&server, &server.east, V2_1, credential, create(vec![])).await
    };
    assert_eq!(by_ticket().await.result_status, ResultStatus::Success);
    let record = server.records().await.pop().unwrap();
    assert_eq!(record.details["authenticated"], "ticket");

    set(&server, true, vec![user("vc", WRONG)]).await;
    assert_eq!(by_ticket().await.result_reason, UNSUCCESSFUL);
    set(&server, false, vec![]).await;
    assert_eq!(by_ticket().await.result_status, ResultStatus::Success);
    let logout = RequestPayload::Logout(LogoutRequest {
        ticket: ticket(&secret),
    });
    let ended = ask(&server, &server.east, V2_1, None, logout).await;
    assert_eq!(ended.result_status, ResultStatus::Success);
}
