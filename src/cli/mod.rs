//! The command line: a file a command. Data goes to stdout, words to stderr.
//!
//! What belongs here: arguments, what is asked and printed, exit codes. What does not: anything that a
//! program other than this command line would need. Commands that change a running server go through its
//! administration interface (`client`), so that a change works at once and is recorded with who made it.

mod adapter;
mod backup;
mod certificate;
mod client;
mod client_certificate;
mod config;
mod credential;
mod custody;
mod database;
mod device;
mod device_worker;
mod doctor;
mod exit;
mod generate;
mod init;
mod key;
mod key_list;
mod key_protect;
mod key_scan;
mod key_unused;
mod kmip;
mod output;
mod restore;
mod root_key;
pub mod serve;
mod signing_key;
mod status;
mod store;
mod token;
mod trust;
mod witness;
mod x509;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use client::Client;
use exit::{Exit, Failure};
use output::{Format, Output};

use crate::config::Config;

/// A KMIP key service for VMware that stands beside an HSM.
#[derive(Debug, Parser)]
#[command(name = "claviger", version, after_help = exit::HELP, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Common options")]
struct Common {
    /// The server's configuration
    #[arg(
        long,
        global = true,
        env = "CLAVIGER_CONFIG",
        default_value = "/etc/claviger/claviger.toml",
        value_name = "FILE",
        hide_env_values = true
    )]
    config: PathBuf,

    /// The server's administration socket [default: the configuration's]
    #[arg(
        long,
        global = true,
        env = "CLAVIGER_ADMIN_SOCKET",
        value_name = "PATH",
        hide_env_values = true
    )]
    admin_socket: Option<PathBuf>,

    /// How data is printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Table, hide_possible_values = true, value_name = "table|json")]
    output: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a configuration and a server certificate; asks for what no option says
    Init(Box<init::Arguments>),
    /// Run the server until it is told to stop (SIGTERM, SIGINT)
    Serve,
    /// The configuration file
    #[command(subcommand)]
    Config(config::Command),
    /// What is wrong, found by trying: configuration, devices, key managers, store, server; needs no running server
    Doctor {
        /// Have each key manager make a key, which is deleted at once: so every IAM role is tried
        #[arg(long)]
        new_key: bool,
    },
    /// How the running server is
    Status,
    /// Root keys: the keys in the HSM or in the key manager under which all others are wrapped
    #[command(subcommand)]
    RootKey(root_key::Command),
    /// Adapters: the tenants of the KMIP endpoint
    #[command(subcommand)]
    Adapter(adapter::Command),
    /// Client certificates: who may reach an adapter's keys
    #[command(subcommand)]
    Certificate(certificate::Command),
    /// Access tokens: programs that come in over HTTPS without a certificate, such as IBM Cloud's clients
    #[command(subcommand)]
    Token(token::Command),
    /// Keys of an adapter, as the administrator sees them: never their values
    #[command(subcommand)]
    Key(key::Command),
    /// The custody log: who had which key, when
    Custody(custody::Arguments),
    /// A witness: another host that signs the custody log's checkpoints, and refuses a log that was cut short or rewritten
    Witness(witness::Arguments),
    /// Backups: everything that the server keeps, in one encrypted file
    #[command(subcommand)]
    Backup(backup::Command),
    /// Bring what is in a backup into an empty database; the server must not run
    Restore(restore::Arguments),
    /// The database as a whole
    #[command(subcommand)]
    Store(store::Command),
    /// A KMIP client, to see what a client sees
    Kmip(kmip::Arguments),
    /// Manual pages and shell completions, for a package
    #[command(subcommand, hide = true)]
    Generate(generate::Command),
    /// Host a device; started by the server, with its end of a socket as stdin
    #[command(hide = true)]
    DeviceWorker,
}

/// Reads the arguments of this process and runs the command that they name.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A stream that is closed cannot be told of it.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            }
            .into();
        }
    };
    if let Command::DeviceWorker = arguments.command {
        return device_worker::run();
    }
    match dispatch(arguments) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::say(failure.text());
            failure.exit().into()
        }
    }
}

fn dispatch(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { common, command } = arguments;
    let output = Output::new(common.output);
    match command {
        Command::Init(arguments) => init::run(&arguments, &common.config, output),
        Command::Serve => serve::run(common.configuration()?),
        Command::Config(command) => config::run(command, &common.config, output),
        Command::Doctor { new_key } => {
            let (config, client) = (common.configuration()?, common.client()?);
            block_on(doctor::run(&config, &client, new_key, output))
        }
        Command::Status => block_on(status::run(&common.client()?, output)),
        Command::RootKey(command) => block_on(root_key::run(command, &common.client()?, output)),
        Command::Adapter(command) => block_on(adapter::run(command, &common.client()?, output)),
        Command::Certificate(command) => block_on(certificate::run(command, &common.client()?, output)),
        Command::Token(command) => block_on(token::run(command, &common.client()?, output)),
        Command::Key(command) => block_on(key::run(command, &common.client()?, output)),
        Command::Custody(arguments) => block_on(custody::run(arguments, &common, output)),
        Command::Witness(arguments) => witness::run(arguments, output),
        Command::Backup(command) => block_on(backup::run(command, &common, output)),
        Command::Restore(arguments) => block_on(restore::run(&arguments, &common.configuration()?, output)),
        Command::Store(command) => block_on(store::run(command, &common.configuration()?, output)),
        Command::Kmip(arguments) => block_on(kmip::run(arguments, output)),
        Command::Generate(command) => generate::run(&command),
        Command::DeviceWorker => Ok(Exit::Usage),
    }
}

impl Common {
    /// The configuration; what is wrong with it is the failure.
    fn configuration(&self) -> Result<Config, Failure> {
        Config::load(&self.config).map_err(|problems| Failure::new(problems.to_string()))
    }

    /// The client of the server that the arguments mean.
    fn client(&self) -> Result<Client, Failure> {
        match &self.admin_socket {
            Some(socket) => Ok(Client::new(socket)),
            None => Ok(Client::new(self.configuration()?.admin.socket)),
        }
    }
}

/// Runs a command that waits for others on this thread.
fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot prepare to wait for the server: {error}")))?
        .block_on(command)
}
