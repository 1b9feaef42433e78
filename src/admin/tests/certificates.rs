//! Client certificates: one adapter each, and nothing else is taken for one.

use super::*;

#[tokio::test]
async fn a_certificate_belongs_to_one_adapter_and_the_administrator_is_told_which() {
    let fixture = Fixture::new().await.with_adapter("first").await;
    fixture.make("/v1/adapters", json!({ "name": "second" })).await;
    let pem = certificate_pem("vc");
    let added = fixture
        .make(
            "/v1/adapters/first/certificates",
            json!({ "pem": pem, "name": "mine" }),
        )
        .await;
    for adapter in ["first", "second"] {
        let path = format!("/v1/adapters/{adapter}/certificates");
        let (status, body) = fixture.post(&path, json!({ "pem": pem })).await;
        assert_eq!((status, code(&body)), (StatusCode::CONFLICT, "taken"));
        assert!(message(&body).contains("first"), "{body}");
        assert!(
            message(&body).contains(added["fingerprint"].as_str().unwrap()),
            "{body}"
        );
    }
    let path = format!(
        "/v1/adapters/second/certificates/{}",
        added["fingerprint"].as_str().unwrap()
    );
    let (status, _) = fixture.ask(Method::DELETE, &path, "").await;
    assert_eq!(
        status,
        StatusCode::NOT_FOUND,
        "it is not the second adapter's to take out"
    );
    assert_eq!(
        fixture.get("/v1/certificates").await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn what_is_not_one_certificate_is_refused_and_a_private_key_is_called_one() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let path = "/v1/adapters/vcenter/certificates";
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let two = certificate_pem("a") + &certificate_pem("b");
    for pem in ["", "rubbish", &two, &key] {
        let (status, body) = fixture.post(path, json!({ "pem": pem })).await;
        assert_eq!(
            (status, code(&body)),
            (StatusCode::BAD_REQUEST, "invalid"),
            "{body}"
        );
        let recorded = String::from_utf8(fixture.last_record().await.to_bytes()).unwrap();
        assert!(
            !key.lines().skip(1).any(|line| recorded.contains(line)),
            "a private key is in the log"
        );
    }
    let (_, body) = fixture.post(path, json!({ "pem": key })).await;
    assert!(message(&body).contains("private key"), "{body}");
}

#[tokio::test]
async fn a_common_name_that_cannot_be_a_name_is_replaced_by_the_fingerprint() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    for common_name in ["Büro 7", "x", "a/../b"] {
        let pem = certificate_pem(common_name);
        let added = fixture
            .make("/v1/adapters/vcenter/certificates", json!({ "pem": pem }))
            .await;
        let fingerprint = added["fingerprint"].as_str().unwrap();
        assert_eq!(added["name"], format!("cert-{}", &fingerprint[..16]));
    }
}
