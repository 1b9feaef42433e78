//! Where a command that makes much text writes it: a new file, or stdout.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::cli::exit::Failure;

/// A new file that its owner alone can read, or stdout.
pub(super) enum Target {
    File(PathBuf, BufWriter<File>),
    Stdout(BufWriter<io::Stdout>),
}

impl Target {
    /// The file, which must not be there yet; stdout where none is named.
    pub(super) fn new(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = file else {
            return Ok(Self::Stdout(BufWriter::new(io::stdout())));
        };
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        match opened {
            Ok(opened) => Ok(Self::File(path.to_owned(), BufWriter::new(opened))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Failure::new(format!(
                "{} is there already, and nothing was written",
                path.display()
            ))
            .remedy("name another file")),
            Err(error) => Err(Failure::new(format!("cannot make {}: {error}", path.display()))),
        }
    }

    /// Writes text as it is.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Failure> {
        let written = match self {
            Self::File(_, file) => file.write_all(text.as_bytes()),
            Self::Stdout(stdout) => stdout.write_all(text.as_bytes()),
        };
        self.judge(written)
    }

    /// Writes a line.
    pub(super) fn line(&mut self, line: &str) -> Result<(), Failure> {
        self.text(line)?;
        self.text("\n")
    }

    /// Writes what is still kept back, and sees to it that a file is on its disk.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let written = match &mut self {
            Self::File(_, file) => file.flush().and_then(|()| file.get_ref().sync_all()),
            Self::Stdout(stdout) => stdout.flush(),
        };
        self.judge(written)
    }

    fn judge(&self, written: io::Result<()>) -> Result<(), Failure> {
        match (self, written) {
            // The reader, say `head`, has seen enough.
            (Self::Stdout(_), Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            (Self::Stdout(_), written) => {
                written.map_err(|error| Failure::new(format!("cannot write to stdout: {error}")))
            }
            (Self::File(path, _), written) => {
                written.map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
            }
        }
    }
}
