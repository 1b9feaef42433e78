//! The auditor's verifier as a command: `claviger-verify`, and the same words in `claviger custody verify`.
//!
//! What belongs here: files, arguments and words. What is verified, and how, is in [`custody`](crate::custody). Nothing here
//! knows a network, a database or a device: it builds without the feature `server`.

mod arguments;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

pub use arguments::Arguments;

use crate::custody::{Policy, SignedNote};

/// Why nothing could be verified, or what was found wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is to be verified is not what it claims to be.
    #[error("REFUSED: {0}")]
    Refused(String),
    /// It could not be tried.
    #[error("{0}")]
    NotTried(String),
}

impl Error {
    /// The exit code of a process that ends with it: 1 where something is wrong with what was verified, 2 where it was not
    /// tried.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused(_) => ExitCode::from(1),
            Self::NotTried(_) => ExitCode::from(2),
        }
    }
}

/// Verifies what the arguments name, and says on the standard output what was found.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let policy = read(&arguments.policy)?;
    let policy = Policy::from_bytes(&policy)
        .map_err(|error| Error::NotTried(format!("{}: {error}", arguments.policy.display())))?;
    let refused = |error: &dyn std::fmt::Display| Error::Refused(error.to_string());
    let note = String::from_utf8(read(&arguments.file)?).map_err(|error| refused(&error))?;
    let note: SignedNote = note.parse().map_err(|error| refused(&error))?;
    let believed = policy.believe(&note).map_err(|error| refused(&error))?;
    if !believed.quorum {
        let seen: Vec<_> = believed.cosigned.iter().map(|(name, _)| name.as_str()).collect();
        return Err(Error::Refused(format!(
            "the policy asks for more witnesses than have cosigned this checkpoint: {seen:?}"
        )));
    }
    let head = believed.checkpoint.head;
    say(&format!(
        "verified: checkpoint of {}, {} records, root {}, signed by {}",
        believed.checkpoint.origin, head.size, head.root, believed.log
    ))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error::NotTried(format!("{} can't be read: {error}", path.display())))
}

fn say(line: &str) -> Result<(), Error> {
    writeln!(std::io::stdout(), "{line}")
        .map_err(|error| Error::NotTried(format!("nothing can be written: {error}")))
}
