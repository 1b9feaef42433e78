//! `claviger custody …`: who had which key, when, and the proof that nothing of it was changed.

mod compare;
mod filter;
mod list;
mod source;
mod verify;

use std::path::PathBuf;

use super::Common;
use super::exit::{Exit, Failure};
use super::output::Output;
use crate::custody::Head;
use source::Source;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Read this database, of a server that does not run, or a copy of one; no server and no device is needed
    #[arg(long, global = true, value_name = "FILE")]
    database: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List records, the newest last
    List(filter::Arguments),
    /// Compare each key's row in the running server's database with the log: a row that was written past it is found
    Compare {
        /// Show what the last comparison found; the server makes one after its start and every day
        #[arg(long)]
        last: bool,
    },
    /// Prove that the log is whole: every record read, every hash computed here
    Verify {
        /// A head that was kept elsewhere: the log has to continue it
        #[arg(long, value_name = "SIZE:ROOT", value_parser = verify::kept_head)]
        kept: Option<Head>,
    },
}

pub(crate) async fn run(arguments: Arguments, common: &Common, output: Output) -> Result<Exit, Failure> {
    if let Command::Compare { last } = arguments.command {
        return compare::run(&common.client()?, last, output).await;
    }
    let source = match &arguments.database {
        Some(file) => Source::database(file).await?,
        None => Source::Server(common.client()?),
    };
    match arguments.command {
        Command::List(arguments) => list::run(&arguments, &source, output).await,
        // It was carried out above, for it has no other source than the server.
        Command::Compare { .. } => Ok(Exit::Done),
        Command::Verify { kept } => verify::run(kept, &source, output).await,
    }
}
