//! A server for tests that answers what it is told, on the loopback address: the service and IAM in one.

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{ApiKeySource, KeyProtectConfig};

/// The path of IAM.
const TOKEN: &str = "/identity/token";
/// What the configuration's file has as the API key.
pub(super) const API_KEY: &str = "the-api-key";

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) authorization: String,
    pub(super) correlation_id: String,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn is_for_a_token(&self) -> bool {
        self.path == TOKEN
    }
}

/// What is answered.
pub(super) enum Reply {
    Json(u16, Value),
    /// With `Retry-After`.
    Wait(u16, &'static str),
    Text(&'static str),
    /// The connection is cut.
    Cut,
}

impl Reply {
    /// A refusal, as the service words it.
    pub(super) fn refusal(status: u16, code: &str) -> Self {
        Self::Json(
            status,
            json!({"resources": [{"errorMsg": "no", "reasons": [{"code": code, "status": status}]}]}),
        )
    }

    /// A token.
    pub(super) fn token(token: &str, expires_in: u64) -> Self {
        Self::Json(200, json!({"access_token": token, "expires_in": expires_in}))
    }
}

/// The server. It ends with the test's runtime.
pub(super) struct Scripted {
    pub(super) config: KeyProtectConfig,
    pub(super) api_key: PathBuf,
    seen: Arc<Mutex<Vec<Seen>>>,
    _folder: tempfile::TempDir,
}

impl Scripted {
    /// One that answers by this, given all that came before and the request as the last.
    pub(super) async fn serve(answer: impl Fn(&[Seen]) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (answer, all) = (Arc::new(answer), Arc::clone(&seen));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (answer, all) = (Arc::clone(&answer), Arc::clone(&all));
                let service =
                    service_fn(move |request| reply(request, Arc::clone(&answer), Arc::clone(&all)));
                tokio::spawn(async move {
                    // That a connection is cut is what some tests are about.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let api_key = folder.path().join("ibm.apikey");
        std::fs::write(&api_key, format!("{API_KEY}\n")).unwrap();
        let url = format!("http://{address}");
        let config = KeyProtectConfig {
            iam_url: url.clone(),
            deadline: Duration::from_secs(20),
            ..KeyProtectConfig::new("ibm", url, "an-instance", ApiKeySource::File(api_key.clone()))
        };
        Self {
            config,
            api_key,
            seen,
            _folder: folder,
        }
    }

    /// The requests that came to IAM, and those that came to the service.
    pub(super) fn seen(&self) -> (Vec<Seen>, Vec<Seen>) {
        let seen = self.seen.lock().unwrap().clone();
        seen.into_iter().partition(Seen::is_for_a_token)
    }
}

async fn reply(
    request: Request<Incoming>,
    answer: Arc<impl Fn(&[Seen]) -> Reply>,
    all: Arc<Mutex<Vec<Seen>>>,
) -> Result<Response<Full<Bytes>>, io::Error> {
    let header = |name: &str| {
        let value = request.headers().get(name);
        value
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    };
    let seen = Seen {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        authorization: header("authorization"),
        correlation_id: header("correlation-id"),
        body: Vec::new(),
    };
    let body = request.into_body().collect().await.map_err(io::Error::other)?;
    let reply = {
        let mut all = all.lock().unwrap();
        all.push(Seen {
            body: body.to_bytes().to_vec(),
            ..seen
        });
        answer(&all)
    };
    let build = |status: u16, wait: Option<&str>, text: String| {
        let mut response = Response::builder().status(status);
        if let Some(wait) = wait {
            response = response.header("retry-after", wait);
        }
        Ok::<_, Infallible>(response.body(Full::from(text)).unwrap()).map_err(io::Error::other)
    };
    match reply {
        Reply::Json(status, value) => build(status, None, value.to_string()),
        Reply::Wait(status, wait) => build(status, Some(wait), "{}".to_owned()),
        Reply::Text(text) => build(200, None, text.to_owned()),
        Reply::Cut => Err(io::Error::other("cut")),
    }
}
