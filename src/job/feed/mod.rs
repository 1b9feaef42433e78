//! Live feeds: the custody log, record by record, to a SIEM by syslog over TLS, or to a file.
//!
//! A feed follows the log in the database from a position that it keeps; of several servers one does so at a time. It is behind the log and never in its way: what the
//! receiver does not take waits in the log, however long. The position moves once the receiver has what stands before it, so
//! each record arrives at least once; one that arrives twice has the same `sequence`.

mod file;
mod follow;
mod position;
mod status;
mod syslog;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinHandle;

pub use status::{FeedStatus, Feeds};
pub use syslog::{SyslogConfig, SyslogError};

use super::Turn;
use crate::custody::StoredRecord;
use crate::recorder::Recorder;
use crate::store::Store;

use file::RecordFile;
use follow::Follower;
use position::{Position, PositionFile};
use syslog::Syslog;

/// A feed as it is configured.
#[derive(Clone, Debug)]
pub struct FeedConfig {
    /// What it is called; the file of its position too.
    pub name: String,
    /// Where records go.
    pub receiver: Receiver,
}

/// Where the records of a feed go.
#[derive(Clone, Debug)]
pub enum Receiver {
    /// To the end of this file, one line of JSON each.
    File(PathBuf),
    /// By syslog over TLS.
    Syslog(SyslogConfig),
}

/// Why a record was not delivered, for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
struct Trouble(String);

/// What takes the records of a feed. After an error it starts anew with the next call.
#[async_trait]
trait Sink: Send {
    /// Hands these records over, in order.
    async fn deliver(&mut self, records: &[StoredRecord]) -> Result<(), Trouble>;

    /// Returns once the receiver has all that was handed over since the last error.
    async fn confirm(&mut self) -> Result<(), Trouble>;

    /// How long what was handed over may stay unconfirmed.
    fn patience(&self) -> Duration;
}

/// What feeds are delivered from, and who delivers them.
pub struct Delivery {
    /// Where each feed keeps its position, where the store is one server's alone. Where it is not, positions are in the store,
    /// and what is in this folder is where a feed begins that has none there.
    pub folder: PathBuf,
    /// Who this server is among those that share the store; see [`Turn::new`].
    pub holder: String,
    /// Where the log is.
    pub store: Arc<dyn Store>,
    /// What tells that it has grown.
    pub recorder: Recorder,
    /// What is told of the feeds.
    pub feeds: Feeds,
}

impl Delivery {
    /// Starts these feeds. Each goes on where it was after any end of the server, so it can be ended at any time. Of several
    /// servers with a feed of the same name one delivers it at a time: the turns at that are given back too.
    ///
    /// Fails where a certificate or a key that a feed needs can't be used.
    pub fn start(self, configs: Vec<FeedConfig>) -> Result<(Vec<JoinHandle<()>>, Vec<Turn>), SyslogError> {
        let mut sinks: Vec<(String, Box<dyn Sink>)> = Vec::new();
        for config in configs {
            let sink: Box<dyn Sink> = match config.receiver {
                Receiver::File(path) => Box::new(RecordFile::new(path)),
                Receiver::Syslog(syslog) => Box::new(Syslog::new(syslog)?),
            };
            sinks.push((config.name, sink));
        }
        let started = sinks.into_iter().map(|(name, sink)| {
            let file = PositionFile::new(self.folder.join(format!("{name}.position")));
            let turn = Turn::new(
                Arc::clone(&self.store),
                format!("feed {name}"),
                self.holder.as_str(),
            );
            let follower = Follower {
                position: match self.store.elsewhere() {
                    None => Position::File(file),
                    Some(_) => Position::Store {
                        store: Arc::clone(&self.store),
                        name: name.clone(),
                        file,
                    },
                },
                teller: self.feeds.teller(&name),
                name,
                sink,
                store: Arc::clone(&self.store),
                log: self.recorder.follow(),
            };
            (tokio::spawn(follower.run_in(turn.clone())), turn)
        });
        Ok(started.unzip())
    }
}
