//! `claviger custody bundle`: one file that an auditor takes along, and verifies with `claviger-verify`, without this server.
//!
//! Nothing of it is verified here. It has no rows of the database in it: these are compared where the database is, by
//! `claviger custody compare`.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::filter;
use super::source::Source;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{counted, say};
use crate::cli::signing_key::{self, MAKE_ONE};
use crate::config::Config;
use crate::custody::bundle::{BUNDLE_FORMAT, BundleWriter, Manifest};
use crate::custody::{
    Checkpoint, Policy, SignedNote, TILE_WIDTH, Tile, consistency_plan, root_plan, tiles_of,
};

/// How many checkpoints are asked for at a time.
const CHECKPOINTS: u32 = 1000;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file to write, which must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only what was written at this time or later; up to 255 records before it come along
    #[arg(long, value_name = "TIME", value_parser = filter::since)]
    since: Option<OffsetDateTime>,
    /// With what proves that the log continues its first so many records, by a checkpoint that an auditor has; several where
    /// there are several. Needed where so many are fewer than the bundle begins with
    #[arg(long, value_name = "SIZE")]
    kept: Vec<u64>,
}

pub(super) async fn run(arguments: &Arguments, config: &Config, source: &Source) -> Result<Exit, Failure> {
    let policy = policy(config)?;
    let checkpoint: SignedNote = source
        .checkpoint()
        .await?
        .note
        .parse()
        .map_err(|error| unsound(&error))?;
    let head: Checkpoint = checkpoint.text.parse().map_err(|error| unsound(&error))?;
    let size = head.head.size;
    let kept_from = source.kept_from().await?;
    let first = match arguments.since {
        Some(since) => source.number_at(since, size).await?,
        None => kept_from,
    };
    let manifest = Manifest {
        format: BUNDLE_FORMAT,
        origin: head.origin,
        from: first - first % TILE_WIDTH,
        size,
        rows_at: None,
        kept_from: Some(kept_from).filter(|kept_from| *kept_from > 0),
        made_at: OffsetDateTime::now_utc(),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let before = before(&arguments.kept, manifest.from, size)?;
    let file = new_file(&arguments.file)?;
    let written = write(file, &manifest, &policy, &checkpoint, &before, source).await;
    if let Err(failure) = written {
        // Half of a bundle is none.
        std::fs::remove_file(&arguments.file).ok();
        return Err(failure);
    }
    say(format_args!(
        "{} in {}; an auditor verifies them with `claviger-verify {} --policy FILE`, where FILE has the keys that the auditor \
         trusts: `claviger custody key show`",
        counted(size - manifest.from, "record"),
        arguments.file.display(),
        arguments.file.display()
    ));
    Ok(Exit::Done)
}

async fn write(
    file: File,
    manifest: &Manifest,
    policy: &Policy,
    checkpoint: &SignedNote,
    before: &BTreeSet<Tile>,
    source: &Source,
) -> Result<(), Failure> {
    let (from, size) = (manifest.from, manifest.size);
    let mut bundle = BundleWriter::new(BufWriter::new(file), manifest, policy, checkpoint)
        .map_err(|error| unwritten(&error))?;
    bundle.begin_checkpoints().map_err(|error| unwritten(&error))?;
    let mut next = from;
    loop {
        let page = source.checkpoints(next, CHECKPOINTS).await?;
        let Some(last) = page.last().map(|last| last.size) else {
            break;
        };
        for other in page.iter().filter(|other| other.size < size) {
            bundle
                .checkpoint(&other.note)
                .map_err(|error| unwritten(&error))?;
        }
        if last >= size {
            break;
        }
        next = last + 1;
    }
    let leaves = (from / TILE_WIDTH..size.div_ceil(TILE_WIDTH)).filter_map(|index| Tile::at(0, index, size));
    for tile in before.iter().copied().chain(leaves) {
        let first = tile.index * TILE_WIDTH;
        let hashes = source.hashes(tile.level, first, u32::from(tile.width)).await?;
        bundle.tile(tile, &hashes).map_err(|error| unwritten(&error))?;
    }
    bundle.begin_records().map_err(|error| unwritten(&error))?;
    let mut next = from;
    while next < size {
        let page = source.page(next, size).await?;
        let Some(last) = page.last() else {
            return Err(Failure::new(format!("record {next} is missing from the log"))
                .remedy("run `claviger custody verify`")
                .unhealthy());
        };
        next = last.sequence + 1;
        for record in &page {
            bundle.record(&record.bytes).map_err(|error| unwritten(&error))?;
        }
    }
    let written = bundle.finish().map_err(|error| unwritten(&error))?;
    let file = written.into_inner().map_err(|error| unwritten(error.error()))?;
    file.sync_all().map_err(|error| unwritten(&error))
}

/// The tiles before those of the records: what makes the tree up to there, and what proves it to continue these sizes.
fn before(kept: &[u64], from: u64, size: u64) -> Result<BTreeSet<Tile>, Failure> {
    let mut runs = vec![root_plan(from)];
    for kept in kept {
        runs.extend(consistency_plan(*kept, size).map_err(|error| Failure::usage(error.to_string()))?);
    }
    // Those of the records come anyway.
    let is_before = |tile: &Tile| tile.level > 0 || tile.index < from / TILE_WIDTH;
    Ok(tiles_of(&runs, size).into_iter().filter(is_before).collect())
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
    if read.logs().iter().any(|log| log.key == key) {
        return Ok(read);
    }
    let with_log = [format!("log {key}\n").as_bytes(), &text].concat();
    Policy::from_bytes(&with_log).map_err(|error| unreadable(error.to_string()))
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

fn unwritten(error: &io::Error) -> Failure {
    Failure::new(format!("the bundle cannot be written: {error}"))
}

fn unsound(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("the latest checkpoint cannot be read: {error}"))
        .remedy("run `claviger custody verify`")
        .unhealthy()
}
