//! The certificate that the server shows, while clients are brought from one to another.

use rustls::version::{TLS12, TLS13};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::certificates::{Kind, Pair, Wanted};
use crate::support::{Client, Server, ask, message, within};

fn pair(name: &str) -> Pair {
    Pair::new(
        name,
        &Wanted {
            kind: Kind::P256,
            ..Wanted::default()
        },
    )
}

fn shown(stream: &TlsStream<TcpStream>) -> Vec<u8> {
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn a_client_that_trusts_the_old_certificate_and_one_that_trusts_the_new_reach_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (new, old) = (pair("kms.example"), pair("kms.example"));
    new.write(folder.path(), "server");
    old.write(folder.path(), "old");
    let settings =
        "[kmip.previous]\nlisten = [\"127.0.0.1:0\"]\ncertificate = \"old.pem\"\nkey = \"old.key\"\n";
    let server = Server::within(folder, settings);
    let vcenter = pair("vcenter");
    server.admit(&[&vcenter]);
    let previous = server.endpoint.previous_addresses()[0];
    for versions in [[&TLS12], [&TLS13]] {
        for (address, expected) in [(server.address, &new), (previous, &old)] {
            let client = Client::new(&vcenter, &versions);
            let mut stream = client.connect_to(address).await.unwrap();
            ask(&mut stream, &message(24)).await.unwrap();
            assert_eq!(shown(&stream), expected.der().to_vec());
        }
    }
}

#[tokio::test]
async fn another_certificate_drops_no_connection_and_is_on_record() {
    let server = Server::start();
    let vcenter = pair("vcenter");
    server.admit(&[&vcenter]);
    let client = Client::new(&vcenter, &[&TLS12]);
    let mut open = client.converse(&server).await.unwrap();
    let before = shown(&open);

    let new = pair("kms.example");
    new.write(server.folder.path(), "server");
    let mut recorded = server.refused.shown.subscribe();
    within(recorded.wait_for(|all| !all.is_empty())).await.unwrap();
    let all = recorded.borrow().clone();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].der, new.der().to_vec());

    ask(&mut open, &message(24)).await.expect("it stays open");
    let another = Client::new(&vcenter, &[&TLS12]).converse(&server).await.unwrap();
    assert_eq!(shown(&another), new.der().to_vec());
    assert_ne!(shown(&another), before);
}
