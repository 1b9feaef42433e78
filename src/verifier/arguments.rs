//! What the auditor gives.

use std::path::PathBuf;

/// After how many seconds without a record a heartbeat is missed, where nobody says otherwise.
pub const HEARTBEAT: u32 = 360;

/// How the outcome is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// In words.
    Words,
    /// As one JSON object.
    Json,
}

/// Verifies offline what the custody log of a Claviger says
///
/// Exit codes: 0 verified; 1 not tried; 2 refused, each reason is printed; 64 the command line cannot be understood.
#[derive(Debug, clap::Parser)]
#[command(name = "claviger-verify", version)]
pub struct Command {
    /// What is verified, and by which policy.
    #[command(flatten)]
    pub arguments: Arguments,
}

/// Verifies offline what the custody log of a Claviger says.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// A bundle, as `claviger custody bundle` writes it, or one checkpoint
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Whose log is believed, and which witnesses have to have seen it (C2SP tlog-policy); kept by the auditor
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// The checkpoint of the last visit, kept by the auditor; written anew once the bundle is verified
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// After how many seconds without a record a heartbeat is missed
    #[arg(long, value_name = "SECONDS", default_value_t = HEARTBEAT)]
    pub heartbeat: u32,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t = Form::Words, value_name = "words|json", hide_possible_values = true)]
    pub form: Form,
}
