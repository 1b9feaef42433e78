//! `claviger witness …`: a witness of other hosts' custody logs. It has a directory of its own, and nothing of a server.

mod init;
mod run;
mod show;

use std::path::{Path, PathBuf};

use super::block_on;
use super::exit::{Exit, Failure};
use super::output::Output;
use crate::config::Witness;
use crate::custody::{SignatureType, VerifierKey};
use crate::witness::{Memory, WitnessKey, WitnessedLog};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The witness's folder: its configuration `witness.toml`, its key, what it remembers
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "CLAVIGER_WITNESS_DIRECTORY",
        default_value = "/var/lib/claviger-witness",
        hide_env_values = true
    )]
    directory: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a witness: its key, its empty memory, its configuration
    Init(init::Arguments),
    /// Answer until told to stop (SIGTERM, SIGINT)
    Run,
    /// Its key as policies have it, and what it cosigned last of each log
    Show,
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments, output: Output) -> Result<Exit, Failure> {
    let directory = arguments.directory.as_path();
    match arguments.command {
        Command::Init(arguments) => block_on(init::run(&arguments, directory, output)),
        Command::Run => run::run(&configuration(directory)?),
        Command::Show => block_on(show::run(&configuration(directory)?, output)),
    }
}

fn configuration_file(directory: &Path) -> PathBuf {
    directory.join("witness.toml")
}

fn configuration(directory: &Path) -> Result<Witness, Failure> {
    Witness::load(&configuration_file(directory)).map_err(|problems| Failure::new(problems.to_string()))
}

fn key(config: &Witness) -> Result<WitnessKey, Failure> {
    WitnessKey::load(&config.name, &config.signing_key).map_err(|error| Failure::new(error.to_string()))
}

async fn memory(config: &Witness) -> Result<Memory, Failure> {
    Memory::open(&config.memory)
        .await
        .map_err(|error| Failure::new(error.to_string()))
}

/// The key of a log, read from its text.
fn log_key(text: &str) -> Result<VerifierKey, String> {
    let key: VerifierKey = text.parse().map_err(|error| format!("{error}"))?;
    if key.signature_type() == SignatureType::Cosignature {
        return Err(format!(
            "{:?} is the key of a witness, and a log's is needed",
            key.name()
        ));
    }
    Ok(key)
}

/// The logs of the configuration; several keys of one log are its keys together.
fn logs(config: &Witness) -> Result<Vec<WitnessedLog>, Failure> {
    let mut logs: Vec<WitnessedLog> = Vec::new();
    for (index, log) in config.logs.iter().enumerate() {
        let key = log_key(&log.key).map_err(|why| {
            Failure::new(format!("`witnessed[{index}].key` of the configuration: {why}"))
                .remedy("write what `claviger custody key show` prints where the log is")
        })?;
        let origin = log.origin.clone().unwrap_or_else(|| key.name().to_owned());
        match logs.iter_mut().find(|log| log.origin == origin) {
            Some(log) => log.keys.push(key),
            None => logs.push(WitnessedLog {
                origin,
                keys: vec![key],
            }),
        }
    }
    Ok(logs)
}
