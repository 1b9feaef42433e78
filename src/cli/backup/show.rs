//! `claviger backup show FILE`: what a backup says of itself.

use std::path::Path;

use serde::Serialize;
use time::OffsetDateTime;

use super::failure;
use super::key::Shown as ShownKey;
use crate::backup::{BackupKey, header_of};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, Properties, say, time};

#[derive(Serialize)]
struct Shown {
    backup: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    node: String,
    server_version: String,
    log: String,
    records: u64,
    root: String,
    /// What `backup.key` names, word for word.
    key: BackupKey,
}

pub(super) fn run(file: &Path, output: Output) -> Result<Exit, Failure> {
    let header = header_of(file).map_err(|error| failure(&error))?;
    let shown = Shown {
        backup: header.id.to_string(),
        created_at: header.created_at,
        node: header.node,
        server_version: header.server_version,
        log: header.log,
        records: header.records,
        root: header.root.to_string(),
        key: header.key,
    };
    output.data(&shown, |shown| {
        let mut properties = Properties::new();
        properties
            .line("backup", &shown.backup)
            .line("made", time(shown.created_at))
            .line("server", &shown.node)
            .line("version", &shown.server_version)
            .line("custody log", &shown.log)
            .line("custody records", shown.records)
            .line("custody root", &shown.root);
        ShownKey::of(&shown.key).lines(&mut properties);
        properties.text()
    })?;
    say("this is what the file says; `claviger backup verify` proves it, with the device that has the key");
    Ok(Exit::Done)
}
