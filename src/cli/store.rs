//! `claviger store`: the database as a whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Serialize;

use super::database;
use super::exit::{Exit, Failure};
use super::output::{Output, Properties};
use super::serve::process;
use crate::admin::Peer;
use crate::config::{Config, Store};
use crate::custody::{Actor, Event, EventName, Hash};
use crate::recorder::{self, NodeFacts, Recorder};
use crate::store::{Database, Migrated, PostgresOptions, PostgresStore, SealKeys, SqliteStore, migrate};

/// What is done with the database.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Bring everything from an SQLite file to the PostgreSQL that the configuration names, and compare every row and the
    /// custody log; the server must not run, and the database must be empty
    Migrate {
        /// The SQLite file
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
}

/// What was brought over.
#[derive(Serialize)]
struct Summary {
    rows: BTreeMap<&'static str, u64>,
    custody_records: u64,
    custody_root: String,
}

/// Runs the command.
pub(super) async fn run(command: Command, config: &Config, output: Output) -> Result<Exit, Failure> {
    let Command::Migrate { from } = command;
    let migrated = bring(config, &from).await?;
    let summary = Summary {
        rows: migrated.rows,
        custody_records: migrated.head.size,
        custody_root: migrated.head.root.to_string(),
    };
    output.data(&summary, |summary| {
        let mut properties = Properties::new();
        for (table, number) in &summary.rows {
            properties.line(table, format!("{number} rows, compared"));
        }
        properties
            .line("custody records", summary.custody_records)
            .line("custody root", &summary.custody_root);
        properties.text()
    })?;
    super::output::say(
        "Everything was brought over and compared. Start the server, and have the keys compared with the custody log: claviger \
         custody compare. Keep the file until then.",
    );
    Ok(Exit::Done)
}

async fn bring(config: &Config, from: &Path) -> Result<Migrated, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
    let Store::Postgres(postgres) = &config.store else {
        return Err(
            Failure::usage("the configuration names no PostgreSQL to bring the database to")
                .remedy("write its address as `url` in [store], in the place of `path`"),
        );
    };
    if !from.is_file() {
        return Err(Failure::new(format!("there is no database {}", from.display()))
            .remedy("name the SQLite file, which is claviger.db in the state directory unless `store.path` said otherwise"));
    }
    // Held until the end, so that no server writes meanwhile.
    let _lock = process::lock_state_directory(&config.state_directory)
        .map_err(|error| failed(&error).remedy("stop the server first"))?;
    let options = database::options(postgres).map_err(|error| failed(&error))?;
    let sqlite = SqliteStore::open(from, SealKeys::new()).await;
    let sqlite = sqlite.map_err(|error| failed(&error))?;
    let postgres = PostgresStore::open(&options, SealKeys::new()).await;
    let postgres = postgres.map_err(|error| failed(&error))?;
    let migrated = migrate(&sqlite, &postgres).await;
    sqlite.close().await;
    let database = Database::of_postgres(postgres);
    let recorded = match migrated {
        Ok(migrated) => record(config, from, &options, &database, &migrated)
            .await
            .map(|()| migrated)
            .map_err(|error| {
                failed(&error)
                    .remedy("all is there and was compared; that it was brought over is not recorded")
            }),
        Err(error) => Err(failed(&error)),
    };
    database.close().await;
    recorded
}

/// Records in the log that it was brought over, as the first record behind what it had.
async fn record(
    config: &Config,
    from: &Path,
    to: &PostgresOptions,
    database: &Database,
    migrated: &Migrated,
) -> Result<(), recorder::Error> {
    let node = NodeFacts {
        name: config.node.clone(),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        configuration_sha256: Some(Hash(config.sha256)),
    };
    let own = Peer::own();
    let actor = Actor::Administrator {
        uid: own.uid,
        user: own.user,
    };
    let rows = migrated
        .rows
        .iter()
        .map(|(table, rows)| format!("{table} {rows}"));
    let event = Event::new(EventName::StoreMigrate, actor)
        .detail("from", from.display().to_string())
        .detail("to", to.to_string())
        .detail("rows", rows.collect::<Vec<_>>().join(", "))
        .detail("size", migrated.head.size.to_string())
        .detail("root", migrated.head.root.to_string());
    let recorder = Recorder::start(database.writing(), node).await?;
    let written = recorder.commit(Vec::new(), event).await;
    recorder.stop().await;
    written.map(drop)
}
