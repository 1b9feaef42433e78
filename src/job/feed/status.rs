//! What is told of feeds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use time::OffsetDateTime;

/// How a feed does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedStatus {
    /// The number of the first record of which it is not known that the receiver has it.
    pub next: u64,
    /// Why it stands still, and since when; none where it does not.
    pub trouble: Option<(String, OffsetDateTime)>,
}

/// How each feed does, by its name. A clone tells of the same feeds.
#[derive(Clone, Debug, Default)]
pub struct Feeds(Arc<Mutex<BTreeMap<String, FeedStatus>>>);

impl Feeds {
    /// How each does now.
    pub fn status(&self) -> BTreeMap<String, FeedStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has a feed be at this position.
    #[cfg(test)]
    pub(in crate::job) fn set_position(&self, name: &str, next: u64) {
        self.teller(name).is_at(next);
    }

    /// What tells of one feed.
    pub(super) fn teller(&self, name: &str) -> Teller {
        let teller = Teller {
            feeds: self.clone(),
            name: name.to_owned(),
        };
        teller.change(|_| ());
        teller
    }
}

pub(super) struct Teller {
    feeds: Feeds,
    name: String,
}

impl Teller {
    pub(super) fn is_at(&self, next: u64) {
        self.change(|status| {
            status.next = next;
            status.trouble = None;
        });
    }

    /// Tells of a trouble; whether it is a new one.
    pub(super) fn stands_still(&self, why: &str) -> bool {
        let mut is_new = false;
        self.change(|status| {
            let since = status.trouble.as_ref().map(|(_, since)| *since);
            is_new = since.is_none();
            status.trouble = Some((why.to_owned(), since.unwrap_or_else(OffsetDateTime::now_utc)));
        });
        is_new
    }

    fn change(&self, change: impl FnOnce(&mut FeedStatus)) {
        let mut feeds = self.feeds.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(feeds.entry(self.name.clone()).or_insert(FeedStatus {
            next: 0,
            trouble: None,
        }));
    }
}
