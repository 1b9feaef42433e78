//! The socket, TLS and HTTP.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use crate::calls::Reply;
use crate::control::Control;
use crate::control_interface;
use crate::exchange::{Outcome, exchange};
use crate::service::Service;

/// The longest body that is read.
const LONGEST_BODY: usize = 1 << 20;
/// What ties a request to a log. The second is the name that IBM's Python client uses.
const CORRELATION: [HeaderName; 2] = [
    HeaderName::from_static("correlation-id"),
    HeaderName::from_static("x-correlation-id"),
];

/// What a connection needs.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) service: Arc<Service>,
    pub(crate) control: Control,
}

impl Server {
    /// Serves until `stop` changes or its sender is gone; then every connection is closed at once, whatever is under way.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        tls: Arc<ServerConfig>,
        mut stop: watch::Receiver<bool>,
    ) {
        let acceptor = TlsAcceptor::from(tls);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        connections.spawn(self.clone().connection(stream, acceptor.clone()));
                    }
                }
                Some(_) = connections.join_next() => {}
                _ = stop.changed() => break,
            }
        }
        drop(listener);
        connections.shutdown().await;
    }

    async fn connection(self, stream: TcpStream, acceptor: TlsAcceptor) {
        let _open = self.control.counting().connection();
        let _ = stream.set_nodelay(true);
        let Ok(stream) = acceptor.accept(stream).await else {
            return;
        };
        let cut = Notify::new();
        let handler = service_fn(async |request| Ok::<_, Infallible>(self.respond(request, &cut).await));
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), handler);
        tokio::select! {
            // A connection that breaks is the client's affair.
            _ = connection => {}
            () = cut.notified() => {}
        }
    }

    /// One request and its response.
    async fn respond(&self, request: hyper::Request<Incoming>, cut: &Notify) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let correlation = CORRELATION
            .iter()
            .find_map(|name| head.headers.get(name))
            .cloned();
        let body = Limited::new(body, LONGEST_BODY).collect().await;
        // What could not be read is no body.
        let body = body.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
        if head.uri.path().starts_with(control_interface::PREFIX) {
            let (control, service) = (&self.control, &self.service);
            let reply =
                control_interface::answer(control, service, &head.method, head.uri.path(), &body).await;
            return response(reply, correlation);
        }
        match exchange(&self.control, &self.service, head, body).await {
            Outcome::Reply(reply) => response(reply, correlation),
            Outcome::Garbage => {
                Response::new(Full::new(Bytes::from_static(b"{\"metadata\": <html>\xff\x00")))
            }
            Outcome::Cut => {
                cut.notify_one();
                std::future::pending().await
            }
        }
    }
}

fn response(reply: Reply, correlation: Option<HeaderValue>) -> Response<Full<Bytes>> {
    let kind = reply.body.as_ref().map(content_type);
    let body = reply.body.map(|body| body.to_string());
    let mut response = Response::new(Full::new(Bytes::from(body.unwrap_or_default())));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    let headers = response.headers_mut();
    if let Some(kind) = kind {
        headers.insert(CONTENT_TYPE, kind);
    }
    let correlation = correlation.or_else(|| HeaderValue::try_from(Uuid::new_v4().to_string()).ok());
    if let Some(correlation) = correlation {
        headers.insert(CORRELATION[0].clone(), correlation);
    }
    response
}

/// The service answers in types of its own: that of a collection's resources, and one for actions.
fn content_type(body: &Value) -> HeaderValue {
    let kind = body.pointer("/metadata/collectionType").and_then(Value::as_str);
    let kind = kind.or_else(|| {
        body.get("keyVersion")
            .map(|_| "application/vnd.ibm.kms.key_action+json")
    });
    kind.and_then(|kind| HeaderValue::from_str(kind).ok())
        .unwrap_or_else(|| HeaderValue::from_static("application/json"))
}
