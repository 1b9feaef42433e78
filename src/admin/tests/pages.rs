//! The auditor's pages.

use axum::http::HeaderMap;
use ed25519_dalek::{Signer as _, SigningKey};
use uuid::Uuid;

use super::super::pages::routes_of;
use super::*;
use crate::custody::{Event, ObjectFacts, SignatureType, TlogProof, VerifierKey};
use crate::recorder::tests::faulty::{How, Step};
use crate::recorder::{Checkpoints, SignError, Signer};

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Fixture {
    /// Asks as the auditor Ada.
    async fn visit(&self, request: Request<Body>) -> Answer {
        let routes = routes_of(Arc::clone(&self.administration), "Ada");
        let reply = TowerToHyperService::new(routes).call(request).await.unwrap();
        let (status, headers) = (reply.status(), reply.headers().clone());
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        Answer {
            status,
            headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn page(&self, path: &str) -> Answer {
        self.visit(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form with files, as a browser does.
    async fn send(&self, fields: &[(&str, &str)]) -> Answer {
        let mut body = String::new();
        for (name, value) in fields {
            let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"");
            body.extend([&head, "\r\n\r\n", value, "\r\n"]);
        }
        body += "--b--\r\n";
        let request = Request::post("/verify").header("content-type", "multipart/form-data; boundary=b");
        self.visit(request.body(Body::from(body)).unwrap()).await
    }

    /// A record of a client's about an object of this identifier, whose name is this.
    async fn record_get(&self, identifier: &str, name: &str) -> u64 {
        let actor = Actor::Client {
            certificate: "ab".repeat(32),
            subject: "O=VMware, CN=vcenter-1".into(),
            issuer: String::new(),
            serial: String::new(),
            user: None,
        };
        let mut event = Event::new(EventName::KmipGet, actor);
        event.object = Some(ObjectFacts {
            identifier: identifier.into(),
            attributes: [("x-Name".to_owned(), name.to_owned())].into(),
            ..ObjectFacts::default()
        });
        self.recorder.commit(Vec::new(), event).await.unwrap().sequence
    }

    /// Has the log signed, and waits until a checkpoint is over all of it.
    pub(super) async fn sign(&self) -> VerifierKey {
        let signer = Arc::new(TestSigner(SigningKey::from_bytes(&[7; 32])));
        let key = signer.key();
        self.recorder.sign_with(Checkpoints {
            origin: "test/claviger".into(),
            signer,
            cosigner: None,
            interval: Duration::from_millis(1),
            heartbeat: Duration::from_hours(1),
        });
        let size = self.recorder.status().head.size;
        let mut checkpoints = self.recorder.checkpoints();
        let done = checkpoints.wait_for(|status| status.lag(size) == 0);
        done.await.unwrap();
        key
    }
}

struct TestSigner(SigningKey);

#[async_trait]
impl Signer for TestSigner {
    fn key(&self) -> VerifierKey {
        let public = self.0.verifying_key();
        VerifierKey::new("test/claviger", SignatureType::Ed25519, public.as_bytes()).unwrap()
    }

    async fn sign(&self, text: &str) -> Result<Vec<u8>, SignError> {
        Ok(self.0.sign(text.as_bytes()).to_bytes().to_vec())
    }
}

#[tokio::test]
async fn what_an_auditor_looks_at_is_on_record() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    for (path, event) in [
        ("/", EventName::AuditorView),
        ("/records?event=kmip.get", EventName::AuditorView),
        ("/keys?adapter=vcenter", EventName::AuditorView),
        ("/records/0", EventName::AuditorView),
        ("/verify", EventName::AuditorView),
        ("/records/0/record.json", EventName::AuditorDownload),
    ] {
        let answer = fixture.page(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text);
        let record = fixture.last_record().await;
        assert_eq!(
            (record.event, record.outcome),
            (event, Outcome::Success),
            "{path}"
        );
        assert_eq!(record.details["path"], path.split('?').next().unwrap());
        assert_eq!(
            record.details.get("query").map(String::as_str),
            path.split_once('?').map(|(_, query)| query)
        );
        let Actor::Auditor {
            certificate, subject, ..
        } = record.actor
        else {
            panic!("{path}: {:?}", record.actor);
        };
        assert_eq!(
            (certificate, subject),
            ("ad".repeat(32), "O=Example, CN=Ada".to_owned())
        );
        assert_eq!(record.origin.unwrap().address.to_string(), "192.0.2.1");
    }
    let missing = fixture.page("/elsewhere").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(fixture.last_record().await.details["path"], "/elsewhere");
}

#[tokio::test]
async fn what_can_not_be_recorded_is_not_shown() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    fixture.plan.fail(Step::Begin, How::Failed);
    let answer = fixture.page("/keys").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        answer.text.contains("recorded") && !answer.text.contains("vcenter"),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn nothing_that_is_shown_runs_in_the_browser() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";
    let identifier = "../x\"><script>";
    let sequence = fixture.record_get(identifier, hostile).await;
    for path in [
        "/".to_owned(),
        "/records".to_owned(),
        format!("/records?key={}", "%22%3E%3Cscript%3E"),
        format!("/records/{sequence}"),
        "/keys/..%2Fx%22%3E%3Cscript%3E".to_owned(),
        "/%3Cscript%3E".to_owned(),
        "/style.css".to_owned(),
    ] {
        let answer = fixture.page(&path).await;
        assert!(
            !answer.text.contains("<script") && !answer.text.contains("<img"),
            "{path}: {}",
            answer.text
        );
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
    }
    let life = fixture.page("/keys/..%2Fx%22%3E%3Cscript%3E").await;
    assert_eq!(life.status, StatusCode::OK);
    assert!(life.text.contains("vcenter-1"), "{}", life.text);
}

#[tokio::test]
async fn a_page_of_another_site_learns_nothing_and_leaves_no_record() {
    let fixture = Fixture::new().await;
    let before = fixture.records().await.len();
    for (method, mode) in [(Method::GET, "no-cors"), (Method::POST, "navigate")] {
        let request = Request::builder()
            .method(method)
            .uri("/verify")
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", mode);
        let answer = fixture.visit(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::FORBIDDEN, ""));
    }
    assert_eq!(fixture.records().await.len(), before);
    let answer = fixture
        .visit(Request::delete("/records/0").body(Body::empty()).unwrap())
        .await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_key_is_found_among_others_and_its_records_in_pages() {
    let fixture = Fixture::new().await;
    let (mine, other) = (Uuid::from_u128(1).to_string(), Uuid::from_u128(2).to_string());
    for _ in 0..60 {
        fixture.record_get(&mine, "mine").await;
        fixture.record_get(&other, "other").await;
    }
    let rows = |answer: &Answer| answer.text.matches("<td class=\"said\">").count();
    let first = fixture
        .page(&format!("/records?key={mine}&outcome=success"))
        .await;
    assert_eq!(rows(&first), 50);
    assert!(!first.text.contains(&other));
    let (_, further) = first.text.split_once("href=\"/records?key=").unwrap();
    let further = further
        .split_once('"')
        .unwrap()
        .0
        .replace("&#38;", "&")
        .replace("&amp;", "&");
    let second = fixture.page(&format!("/records?key={further}")).await;
    assert_eq!(rows(&second), 10);
    let none = fixture.page(&format!("/records?key={mine}&outcome=failed")).await;
    assert_eq!(rows(&none), 0);
    let client = "AB:".repeat(31) + "AB";
    assert_eq!(
        rows(&fixture.page(&format!("/records?client={client}")).await),
        50
    );
    let later = fixture.page("/records?since=2100-01-01").await;
    assert_eq!(rows(&later), 0);
    let wrong = fixture.page("/records?since=soon").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.text.contains("soon"));
}

