//! Clients whose certificates an authority issued that an adapter trusts.

use claviger::adapter::{AdapterId, Authority, Only};
use claviger::endpoint::Reason;
use rustls::version::{TLS12, TLS13};
use time::OffsetDateTime;

use crate::certificates::{Kind, Pair, Purpose, Wanted};
use crate::support::{Client, Server, closed};

const DAY: i64 = 86_400;

fn wanted() -> Wanted {
    Wanted {
        kind: Kind::P256,
        ..Wanted::default()
    }
}

fn authority(name: &str) -> Pair {
    Pair::new(name, &Wanted { ca: true, ..wanted() })
}

/// Who trusts whom: the adapters are `adapter-0` and so on.
fn trust(server: &Server, trusted: &[(AdapterId, &Pair, Only)]) {
    let refused = server.identities.trust(trusted.iter().enumerate().map(
        |(index, (adapter, authority, only))| {
            let pem = authority.certificate.to_pem().unwrap();
            let then = OffsetDateTime::UNIX_EPOCH;
            let name = format!("authority-{index}");
            let read = Authority::from_pem(*adapter, &name, &pem, only.clone(), then, "olivia".into());
            (*adapter, format!("adapter-{index}"), read.unwrap().0)
        },
    ));
    assert!(refused.is_empty(), "{refused:?}");
}

async fn is_let_in(server: &Server, client: &Client, adapter: &str) {
    client.converse(server).await.expect("it is let in");
    let requests = server.echo.requests.lock().unwrap();
    assert_eq!(requests.last().unwrap().0, adapter);
}

/// Has a client refused, and returns why.
async fn refusal(client: &Client, authorities: &[(AdapterId, &Pair, Only)]) -> Reason {
    let server = Server::start();
    trust(&server, authorities);
    client.converse(&server).await.expect_err("it is refused");
    let reason = server.refused.first().await.refusal.unwrap().reason;
    assert!(server.echo.requests.lock().unwrap().is_empty());
    server.endpoint.stop().await;
    reason
}

fn everything(adapter: AdapterId, authority: &Pair) -> (AdapterId, &Pair, Only) {
    (adapter, authority, Only::default())
}

