//! `claviger backup verify FILE`: the backup is brought into a database of its own, and everything in that is looked at.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use uuid::Uuid;

use super::{failure, not_started};
use crate::backup::{self, Checked, Contents, Unwrap};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, Properties, time};
use crate::cli::serve::{self, Holders};
use crate::cli::signing_key;
use crate::config::Config;
use crate::custody::Policy;
use crate::root_key::RootKeys;
use crate::store::{Database, SealKeys};

/// How many keys are unwrapped where nobody says.
const USUAL_KEYS: u64 = 100;

#[derive(Debug, clap::Args)]
pub(crate) struct Checks {
    /// How many keys are unwrapped, evenly among all: a number, or `all`
    #[arg(long, value_name = "NUMBER|all", default_value = "100", value_parser = keys)]
    keys: Keys,
    /// Where the backup is unpacked meanwhile: it takes as much room as the database [default: the system's temporary folder]
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug)]
struct Keys(Unwrap);

fn keys(text: &str) -> Result<Keys, String> {
    if text == "all" {
        return Ok(Keys(Unwrap::All));
    }
    let number = text
        .parse()
        .map_err(|_| format!("write a number, such as {USUAL_KEYS}, or all"))?;
    Ok(Keys(Unwrap::About(number)))
}

impl Checks {
    pub(in crate::cli) const fn unwrap(&self) -> Unwrap {
        self.keys.0
    }
}

/// What was looked at, for people and programs.
#[derive(Serialize)]
pub(in crate::cli) struct Shown {
    whole: bool,
    custody_records: u64,
    checkpoints: u64,
    keys: u64,
    keys_unwrapped: u64,
    other_rows: u64,
    wrong: u64,
    faults: Vec<String>,
    root_keys_not_to_be_had: Vec<String>,
}

pub(super) async fn run(
    file: &Path,
    checks: &Checks,
    config: &Config,
    output: Output,
) -> Result<Exit, Failure> {
    let scratch = Scratch::new(checks.scratch.as_deref())?;
    let holders = Holders::start(config)
        .await
        .map_err(|error| not_started(&error))?;
    let verified = verified(file, config, checks, &holders, &scratch).await;
    holders.shutdown().await;
    let (contents, shown) = verified?;
    output.data(&shown, |shown| {
        let mut properties = properties(shown);
        properties
            .line("backup made", time(contents.header.created_at))
            .line("by", &contents.header.node)
            .line("files", contents.files.len());
        properties.text()
    })?;
    Ok(if shown.whole { Exit::Done } else { Exit::Unhealthy })
}

async fn verified(
    file: &Path,
    config: &Config,
    checks: &Checks,
    holders: &Holders,
    scratch: &Scratch,
) -> Result<(Contents, Shown), Failure> {
    let database = Database::sqlite(&scratch.folder.join("backup.db"), SealKeys::new()).await;
    let database = database.map_err(|error| Failure::new(error.to_string()))?;
    let verified = async {
        let contents = backup::restore(file, &holders.root_keys, &database).await;
        let contents = contents.map_err(|error| failure(&error).unhealthy())?;
        let shown = checked(
            &database,
            &holders.root_keys,
            policy(config)?.as_ref(),
            checks.unwrap(),
        )
        .await?;
        Ok((contents, shown))
    };
    let verified = verified.await;
    database.close().await;
    verified
}

/// Whose checkpoints are believed: the keys that this host knows.
pub(in crate::cli) fn policy(config: &Config) -> Result<Option<Policy>, Failure> {
    let Some(key) = signing_key::known(config)? else {
        return Ok(None);
    };
    Ok(Some(match &config.custody.witness {
        None => Policy::of_log(key),
        Some(witness) => serve::witness_policy(witness)
            .map_err(|error| not_started(&error))?
            .with_log(key),
    }))
}

/// Looks at everything in a database.
pub(in crate::cli) async fn checked(
    database: &Database,
    root_keys: &RootKeys,
    policy: Option<&Policy>,
    unwrap: Unwrap,
) -> Result<Shown, Failure> {
    let checked = backup::check(database, root_keys, policy, unwrap).await;
    let checked = checked.map_err(|error| failure(&error).unhealthy())?;
    if policy.is_none() {
        crate::cli::output::say(
            "the checkpoints were not verified: the log's public key is not there; put the file that `custody.public_key` \
             names in its place (a restored backup has it)",
        );
    }
    let Checked {
        records,
        checkpoints,
        keys,
        rows,
        unwrapped,
        closed,
        wrong,
        faults,
    } = checked;
    Ok(Shown {
        whole: wrong == 0 && closed.iter().all(|why| why.ends_with(backup::DESTROYED)),
        custody_records: records,
        checkpoints,
        keys,
        keys_unwrapped: unwrapped,
        other_rows: rows,
        wrong,
        faults,
        root_keys_not_to_be_had: closed,
    })
}

/// The lines of it.
pub(in crate::cli) fn properties(shown: &Shown) -> Properties {
    let mut properties = Properties::new();
    properties
        .line("result", if shown.whole { "whole" } else { "NOT WHOLE" })
        .line("custody records", shown.custody_records)
        .line("checkpoints", shown.checkpoints)
        .line("keys", shown.keys)
        .line("keys unwrapped", shown.keys_unwrapped)
        .line("other rows", shown.other_rows);
    for fault in &shown.faults {
        properties.line("wrong", fault);
    }
    for closed in &shown.root_keys_not_to_be_had {
        properties.line("root key not to be had", closed);
    }
    properties
}

impl Shown {
    /// Whether nothing is wrong.
    pub(in crate::cli) const fn is_whole(&self) -> bool {
        self.whole
    }
}

/// A folder of one's own that goes with this.
struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    fn new(within: Option<&Path>) -> Result<Self, Failure> {
        let within = within.map_or_else(std::env::temp_dir, Path::to_owned);
        let folder = within.join(format!("claviger-verify-{}", Uuid::new_v4()));
        DirBuilder::new().mode(0o700).create(&folder).map_err(|error| {
            Failure::new(format!("cannot make {}: {error}", folder.display()))
                .remedy("name a folder with room for the database: --scratch FOLDER")
        })?;
        Ok(Self { folder })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left of it is as the database itself: keys in it are wrapped.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
