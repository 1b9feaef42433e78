//! `claviger custody bundle`: one file that an auditor takes along, and verifies with `claviger-verify`, without this server.
//!
//! The running server makes it, or this process from a database without one. Nothing of it is verified here.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::filter;
use super::source::Source;
use crate::cli::client::{Client, path};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{counted, say};
use crate::cli::signing_key::{self, MAKE_ONE};
use crate::config::Config;
use crate::custody::Policy;
use crate::custody::bundle::{Manifest, manifest_of};
use crate::store::{BundleError, BundleRange, Store, write_bundle};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file to write, which must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only what was written at this time or later; up to 255 records before it come along
    #[arg(long, value_name = "TIME", value_parser = filter::since)]
    since: Option<OffsetDateTime>,
    /// Only what was written before this time, and what follows up to the next checkpoint; without the rows of the database
    #[arg(long, value_name = "TIME", value_parser = filter::since)]
    until: Option<OffsetDateTime>,
    /// How many records the log had at the auditor's last visit: what proves that it goes on from there comes along
    #[arg(long, value_name = "SIZE")]
    kept: Option<u64>,
}

pub(super) async fn run(arguments: &Arguments, config: &Config, source: &Source) -> Result<Exit, Failure> {
    let range = BundleRange {
        since: arguments.since,
        until: arguments.until,
        kept: arguments.kept,
    };
    let name = arguments.file.display();
    let file = new_file(&arguments.file)?;
    let written = match source {
        Source::Server(client) => download(client, range, &file).await,
        Source::Database(store) => write(&**store, config, range, &file).await,
    };
    let manifest = written
        .and_then(|()| file.sync_all().map_err(|error| failed(&error.into())))
        .and_then(|()| manifest(&arguments.file));
    let manifest = manifest.inspect_err(|_| {
        // Half of a bundle is none.
        std::fs::remove_file(&arguments.file).ok();
    })?;
    if manifest.rows_at.is_none() && range.until.is_none() {
        say(format_args!(
            "the rows of the database are not in it: no checkpoint is over the last records of them yet; `claviger status` says \
             how far the log is signed"
        ));
    }
    say(format_args!(
        "{} in {name}; an auditor verifies them with `claviger-verify {name} --policy FILE`, where FILE has the keys that the \
         auditor trusts: `claviger custody key show`",
        counted(manifest.size - manifest.from, "record"),
    ));
    Ok(Exit::Done)
}

async fn download(client: &Client, range: BundleRange, file: &File) -> Result<(), Failure> {
    let mut wanted = path(["custody", "bundle"]);
    for (name, time) in [("since", range.since), ("until", range.until)] {
        if let Some(time) = time {
            let time = time.format(&Rfc3339);
            wanted = wanted.query(name, &time.map_err(|error| Failure::usage(error.to_string()))?);
        }
    }
    if let Some(kept) = range.kept {
        wanted = wanted.query("kept", &kept.to_string());
    }
    let mut out = BufWriter::new(file);
    client.download(wanted, &mut out).await?;
    out.flush().map_err(|error| failed(&error.into()))
}

async fn write(store: &dyn Store, config: &Config, range: BundleRange, file: &File) -> Result<(), Failure> {
    let policy = policy(config)?;
    let out = BufWriter::new(file);
    // Nothing is signed meanwhile.
    let written = write_bundle(store, &policy, &range, Duration::ZERO, out).await;
    written.map(drop).map_err(|error| failed(&error))
}

/// What the bundle that was written says of itself.
fn manifest(file: &Path) -> Result<Manifest, Failure> {
    let read = File::open(file).and_then(manifest_of);
    read.map_err(|error| Failure::new(format!("the bundle that came can't be read: {error}")))
}

/// The keys that this configuration knows: the log's, and its witnesses' with their quorum.
pub(super) fn policy(config: &Config) -> Result<Policy, Failure> {
    let key = signing_key::known(config)?.ok_or_else(|| {
        Failure::new("nothing signs the custody log, so a bundle proves nothing").remedy(MAKE_ONE)
    })?;
    let Some(witness) = &config.custody.witness else {
        return Ok(Policy::of_log(key));
    };
    let unreadable = |why: String| Failure::new(format!("{} can't be read: {why}", witness.policy.display()));
    let text = std::fs::read(&witness.policy).map_err(|error| unreadable(error.to_string()))?;
    let read = Policy::from_bytes(&text).map_err(|error| unreadable(error.to_string()))?;
    Ok(read.with_log(key))
}

fn new_file(path: &Path) -> Result<File, Failure> {
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    opened.map_err(|error| {
        let failure = Failure::new(format!("cannot make {}: {error}", path.display()));
        match error.kind() {
            io::ErrorKind::AlreadyExists => failure.remedy("name another file; nothing was written"),
            _ => failure,
        }
    })
}

fn failed(error: &BundleError) -> Failure {
    let failure = Failure::new(error.to_string());
    match error {
        BundleError::Unsigned => failure.remedy(MAKE_ONE),
        BundleError::Missing(_) | BundleError::Note(_) | BundleError::Checkpoint(_) => {
            failure.remedy("run `claviger custody verify`").unhealthy()
        }
        _ => failure,
    }
}
