//! Who is let in.

use claviger::endpoint::Reason;
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, NamedGroup, SupportedProtocolVersion};

use crate::certificates::{Kind, Pair, Wanted};
use crate::support::{Client, Server, ask, closed, message};

const BOTH: [&[&SupportedProtocolVersion]; 2] = [&[&TLS12], &[&TLS13]];

fn pair(wanted: &Wanted) -> Pair {
    Pair::new("kmipClient20261124080000", wanted)
}

#[tokio::test]
async fn every_kind_of_admitted_certificate_gets_in_over_both_versions_of_tls() {
    let usual = Wanted::default();
    let kinds = [
        Wanted {
            kind: Kind::Rsa2048,
            ..usual.clone()
        },
        Wanted {
            kind: Kind::Rsa4096,
            ca: true,
            ..usual.clone()
        },
        Wanted {
            kind: Kind::Rsa2048,
            version: 1,
            ..usual.clone()
        },
        Wanted {
            kind: Kind::Rsa2048,
            sha1: true,
            ..usual.clone()
        },
        Wanted {
            kind: Kind::P256,
            ..usual.clone()
        },
        Wanted {
            kind: Kind::P256,
            version: 1,
            ..usual.clone()
        },
        Wanted {
            kind: Kind::P384,
            ca: true,
            ..usual.clone()
        },
        Wanted {
            kind: Kind::P384,
            version: 1,
            ..usual.clone()
        },
        Wanted {
            kind: Kind::Ed25519,
            ..usual.clone()
        },
    ];
    let pairs: Vec<_> = kinds.iter().map(pair).collect();
    for server_kind in [Kind::P256, Kind::Rsa2048] {
        let server = Server::with("", server_kind);
        server.admit(&pairs.iter().collect::<Vec<_>>());
        for (index, pair) in pairs.iter().enumerate() {
            for versions in BOTH {
                let client = Client::new(pair, versions);
                client
                    .converse(&server)
                    .await
                    .unwrap_or_else(|error| panic!("{:?} {versions:?}: {error}", kinds[index]));
                let requests = server.echo.requests.lock().unwrap();
                assert_eq!(requests.last().unwrap().0, format!("adapter-{index}"));
            }
        }
        server.endpoint.stop().await;
    }
}

#[tokio::test]
async fn a_client_that_can_gets_a_key_exchange_that_outlasts_quantum_computers() {
    let server = Server::start();
    let pair = pair(&Wanted::default());
    server.admit(&[&pair]);
    let stream = Client::new(&pair, &[&TLS13]).converse(&server).await.unwrap();
    let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), NamedGroup::X25519MLKEM768);
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_and_kept_for_the_operator_to_admit() {
    for versions in BOTH {
        let server = Server::start();
        let (known, unknown) = (
            pair(&Wanted::default()),
            pair(&Wanted {
                version: 1,
                ..Wanted::default()
            }),
        );
        server.admit(&[&known]);
        let error = Client::new(&unknown, versions)
            .converse(&server)
            .await
            .expect_err("it is unknown");
        assert!(error.to_string().contains("CertificateUnknown"), "{error}");
        let told = server.refused.first().await;
        let refusal = told.refusal.unwrap();
        let certificate = refusal.certificate.unwrap();
        assert_eq!((refusal.reason, told.count), (Reason::Unknown, 1));
        assert_eq!(certificate.der, unknown.der().to_vec());
        assert!(certificate.subject.contains("kmipClient20261124080000"));
        let kept = format!("state/refused/{}.pem", certificate.fingerprint);
        let kept = std::fs::read(server.folder.path().join(kept)).unwrap();
        let kept = openssl::x509::X509::from_pem(&kept).unwrap();
        assert_eq!(kept.to_der().unwrap(), certificate.der);
        assert!(server.echo.requests.lock().unwrap().is_empty());
        // What was kept is what the command would admit.
        server.admit(&[&known, &unknown]);
        Client::new(&unknown, versions)
            .converse(&server)
            .await
            .expect("it is known now");
    }
}

