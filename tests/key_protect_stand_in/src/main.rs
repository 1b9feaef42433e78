//! The stand-in as a process of its own.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use claviger_hsm::WorkerCommand;
use claviger_key_protect_stand_in::{Aad, Form, Options, StandIn, Waits};
use tokio::signal::unix::{SignalKind, signal};

/// Stands in for IBM Key Protect and its IAM, for tests and for trying things out. Prints one line of JSON when it serves;
/// SIGTERM and SIGINT end it.
#[derive(Parser)]
struct Arguments {
    /// Where everything lies: certificates, API keys, the token, the state
    #[arg(long)]
    directory: PathBuf,
    /// The port on 127.0.0.1; 0 is any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Which of the two services
    #[arg(long, value_enum, default_value_t)]
    form: Form,
    /// What becomes of `aad`
    #[arg(long, value_enum, default_value_t)]
    aad: Aad,
    /// Have clients wait as the service does: an hour between two rotations, thirty seconds before a key is enabled,
    /// disabled or restored, four hours before it is purged
    #[arg(long)]
    waits: bool,
    /// Worker processes of the device
    #[arg(long, default_value_t = 2)]
    workers: usize,
}

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == "device-worker")
    {
        return claviger_hsm::worker::serve_inherited();
    }
    match serve(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let signals = runtime.block_on(async {
        let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok::<_, std::io::Error>(signals)
    });
    let (mut terminate, mut interrupt) = signals?;
    let mut stand_in = StandIn::start(Options {
        port: arguments.port,
        form: arguments.form,
        aad: arguments.aad,
        waits: if arguments.waits {
            Waits::of_the_service()
        } else {
            Waits::default()
        },
        workers: arguments.workers,
        ..Options::new(arguments.directory, WorkerCommand::this_program()?)
    })?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string(stand_in.facts())?)?;
    runtime.block_on(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    stand_in.stop();
    Ok(())
}
