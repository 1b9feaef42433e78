//! Certificates that are made, signed and replaced.

use std::process::Command;

use super::*;

#[test]
fn a_client_whose_pair_was_made_here_is_served_and_one_whose_request_was_signed() {
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    let password = at("password");
    std::fs::write(&password, "secret\n").expect("the folder can be written to");
    let text = |path: &Path| path.to_str().expect("a path").to_owned();
    server.must(&[
        "certificate",
        "make",
        ADAPTER,
        "esxi-1",
        "--folder",
        &text(folder.path()),
        "--pkcs12-password-file",
        &text(&password),
    ]);
    for file in ["esxi-1.pem", "esxi-1.key", "esxi-1.p12"] {
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(at(file)).expect("it is there"));
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    // What is there is not written over.
    assert!(
        !server
            .claviger(&[
                "certificate",
                "make",
                ADAPTER,
                "esxi-1",
                "--folder",
                &text(folder.path())
            ])
            .status
            .success()
    );

    let made = Command::new("openssl")
        .args([
            "req",
            "-new",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=vcenter.example",
        ])
        .args([
            "-keyout",
            &text(&at("vcenter.key")),
            "-out",
            &text(&at("vcenter.csr")),
        ])
        .output()
        .expect("openssl starts");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    server.must(&[
        "certificate",
        "sign",
        ADAPTER,
        &text(&at("vcenter.csr")),
        "--name",
        "vcenter",
        "--file",
        &text(&at("vcenter.pem")),
    ]);
    for name in ["esxi-1", "vcenter"] {
        let mut client = server.unknown_client("template");
        client.certificate = at(&format!("{name}.pem"));
        client.key = at(&format!("{name}.key"));
        let answer = client.connect().exchange(&message::create());
        assert!(!message::identifier(&answer).is_empty());
    }
    server.verify_custody_log();
}

#[test]
fn a_new_certificate_of_the_server_is_shown_and_no_connection_is_dropped() {
    let server = Server::start();
    let client = server.client("vcenter-1");
    let mut open = client.connect();
    let key = message::identifier(&open.exchange(&message::create()));

    let another = identity::server("127.0.0.1".parse().expect("an address"));
    std::fs::write(server.server_key(), another.signing_key.serialize_pem()).expect("it can be written");
    std::fs::write(server.server_certificate(), another.cert.pem()).expect("it can be written");
    server.wait_for_log("the server's certificate was read again");
    // The client trusts the new one alone, from the same file.
    let answer = client
        .connect()
        .exchange(&message::about(message::GET_ATTRIBUTE_LIST, &key));
    message::outcome(&answer).expect("it is served");
    let answer = open.exchange(&message::about(message::GET_ATTRIBUTE_LIST, &key));
    message::outcome(&answer).expect("the connection is still open");
}

#[test]
fn a_certificate_is_warned_of_before_it_expires() {
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().to_str().expect("a path");
    server.must(&[
        "certificate",
        "make",
        ADAPTER,
        "short",
        "--days",
        "10",
        "--folder",
        folder,
    ]);
    let status = server.json(&["status"]);
    let expiring = status["expiring"].as_array().expect("a list");
    assert_eq!(expiring.len(), 1, "{expiring:?}");
    let said = expiring[0].as_str().expect("text");
    assert!(
        said.starts_with("the client certificate short") && said.contains("expires in 9 days"),
        "{said}"
    );
}
