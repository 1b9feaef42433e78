//! The encodings in which a case is run.

use std::fmt;

use crate::oasis::{Element, Placeholders};
use crate::support::client::{Client, Connection};
use crate::support::ttlv::Item;

/// An encoding with its transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encoding {
    /// TTLV over TLS.
    Binary,
}

/// Those that the server has.
pub const ENCODINGS: [Encoding; 1] = [Encoding::Binary];

impl Encoding {
    pub fn from_name(name: &str) -> Option<Self> {
        ENCODINGS
            .into_iter()
            .find(|encoding| encoding.to_string() == name)
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "binary",
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
    pub fn exchange(&mut self, request: &Element, placeholders: &Placeholders) -> Result<Item, String> {
        match self.encoding {
            Encoding::Binary => {
                let bytes = request.to_bytes(placeholders)?;
                let answer = self.connection.exchange_bytes(&bytes);
                answer
                    .map(|answer| Item::decode(&answer))
                    .map_err(|error| format!("the server gives no answer: {error}"))
            }
        }
    }
}
