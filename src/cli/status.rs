//! `claviger status`: how the running server is.

use std::fmt::Write as _;

use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, Properties, time};
use crate::admin::api::{Healing, Signing, Status};

/// Prints the server's own account of itself. Unhealthy is also a server that does not answer.
pub(crate) async fn run(client: &Client, output: Output) -> Result<Exit, Failure> {
    let status: Status = client.get(path(["status"])).await.map_err(Failure::unhealthy)?;
    output.data(&status, table)?;
    Ok(if status.healthy {
        Exit::Done
    } else {
        Exit::Unhealthy
    })
}

fn table(status: &Status) -> String {
    let mut properties = Properties::new();
    properties
        .line("health", if status.healthy { "healthy" } else { "UNHEALTHY" })
        .line("version", &status.version)
        .line("process", status.process)
        .line("started", time(status.started_at))
        .line("KMIP", status.kmip_addresses.join(", "))
        .line("root keys", status.root_keys)
        .line("adapters", status.adapters)
        .line("certificates", status.certificates)
        .line("keys", status.keys)
        .line("custody records", status.custody.size)
        .line("custody root", &status.custody.root)
        .line("custody checkpoint", checkpoint(&status.signing));
    if let Some(scan) = &status.key_scan {
        let found = format!(
            "{} here, {} only there, {} deleted there, {} not known; {}",
            scan.keys,
            scan.only_there,
            scan.destroyed,
            scan.troubles,
            time(scan.ended_at)
        );
        properties.line("keys in key managers", found);
    }
    for feed in &status.feeds {
        let delivered = if feed.behind == 0 {
            "has every record".to_owned()
        } else {
            format!("has the records before {}, of {}", feed.next, status.custody.size)
        };
        properties.line(&format!("feed {}", feed.name), delivered);
    }
    if let Some(comparison) = &status.row_comparison {
        let found = format!(
            "{} compared with the custody log, {} wrong, {} not judged; {}",
            comparison.rows,
            comparison.wrong,
            comparison.not_judged,
            time(comparison.ended_at)
        );
        properties.line("rows of keys", found);
    }
    if let Some(backup) = &status.last_backup {
        let found = format!(
            "{}, {} records, {} bytes",
            time(backup.at),
            backup.records,
            backup.bytes
        );
        properties.line("last backup", found);
    }
    for root_key in &status.root_keys_in_change {
        let mut facts = vec![root_key.state.clone()];
        facts.extend(super::root_key::rotation(root_key));
        properties.line(&format!("root key {}", root_key.name), facts.join(", "));
    }
    let mut backends = Columns::new([
        "BACKEND", "KIND", "HEALTH", "TOKEN", "SERIAL", "MODEL", "WRAP", "RELEASE",
    ]);
    for backend in &status.backends {
        let fact = |name: &str| backend.facts.get(name).cloned().unwrap_or_default();
        backends.row([
            backend.name.clone(),
            fact("kind"),
            if backend.healthy { "healthy" } else { "UNHEALTHY" }.to_owned(),
            fact("token"),
            fact("serial"),
            fact("model"),
            fact("wrap profile"),
            fact("release profile"),
        ]);
    }
    let mut text = format!(
        "{}\n{}",
        properties.text(),
        backends.or_say("nothing that holds root keys")
    );
    for backend in &status.backends {
        let healing = backend.healing.unwrap_or_default();
        if healing != Healing::default() {
            text.push_str("\nhealed: ");
            text.push_str(&healed(&backend.name, healing));
        }
    }
    let restart = Vec::from_iter((!status.needs_restart.is_empty()).then(|| status.needs_restart.join(", ")));
    for (what, sentences) in [
        ("expiry", &status.expiring),
        ("quota", &status.near_quota),
        ("waits for a restart", &restart),
        ("problem", &status.problems),
    ] {
        for sentence in sentences {
            let _ = write!(text, "\n{what}: {}", super::output::printable(sentence));
        }
    }
    text
}

/// How far the log is signed, and by whom.
fn checkpoint(signing: &Signing) -> String {
    let mut facts = vec![match signing.signed_at {
        None => "none".to_owned(),
        Some(signed_at) => format!(
            "over {} records, {} behind, {}",
            signing.size,
            signing.lag,
            time(signed_at)
        ),
    }];
    match &signing.key {
        None => facts.push("nothing signs the log".to_owned()),
        Some(key) => facts.push(format!("by {}", key.split('+').next().unwrap_or_default())),
    }
    if let Some(since) = signing.failing_since {
        facts.push(format!("fails since {}", time(since)));
    }
    let cosigners = signing
        .witnesses
        .iter()
        .filter(|witness| witness.trouble.is_none())
        .count();
    if !signing.witnesses.is_empty() {
        facts.push(format!("{cosigners} of {} witnesses", signing.witnesses.len()));
    }
    facts.join(", ")
}

/// What was done since the server's start so that a backend serves again.
fn healed(device: &str, healing: Healing) -> String {
    let Healing {
        sessions,
        modules,
        workers,
        requests,
    } = healing;
    format!(
        "{}: {sessions} sessions opened anew, {modules} modules initialised anew, {workers} workers started anew, \
         {requests} requests repeated",
        super::output::printable(device)
    )
}
