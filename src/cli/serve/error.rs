//! Why the server does not start.

use std::io;
use std::path::PathBuf;

use crate::cli::database;
use crate::config::Problems;
use crate::job::feed::SyslogError;
use crate::root_key::key_protect;
use crate::{admin, backup, endpoint, recorder, store};

/// Why the server does not start, with what can be done about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration names what is not there or does not fit.
    #[error("{0}")]
    Configuration(#[from] Problems),
    /// Memory can't be kept off the disk: core dumps can't be forbidden, or there is not enough locked memory.
    #[error("{0}")]
    Memory(claviger_hsm::Error),
    /// The state directory can't be used.
    #[error("the state directory {}: {source}", path.display())]
    StateDirectory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another server runs on the same state.
    #[error("another server (process {holder}) holds the state directory {}", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
        /// What the lock file says of the other.
        holder: String,
    },
    /// The program of the device workers is not found.
    #[error("this program can't find itself, to start device workers: {0}")]
    Program(io::Error),
    /// The configuration of an instance of the key manager can't be used.
    #[error("the key manager {name}: {source}")]
    KeyProtect {
        /// Its name.
        name: String,
        /// What is wrong.
        source: key_protect::Error,
    },
    /// The database can't be used.
    #[error("{0}")]
    Database(#[from] database::Error),
    /// What the database has can't be read.
    #[error("{0}")]
    Store(#[from] store::Error),
    /// The custody log can't be continued.
    #[error("{0}")]
    Recorder(#[from] recorder::Error),
    /// The last known head of the custody log can't be read.
    #[error("{0}")]
    Known(#[from] recorder::KnownError),
    /// That the database was restored can't be read.
    #[error("{0}")]
    Restored(#[from] backup::Error),
    /// The administration socket can't be opened.
    #[error("{0}")]
    Administration(#[from] admin::Error),
    /// A live feed can't be delivered as it is configured.
    #[error("a feed of the custody log: {0}")]
    Feed(#[from] SyslogError),
    /// The witnesses of the custody log can't be asked as it is configured.
    #[error("the witnesses of the custody log ({}): {why}", policy.display())]
    Witness {
        /// The policy that names them.
        policy: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// KMIP can't be spoken.
    #[error("{0}")]
    Endpoint(#[from] endpoint::Error),
    /// The program can't wait for anything.
    #[error("the runtime can't be started: {0}")]
    Runtime(io::Error),
}

impl Error {
    /// What the operator can do; none where the error says it itself.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::StateDirectory { .. } => {
                Some("run as the user that owns it, or name another as `state_directory`")
            }
            Self::Locked { .. } => {
                Some("stop the other server first, or give this one a `state_directory` of its own")
            }
            Self::Known(recorder::KnownError::Unreadable { .. }) => Some(
                "keep a copy of the file and remove it: what the log was before can't be told then, so compare it with a \
                 checkpoint that was kept elsewhere, `claviger custody verify --kept`",
            ),
            Self::Endpoint(endpoint::Error::Listen { .. }) => {
                Some("stop what listens there, or choose other addresses as `kmip.listen`")
            }
            Self::KeyProtect { .. } => {
                Some("`claviger config check` tells what is wrong with it, and `claviger doctor` tries it")
            }
            Self::Endpoint(_) => Some("`claviger config check` tells what is wrong with it"),
            _ => None,
        }
    }
}
