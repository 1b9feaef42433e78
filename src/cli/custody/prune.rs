//! `claviger custody prune`: the oldest records go by the policy of `[custody.retention]`, and their hashes stay.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::{asker, bundle};
use crate::admin::api::{ArchiveNamed, Prune, Pruning};
use crate::cli::client::{Client, path};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, Properties, counted, say, time};
use crate::config::Config;
use crate::custody::verification::{Severity, Visit, verify_bundle};
use crate::custody::{Hash, Policy};

/// How often it is looked whether a pruning is at its end.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Show what would go, and do nothing
    #[arg(long, conflicts_with = "approve")]
    dry_run: bool,
    /// A bundle that has the records, verified here before any goes; several where each has a part
    #[arg(long, value_name = "BUNDLE", conflicts_with = "approve")]
    archive: Vec<PathBuf>,
    /// Approve, as another administrator than the one who asked: the records go
    #[arg(long)]
    approve: bool,
}

pub(super) async fn run(
    arguments: &Arguments,
    config: &Config,
    client: &Client,
    output: Output,
) -> Result<Exit, Failure> {
    let route = path(["custody", "pruning"]);
    if arguments.approve {
        return approve(client, output).await;
    }
    let mut archives = Vec::new();
    if !arguments.archive.is_empty() {
        let policy = bundle::policy(config)?;
        for file in &arguments.archive {
            archives.push(verified(file, &policy)?);
        }
    }
    let wanted = Prune {
        archives,
        dry_run: arguments.dry_run,
    };
    let shown: Pruning = client.post(route, &wanted).await?;
    output.data(&shown, table)?;
    if arguments.dry_run {
        return Ok(Exit::Done);
    }
    say("another administrator must approve of it: `claviger custody prune --approve`");
    Ok(Exit::Done)
}

async fn approve(client: &Client, output: Output) -> Result<Exit, Failure> {
    let nothing = serde_json::json!({});
    let begun: Pruning = client
        .post(path(["custody", "pruning", "approve"]), &nothing)
        .await?;
    let mut shown = begun.clone();
    while shown.under_way || (shown.failure.is_none() && shown.kept_from < begun.below) {
        tokio::time::sleep(LOOK).await;
        shown = client.get(path(["custody", "pruning"])).await?;
    }
    output.data(&shown, table)?;
    if let Some(why) = shown.failure {
        return Err(Failure::new(format!("not all of it went: {why}"))
            .remedy("what was let go by a record goes at the server's next attempt; else ask again")
            .unhealthy());
    }
    say(format_args!(
        "{} pruned; the log has its records from number {} on, and the hashes of all",
        counted(shown.kept_from - begun.kept_from, "record"),
        shown.kept_from
    ));
    Ok(Exit::Done)
}

/// The bundle in this file, where all of it holds.
fn verified(file: &Path, policy: &Policy) -> Result<ArchiveNamed, Failure> {
    let unreadable = |error: &io::Error| Failure::new(format!("{} cannot be read: {error}", file.display()));
    let open = || File::open(file).map_err(|error| unreadable(&error));
    let visit = Visit {
        policy,
        state: None,
        // Silence was looked at when it was new.
        heartbeat: time::Duration::MAX,
    };
    let report = verify_bundle(open()?, &visit);
    let root = report.root.filter(|_| report.verified).ok_or_else(|| {
        let refused = report
            .findings
            .iter()
            .find(|finding| finding.code.severity() == Severity::Refused);
        let why = refused.map_or_else(|| "it is empty".to_owned(), ToString::to_string);
        Failure::new(format!("the bundle {} does not hold: {why}", file.display()))
            .remedy("nothing was pruned; look at it with `claviger-verify`, and export another")
            .unhealthy()
    })?;
    let mut digest = Sha256::new();
    io::copy(&mut BufReader::new(open()?), &mut digest).map_err(|error| unreadable(&error))?;
    say(format_args!(
        "{}: {} from number {} on, verified",
        file.display(),
        counted(report.records, "record"),
        report.from
    ));
    Ok(ArchiveNamed {
        sha256: Hash(digest.finalize().into()),
        from: report.from,
        size: report.size,
        root,
    })
}

fn table(shown: &Pruning) -> String {
    let mut properties = Properties::new();
    properties.line("records from", shown.kept_from);
    if let (Some(first), Some(last)) = (shown.first, shown.last) {
        properties
            .line("may go", counted(shown.below - shown.from, "record"))
            .line("their times", format!("{} to {}", time(first), time(last)));
    } else {
        properties.line("may go", "none");
    }
    properties.line("no more since", &shown.because);
    properties.line(
        "without a bundle",
        if shown.without_archive {
            "allowed"
        } else {
            "not allowed: name one with --archive"
        },
    );
    if let Some(asked) = &shown.asked {
        properties
            .line("asked for by", asker(&asked.by, asked.uid))
            .line("at", time(asked.at));
        for archive in &asked.archives {
            properties.line(
                "bundle",
                format!(
                    "from {} of {}:{}, SHA-256 {}",
                    archive.from, archive.size, archive.root, archive.sha256
                ),
            );
        }
    }
    if shown.under_way {
        properties.line("under way", "yes");
    }
    if let Some(failure) = &shown.failure {
        properties.line("FAILED", failure);
    }
    properties.text()
}