#[tokio::test]
async fn a_proof_taken_along_holds_for_its_record_and_for_no_other() {
    let fixture = Fixture::new().await;
    for number in 0..9 {
        fixture.record_get("a key", &format!("name {number}")).await;
    }
    let unsigned = fixture.page("/records/4/proof").await;
    assert_eq!(unsigned.status, StatusCode::NOT_FOUND, "{}", unsigned.text);
    let key = fixture.sign().await;
    let proof = fixture.page("/records/4/proof").await;
    assert_eq!(proof.status, StatusCode::OK, "{}", proof.text);
    assert!(
        proof.headers["content-disposition"]
            .to_str()
            .unwrap()
            .contains("record-4.tlog-proof")
    );
    let bytes = fixture.page("/records/4/record.json").await.text;
    let parsed: TlogProof = proof.text.parse().unwrap();
    assert!(parsed.verify(bytes.as_bytes(), [&key]).is_ok());

    let holds = fixture
        .send(&[("proof", &proof.text), ("record", &bytes), ("key", "")])
        .await;
    assert_eq!(holds.status, StatusCode::OK, "{}", holds.text);
    assert!(holds.text.contains("The proof holds") && holds.text.contains("begins with the log"));
    assert_eq!(fixture.last_record().await.details["result"], "it holds");
    let of_this_log = fixture.send(&[("proof", &proof.text)]).await;
    assert_eq!(of_this_log.status, StatusCode::OK, "{}", of_this_log.text);

    let changed = bytes.replace("name 4", "name 5");
    let other_log = proof.text.replace("index 4", "index 5");
    let other_key = SigningKey::from_bytes(&[8; 32]).verifying_key();
    let other_key = VerifierKey::new("test/claviger", SignatureType::Ed25519, other_key.as_bytes()).unwrap();
    for fields in [
        vec![("proof", proof.text.as_str()), ("record", changed.as_str())],
        vec![("proof", other_log.as_str()), ("record", bytes.as_str())],
        vec![("proof", proof.text.as_str()), ("key", &other_key.to_string())],
        vec![("proof", "no proof"), ("record", bytes.as_str())],
    ] {
        let refused = fixture.send(&fields).await;
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{}",
            refused.text
        );
        assert!(
            refused.text.contains("The proof does not hold"),
            "{}",
            refused.text
        );
        let record = fixture.last_record().await;
        assert_eq!(record.event, EventName::AuditorVerify);
        assert!(
            record.details["result"].contains("does not hold"),
            "{:?}",
            record.details
        );
    }
    assert_eq!(fixture.send(&[]).await.status, StatusCode::BAD_REQUEST);
}