#[tokio::test]
async fn a_client_comes_in_by_its_authority_and_reaches_the_adapter_of_that_alone() {
    let server = Server::start();
    let (east, west) = (authority("east"), authority("west"));
    let (one, other) = (AdapterId::new(), AdapterId::new());
    trust(&server, &[everything(one, &east), everything(other, &west)]);
    for versions in [[&TLS12], [&TLS13]] {
        for (issuer, adapter) in [(&east, "adapter-0"), (&west, "adapter-1")] {
            let direct = Pair::issued("vcenter", &wanted(), issuer, Purpose::Client);
            is_let_in(&server, &Client::new(&direct, &versions), adapter).await;
            let below = Pair::issued("issuing", &Wanted { ca: true, ..wanted() }, issuer, Purpose::Any);
            let leaf = Pair::issued("vcenter", &wanted(), &below, Purpose::Any);
            let client = Client::with_chain(&leaf, &[&below], &versions);
            is_let_in(&server, &client, adapter).await;
        }
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_for_this_is_refused_and_it_is_said_why() {
    let trusted = authority("internal");
    let adapter = AdapterId::new();
    let with = |wanted: &Wanted, purpose| {
        Client::new(&Pair::issued("vcenter", wanted, &trusted, purpose), &[&TLS13])
    };
    let lasting = |from, until| Wanted {
        from,
        until,
        ..wanted()
    };
    let ca = Wanted { ca: true, ..wanted() };
    let server_purpose = refusal(
        &with(&wanted(), Purpose::Server),
        &[everything(adapter, &trusted)],
    )
    .await;
    assert_eq!(server_purpose, Reason::Purpose);
    let expired = with(&lasting(-2 * DAY, -DAY), Purpose::Client);
    let expired = refusal(&expired, &[everything(adapter, &trusted)]).await;
    assert!(matches!(expired, Reason::Expired { .. }), "{expired:?}");
    let early = with(&lasting(DAY, 2 * DAY), Purpose::Client);
    let early = refusal(&early, &[everything(adapter, &trusted)]).await;
    assert!(matches!(early, Reason::NotYetValid { .. }), "{early:?}");
    let is_authority = refusal(&with(&ca, Purpose::Any), &[everything(adapter, &trusted)]).await;
    assert_eq!(is_authority, Reason::Untrusted);
    let only = Only {
        subject: vec!["CN=other".into()],
        ..Only::default()
    };
    let other_name = with(&wanted(), Purpose::Client);
    let other_name = refusal(&other_name, &[(adapter, &trusted, only)]).await;
    assert_eq!(other_name, Reason::NotIncluded);
}

#[tokio::test]
async fn an_authority_that_nobody_trusts_lets_nobody_in_whatever_its_name() {
    let trusted = authority("internal");
    let adapter = AdapterId::new();
    let of_the_same_name = authority("internal");
    let forged = Pair::issued("vcenter", &wanted(), &of_the_same_name, Purpose::Client);
    let reason = refusal(&Client::new(&forged, &[&TLS13]), &[everything(adapter, &trusted)]).await;
    assert!(
        matches!(reason, Reason::Unknown | Reason::Untrusted),
        "{reason:?}"
    );
    // A certificate that is no authority's signs another one.
    let leaf = Pair::issued("vcenter", &wanted(), &trusted, Purpose::Client);
    let below = Pair::issued("vcenter-2", &wanted(), &leaf, Purpose::Client);
    let client = Client::with_chain(&below, &[&leaf], &[&TLS13]);
    let reason = refusal(&client, &[everything(adapter, &trusted)]).await;
    assert!(
        matches!(reason, Reason::Unknown | Reason::Untrusted),
        "{reason:?}"
    );
    // The authority in between did not come.
    let ca = Wanted { ca: true, ..wanted() };
    let between = Pair::issued("issuing", &ca, &trusted, Purpose::Any);
    let leaf = Pair::issued("vcenter", &wanted(), &between, Purpose::Client);
    let client = Client::new(&leaf, &[&TLS13]);
    assert_eq!(
        refusal(&client, &[everything(adapter, &trusted)]).await,
        Reason::Unknown
    );
}

#[tokio::test]
async fn a_client_whose_authority_two_adapters_trust_reaches_neither() {
    let shared = authority("internal");
    let (one, other) = (AdapterId::new(), AdapterId::new());
    let leaf = Pair::issued("vcenter", &wanted(), &shared, Purpose::Client);
    let client = Client::new(&leaf, &[&TLS13]);
    let both = [everything(one, &shared), everything(other, &shared)];
    assert_eq!(refusal(&client, &both).await, Reason::Ambiguous);

    // Told apart by their names, each reaches its own.
    let only = |name: &str| Only {
        dns_names: vec![name.into()],
        ..Only::default()
    };
    let server = Server::start();
    trust(
        &server,
        &[(one, &shared, only("other")), (other, &shared, only("vcenter"))],
    );
    is_let_in(&server, &client, "adapter-1").await;
}

#[tokio::test]
async fn a_client_is_shut_out_when_its_authority_is_no_longer_trusted() {
    let server = Server::start();
    let trusted = authority("internal");
    let adapter = AdapterId::new();
    trust(&server, &[everything(adapter, &trusted)]);
    let leaf = Pair::issued("vcenter", &wanted(), &trusted, Purpose::Client);
    let client = Client::new(&leaf, &[&TLS13]);
    let mut open = client.converse(&server).await.unwrap();
    trust(&server, &[everything(adapter, &trusted)]);
    crate::support::ask(&mut open, &crate::support::message(24))
        .await
        .expect("what stays trusted keeps its connections");
    trust(&server, &[]);
    assert!(closed(&mut open).await.is_empty());
    // The client resumes its session, and is judged anew.
    client.converse(&server).await.expect_err("it is shut out");
}

#[tokio::test]
async fn a_certificate_that_is_admitted_by_itself_goes_before_its_authority() {
    let server = Server::start();
    let trusted = authority("internal");
    trust(&server, &[everything(AdapterId::new(), &trusted)]);
    let leaf = Pair::issued("vcenter", &wanted(), &trusted, Purpose::Server);
    server.admit(&[&authority("first"), &leaf]);
    is_let_in(&server, &Client::new(&leaf, &[&TLS13]), "adapter-1").await;
}
