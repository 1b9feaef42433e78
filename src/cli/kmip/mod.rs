//! `claviger kmip …`: a KMIP client for the operator, to see what a client sees. A file an operation.
//!
//! A key's value is printed by `get --reveal` alone; everywhere else, `--raw` included, it is left out.

mod attributes;
mod connection;
mod create;
mod discover_versions;
mod get;
mod life_cycle;
mod locate;
mod names;
mod query;
mod session;

use super::exit::{Exit, Failure};
use super::output::Output;
use crate::kmip::text::Secrets;
use crate::kmip::version::ProtocolVersion;
use session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    connection: connection::Arguments,
    /// The version of the protocol
    #[arg(long, global = true, default_value = "1.4", value_name = "1.0…1.4", value_parser = version, help_heading = "Connection")]
    protocol: ProtocolVersion,
    /// Print the request and the response as they are on the wire, in readable form
    #[arg(long, global = true)]
    raw: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// What the server can do
    Query,
    /// Which versions of the protocol the server speaks
    DiscoverVersions,
    /// Make a symmetric key
    Create(create::Arguments),
    /// Fetch a key; its value is printed only with --reveal
    Get(get::Arguments),
    /// Find keys
    Locate(locate::Arguments),
    /// Show the attributes of a key
    Attributes(attributes::Arguments),
    /// Make a key Active
    Activate(life_cycle::Arguments),
    /// Make a key Deactivated, or Compromised
    Revoke(life_cycle::RevokeArguments),
    /// Destroy the value of a key, for good
    Destroy(life_cycle::Arguments),
}

pub(crate) async fn run(arguments: Arguments, output: Output) -> Result<Exit, Failure> {
    let reveal = matches!(&arguments.command, Command::Get(get) if get.reveal);
    let mut session = Session::open(&arguments.connection, arguments.protocol).await?;
    if arguments.raw {
        session.show_messages(if reveal {
            Secrets::Revealed
        } else {
            Secrets::Hidden
        });
    }
    match arguments.command {
        Command::Query => query::run(&mut session, output).await,
        Command::DiscoverVersions => discover_versions::run(&mut session, output).await,
        Command::Create(arguments) => create::run(arguments, &mut session, output).await,
        Command::Get(arguments) => get::run(&arguments, &mut session, output).await,
        Command::Locate(arguments) => locate::run(arguments, &mut session, output).await,
        Command::Attributes(arguments) => attributes::run(&arguments, &mut session, output).await,
        Command::Activate(arguments) => life_cycle::activate(&arguments, &mut session, output).await,
        Command::Revoke(arguments) => life_cycle::revoke(arguments, &mut session, output).await,
        Command::Destroy(arguments) => life_cycle::destroy(&arguments, &mut session, output).await,
    }
}

fn version(text: &str) -> Result<ProtocolVersion, String> {
    let known = ProtocolVersion::SUPPORTED;
    known
        .into_iter()
        .find(|version| version.to_string() == text)
        .ok_or_else(|| format!("the versions are {}", names::listed(known.iter().rev())))
}
