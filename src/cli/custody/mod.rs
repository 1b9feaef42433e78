//! `claviger custody …`: who had which key, when, and the proof that nothing of it was changed.

mod filter;
mod list;
mod verify;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::Output;
use crate::admin::api::{CustodyHead, CustodyRecord, List};
use crate::custody::{Head, StoredRecord};

/// How many records are asked for at a time.
const PAGE: u64 = 1000;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List records, the newest last
    List(filter::Arguments),
    /// Prove that the log is whole: every record read, every hash computed here
    Verify {
        /// A head that was kept elsewhere: the log has to continue it
        #[arg(long, value_name = "SIZE:ROOT", value_parser = verify::kept_head)]
        kept: Option<Head>,
    },
}

pub(crate) async fn run(command: Command, client: &Client, output: Output) -> Result<Exit, Failure> {
    match command {
        Command::List(arguments) => list::run(&arguments, client, output).await,
        Command::Verify { kept } => verify::run(kept, client, output).await,
    }
}

async fn head(client: &Client) -> Result<Head, Failure> {
    let head: CustodyHead = client.get(path(["custody", "head"])).await?;
    let root = head
        .root
        .parse()
        .map_err(|_| not_understood("the root of its head", &head.root))?;
    Ok(Head {
        size: head.size,
        root,
    })
}

/// The records `from` up to, and without, `end`: at most [`PAGE`].
async fn page(client: &Client, from: u64, end: u64) -> Result<Vec<StoredRecord>, Failure> {
    let limit = end.saturating_sub(from).min(PAGE);
    let page = path(["custody", "records"])
        .query("from", &from.to_string())
        .query("limit", &limit.to_string());
    let list: List<CustodyRecord> = client.get(page).await?;
    let records = list.items.into_iter().map(|record| {
        let bytes = STANDARD
            .decode(&record.bytes)
            .map_err(|_| not_understood("a record", &record.bytes))?;
        let leaf = record
            .leaf
            .parse()
            .map_err(|_| not_understood("a leaf's hash", &record.leaf))?;
        Ok(StoredRecord {
            sequence: record.sequence,
            leaf,
            bytes,
        })
    });
    records.collect()
}

fn not_understood(what: &str, came: &str) -> Failure {
    let shown: String = came.chars().take(80).collect();
    Failure::new(format!("the server gave {shown:?} as {what} of the custody log"))
        .remedy("use the `claviger` of the same version as the server's")
}
