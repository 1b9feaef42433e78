//! The end of the custody log in memory: where the next record goes.

use std::sync::Arc;
use std::time::SystemTime;

use time::{Duration, OffsetDateTime};
use tokio::sync::watch;
use uuid::{NoContext, Timestamp, Uuid};

use crate::custody::{
    ClockFacts, ClockState, CompactRange, Event, Hash, Record, StoredRecord, TileHash, leaf_hash,
};
use crate::store::{self, Appended, CustodyHead, RecordTerms, Store, WriteStore};

use super::checkpoint::{self, Broken};
use super::{Error, NodeFacts, tiles};

/// A start makes the hashes again over at most so many records; the anchor moves up when there are more.
const TAIL: u64 = 1024;

/// The log as this writer knows it.
pub(super) struct Log {
    node: NodeFacts,
    /// SHA-256 of the configuration file as it was read last.
    configuration: watch::Receiver<Option<Hash>>,
    head: CustodyHead,
    last: OffsetDateTime,
}

/// Records that are to be appended, and the log as it is once they are.
pub(super) struct Staged {
    pub(super) appended: Appended,
    pub(super) head: CustodyHead,
    last: OffsetDateTime,
    clock: ClockFacts,
}

impl Log {
    /// Reads the head and makes the hashes of the tail again; compares head and latest checkpoint with the hashes of the
    /// whole log.
    pub(super) async fn open(
        store: &dyn WriteStore,
        node: &NodeFacts,
        configuration: watch::Receiver<Option<Hash>>,
    ) -> Result<Self, Error> {
        let (head, last) = read(store).await?;
        tiles::complete(store, head.head()).await?;
        checkpoint::latest_of(store, head.head())
            .await
            .map_err(|broken| match broken {
                Broken::Unreadable(error) => Error::Refused(Arc::new(error)),
                Broken::Contradiction(why) => Error::BrokenLog { why },
            })?;
        Ok(Self {
            node: node.clone(),
            configuration,
            head,
            last,
        })
    }

    /// Reads it from the store again, after a commit whose outcome nobody knows, or where another has written. What was
    /// known of it must be its beginning: a database may be put back under a server that runs.
    pub(super) async fn reopen(&mut self, store: &dyn Store) -> Result<(), Error> {
        let (head, last) = read(store).await?;
        let (known, found) = (self.head.head(), head.head());
        if found.size < known.size {
            return Err(Error::BrokenLog {
                why: format!(
                    "it had {} records a moment ago, and has {}: it was taken back to an older state",
                    known.size, found.size
                ),
            });
        }
        let root = if found == known {
            found.root
        } else {
            let root = store::custody_root(store, known.size).await;
            root.map_err(|error| Error::Refused(Arc::new(error)))?
        };
        if root != known.root {
            return Err(Error::BrokenLog {
                why: format!(
                    "its first {} records have the root {root}, and had {} a moment ago: it is another log",
                    known.size, known.root
                ),
            });
        }
        (self.head, self.last) = (head, last);
        Ok(())
    }

    /// Takes in what others have appended since: behind what is known of the log, it must lead to the head that the store has.
    pub(super) async fn follow(&mut self, store: &dyn Store) -> Result<(), Error> {
        let refused = |error| Error::Refused(Arc::new(error));
        let known = self.head.tree.size();
        let found = store.custody_head().await.map_err(refused)?;
        let number = found
            .tree
            .size()
            .checked_sub(known)
            .filter(|number| *number <= TAIL);
        let Some(number) = number.and_then(|number| u32::try_from(number).ok()) else {
            return self.reopen(store).await;
        };
        let mut end = End {
            tree: self.head.tree.clone(),
            last: self.last,
        };
        for stored in store.custody_records(known, number).await.map_err(refused)? {
            end.append(&stored)?;
        }
        end.require(&found)?;
        (self.head, self.last) = (found, end.last);
        Ok(())
    }

    /// The head after the last commit.
    pub(super) const fn head(&self) -> &CustodyHead {
        &self.head
    }

    /// A place to put records in front of a commit. The log itself moves only with [`advance`](Self::advance).
    pub(super) fn stage(&self) -> Staged {
        Staged {
            appended: Appended::default(),
            head: self.head.clone(),
            last: self.last,
            clock: clock(),
        }
    }

