//! The encodings in which a case is run, each with its transport.

use std::fmt;
use std::io::{Read as _, Write as _};

use crate::oasis::xml::{self, Node};
use crate::oasis::{Element, Placeholders};
use crate::support::client::{Client, Connection};
use crate::support::ttlv::Item;
use crate::text;

/// An encoding with its transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encoding {
    /// TTLV over TLS.
    Binary,
    /// XML over HTTPS.
    Xml,
    /// JSON over HTTPS.
    Json,
}

impl Encoding {
    pub const ALL: [Self; 3] = [Self::Binary, Self::Xml, Self::Json];

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|encoding| encoding.to_string() == name)
    }

    pub fn is_over_https(self) -> bool {
        self != Self::Binary
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "binary",
            Self::Xml => "xml",
            Self::Json => "json",
        })
    }
}

/// A connection that speaks an encoding.
pub struct Wire {
    encoding: Encoding,
    connection: Connection,
}

impl Wire {
    pub fn connect(client: &Client, encoding: Encoding) -> Result<Self, String> {
        Ok(Self {
            encoding,
            connection: client.try_connect()?,
        })
    }

    /// Sends a request, and reads its answer.
    pub fn exchange(&mut self, request: &Node, placeholders: &Placeholders) -> Result<Item, String> {
        match self.encoding {
            Encoding::Binary => {
                let bytes = Element::new(request)?.to_bytes(placeholders)?;
                let answer = self.connection.exchange_bytes(&bytes);
                answer
                    .map(|answer| Item::decode(&answer))
                    .map_err(|error| format!("the server gives no answer: {error}"))
            }
            Encoding::Xml => {
                let answer = self.post("text/xml", &text::to_xml(request, placeholders))?;
                let document = xml::read(&answer);
                match (document.error, document.nodes.first()) {
                    (None, Some(node)) => item(node),
                    (error, _) => Err(format!("the answer is no XML: {error:?} {answer}")),
                }
            }
            Encoding::Json => {
                let request = text::to_json(request, placeholders).to_string();
                let answer = self.post("application/json", &request)?;
                let value = serde_json::from_str(&answer)
                    .map_err(|error| format!("the answer is no JSON: {error} {answer}"))?;
                item(&text::from_json(&value)?)
            }
        }
    }

    /// Posts a message, and reads the body of the answer.
    fn post(&mut self, content_type: &str, body: &str) -> Result<String, String> {
        let head = format!(
            "POST /kmip HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let stream = &mut self.connection.stream;
        let failed = |error: std::io::Error| format!("the server gives no answer: {error}");
        stream.write_all((head + body).as_bytes()).map_err(failed)?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).map_err(failed)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let length = head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .and_then(|(_, length)| length.trim().parse().ok())
            .ok_or_else(|| format!("an answer of no length: {head}"))?;
        let mut body = vec![0; length];
        stream.read_exact(&mut body).map_err(failed)?;
        let body = String::from_utf8(body).map_err(|error| error.to_string())?;
        if head.starts_with("HTTP/1.1 200 ") {
            Ok(body)
        } else {
            Err(format!("{} {body}", head.lines().next().unwrap_or_default()))
        }
    }
}

/// The item that an answer in text stands for.
fn item(node: &Node) -> Result<Item, String> {
    let bytes = Element::new(node)?.to_bytes(&Placeholders::default())?;
    Ok(Item::decode(&bytes))
}
