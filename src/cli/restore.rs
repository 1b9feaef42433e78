//! `claviger restore FILE`: what is in a backup, into an empty database.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use super::backup::{self as backups, Checks};
use super::database;
use super::exit::{Exit, Failure};
use super::output::{Output, Properties, say};
use super::serve::{Holders, process};
use crate::backup::{self, BackupKey, Contents, Restored, StoredFile, header_of};
use crate::config::{Config, Store};
use crate::custody::Head;
use crate::recorder::KnownHead;
use crate::store::{Database, SealKeys};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The backup
    file: PathBuf,
    /// Look at everything afterwards, as `claviger backup verify` does
    #[arg(long)]
    verify: bool,
    /// Write the files of the configuration that are in the backup into this folder, which must not be there
    #[arg(long, value_name = "FOLDER")]
    files: Option<PathBuf>,
    #[command(flatten)]
    checks: Checks,
}

#[derive(Serialize)]
struct Summary {
    database: String,
    rows: BTreeMap<&'static str, u64>,
    custody_records: u64,
    custody_root: String,
    files: Vec<PathBuf>,
}

pub(super) async fn run(arguments: &Arguments, config: &Config, output: Output) -> Result<Exit, Failure> {
    let header = header_of(&arguments.file).map_err(|error| backups::failure(&error))?;
    if let Some(name) = backups::log_name(config).filter(|name| *name != header.log) {
        return Err(Failure::new(format!(
            "the custody log of the backup is called {:?}, and the configuration here says {name:?}",
            header.log
        ))
        .remedy(format!(
            "a log keeps its name for good: write origin = {:?} in [custody], and move {} away; the backup has the right one",
            header.log,
            config.custody.public_key.display()
        )));
    }
    if let Some(folder) = arguments.files.as_deref().filter(|folder| folder.exists()) {
        return Err(Failure::new(format!("{} is there already", folder.display()))
            .remedy("name a folder that is not there yet"));
    }
    // Held until the end, so that no server starts meanwhile.
    let _lock = process::lock_state_directory(&config.state_directory)
        .map_err(|error| Failure::new(error.to_string()).remedy("stop the server first"))?;
    let holders = Holders::start(config)
        .await
        .map_err(|error| backups::not_started(&error))?;
    let restored = restored(arguments, config, &holders, output).await;
    holders.shutdown().await;
    let whole = restored?;
    say(after(config, header.head())?);
    Ok(if whole { Exit::Done } else { Exit::Unhealthy })
}

async fn restored(
    arguments: &Arguments,
    config: &Config,
    holders: &Holders,
    output: Output,
) -> Result<bool, Failure> {
    let database = database::open(config, SealKeys::new()).await;
    let database = database.map_err(|error| Failure::new(error.to_string()))?;
    let restored = filled(arguments, config, holders, &database, output).await;
    database.close().await;
    restored
}

async fn filled(
    arguments: &Arguments,
    config: &Config,
    holders: &Holders,
    database: &Database,
    output: Output,
) -> Result<bool, Failure> {
    let failed = |error: backup::Error| backups::failure(&error);
    remember(arguments, config, database).await?;
    let contents = match backup::restore(&arguments.file, &holders.root_keys, database).await {
        Ok(contents) => contents,
        Err(error) => {
            Restored::forget(&config.state_directory).map_err(failed)?;
            return Err(failed(error));
        }
    };
    let head = crate::store::verify_log(&*database.reading()).await;
    let head = head.map_err(|error| Failure::new(error.to_string()).unhealthy())?;
    let files = match &arguments.files {
        Some(folder) => write_files(folder, &contents.files)?,
        None => Vec::new(),
    };
    put_keys_back(config, &contents)?;
    let summary = Summary {
        database: match &config.store {
            Store::Sqlite(file) => file.display().to_string(),
            Store::Postgres(postgres) => postgres.url.clone(),
        },
        rows: contents.rows,
        custody_records: head.size,
        custody_root: head.root.to_string(),
        files,
    };
    if !arguments.verify {
        output.data(&summary, |summary| table(summary).text())?;
        return Ok(true);
    }
    let policy = backups::policy(config)?;
    let shown = backups::checked(
        database,
        &holders.root_keys,
        policy.as_ref(),
        arguments.checks.unwrap(),
    )
    .await?;
    if output.is_json() {
        output.data(&(&summary, &shown), |_| String::new())?;
    } else {
        output.data(&summary, |summary| {
            format!(
                "{}\n{}",
                table(summary).text(),
                backups::properties(&shown).text()
            )
        })?;
    }
    Ok(shown.is_whole())
}

