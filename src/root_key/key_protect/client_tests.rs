//! The client before a service that fails in every way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::client::Client;
use super::scripted::{API_KEY, Reply, Scripted, Seen};
use super::{ApiKeySource, Error, KeyProtectConfig, Kind};

const KEY: Uuid = Uuid::from_u128(0x1111);
const VERSION: Uuid = Uuid::from_u128(0x2222);
/// Base64 of nine bytes.
const PLAINTEXT: &str = "c2VjcmV0ISEh";

fn made() -> Reply {
    Reply::Json(
        200,
        json!({"plaintext": PLAINTEXT, "ciphertext": "Y2lwaGVy", "keyVersion": {"id": VERSION}}),
    )
}

/// A token where one is asked for; else what `answer` gives, which is told how many requests came to the service so far.
async fn service(answer: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> (Scripted, Client) {
    let server = Scripted::serve(move |seen| {
        let last = seen.last().unwrap();
        if last.is_for_a_token() {
            return Reply::token("the-token", 3600);
        }
        let came = seen.iter().filter(|seen| !seen.is_for_a_token()).count();
        answer(came, last)
    })
    .await;
    let client = Client::new(&server.config).unwrap();
    (server, client)
}

async fn make(client: &Client) -> Result<Vec<u8>, Error> {
    let made = client.begin().await?.make(KEY, &[]).await?;
    Ok(made.plaintext.as_slice().to_vec())
}

#[tokio::test]
async fn a_request_says_who_asks_for_what_and_how_it_is_found_again() {
    let (server, client) = service(|_, _| made()).await;
    assert_eq!(make(&client).await.unwrap(), b"secret!!!");
    let (tokens, requests) = server.seen();
    let form = String::from_utf8(tokens[0].body.clone()).unwrap();
    assert_eq!(
        form,
        "grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey=the%2Dapi%2Dkey"
    );
    let request = &requests[0];
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, format!("/api/v2/keys/{KEY}/actions/wrap"));
    assert_eq!(request.authorization, "Bearer the-token");
    assert_eq!(request.body, b"{}");
    assert!(Uuid::parse_str(&request.correlation_id).is_ok());
}

#[tokio::test]
async fn a_key_is_made_though_the_service_fails_at_first() {
    let (server, client) = service(|came, _| match came {
        1 => Reply::Json(503, json!({})),
        2 => Reply::Cut,
        3 => Reply::Text("<html>a proxy</html>"),
        4 => Reply::Wait(429, "0"),
        5 => Reply::Json(500, json!({})),
        _ => made(),
    })
    .await;
    assert_eq!(make(&client).await.unwrap(), b"secret!!!");
    let (_, requests) = server.seen();
    assert_eq!(requests.len(), 6);
    let correlation_id = &requests[0].correlation_id;
    assert!(
        requests
            .iter()
            .all(|request| request.correlation_id == *correlation_id)
    );
    assert_eq!(client.healing().requests, 5);
    assert!(!client.is_away());
}

#[tokio::test]
async fn a_wait_that_is_longer_than_the_deadline_is_not_begun() {
    let (server, client) = service(|_, _| Reply::Wait(429, "3600")).await;
    let error = make(&client).await.unwrap_err();
    assert_eq!(error.kind(), Some(Kind::RateLimited));
    assert!(error.is_busy() && error.is_retryable());
    assert_eq!(server.seen().1.len(), 1);
}

#[tokio::test]
async fn what_would_not_work_at_another_try_is_not_tried_again() {
    for (status, code) in [
        (400, "BAD_BODY_ERR"),
        (403, ""),
        (404, "KEY_NOT_FOUND_ERR"),
        (410, "KEY_DELETED_ERR"),
        (422, "UNPROCESSABLE_CIPHERTEXT_ERR"),
        (501, ""),
    ] {
        let (server, client) = service(move |_, _| Reply::refusal(status, code)).await;
        let error = make(&client).await.unwrap_err();
        let Error::Refused(refusal) = &error else {
            panic!("{error}");
        };
        assert_eq!((refusal.status, refusal.code.as_str()), (status, code));
        assert!(!client.is_away(), "that it refuses is an answer");
        assert_eq!(server.seen().1.len(), 1);
    }
}

