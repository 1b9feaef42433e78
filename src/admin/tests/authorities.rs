//! Authorities that adapters trust.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};

use super::*;

fn authority(name: &str) -> String {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap()
        .pem()
}

#[tokio::test]
async fn an_authority_is_trusted_and_no_longer_at_once_and_on_record() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let path = "/v1/adapters/vcenter/authorities";
    let new = json!({ "name": "internal", "pem": authority("Internal CA"), "subject_parts": ["O=Example"] });
    let made = fixture.make(path, new.clone()).await;
    assert_eq!(made["adapter"], "vcenter");
    let (status, listed) = fixture.ask(Method::GET, path, "").await;
    assert_eq!((status, &listed["items"][0]), (StatusCode::OK, &made));
    let (_, body) = fixture.post(path, new).await;
    assert_eq!(code(&body), "taken", "{body}");
    let (status, body) = fixture.ask(Method::DELETE, &format!("{path}/internal"), "").await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    let records = fixture.records().await;
    let told: Vec<_> = records[2..]
        .iter()
        .map(|record| (record.event, record.outcome))
        .collect();
    assert_eq!(
        told,
        [
            (EventName::AuthorityAdd, Outcome::Success),
            (EventName::AuthorityAdd, Outcome::Refused),
            (EventName::AuthorityRemove, Outcome::Success),
        ]
    );
    assert_eq!(
        records[2].certificate.as_ref().unwrap().fingerprint,
        made["fingerprint"]
    );
    assert_eq!(
        fixture.reloads.0.load(Ordering::SeqCst),
        3,
        "each change of who is let in works at once"
    );
}

#[tokio::test]
async fn two_adapters_trust_one_authority_only_where_both_say_for_whom() {
    let fixture = Fixture::new().await.with_adapter("east").await;
    fixture.make("/v1/adapters", json!({ "name": "west" })).await;
    let pem = authority("Internal CA");
    let all = json!({ "name": "internal", "pem": pem });
    let some = |name: &str| json!({ "name": "internal", "pem": pem, "dns_names": [name] });
    let (east, west) = ("/v1/adapters/east/authorities", "/v1/adapters/west/authorities");
    fixture.make(east, some("*.east.example.com")).await;
    for new in [all.clone(), some("*.east.example.com")] {
        let (_, body) = fixture.post(west, new).await;
        assert_eq!(code(&body), "taken", "{body}");
    }
    fixture.make(west, some("*.west.example.com")).await;
    let other = json!({ "name": "all", "pem": authority("Other CA") });
    fixture.make(east, other).await;
}

#[tokio::test]
async fn a_client_s_certificate_is_not_taken_for_an_authority_s() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let new = json!({ "name": "internal", "pem": certificate_pem("kmipClient20261124080000") });
    let (_, body) = fixture.post("/v1/adapters/vcenter/authorities", new).await;
    assert_eq!(code(&body), "invalid", "{body}");
    assert!(message(&body).contains("CA:TRUE"), "{body}");
}
