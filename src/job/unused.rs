//! Which keys no client has fetched for a time, by the custody log: every release is in it, so a column that each release would
//! have to write is not needed. It costs a release nothing.
//!
//! A key is unused where it was made before that time and no record since tells that it was released, or used here for a
//! client. Where records were pruned, nothing is said of the time before them: a key whose only releases are gone with them
//! is not taken for one that was never fetched, and a time that begins before them can't be asked for.

use std::collections::HashMap;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::adapter::AdapterId;
use crate::custody::{EventName, Outcome, Record, StoredRecord};
use crate::kmip::ttlv::DateTime;
use crate::store::{self, Cursor, KeyRow, RecordFilter, SearchFrom, Store};

/// Records about one key that are read at a time.
const STEP: u32 = 16;

/// What can't be told of keys.
#[derive(Debug, thiserror::Error)]
pub enum UnusedError {
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A record can't be read.
    #[error("record {sequence} of the custody log can't be read: {why}; run `claviger custody verify`")]
    Record {
        /// Its number.
        sequence: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The time begins before the first record that was not pruned.
    #[error(
        "the custody log was pruned, and tells nothing of the time before {known_since}: ask for a shorter time"
    )]
    Pruned {
        /// The time of the first record that there is.
        known_since: OffsetDateTime,
    },
}

/// From when on a key has to be fetched not to be unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    since: OffsetDateTime,
    /// The number of the first record since then.
    first: u64,
    /// How many records the log has.
    size: u64,
    /// The time of the first record that there is, where records were pruned.
    known_since: Option<OffsetDateTime>,
}

/// When a key was fetched last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LastFetch {
    /// It never was.
    Never,
    /// Not since then; records of the time before were pruned.
    NotSince(OffsetDateTime),
    /// By this record.
    By(Box<Record>),
}

/// A key that is not used.
#[derive(Clone, Debug)]
pub struct UnusedKey {
    /// Its row.
    pub row: KeyRow,
    /// When it was.
    pub last: LastFetch,
}

/// Some of the keys of an adapter.
#[derive(Debug, Default)]
pub struct UnusedPage {
    /// Those that are unused, the last created first.
    pub keys: Vec<UnusedKey>,
    /// One error each for rows that were changed by another hand.
    pub refused: Vec<store::Error>,
    /// Where the next page begins; none where this is the last.
    pub next: Option<Cursor>,
}

/// Whether a record tells that a client had the key, or had something done with it here.
fn is_use(record: &Record) -> bool {
    let is_used = record.event.is_release()
        || matches!(
            record.event,
            EventName::KmipEncrypt
                | EventName::KmipDecrypt
                | EventName::KmipMac
                | EventName::KmipMacVerify
                | EventName::KmipDeriveKey
        );
    is_used && record.outcome == Outcome::Success
}

impl Horizon {
    /// The horizon at this time. Refused where the log does not reach back so far any more.
    pub async fn at(store: &dyn Store, since: OffsetDateTime) -> Result<Self, UnusedError> {
        let kept = store.custody_kept().await?.from;
        let mut known_since = None;
        if kept > 0 {
            let first = store.custody_records(kept, 1).await?;
            let first = first.first().map(read).transpose()?;
            known_since = first.map(|record| record.time);
        }
        if let Some(known_since) = known_since.filter(|known_since| *known_since > since) {
            return Err(UnusedError::Pruned { known_since });
        }
        Ok(Self {
            since,
            size: store.custody_head().await?.tree.size(),
            first: store::custody_number_at(store, since).await?,
            known_since,
        })
    }

    /// How many records it was judged by.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Looks at no more than `limit` keys of an adapter; goes on after `after`.
    pub async fn page(
        &self,
        store: &dyn Store,
        adapter: AdapterId,
        after: Option<Cursor>,
        limit: u32,
    ) -> Result<UnusedPage, UnusedError> {
        let located = store.locate(adapter, &[], after, limit).await?;
        let since = DateTime::from(self.since);
        let mut rows = located.rows;
        rows.retain(|row| row.wrapped.is_some() && row.object.initial_date() < since);
        let ids: Vec<Uuid> = rows.iter().map(|row| row.object.id()).collect();
        let since_then = latest(store, &ids, self.first, u64::MAX).await?;
        let mut unused = Vec::new();
        for row in rows {
            let id = row.object.id();
            let used = match since_then.get(&id) {
                None => None,
                Some(record) if is_use(record) => continue,
                Some(record) => last_use(store, id, self.first, record.sequence).await?,
            };
            if used.is_none() {
                unused.push(row);
            }
        }
        let ids: Vec<Uuid> = unused.iter().map(|row| row.object.id()).collect();
        let mut before = latest(store, &ids, 0, self.first).await?;
        let mut keys = Vec::with_capacity(unused.len());
        for row in unused {
            let id = row.object.id();
            let record = match before.remove(&id) {
                Some(record) if is_use(&record) => Some(record),
                Some(record) => last_use(store, id, 0, record.sequence).await?,
                None => None,
            };
            let last = match record {
                Some(record) => LastFetch::By(Box::new(record)),
                None => self.without_record(&row),
            };
            keys.push(UnusedKey { row, last });
        }
        Ok(UnusedPage {
            keys,
            refused: located.refused,
            next: located.next,
        })
    }

    /// What is known of a key that no record tells to have been fetched.
    fn without_record(&self, row: &KeyRow) -> LastFetch {
        match self.known_since {
            Some(known_since) if row.object.initial_date() < DateTime::from(known_since) => {
                LastFetch::NotSince(known_since)
            }
            _ => LastFetch::Never,
        }
    }
}

/// The last use of a key that the records from number `from` on and before number `before` tell of.
pub(super) async fn last_use(
    store: &dyn Store,
    key: Uuid,
    from: u64,
    mut before: u64,
) -> Result<Option<Record>, UnusedError> {
    let filter = RecordFilter {
        object: Some(key.hyphenated().to_string()),
        client: None,
    };
    loop {
        let found = store
            .custody_search(&filter, SearchFrom::Before(before), STEP)
            .await?;
        for stored in &found {
            if stored.sequence < from {
                return Ok(None);
            }
            let record = read(stored)?;
            if is_use(&record) {
                return Ok(Some(record));
            }
            before = stored.sequence;
        }
        if found.len() < STEP as usize {
            return Ok(None);
        }
    }
}

async fn latest(
    store: &dyn Store,
    keys: &[Uuid],
    from: u64,
    before: u64,
) -> Result<HashMap<Uuid, Record>, UnusedError> {
    let mut found = HashMap::new();
    for stored in store.custody_latest(keys, from, before).await? {
        let record = read(&stored)?;
        let about = record.object.as_ref();
        if let Some(Ok(key)) = about.map(|object| Uuid::parse_str(&object.identifier)) {
            found.insert(key, record);
        }
    }
    Ok(found)
}

fn read(stored: &StoredRecord) -> Result<Record, UnusedError> {
    Record::from_bytes(&stored.bytes).map_err(|error| UnusedError::Record {
        sequence: stored.sequence,
        why: error.to_string(),
    })
}
