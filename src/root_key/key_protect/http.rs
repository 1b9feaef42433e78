//! One HTTP request and its answer: TLS, proxy, reuse of connections. What to do when it fails is not decided here.

use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use claviger_hsm::memory::LockedBuffer;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Method, Proxy, StatusCode, Url};

use super::{Error, KeyProtectConfig};

/// How long a connection may take to be made; a service that takes longer is away.
const CONNECTING: Duration = Duration::from_secs(3);
/// A connection that nothing went over for so long is closed. Less than the service's own limit, which would cut it while a
/// request is on the way.
const IDLE: Duration = Duration::from_secs(50);
/// The longest answer that is read, in bytes: a page of keys has less than one of them for each.
const LONGEST: usize = 16 << 20;
/// Room for an answer of which the length is not told, or too long to be told true.
const ROOM: usize = 4096;

/// What is sent.
pub(super) struct Message {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    /// Whether the answer may have a key in it.
    pub(super) is_secret: bool,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

/// The bytes of an answer.
pub(super) enum Body {
    Plain(Vec<u8>),
    Secret(LockedBuffer),
}

impl Body {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Secret(buffer) => buffer.as_slice(),
        }
    }

    fn of(message: &Message, length: Option<u64>) -> Self {
        let length = length.and_then(|length| usize::try_from(length).ok());
        let room = length.filter(|length| *length <= 16 * ROOM).unwrap_or(ROOM);
        if message.is_secret {
            Self::Secret(LockedBuffer::with_capacity(room))
        } else {
            Self::Plain(Vec::with_capacity(room))
        }
    }

    fn extend(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(body) => body.extend_from_slice(bytes),
            Self::Secret(buffer) => buffer.extend_from_slice(bytes),
        }
    }
}

/// Why no answer came.
#[derive(Debug)]
pub(super) struct Failure {
    /// What happened, for an operator.
    pub(super) reason: String,
    /// Whether the request can't have been carried out: no connection was made.
    pub(super) was_not_sent: bool,
    /// Whether it took too long.
    pub(super) is_timeout: bool,
}

/// What speaks HTTP, with the connections that are kept. A cheap handle.
#[derive(Clone)]
pub(super) struct Http(reqwest::Client);

impl Http {
    /// Fails with [`Error::Configuration`] where the certificates or the proxy can't be used. Connects to nothing.
    pub(super) fn new(config: &KeyProtectConfig) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_rustls()
            .http1_only()
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(CONNECTING.min(config.deadline))
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(config.requests.max(1))
            .tcp_keepalive(Duration::from_secs(15))
            .user_agent(concat!("claviger/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &config.ca_file {
            let refused = |reason: String| Error::Configuration {
                what: "ca_file",
                reason: format!("{}: {reason}", path.display()),
            };
            let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| refused(reason(error)))?;
            if certificates.is_empty() {
                return Err(refused("it has no certificate in PEM".to_owned()));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        if let Some(proxy) = &config.proxy {
            let proxy = Proxy::all(proxy).map_err(|error| Error::Configuration {
                what: "proxy",
                reason: reason(error),
            })?;
            builder = builder.proxy(proxy);
        }
        let client = builder.build().map_err(|error| Error::Configuration {
            what: "the HTTP client",
            reason: reason(error),
        })?;
        Ok(Self(client))
    }

    /// Sends a message and reads the answer whole, within that time.
    pub(super) async fn send(&self, message: Message, within: Duration) -> Result<Answer, Failure> {
        tokio::time::timeout(within, self.exchange(message))
            .await
            .unwrap_or_else(|_| {
                Err(Failure {
                    reason: format!("no answer within {within:.1?}"),
                    was_not_sent: false,
                    is_timeout: true,
                })
            })
    }

    async fn exchange(&self, mut message: Message) -> Result<Answer, Failure> {
        let mut request = self
            .0
            .request(message.method.clone(), message.url.clone())
            .headers(std::mem::take(&mut message.headers));
        if let Some(body) = message.body.take() {
            request = request.body(body);
        } else if message.method == Method::POST {
            // Some gateways refuse a POST that does not say its length.
            request = request.header("content-length", HeaderValue::from_static("0"));
        }
        let mut response = request.send().await.map_err(failure)?;
        let mut body = Body::of(&message, response.content_length());
        while let Some(chunk) = response.chunk().await.map_err(failure)? {
            if body.bytes().len() + chunk.len() > LONGEST {
                return Err(Failure {
                    reason: format!("the answer is longer than {LONGEST} bytes"),
                    was_not_sent: false,
                    is_timeout: false,
                });
            }
            body.extend(&chunk);
        }
        Ok(Answer {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body,
        })
    }
}

fn failure(error: reqwest::Error) -> Failure {
    Failure {
        was_not_sent: error.is_connect() || error.is_builder(),
        is_timeout: error.is_timeout(),
        reason: reason(error),
    }
}

/// The innermost cause, which says what happened: the outer ones say that something did, and where.
fn reason(error: reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = None;
    while let Some(inner) = cause {
        text = Some(inner.to_string());
        cause = inner.source();
    }
    text.unwrap_or_else(|| error.without_url().to_string())
}