#[tokio::test]
async fn a_known_certificate_without_its_key_is_refused() {
    for versions in BOTH {
        for kind in [Kind::Rsa2048, Kind::P256] {
            let server = Server::start();
            let wanted = Wanted {
                kind,
                ..Wanted::default()
            };
            let (known, thief) = (pair(&wanted), pair(&wanted));
            server.admit(&[&known]);
            Client::with_key_of(&known, &thief, versions)
                .converse(&server)
                .await
                .expect_err("no proof");
            let refusal = server.refused.first().await.refusal.unwrap();
            assert_eq!(refusal.reason, Reason::NoProof);
            assert!(server.echo.requests.lock().unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let server = Server::start();
    Client::without_certificate()
        .converse(&server)
        .await
        .expect_err("a certificate is required");
    let refusal = server.refused.first().await.refusal.unwrap();
    assert_eq!(
        (refusal.reason, refusal.certificate),
        (Reason::NoCertificate, None)
    );
}

#[tokio::test]
async fn a_certificate_outside_its_dates_is_refused_unless_the_operator_allows_it() {
    let expired = pair(&Wanted {
        from: -7200,
        until: -3600,
        ..Wanted::default()
    });
    let early = pair(&Wanted {
        from: 3600,
        ..Wanted::default()
    });
    for versions in BOTH {
        for (pair, code) in [(&expired, "expired"), (&early, "not-yet-valid")] {
            let server = Server::start();
            server.admit(&[pair]);
            Client::new(pair, versions)
                .converse(&server)
                .await
                .expect_err(code);
            assert_eq!(server.refused.first().await.refusal.unwrap().reason.code(), code);

            let server = Server::with("allow_expired_client_certificates = true", Kind::P256);
            server.admit(&[pair]);
            Client::new(pair, versions)
                .converse(&server)
                .await
                .expect("it is allowed");
        }
    }
}

#[tokio::test]
async fn a_session_is_resumed_while_its_certificate_is_admitted_and_not_after() {
    for versions in BOTH {
        let server = Server::start();
        let (pair, other) = (pair(&Wanted::default()), pair(&Wanted::default()));
        server.admit(&[&pair, &other]);
        let client = Client::new(&pair, versions);
        let first = client.converse(&server).await.unwrap();
        assert_eq!(first.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
        let second = client.converse(&server).await.unwrap();
        assert_eq!(
            second.get_ref().1.handshake_kind(),
            Some(HandshakeKind::Resumed),
            "{versions:?}"
        );

        server.admit(&[&other]);
        let answered = server.echo.requests.lock().unwrap().len();
        let third = client.converse(&server).await;
        assert!(third.is_err(), "a removed certificate came back by resumption");
        assert_eq!(server.echo.requests.lock().unwrap().len(), answered);
        assert_eq!(
            server.refused.first().await.refusal.unwrap().reason,
            Reason::Removed
        );
    }
}

#[tokio::test]
async fn a_certificate_that_is_removed_loses_its_open_connections_at_once() {
    let server = Server::start();
    let (gone, stays) = (pair(&Wanted::default()), pair(&Wanted::default()));
    server.admit(&[&stays, &gone]);
    let mut lost = Client::new(&gone, &[&TLS13]).converse(&server).await.unwrap();
    let mut kept = Client::new(&stays, &[&TLS12]).converse(&server).await.unwrap();
    let identities = server.identities.clone();
    identities.replace([certificate(&stays)]);
    // It has asked nothing more, and is told all the same.
    assert_eq!(closed(&mut lost).await, b"");
    assert_eq!(identities.len(), 1);
    // The other one's adapter is another now, as its identifier is, so that it has to come again.
    assert_eq!(closed(&mut kept).await, b"");
    let mut kept = Client::new(&stays, &[&TLS12]).converse(&server).await.unwrap();
    identities.replace([certificate(&stays), certificate(&gone)].into_iter().take(0));
    assert_eq!(closed(&mut kept).await, b"");
    let _ = ask(&mut kept, &message(8))
        .await
        .expect_err("the connection is closed");
}

#[tokio::test]
async fn a_list_that_is_loaded_anew_leaves_the_connections_of_who_stays() {
    let server = Server::start();
    let (first, second) = (pair(&Wanted::default()), pair(&Wanted::default()));
    let (one, two) = (certificate(&first), certificate(&second));
    server.identities.replace([one.clone()]);
    let mut stream = Client::new(&first, &[&TLS13]).converse(&server).await.unwrap();
    server.identities.replace([one.clone(), two.clone()]);
    ask(&mut stream, &message(8)).await.expect("it is still admitted");
    server.identities.replace([two]);
    assert_eq!(closed(&mut stream).await, b"");
}

fn certificate(pair: &Pair) -> (claviger::adapter::ClientCertificate, String) {
    let id = claviger::adapter::AdapterId::new();
    let now = time::OffsetDateTime::now_utc();
    let certificate = claviger::adapter::ClientCertificate::from_der(id, "client", &pair.der(), now).unwrap();
    (certificate, "adapter".into())
}
