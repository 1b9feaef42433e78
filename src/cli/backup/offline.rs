//! A backup of a server that is stopped: its database is read here, and the backup recorded there.

use std::fs::File;

use super::{failure, not_started, source};
use crate::admin::Peer;
use crate::backup::{self, BackupKey, LastBackup, Made};
use crate::cli::database;
use crate::cli::exit::Failure;
use crate::cli::serve::{self, Holders, process};
use crate::config::Config;
use crate::custody::{Actor, Event, EventName};
use crate::recorder;
use crate::store::{Database, SealKeys};

/// Makes the backup into a file that is empty, and records it. No server may run on the state directory.
pub(super) async fn make(config: &Config, file: &File) -> Result<(), Failure> {
    let key = BackupKey::read(&config.backup.key).map_err(|error| failure(&error))?;
    let key = key.ok_or_else(|| {
        Failure::new("no key for backups is known here")
            .remedy("make the key that backups are under, once: `claviger backup key create`")
    })?;
    let _lock = process::lock_state_directory(&config.state_directory).map_err(|error| {
        Failure::new(error.to_string()).remedy("leave --offline out while the server runs, or stop it first")
    })?;
    let database = database::open(config, SealKeys::new()).await;
    let database = database.map_err(|error| Failure::new(error.to_string()))?;
    let holders = match Holders::start(config).await {
        Ok(holders) => holders,
        Err(error) => {
            database.close().await;
            return Err(not_started(&error));
        }
    };
    let made = written_and_recorded(config, &database, &holders, &key, file).await;
    holders.shutdown().await;
    database.close().await;
    let made = made?;
    LastBackup::from(&made)
        .keep(&config.state_directory)
        .map_err(|error| failure(&error))
}

async fn written_and_recorded(
    config: &Config,
    database: &Database,
    holders: &Holders,
    key: &BackupKey,
    file: &File,
) -> Result<Made, Failure> {
    let (recorder, known) = serve::go_on_with_log(config, database)
        .await
        .map_err(|error| not_started(&error))?;
    let following = tokio::spawn(known.follow(recorder.clone()));
    let made = async {
        if let Some(rollback) = recorder.held() {
            return Err(Failure::new(recorder::Error::Held(rollback).to_string())
                .remedy("no backup is made that can't be recorded; copy the database as it is"));
        }
        let out = file
            .try_clone()
            .map_err(|error| Failure::new(format!("the backup can't be written: {error}")))?;
        let store = database.reading();
        let made = backup::write(store, &holders.root_keys, key, source(config), out).await;
        let made = made.map_err(|error| failure(&error))?;
        let event = Event::new(EventName::BackupCreate, administrator());
        let event = made
            .details()
            .into_iter()
            .fold(event.detail("offline", "true"), |event, (name, value)| {
                event.detail(name, value)
            });
        let committed = recorder.commit(Vec::new(), event).await;
        committed.map_err(|error| {
            Failure::new(format!(
                "the backup could not be recorded, and was thrown away: {error}"
            ))
        })?;
        Ok(made)
    };
    let made = made.await;
    recorder.stop().await;
    drop(recorder);
    // It writes the last known head a last time.
    let _ = following.await;
    made
}

/// Who runs this command.
fn administrator() -> Actor {
    let own = Peer::own();
    Actor::Administrator {
        uid: own.uid,
        user: own.user,
    }
}
