//! `claviger custody …`: who had which key, when, and the proof that nothing of it was changed.

mod bundle;
mod compare;
mod epoch;
mod export;
mod filter;
pub(super) mod key;
mod list;
mod prove;
mod prune;
mod report;
mod show;
mod source;
mod target;
mod verify;

use super::Common;
use super::exit::{Exit, Failure};
use super::output::Output;
use source::Source;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Read this database: the file of a server that does not run, or a copy of it, or the address of a PostgreSQL; no server
    /// and no device is needed
    #[arg(long, global = true, value_name = "FILE|URL")]
    database: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List records, the newest last
    List(list::Arguments),
    /// Compare each key's row in the running server's database with the log: a row that was written past it is found
    Compare {
        /// Show what the last comparison found; the server makes one after its start and every day
        #[arg(long)]
        last: bool,
    },
    /// A log that is not the one that was written last, as after a database was restored: go on from it all the same
    #[command(subcommand)]
    Epoch(epoch::Command),
    /// The key that signs the log
    #[command(subcommand)]
    Key(key::Command),
    /// One record, whole and in words
    Show {
        /// Its number or its identifier
        #[arg(value_name = "RECORD")]
        record: String,
    },
    /// Write the proof that a record is in the log, or that the log continues a checkpoint
    Prove(prove::Arguments),
    /// Write records in a form that another system reads
    Export(Box<export::Arguments>),
    /// Write what an auditor takes along: records, tiles, checkpoints and keys in one file, verified without this server
    Bundle(bundle::Arguments),
    /// Write a page on one key or one period: who had what, and what is out of the ordinary
    Report(report::Arguments),
    /// Let the oldest records go, as the configuration allows: their hashes stay, and prove what is elsewhere
    Prune(prune::Arguments),
    /// Prove that the log is whole: every record read, every hash computed here; or verify a bundle, offline
    Verify(verify::Arguments),
}

pub(crate) async fn run(arguments: Arguments, common: &Common, output: Output) -> Result<Exit, Failure> {
    // These have no other source than the server, or none of the two.
    match arguments.command {
        Command::Verify(arguments) if arguments.bundle.is_some() => return verify::bundle(arguments, output),
        Command::Compare { last } => return compare::run(&common.client()?, last, output).await,
        Command::Epoch(command) => return epoch::run(command, &common.client()?, output).await,
        Command::Prune(arguments) => {
            let configuration = common.configuration()?;
            return prune::run(&arguments, &configuration, &common.client()?, output).await;
        }
        _ => {}
    }
    let source = match &arguments.database {
        Some(named) => Source::database(named, common.configuration().ok().as_ref()).await?,
        None => Source::Server(common.client()?),
    };
    match arguments.command {
        Command::Key(command) => key::run(command, &common.configuration()?, output).await,
        Command::List(arguments) => list::run(&arguments, &source, output).await,
        Command::Compare { .. } | Command::Epoch(_) | Command::Prune(_) => Ok(Exit::Done),
        Command::Show { record } => show::run(&record, &source, output).await,
        Command::Prove(arguments) => prove::run(&arguments, &source).await,
        Command::Export(arguments) => export::run(&arguments, &source).await,
        Command::Bundle(arguments) => bundle::run(&arguments, &common.configuration()?, &source).await,
        Command::Report(arguments) => report::run(&arguments, &source).await,
        Command::Verify(arguments) => verify::run(arguments.kept, &source, output).await,
    }
}

/// Who asked for what two administrators have to agree on, for people.
fn asker(name: &str, uid: Option<u32>) -> String {
    match uid {
        Some(uid) => format!("{name} (uid {uid})"),
        None => name.to_owned(),
    }
}
