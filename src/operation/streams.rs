//! What comes in parts (KMIP 1.4, sections 2.1.15 to 2.1.17): kept between the requests of one client.
//!
//! A stream belongs to the client that began it, to its operation and its key. It is over when it ends, when a part fails,
//! and when nothing came for [`IDLE`].

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::cipher_parts::CipherParts;
use super::item::Item;
use super::mac::MacParts;
use super::refusal::Refusal;
use crate::adapter::{AdapterId, Fingerprint};
use crate::cryptography::HashStream;
use crate::kmip::enumeration::Operation;
use crate::kmip::ttlv::DateTime;

/// The most streams at one time, of everybody.
const STREAMS: usize = 1_024;
/// The most streams of one adapter at one time.
const STREAMS_OF_AN_ADAPTER: usize = 128;
/// The most that one stream holds, in bytes: what the device takes in one request.
const HELD: usize = 1 << 20;
/// The most that all streams hold, in bytes.
const HELD_IN_ALL: usize = 64 << 20;
/// How long a stream waits for its next part, in seconds.
const IDLE: i64 = 15 * 60;

/// What is kept of a stream.
pub(super) enum Stream {
    /// Of Encrypt or Decrypt, with the Unique Identifier of the key.
    Cipher(String, CipherParts),
    /// Of MAC or MAC Verify, with the Unique Identifier of the key.
    Mac(String, MacParts),
    /// Of Hash.
    Hash(HashStream),
}

impl Stream {
    fn held(&self) -> usize {
        match self {
            Self::Cipher(_, parts) => parts.held(),
            Self::Mac(_, parts) => parts.held(),
            Self::Hash(_) => 0,
        }
    }
}

/// Whose stream it is, and of what.
#[derive(Clone, PartialEq, Eq)]
struct Owner {
    adapter: AdapterId,
    certificate: Fingerprint,
    user: Option<String>,
    operation: Operation,
}

impl Owner {
    fn of(item: &Item<'_>, operation: Operation) -> Self {
        Self {
            adapter: item.caller.adapter,
            certificate: item.caller.certificate,
            user: item.user.map(ToOwned::to_owned),
            operation,
        }
    }
}

struct Kept {
    owner: Owner,
    last: DateTime,
    stream: Stream,
}

/// The streams that are under way.
#[derive(Default)]
pub(super) struct Streams(Mutex<HashMap<Vec<u8>, Kept>>);

/// The part of a stream that a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// All of it.
    Only,
    /// The first of several.
    First,
    /// One that follows; whether it is the last.
    Later(&'a [u8], bool),
}

impl<'a> Part<'a> {
    pub(super) fn of(
        correlation_value: Option<&'a [u8]>,
        init_indicator: Option<bool>,
        final_indicator: Option<bool>,
    ) -> Result<Self, Refusal> {
        let (begins, ends) = (init_indicator == Some(true), final_indicator == Some(true));
        match correlation_value {
            Some(_) if begins => Err(Refusal::stream_begins_twice()),
            Some(correlation) => Ok(Self::Later(correlation, ends)),
            None if begins && !ends => Ok(Self::First),
            None => Ok(Self::Only),
        }
    }

    pub(super) const fn is_first(self) -> bool {
        matches!(self, Self::Only | Self::First)
    }

    pub(super) const fn is_last(self) -> bool {
        matches!(self, Self::Only | Self::Later(_, true))
    }

    /// What the record says of it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Only => "only",
            Self::First => "first",
            Self::Later(_, false) => "middle",
            Self::Later(_, true) => "last",
        }
    }
}

impl Streams {
    /// The stream that a part belongs to. It is gone here until it is kept again.
    pub(super) fn take(
        &self,
        item: &Item<'_>,
        operation: Operation,
        correlation: &[u8],
    ) -> Result<Stream, Refusal> {
        let owner = Owner::of(item, operation);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forget_old(&mut all, item.now());
        if all.get(correlation).is_none_or(|kept| kept.owner != owner) {
            return Err(Refusal::no_such_stream());
        }
        let kept = all.remove(correlation);
        kept.map(|kept| kept.stream).ok_or_else(Refusal::no_such_stream)
    }

    /// Keeps a stream until its next part comes, and returns its Correlation Value.
    pub(super) fn keep(
        &self,
        item: &Item<'_>,
        operation: Operation,
        part: Part<'_>,
        stream: Stream,
    ) -> Result<Vec<u8>, Refusal> {
        let owner = Owner::of(item, operation);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forget_old(&mut all, item.now());
        let held: usize = all.values().map(|kept| kept.stream.held()).sum();
        let of_adapter = all.values().filter(|kept| kept.owner.adapter == owner.adapter);
        if stream.held() > HELD
            || held + stream.held() > HELD_IN_ALL
            || all.len() >= STREAMS
            || of_adapter.count() >= STREAMS_OF_AN_ADAPTER
        {
            return Err(Refusal::too_many_streams());
        }
        let correlation = match part {
            Part::Later(correlation, _) => correlation.to_vec(),
            Part::Only | Part::First => uuid::Uuid::new_v4().into_bytes().to_vec(),
        };
        let kept = Kept {
            owner,
            last: item.now(),
            stream,
        };
        all.insert(correlation.clone(), kept);
        Ok(correlation)
    }
}

fn forget_old(all: &mut HashMap<Vec<u8>, Kept>, now: DateTime) {
    all.retain(|_, kept| now.0 - kept.last.0 <= IDLE);
}
