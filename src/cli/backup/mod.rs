//! `claviger backup …`: everything that the server keeps, in one encrypted file; the way back is `claviger restore`.

mod create;
mod key;
mod offline;
mod shelf;
mod show;
mod verify;

use std::path::PathBuf;

use super::exit::{Exit, Failure};
use super::output::Output;
use super::{Common, serve, signing_key};
use crate::backup::{self, Source};
use crate::config::Config;

pub(super) use create::hashed;
pub(super) use verify::{Checks, checked, policy, properties};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a backup of the running server, or of one that is stopped
    Create(create::Arguments),
    /// What a backup says of itself; takes no device, and proves nothing
    Show {
        /// The backup
        file: PathBuf,
    },
    /// Prove that a backup is whole: every row, every hash, every seal and signature, and that its keys can be unwrapped
    Verify {
        /// The backup
        file: PathBuf,
        #[command(flatten)]
        checks: Checks,
    },
    /// The key that backups are under
    #[command(subcommand)]
    Key(key::Command),
}

pub(super) async fn run(command: Command, common: &Common, output: Output) -> Result<Exit, Failure> {
    match command {
        Command::Create(arguments) => create::run(&arguments, common, output).await,
        Command::Show { file } => show::run(&file, output),
        Command::Verify { file, checks } => {
            verify::run(&file, &checks, &common.configuration()?, output).await
        }
        Command::Key(command) => key::run(command, &common.configuration()?, output).await,
    }
}

/// Whose backups a configuration's are, and which of its files belong into them: all that is no secret.
pub(super) fn source(config: &Config) -> Source {
    let mut files = vec![
        config.file.clone(),
        config.custody.public_key.clone(),
        config.backup.key.clone(),
        config.kmip.certificate.clone(),
    ];
    if config.backup.private_keys {
        files.push(config.kmip.key.clone());
    }
    if let Some(previous) = &config.kmip.previous {
        files.push(previous.certificate.clone());
        if config.backup.private_keys {
            files.push(previous.key.clone());
        }
    }
    if let Some(witness) = &config.custody.witness {
        files.push(witness.policy.clone());
        files.extend(witness.ca_file.clone());
    }
    if let Some(web) = &config.admin.web {
        files.push(web.certificate.clone());
        if config.backup.private_keys {
            files.push(web.key.clone());
        }
        let holders = [&web.auditors, &web.operators, &web.administrators];
        files.extend(holders.into_iter().flatten().cloned());
    }
    let key_managers = config.key_protect.iter();
    files.extend(key_managers.filter_map(|instance| instance.ca_file.clone()));
    files.sort();
    files.dedup();
    Source {
        node: config.node.clone(),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        log: log_name(config).unwrap_or_else(|| config.custody.origin.clone()),
        files,
    }
}

/// What the custody log is called here: by its key, or by what the configuration says. None where neither says it.
pub(super) fn log_name(config: &Config) -> Option<String> {
    let known = signing_key::known(config).ok().flatten();
    let said = config.line_of("custody.origin");
    match known {
        Some(key) => Some(key.name().to_owned()),
        None => said.map(|_| config.custody.origin.clone()),
    }
}

/// What to do about a backup that can't be made, read or brought back.
pub(super) fn failure(error: &backup::Error) -> Failure {
    use backup::Error;
    let failure = Failure::new(error.to_string());
    match error {
        Error::Key { .. } => failure.remedy(
            "the configuration has to name the device, or the key manager, that the key is on, by the same name, and it has \
             to answer: `claviger doctor`. A backup is opened by its own key alone, or by a clone of that token",
        ),
        Error::Short { .. } | Error::Changed { .. } | Error::Contradiction { .. } => {
            failure.remedy("take another copy of it, or the backup before it")
        }
        Error::NoKey { .. } => failure.remedy("every backup has what stands in the file: `claviger backup show FILE`"),
        Error::Store(crate::store::Error::NotEmpty) => {
            Failure::new("the database has something in it already, and nothing was changed there")
                .remedy("name an empty database, or a file that is not there yet, in [store]; put the old one away, do not delete it")
        }
        Error::Store(_) => failure.remedy("nothing was left in the database"),
        _ => failure,
    }
}

/// A part of the server that could not be started for a command.
pub(super) fn not_started(error: &serve::Error) -> Failure {
    let failure = Failure::new(error.to_string());
    match error.remedy() {
        Some(remedy) => failure.remedy(remedy),
        None => failure,
    }
}
