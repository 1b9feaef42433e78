//! `claviger backup create`: of the running server, over its administration socket; or of one that is stopped.

use std::io::BufWriter;
use std::path::PathBuf;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::shelf::{Unfinished, folder_of, thin};
use super::{failure, offline};
use crate::backup::{Header, rewound};
use crate::cli::Common;
use crate::cli::client::path;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, Properties, time};
use crate::custody::Hash;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file to write, which must not be there
    #[arg(required_unless_present = "directory", conflicts_with = "directory")]
    file: Option<PathBuf>,
    /// Write into this folder, under a name that says the server and the time
    #[arg(long, value_name = "FOLDER")]
    directory: Option<PathBuf>,
    /// Keep so many of this server's backups in the folder, and take away the older ones
    #[arg(long, value_name = "NUMBER", requires = "directory", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// The server is stopped: read its database here
    #[arg(long)]
    offline: bool,
}

#[derive(Serialize)]
struct Made {
    file: PathBuf,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    bytes: u64,
    sha256: String,
    records: u64,
    taken_away: Vec<PathBuf>,
}

pub(super) async fn run(arguments: &Arguments, common: &Common, output: Output) -> Result<Exit, Failure> {
    let (folder, name) = match (&arguments.file, &arguments.directory) {
        (Some(file), _) => (folder_of(file), file.file_name()),
        (None, Some(folder)) => (folder.as_path(), None),
        (None, None) => return Err(Failure::usage("name a file, or a folder with --directory")),
    };
    if let Some(file) = arguments.file.as_deref().filter(|file| file.exists()) {
        return Err(Failure::new(format!("{} is there already", file.display()))
            .remedy("name a file that is not there yet"));
    }
    let name = name.and_then(|name| name.to_str()).unwrap_or("claviger-backup");
    let unfinished = Unfinished::beside(folder, name)?;
    if arguments.offline {
        offline::make(&common.configuration()?, &unfinished.file).await?;
    } else {
        let mut out = BufWriter::new(&unfinished.file);
        let backups = path(["backups"]);
        common.client()?.take_along(backups, &mut out).await?;
        let written = out.into_inner();
        written.map_err(|error| Failure::new(format!("the backup can't be written: {error}")))?;
    }
    let (header, bytes, sha256) = looked_at(&unfinished)?;
    let place = match &arguments.file {
        Some(file) => file.clone(),
        None => folder.join(header.file_name()),
    };
    unfinished.finish(&place)?;
    let taken_away = match arguments.keep {
        Some(keep) => thin(folder, &header.node, keep as usize)?,
        None => Vec::new(),
    };
    let made = Made {
        file: place,
        created_at: header.created_at,
        bytes,
        sha256: sha256.to_string(),
        records: header.records,
        taken_away,
    };
    output.data(&made, table)?;
    Ok(Exit::Done)
}

/// What was written, read again.
fn looked_at(unfinished: &Unfinished) -> Result<(Header, u64, Hash), Failure> {
    let mut file = &unfinished.file;
    rewound(file).map_err(|error| failure(&error))?;
    let header = Header::read(&mut file).map_err(|error| failure(&error))?.0;
    rewound(file).map_err(|error| failure(&error))?;
    let (bytes, sha256) = hashed(&mut file)?;
    Ok((header, bytes, sha256))
}

/// The length and the SHA-256 of a file.
pub(in crate::cli) fn hashed(from: &mut impl std::io::Read) -> Result<(u64, Hash), Failure> {
    let mut hash = Sha256::new();
    let bytes = std::io::copy(from, &mut hash)
        .map_err(|error| Failure::new(format!("the backup can't be read: {error}")))?;
    Ok((bytes, Hash(hash.finalize().into())))
}

fn table(made: &Made) -> String {
    let mut properties = Properties::new();
    properties
        .line("backup", made.file.display())
        .line("made", time(made.created_at))
        .line("bytes", made.bytes)
        .line("sha256", &made.sha256)
        .line("custody records", made.records);
    for gone in &made.taken_away {
        properties.line("taken away", gone.display());
    }
    properties.text()
}
