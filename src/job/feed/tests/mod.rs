//! No record is lost on its way to a receiver, whatever becomes of the receiver, and none waits for it.

mod files;
mod syslog;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::{Delivery, FeedConfig, FeedStatus, Feeds, Receiver, SyslogError};
use crate::custody::{Actor, Event, EventName, Record};
use crate::recorder::{NodeFacts, Recorder};
use crate::store::Store;
use crate::store::sqlite_tests::SqliteMaker;
use crate::store::suite::Fixture;

/// A log, and feeds of it.
struct House {
    _fixture: Fixture<SqliteMaker>,
    store: Arc<dyn Store>,
    recorder: Recorder,
    folder: TempDir,
}

/// A feed that runs.
struct Feed {
    feeds: Feeds,
    tasks: Vec<JoinHandle<()>>,
}

impl House {
    async fn new() -> Self {
        let fixture = Fixture::<SqliteMaker>::new().await;
        let node = NodeFacts {
            name: "node-1".to_owned(),
            server_version: "0.1.0".to_owned(),
            configuration_sha256: None,
        };
        let recorder = Recorder::start(fixture.store.clone(), node).await.unwrap();
        Self {
            store: fixture.store.clone(),
            _fixture: fixture,
            recorder,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Records so many events, each of which is answered before the next.
    async fn record(&self, number: usize) {
        for _ in 0..number {
            let event = Event::new(EventName::KmipGet, Actor::Server);
            self.recorder.commit(Vec::new(), event).await.unwrap();
        }
    }

    fn feed(&self, receiver: Receiver) -> Feed {
        self.try_feed(receiver).unwrap()
    }

    fn try_feed(&self, receiver: Receiver) -> Result<Feed, SyslogError> {
        let feeds = Feeds::default();
        let config = FeedConfig {
            name: "siem".to_owned(),
            receiver,
        };
        let delivery = Delivery {
            folder: self.path("feeds"),
            holder: "node-1".to_owned(),
            store: Arc::clone(&self.store),
            recorder: self.recorder.clone(),
            feeds: feeds.clone(),
        };
        let (tasks, _) = delivery.start(vec![config])?;
        Ok(Feed { feeds, tasks })
    }

    /// The log's records, as text.
    async fn log(&self) -> Vec<String> {
        let records = self.store.custody_records(0, 100_000).await.unwrap();
        let texts = records
            .into_iter()
            .map(|record| String::from_utf8(record.bytes).unwrap());
        texts.collect()
    }
}

impl Feed {
    fn status(&self) -> FeedStatus {
        self.feeds.status()["siem"].clone()
    }

    /// Waits until the receiver is known to have everything before this number.
    async fn is_at(&self, next: u64) {
        until(|| self.status().next == next && self.status().trouble.is_none()).await;
    }

    /// Waits until it stands still, and gives why.
    async fn trouble(&self) -> String {
        until(|| self.status().trouble.is_some()).await;
        self.status().trouble.unwrap().0
    }

    /// Ends it without a warning, as a kill does.
    async fn kill(self) {
        for task in self.tasks {
            task.abort();
            let _ = task.await;
        }
    }
}

async fn until(condition: impl Fn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_mins(1), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("what is waited for comes");
}

/// The sequence of each record in these lines.
fn sequences<'l>(lines: impl IntoIterator<Item = &'l str>) -> Vec<u64> {
    let records = lines
        .into_iter()
        .map(|line| Record::from_bytes(line.as_bytes()).unwrap());
    records.map(|record| record.sequence).collect()
}