/// What a browser never sends.
#[tokio::test]
async fn garbage_that_is_sent_in_for_a_proof_is_refused_and_on_record() {
    let fixture = Fixture::new().await;
    for number in 0..3 {
        fixture.record_get("a key", &format!("name {number}")).await;
    }
    let key = fixture.sign().await;
    let form = "multipart/form-data; boundary=b";
    let head = "--b\r\nContent-Disposition: form-data; name=\"proof\"; filename=\"../../f\"\r\n\r\n";
    let file = |bytes: &[u8]| [head.as_bytes(), bytes, b"\r\n--b--\r\n"].concat();
    let proof = fixture.page("/records/0/proof").await.text;
    let beyond = proof.replace("index 0", "index 18446744073709551615");
    assert_ne!(beyond, proof);
    let (_, note) = proof.split_once("\n\n").unwrap();
    let endless = format!(
        "c2sp.org/tlog-proof@v1\nindex 0\n{}\n{note}",
        "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n".repeat(10_000)
    );
    for (content_type, body, status) in [
        ("text/plain", file(b"a"), StatusCode::BAD_REQUEST),
        ("multipart/form-data", file(b"a"), StatusCode::BAD_REQUEST),
        (form, vec![0xff; 4096], StatusCode::BAD_REQUEST),
        (form, head.into(), StatusCode::BAD_REQUEST),
        (form, file(&vec![b'\n'; 1 << 16]), StatusCode::BAD_REQUEST),
        (form, file(&vec![b'a'; 2 << 20]), StatusCode::PAYLOAD_TOO_LARGE),
        (form, file(&[0xff; 4096]), StatusCode::UNPROCESSABLE_ENTITY),
        (form, file(beyond.as_bytes()), StatusCode::UNPROCESSABLE_ENTITY),
        (form, file(endless.as_bytes()), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let request = Request::post("/verify").header("content-type", content_type);
        let said = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        let answer = fixture.visit(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, status, "{content_type} {said:?}: {}", answer.text);
        let record = fixture.last_record().await;
        assert_eq!(record.event, EventName::AuditorVerify, "{said:?}");
        assert_ne!(record.details["result"], "it holds");
    }
    let parsed: TlogProof = proof.parse().unwrap();
    let record = fixture.page("/records/0/record.json").await.text;
    assert!(parsed.verify(record.as_bytes(), [&key]).is_ok());
}