    /// Makes the record of an event, as the next one.
    pub(super) fn record(&self, staged: &mut Staged, event: Event) -> u64 {
        let sequence = staged.head.tree.size();
        let now = to_the_microsecond(SystemTime::now().into());
        let clock = ClockFacts {
            behind_us: u64::try_from((staged.last - now).whole_microseconds())
                .ok()
                .filter(|behind| *behind > 0),
            ..staged.clock
        };
        staged.last = staged.last.max(now);
        let id = identifier(staged.last);
        let terms = RecordTerms::of(&event);
        let record = Record {
            clock: Some(clock),
            configuration_sha256: *self.configuration.borrow(),
            ..Record::new(
                sequence,
                id,
                staged.last,
                &self.node.name,
                &self.node.server_version,
                event,
            )
        };
        let bytes = record.to_bytes();
        let leaf = leaf_hash(&bytes);
        if sequence - staged.head.anchor.size() == TAIL {
            staged.head.anchor = staged.head.tree.clone();
        }
        let Staged { head, appended, .. } = staged;
        head.tree.append_telling(leaf, |node, hash| {
            appended.hashes.extend(TileHash::of(node, hash));
        });
        let stored = StoredRecord {
            sequence,
            leaf,
            bytes,
        };
        appended.records.push((stored, terms));
        sequence
    }

    /// Moves on to what was committed.
    pub(super) fn advance(&mut self, staged: &Staged) {
        self.head = staged.head.clone();
        self.last = staged.last;
    }
}

/// What the kernel knows of this host's clock.
fn clock() -> ClockFacts {
    let kernel = claviger_hsm::clock::kernel();
    ClockFacts {
        state: match kernel {
            Some(kernel) if kernel.synchronised => ClockState::Synchronised,
            Some(_) => ClockState::Unsynchronised,
            None => ClockState::Unknown,
        },
        max_error_us: kernel
            .filter(|kernel| kernel.synchronised)
            .map(|kernel| kernel.max_error_us),
        behind_us: None,
    }
}

/// A UUID of version 7 with this time in it. Random beyond that: a counter kept from one to the next could carry
/// over into the time, which must be the record's own.
fn identifier(time: OffsetDateTime) -> Uuid {
    // A clock before 1970 gives the first moment of 1970: a log that goes on beats one that stops.
    let seconds = u64::try_from(time.unix_timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.nanosecond()))
}

/// The head, once the hashes from its anchor on were made again, and the time of the last record.
async fn read(store: &dyn Store) -> Result<(CustodyHead, OffsetDateTime), Error> {
    let broken = |why: String| Error::BrokenLog { why };
    // One more than there can be, so that a record beyond the head is seen.
    let limit = u32::try_from(TAIL + 1).expect("the tail is short");
    let (head, tail) = store
        .custody_tail(limit)
        .await
        .map_err(|error| Error::Refused(Arc::new(error)))?;
    let size = head.tree.size();
    let mut end = End {
        tree: head.anchor.clone(),
        last: OffsetDateTime::UNIX_EPOCH,
    };
    if size.checked_sub(end.tree.size()).is_none_or(|tail| tail > TAIL) {
        return Err(broken(format!(
            "the head is of {size} records and its anchor of {}",
            end.tree.size()
        )));
    }
    for stored in &tail {
        if stored.sequence == end.tree.size() && stored.sequence >= size {
            return Err(broken(format!(
                "record {size} is there, and the head is of {size} records"
            )));
        }
        end.append(stored)?;
    }
    end.require(&head)?;
    Ok((head, end.last))
}

/// The end of the log as its records give it.
struct End {
    tree: CompactRange,
    /// The time of the last record.
    last: OffsetDateTime,
}

impl End {
    /// Takes in the next record.
    fn append(&mut self, stored: &StoredRecord) -> Result<(), Error> {
        let broken = |why: String| Error::BrokenLog { why };
        let sequence = stored.sequence;
        if sequence != self.tree.size() {
            return Err(broken(format!("record {} is missing", self.tree.size())));
        }
        let leaf = leaf_hash(&stored.bytes);
        if leaf != stored.leaf {
            return Err(broken(format!("record {sequence} was changed")));
        }
        self.last = Record::time_of(&stored.bytes)
            .map_err(|error| broken(format!("record {sequence} cannot be read: {error}")))?;
        self.tree.append(leaf);
        Ok(())
    }

    /// Refuses a head that is not that of these records.
    fn require(&self, head: &CustodyHead) -> Result<(), Error> {
        let broken = |why: String| Err(Error::BrokenLog { why });
        if self.tree.size() < head.tree.size() {
            return broken(format!("record {} is missing", self.tree.size()));
        }
        if self.tree != head.tree {
            return broken(format!(
                "the head has root {}, and its records {}",
                head.tree.root(),
                self.tree.root()
            ));
        }
        Ok(())
    }
}

pub(super) fn to_the_microsecond(time: OffsetDateTime) -> OffsetDateTime {
    time - Duration::nanoseconds(i64::from(time.nanosecond() % 1000))
}