#[tokio::test]
async fn a_disabled_root_key_is_said_to_be_disabled() {
    let (_server, client) = service(|_, seen| {
        if seen.path.ends_with("/metadata") {
            Reply::Json(200, json!({"resources": [{"id": KEY, "state": 2}]}))
        } else {
            Reply::refusal(409, "KEY_ACTION_INVALID_STATE_ERR")
        }
    })
    .await;
    let error = make(&client).await.unwrap_err();
    assert_eq!(error.kind(), Some(Kind::KeyDisabled));
    assert_eq!(
        error.root_key_trouble(),
        Some("the root key is disabled in the key manager")
    );
}

#[tokio::test]
async fn a_root_key_is_not_made_twice_where_the_answer_is_lost() {
    let (server, client) = service(|_, _| Reply::Cut).await;
    let service = client.begin().await.unwrap();
    let error = service.create_root_key("name", "alias", "").await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert_eq!(server.seen().1.len(), 1);
}

#[tokio::test]
async fn one_token_is_asked_for_however_many_wait_for_it() {
    let (server, client) = service(|_, _| made()).await;
    for made in join_all((0..64).map(|_| make(&client))).await {
        assert_eq!(made.unwrap(), b"secret!!!");
    }
    let (tokens, requests) = server.seen();
    assert_eq!((tokens.len(), requests.len()), (1, 64));
}

#[tokio::test]
async fn a_token_that_expired_early_is_renewed_once_for_all() {
    let number = AtomicUsize::new(0);
    let server = Scripted::serve(move |seen| {
        let last = seen.last().unwrap();
        if last.is_for_a_token() {
            let number = number.fetch_add(1, Ordering::Relaxed);
            return Reply::token(&format!("token-{number}"), 3600);
        }
        if last.authorization == "Bearer token-0" {
            return Reply::refusal(401, "UNAUTHORIZED_ERR");
        }
        made()
    })
    .await;
    let client = Client::new(&server.config).unwrap();
    for made in join_all((0..64).map(|_| make(&client))).await {
        assert_eq!(made.unwrap(), b"secret!!!");
    }
    assert_eq!(server.seen().0.len(), 2);
    assert_eq!(client.healing().sessions, 1);
}

#[tokio::test]
async fn a_service_that_takes_no_token_does_not_have_iam_asked_at_every_request() {
    let (server, _) = service(|_, _| Reply::refusal(401, "UNAUTHORIZED_ERR")).await;
    let config = KeyProtectConfig {
        deadline: std::time::Duration::from_millis(200),
        ..server.config.clone()
    };
    let client = Client::new(&config).unwrap();
    for _ in 0..64 {
        let error = make(&client).await.unwrap_err();
        // On a machine that is busy the short deadline may come first.
        assert!(matches!(error.kind(), None | Some(Kind::Unauthorized)), "{error}");
    }
    let tokens = server.seen().0.len();
    assert!(tokens <= 10, "{tokens} tokens for 64 requests");
}

#[tokio::test]
async fn a_token_that_lasts_no_time_serves_its_request_all_the_same() {
    let server = Scripted::serve(|seen| {
        if seen.last().unwrap().is_for_a_token() {
            return Reply::token("the-token", 0);
        }
        made()
    })
    .await;
    let client = Client::new(&server.config).unwrap();
    assert_eq!(make(&client).await.unwrap(), b"secret!!!");
    assert_eq!(make(&client).await.unwrap(), b"secret!!!");
    assert_eq!(server.seen().0.len(), 2);
}

#[tokio::test]
async fn an_api_key_that_is_replaced_in_its_file_is_used_without_a_restart() {
    let server = Scripted::serve(|seen| {
        let last = seen.last().unwrap();
        if !last.is_for_a_token() {
            return made();
        }
        if last.body.ends_with(b"=the%2Dapi%2Dkey") {
            let refusal =
                json!({"errorCode": "BXNIM0415E", "errorMessage": "no", "context": {"requestId": "r-1"}});
            return Reply::Json(400, refusal);
        }
        Reply::token("the-token", 3600)
    })
    .await;
    let client = Client::new(&server.config).unwrap();
    let error = make(&client).await.unwrap_err();
    assert_eq!(
        error,
        Error::ApiKeyRefused {
            code: "BXNIM0415E".into(),
            request: "r-1".into()
        }
    );
    assert!(error.is_retryable());
    assert!(make(&client).await.is_err());
    assert_eq!(
        server.seen().0.len(),
        1,
        "a refused key is not sent again and again"
    );
    std::fs::write(&server.api_key, "another-key\n").unwrap();
    while make(&client).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.seen().0.len(), 2);
}

