//! The auditor's verifier as a command: `claviger-verify`, and the same words in `claviger custody verify`.
//!
//! What belongs here: files, arguments and words. What is verified, and how, is in [`custody`](crate::custody). Nothing here
//! knows a network, a database or a device: it builds without the feature `server`.

mod arguments;
mod state;
mod words;

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use time::Duration;

pub use arguments::{Arguments, Command, Form, HEARTBEAT};

use crate::custody::verification::{Report, Visit, verify_bundle};
use crate::custody::{Policy, SignedNote};

/// Why nothing was verified, or why what was looked at is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not what it claims to be. The findings were printed, or are the text.
    #[error("REFUSED: {0}")]
    Refused(String),
    /// It could not be tried.
    #[error("{0}")]
    NotTried(String),
}

impl Error {
    /// The exit code of a process that ends with it: 2 where what was looked at is refused, 1 where it was not tried.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Refused(_) => ExitCode::from(2),
            Self::NotTried(_) => ExitCode::from(1),
        }
    }
}

/// Verifies what the arguments name, and says on the standard output what was found. Once it is verified, the state is kept.
pub fn run(arguments: &Arguments) -> Result<(), Error> {
    let policy = std::fs::read(&arguments.policy).map_err(|error| unreadable(&arguments.policy, &error))?;
    let policy = Policy::from_bytes(&policy).map_err(|error| unreadable(&arguments.policy, &error))?;
    let mut file = File::open(&arguments.file).map_err(|error| unreadable(&arguments.file, &error))?;
    if let Some(note) = checkpoint(&mut file).map_err(|error| unreadable(&arguments.file, &error))? {
        return one_checkpoint(&note, &policy);
    }
    let state = match &arguments.state {
        Some(path) => state::read(path).map_err(|error| unreadable(path, &error))?,
        None => None,
    };
    let visit = Visit {
        policy: &policy,
        state: state.as_deref(),
        heartbeat: Duration::seconds(i64::from(arguments.heartbeat)),
    };
    let report = verify_bundle(io::BufReader::with_capacity(1 << 18, file), &visit);
    print(&match arguments.form {
        Form::Words => words::of(&report),
        Form::Json => json(&report)?,
    })?;
    if !report.verified {
        return Err(Error::Refused(format!(
            "{} is not to be believed",
            arguments.file.display()
        )));
    }
    match &arguments.state {
        Some(path) => state::keep(path, &report.checkpoint)
            .map_err(|error| Error::NotTried(format!("{} can't be written: {error}", path.display()))),
        None => Ok(()),
    }
}

/// The whole file, where it is a signed note and no bundle.
fn checkpoint(file: &mut File) -> io::Result<Option<SignedNote>> {
    const LONGEST: u64 = 1 << 18;
    let mut text = String::new();
    let read = file.take(LONGEST).read_to_string(&mut text);
    file.rewind()?;
    match read {
        Ok(_) => Ok(text.parse().ok()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

fn one_checkpoint(note: &SignedNote, policy: &Policy) -> Result<(), Error> {
    let believed = policy
        .believe(note)
        .map_err(|error| Error::Refused(words::printable(&error.to_string())))?;
    let seen: Vec<_> = believed.cosigned.iter().map(|(name, _)| name.as_str()).collect();
    let seen = if seen.is_empty() {
        "no witness".to_owned()
    } else {
        seen.join(", ")
    };
    if !believed.quorum {
        return Err(Error::Refused(format!(
            "the policy asks for more witnesses than have cosigned this checkpoint: {seen}"
        )));
    }
    let head = believed.checkpoint.head;
    print(&format!(
        "checkpoint  {}, {} records, root {}\nsigned by   {}\nseen by     {seen}\nVERIFIED\n",
        words::printable(&believed.checkpoint.origin),
        head.size,
        head.root,
        believed.log
    ))
}

fn json(report: &Report) -> Result<String, Error> {
    let json = serde_json::to_string_pretty(report)
        .map_err(|error| Error::NotTried(format!("the report can't be written as JSON: {error}")))?;
    Ok(json + "\n")
}

fn unreadable(path: &Path, error: &dyn Display) -> Error {
    Error::NotTried(format!("{} can't be read: {error}", path.display()))
}

fn print(text: &str) -> Result<(), Error> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Error::NotTried(format!("nothing can be written: {error}")))
}
