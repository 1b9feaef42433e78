//! The client of the server's administration interface: JSON over HTTP on its Unix socket.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::task::AbortHandle;

use super::exit::Failure;
use crate::admin::api::ErrorReply;

/// Longer than the server gives a request that does not go through everything, so that its own answer comes first.
const DEADLINE: Duration = Duration::from_secs(150);

/// A page of custody records is the largest reply.
const REPLY_LIMIT: usize = 64 << 20;

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A path of the interface whose variable parts are escaped.
///
/// Built by [`path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourcePath(String);

/// `/v1/` and the segments, each escaped: a name typed by an operator never becomes two segments.
pub(crate) fn path<const N: usize>(segments: [&str; N]) -> ResourcePath {
    let mut text = "/v1".to_owned();
    for segment in segments {
        text.push('/');
        match segment {
            // A client or a proxy may resolve these two.
            "." => text.push_str("%2E"),
            ".." => text.push_str("%2E%2E"),
            segment => text.extend(utf8_percent_encode(segment, SEGMENT)),
        }
    }
    ResourcePath(text)
}

impl ResourcePath {
    /// The same path with one more query parameter.
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(name);
        self.0.push('=');
        self.0.extend(utf8_percent_encode(value, SEGMENT));
        self
    }
}

/// Talks to the server whose administration socket is at a path.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    socket: PathBuf,
}

impl Client {
    /// A client of the server at `socket`. Nothing is connected yet.
    pub(crate) fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
        }
    }

    /// Where the server is looked for.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Reads a resource.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: ResourcePath) -> Result<T, Failure> {
        read_json(&self.exchange(Method::GET, path, Bytes::new()).await?)
    }

    /// Makes a resource of a collection, and returns it as the server has it.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: ResourcePath,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.write(Method::POST, path, body).await
    }

    /// The same for what goes through all that the server has, however long that takes.
    pub(crate) async fn post_patiently<T: DeserializeOwned>(&self, path: ResourcePath) -> Result<T, Failure> {
        read_json(&self.send(Method::POST, path, Bytes::from_static(b"null")).await?)
    }

    /// Puts something in the place of what is there, and returns the resource as the server has it.
    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        path: ResourcePath,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.write(Method::PUT, path, body).await
    }

    async fn write<T: DeserializeOwned>(
        &self,
        method: Method,
        path: ResourcePath,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(body)
            .map_err(|error| Failure::new(format!("the request cannot be written as JSON: {error}")))?;
        read_json(&self.exchange(method, path, body.into()).await?)
    }

    /// Removes a resource.
    pub(crate) async fn delete(&self, path: ResourcePath) -> Result<(), Failure> {
        self.exchange(Method::DELETE, path, Bytes::new()).await.map(drop)
    }

    async fn exchange(&self, method: Method, path: ResourcePath, body: Bytes) -> Result<Bytes, Failure> {
        let exchange = self.send(method, path, body);
        tokio::time::timeout(DEADLINE, exchange)
            .await
            .unwrap_or_else(|_| {
                Err(Failure::new(format!(
                    "the server at {} did not answer within {} seconds",
                    self.socket.display(),
                    DEADLINE.as_secs()
                ))
                .remedy("look at the server's log; `claviger doctor` tries the device without it"))
            })
    }

    /// Reads a resource that is too long for memory, however long that takes, and writes it to `out`.
    pub(crate) async fn download(&self, path: ResourcePath, out: &mut impl Write) -> Result<(), Failure> {
        self.receive(Method::GET, path, out).await
    }

    /// Has something made that is too long for memory, however long that takes, and writes it to `out`.
    pub(crate) async fn take_along(&self, path: ResourcePath, out: &mut impl Write) -> Result<(), Failure> {
        self.receive(Method::POST, path, out).await
    }

    async fn receive(&self, method: Method, path: ResourcePath, out: &mut impl Write) -> Result<(), Failure> {
        let (reply, connection) = self.open(method, path, Bytes::new()).await?;
        let status = reply.status();
        let mut body = reply.into_body();
        if !status.is_success() {
            let body = Limited::new(body, REPLY_LIMIT).collect().await;
            let body = body.map_err(|error| self.broken(error.as_ref()))?.to_bytes();
            return Err(refusal(status, &body));
        }
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| self.broken(&error))?;
            if let Some(data) = frame.data_ref() {
                out.write_all(data)
                    .map_err(|error| Failure::new(format!("what came cannot be written: {error}")))?;
            }
        }
        connection.abort();
        Ok(())
    }

    async fn send(&self, method: Method, path: ResourcePath, body: Bytes) -> Result<Bytes, Failure> {
        let (reply, connection) = self.open(method, path, body).await?;
        let status = reply.status();
        let body = Limited::new(reply.into_body(), REPLY_LIMIT)
            .collect()
            .await
            .map_err(|error| self.broken(error.as_ref()))?
            .to_bytes();
        connection.abort();
        if status.is_success() {
            Ok(body)
        } else {
            Err(refusal(status, &body))
        }
    }

    /// Asks, on a connection of its own; the reply as far as its headers.
    async fn open(
        &self,
        method: Method,
        path: ResourcePath,
        body: Bytes,
    ) -> Result<(Response<Incoming>, AbortHandle), Failure> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| self.unreachable(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.broken(&error))?;
        let connection = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path.0)
            .header(HOST, "claviger")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| Failure::new(format!("the request cannot be written: {error}")))?;
        let reply = sender
            .send_request(request)
            .await
            .map_err(|error| self.broken(&error))?;
        Ok((reply, connection.abort_handle()))
    }

    fn unreachable(&self, error: &std::io::Error) -> Failure {
        let socket = self.socket.display();
        match error.kind() {
            ErrorKind::NotFound => Failure::new(format!("the server is not running: no socket at {socket}"))
                .remedy("start it with `claviger serve`, or name its configuration with --config"),
            ErrorKind::ConnectionRefused => Failure::new(format!(
                "the server is not running: nobody answers at the socket {socket}"
            ))
            .remedy("start it with `claviger serve`; it replaces the socket that was left behind"),
            ErrorKind::PermissionDenied => {
                Failure::new(format!("the socket {socket} may not be used by this user"))
                    .remedy("run the command as the server's user or as root")
            }
            _ => Failure::new(format!("cannot connect to the server's socket {socket}: {error}")),
        }
    }

    fn broken(&self, error: &dyn std::error::Error) -> Failure {
        Failure::new(format!(
            "the conversation with the server at {} broke off: {error}",
            self.socket.display()
        ))
        .remedy("`claviger status` tells whether the server runs; read the resource again before repeating a change")
    }
}

fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        Failure::new(format!(
            "the server's answer is not what this version expects: {error}"
        ))
        .remedy("use the `claviger` of the same version as the server's")
    })
}

fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    match serde_json::from_slice::<ErrorReply>(body) {
        Ok(ErrorReply { error }) => match error.remedy {
            Some(remedy) => Failure::new(error.message).remedy(remedy),
            None => Failure::new(error.message),
        },
        Err(_) => Failure::new(format!("the server answered {status} without saying why")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_odd_characters_stays_one_segment() {
        assert_eq!(
            path(["adapters", "../x?y=1#z/ä"]).0,
            "/v1/adapters/..%2Fx%3Fy%3D1%23z%2F%C3%A4"
        );
        assert_eq!(path(["adapters", ".."]).0, "/v1/adapters/%2E%2E");
        assert_eq!(
            path(["custody", "records"])
                .query("from", "3")
                .query("limit", "a&b")
                .0,
            "/v1/custody/records?from=3&limit=a%26b"
        );
    }

    #[tokio::test]
    async fn a_server_that_is_not_running_is_told_with_its_socket_and_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let client = Client::new(folder.path().join("admin.sock"));
        let failure = client
            .get::<serde_json::Value>(path(["status"]))
            .await
            .unwrap_err();
        assert!(failure.text().contains(&client.socket().display().to_string()));
        assert!(failure.text().contains("claviger serve"));
    }
}