#[tokio::test]
async fn a_service_that_is_away_is_given_up_and_noticed_when_it_is_back() {
    let is_back = Arc::new(AtomicBool::new(false));
    let answers = Arc::clone(&is_back);
    let (server, client) = service(move |_, _| {
        if answers.load(Ordering::Relaxed) {
            made()
        } else {
            Reply::Json(503, json!({}))
        }
    })
    .await;
    let refused_at_once = |error: &Error| match error {
        Error::Unavailable { correlation_id, .. } => correlation_id.is_empty(),
        other => panic!("{other}"),
    };
    while !refused_at_once(&make(&client).await.unwrap_err()) {}
    assert!(client.is_away());
    let before = server.seen().1.len();
    for _ in 0..100 {
        let _ = make(&client).await.unwrap_err();
    }
    let meanwhile = server.seen().1.len() - before;
    assert!(
        meanwhile < 50,
        "{meanwhile} of 100 went to a service that is away"
    );
    is_back.store(true, Ordering::Relaxed);
    while make(&client).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert!(!client.is_away());
    assert_eq!(client.healing().modules, 1);
}

#[tokio::test]
async fn the_proxy_of_the_configuration_is_the_way_to_the_service_and_to_iam() {
    let (server, _) = service(|_, _| made()).await;
    let mut config = server.config.clone();
    let proxy = std::mem::replace(&mut config.url, "http://127.0.0.1:1".to_owned());
    config.iam_url.clone_from(&config.url);
    config.proxy = Some(proxy);
    let client = Client::new(&config).unwrap();
    assert_eq!(make(&client).await.unwrap(), b"secret!!!");
    let (tokens, requests) = server.seen();
    assert_eq!((tokens.len(), requests.len()), (1, 1));
}

#[test]
fn what_can_not_be_used_is_said_before_anybody_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a-file");
    std::fs::write(&path, "a-key\n").unwrap();
    let api_key = ApiKeySource::File(path.clone());
    let config = KeyProtectConfig::new("ibm", "https://kms.example", "an-instance", api_key);
    assert!(Client::new(&config).is_ok());
    let changed = |change: fn(&mut KeyProtectConfig, &std::path::Path)| {
        let mut config = config.clone();
        change(&mut config, &path);
        Client::new(&config).err().expect("it can't be used").to_string()
    };
    let missing = folder.path().join("missing");
    let told = changed(|config, _| config.url = "http://kms.example".into());
    assert!(told.starts_with("url: "), "{told}");
    let told = changed(|config, _| config.instance_id = "a\nb".into());
    assert!(told.starts_with("instance_id: "), "{told}");
    let told = changed(|config, path| config.ca_file = Some(path.into()));
    assert!(told.starts_with("ca_file: "), "{told}");
    let told = changed(|config, _| config.proxy = Some("not a proxy".into()));
    assert!(told.starts_with("proxy: "), "{told}");
    let told = changed(|config, path| {
        config.api_key = ApiKeySource::File(path.with_file_name("missing"));
    });
    assert!(told.contains(&missing.display().to_string()), "{told}");
}

#[tokio::test]
async fn no_error_shows_a_token_a_key_or_a_ciphertext() {
    let leaking = |status: u16| {
        Reply::Json(
            status,
            json!({"plaintext": [PLAINTEXT], "errorMessage": "the-api-key the-token", "resources": [{
                "errorMsg": "the-token Y2lwaGVy",
                "reasons": [{"code": "A b=Y2lwaGVy", "message": "Y2lwaGVy"}],
            }]}),
        )
    };
    for status in [200, 400, 409, 422, 503] {
        let (server, _) = service(move |_, _| leaking(status)).await;
        let mut config = server.config.clone();
        config.deadline = std::time::Duration::from_millis(300);
        let client = Client::new(&config).unwrap();
        let error = client
            .begin()
            .await
            .unwrap()
            .unwrap(KEY, "Y2lwaGVy", &[])
            .await
            .err()
            .unwrap();
        let shown = format!("{error} {error:?}");
        for secret in ["the-token", API_KEY, PLAINTEXT] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
