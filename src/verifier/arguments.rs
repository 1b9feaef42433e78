//! What the auditor gives.

use std::path::PathBuf;

/// Verifies offline what the custody log of a Claviger says.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// A checkpoint: a signed note
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Whose log is believed, and which witnesses have to have seen it (C2SP tlog-policy); kept by the auditor
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
}
