//! Who may ask, and the socket.

use super::*;

#[tokio::test]
async fn another_user_is_refused_whatever_they_ask_and_it_is_on_record() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let server = server::Server::new(Arc::clone(&fixture.administration), Admitted::own_user());
    let stranger = Peer {
        uid: 65_533,
        user: "mallory".into(),
    };
    let routes = server.routes_for(stranger).await;
    for (method, path) in [
        (Method::GET, "/v1/status"),
        (Method::DELETE, "/v1/adapters/vcenter"),
        (Method::GET, "/x"),
    ] {
        let (status, body) = ask(routes.clone(), method, path, "").await;
        assert_eq!((status, code(&body)), (StatusCode::FORBIDDEN, "not_admitted"));
    }
    let record = fixture.last_record().await;
    assert_eq!(
        (record.event, record.outcome),
        (EventName::AdministratorRefused, Outcome::Refused)
    );
    assert_eq!(
        record.actor,
        Actor::Administrator {
            uid: 65_533,
            user: "mallory".into()
        }
    );
}

#[tokio::test]
async fn over_the_socket_every_refusal_has_the_same_form_and_the_socket_goes_at_the_end() {
    let fixture = Fixture::new().await.with_adapter("vcenter").await;
    let path = fixture.folder.path().join("admin.sock");
    let socket = Socket::bind(&path).unwrap();
    let shutdown = tokio_util::sync::CancellationToken::new();
    let administration = Arc::clone(&fixture.administration);
    let server = tokio::spawn(serve(
        socket,
        administration,
        Admitted::own_user(),
        shutdown.clone(),
    ));

    let huge = "x".repeat(BODY_LIMIT + 1);
    for (method, target, body, status, code_expected) in [
        ("GET", "/v1/status", "", 200, ""),
        ("GET", "/v1/nothing", "", 404, "not_found"),
        ("PUT", "/v1/adapters", "", 405, "method_not_allowed"),
        ("GET", "/v1/adapters/%ff", "", 400, "bad_request"),
        ("POST", "/v1/adapters", "{", 400, "bad_request"),
        ("POST", "/v1/adapters", huge.as_str(), 413, "too_large"),
    ] {
        let (found, reply) = over_socket(&path, method, target, body).await;
        assert_eq!(found, status, "{method} {target}: {reply}");
        if status != 200 {
            assert_eq!(code(&reply), code_expected, "{method} {target}");
        }
    }
    shutdown.cancel();
    server.await.unwrap();
    assert!(!path.exists());
}

async fn over_socket(path: &PathBuf, method: &str, target: &str, body: &str) -> (u16, Value) {
    let stream = tokio::net::UnixStream::connect(path).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("host", "claviger")
        .header("content-type", "application/json")
        .body(http_body_util::Full::new(bytes::Bytes::from(body.to_owned())))
        .unwrap();
    let reply = sender.send_request(request).await.unwrap();
    let status = reply.status().as_u16();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}