/// The server records the restoration at its next start. It is to be known before anything is filled in, and not where there is
/// something already, which stays as it is.
async fn remember(arguments: &Arguments, config: &Config, database: &Database) -> Result<(), Failure> {
    let head = database.reading().custody_head().await;
    let head = head.map_err(|error| Failure::new(error.to_string()))?.head();
    if head.size > 0 {
        return Err(backups::failure(&crate::store::Error::NotEmpty.into()));
    }
    let header = header_of(&arguments.file).map_err(|error| backups::failure(&error))?;
    let mut file = File::open(&arguments.file)
        .map_err(|error| Failure::new(format!("{}: {error}", arguments.file.display())))?;
    let (_, sha256) = backups::hashed(&mut file)?;
    let uid = rustix::process::getuid().as_raw();
    Restored::now(uid, sha256, header)
        .keep(&config.state_directory)
        .map_err(|error| backups::failure(&error))
}

/// Writes the public facts of keys where the configuration has them and nothing is there: the next backup goes under the same
/// key, and the log is signed by the one that it names.
fn put_keys_back(config: &Config, contents: &Contents) -> Result<(), Failure> {
    let failed = |error: &backup::Error| backups::failure(error);
    if BackupKey::read(&config.backup.key)
        .map_err(|error| failed(&error))?
        .is_none()
    {
        let key = &contents.header.key;
        key.write(&config.backup.key).map_err(|error| failed(&error))?;
    }
    let public_key = &config.custody.public_key;
    let name = public_key.file_name();
    let kept = contents
        .files
        .iter()
        .find(|file| name.is_some() && Path::new(&file.path).file_name() == name);
    if let Some(kept) = kept.filter(|_| !public_key.exists()) {
        write_file(public_key, &kept.content, 0o644)?;
    }
    Ok(())
}

fn table(summary: &Summary) -> Properties {
    let mut properties = Properties::new();
    properties.line("database", &summary.database);
    for (table, number) in &summary.rows {
        properties.line(table, format!("{number} rows, compared"));
    }
    properties
        .line("custody records", summary.custody_records)
        .line("custody root", &summary.custody_root);
    for file in &summary.files {
        properties.line("file", file.display());
    }
    properties
}

/// What is to be done now.
fn after(config: &Config, restored: Head) -> Result<String, Failure> {
    let known = KnownHead::within(&config.state_directory).read();
    let known = known.map_err(|error| Failure::new(error.to_string()))?;
    Ok(match known {
        Some(known) if known.size > restored.size => format!(
            "The custody log had {} records when it was written last here, and the backup has {}: what came between is lost. The \
             server starts and serves no key until two administrators have agreed to go on from the backup: `claviger custody \
             epoch open --reason …`, then `claviger custody epoch approve` by another. Keep what is left of the old database \
             for the auditors.",
            known.size, restored.size
        ),
        _ => "Start the server: it records that it was restored. Where records were written after the backup, witnesses know of \
              them, and the server serves no key until two administrators have agreed to go on without: `claviger custody \
              epoch open --reason …`, then `claviger custody epoch approve` by another."
            .to_owned(),
    })
}

/// Writes the files into a new folder, each at the path that it had below the root.
fn write_files(folder: &Path, files: &[StoredFile]) -> Result<Vec<PathBuf>, Failure> {
    let mut written = Vec::new();
    for file in files {
        let place = below(folder, Path::new(&file.path));
        if let Some(parent) = place.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(parent)
                .map_err(|error| Failure::new(format!("cannot make {}: {error}", parent.display())))?;
        }
        write_file(&place, &file.content, 0o600)?;
        written.push(place);
    }
    Ok(written)
}

/// The place of a path below a folder, which it can't leave.
fn below(folder: &Path, path: &Path) -> PathBuf {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    folder.join(names.collect::<PathBuf>())
}

fn write_file(path: &Path, content: &[u8], mode: u32) -> Result<(), Failure> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
    written.map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_backup_never_leaves_its_folder() {
        for (path, place) in [
            ("/etc/claviger/claviger.toml", "/r/etc/claviger/claviger.toml"),
            ("../../etc/passwd", "/r/etc/passwd"),
            ("/../x", "/r/x"),
        ] {
            assert_eq!(below(Path::new("/r"), Path::new(path)), Path::new(place));
        }
    }
}
