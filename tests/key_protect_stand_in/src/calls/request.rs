//! A request as the calls see it.

use std::sync::Arc;

use hyper::HeaderMap;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use crate::call::{Call, Target};
use crate::iam::Identity;
use crate::model::Key;
use crate::refusal::Refusal;
use crate::store::State;

/// A request whose sender is known.
pub(crate) struct Request {
    pub(crate) call: Call,
    pub(crate) target: Target,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: bytes::Bytes,
    pub(crate) identity: Identity,
    /// The time at which all of it is looked at.
    pub(crate) now: OffsetDateTime,
}

impl Request {
    /// A parameter of the query; one without a value is none.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let mut parameters = self.query.iter();
        let found = parameters.find(|(parameter, _)| parameter == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// A number of the query, from 0 to `most`.
    pub(crate) fn number(&self, name: &str, default: usize, most: usize) -> Result<usize, Refusal> {
        let Some(value) = self.parameter(name) else {
            return Ok(default);
        };
        let number = value.parse().ok().filter(|number| *number <= most);
        number.ok_or_else(|| Refusal::invalid_field(name, format!("a number from 0 to {most} is expected")))
    }

    /// A Boolean of the query.
    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        self.parameter(name).map(|value| boolean(name, value)).transpose()
    }

    /// Whether a parameter of the query is there and true.
    pub(crate) fn is_set(&self, name: &str) -> Result<bool, Refusal> {
        Ok(self.boolean(name)?.unwrap_or(false))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the client wants no more than the identifier back.
    pub(crate) fn prefers_minimal(&self) -> bool {
        self.prefer()
            .is_some_and(|prefer| prefer.contains("return=minimal"))
    }

    /// Whether the client asked for the whole back.
    pub(crate) fn prefers_representation(&self) -> bool {
        self.prefer()
            .is_some_and(|prefer| prefer.contains("return=representation"))
    }

    fn prefer(&self) -> Option<&str> {
        self.header("prefer")
    }

    /// The body; refused where it is not what the call takes.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        if self.body.is_empty() {
            return Err(Refusal::no_body());
        }
        serde_json::from_slice(&self.body).map_err(Refusal::bad_body)
    }

    /// The same of a body that may be left out.
    pub(crate) fn optional_body<T: DeserializeOwned + Default>(&self) -> Result<T, Refusal> {
        if self.body.is_empty() {
            return Ok(T::default());
        }
        self.body()
    }

    /// The key ring that the header names, which must be there; `None` is all of them.
    pub(crate) fn key_ring<'a>(&'a self, state: &State) -> Result<Option<&'a str>, Refusal> {
        match self.header("x-kms-key-ring").filter(|ring| !ring.is_empty()) {
            Some(ring) if !state.has_key_ring(ring) => Err(Refusal::key_ring_not_found()),
            ring => Ok(ring),
        }
    }

    /// The key that the path names, in the key ring that the header names.
    pub(crate) fn key(&self, state: &State) -> Result<Arc<Key>, Refusal> {
        let ring = self.key_ring(state)?;
        let key = state
            .find_key(&self.target.id)
            .ok_or_else(Refusal::key_not_found)?;
        if ring.is_some_and(|ring| ring != key.key_ring) {
            return Err(Refusal::key_not_found());
        }
        Ok(Arc::clone(key))
    }
}

/// A Boolean as text.
pub(crate) fn boolean(name: &str, value: &str) -> Result<bool, Refusal> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Refusal::invalid_field(name, "true or false is expected")),
    }
}
