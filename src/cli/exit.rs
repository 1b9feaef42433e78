//! How a command ends: its exit code, and the failure that the operator reads.

use std::process::ExitCode;

/// The exit codes, as each `--help` shows them.
pub(crate) const HELP: &str = "\
Exit codes:
   0  done
   1  failed; the reason and what to do are on stderr
   2  unhealthy: what was looked at is not well (status, doctor, config check, custody verify)
  64  the command line cannot be understood";

/// The exit code of a command. [`HELP`] says the same to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command did what it was asked to do.
    Done,
    /// The command did not; a [`Failure`] says why.
    Failed,
    /// The command did its work and what it looked at is not well.
    Unhealthy,
    /// The arguments cannot be understood (`EX_USAGE` of sysexits).
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Unhealthy => 2,
            Exit::Usage => 64,
        })
    }
}

/// Why a command failed, and what the operator can do about it.
///
/// The message says what was expected and what came; the remedy, where there is one, is a thing to do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    message: String,
    remedy: Option<String>,
    exit: Exit,
}

impl Failure {
    /// A failure whose remedy is not known.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            remedy: None,
            exit: Exit::Failed,
        }
    }

    /// The arguments are well formed one by one, but together they ask for nothing that can be done.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            ..Self::new(message)
        }
    }

    /// The same failure with what the operator can do.
    pub(crate) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }

    /// The same failure with one more thing that the operator can do.
    pub(crate) fn or(self, remedy: &str) -> Self {
        let remedy = match &self.remedy {
            Some(first) => format!("{first}; {remedy}"),
            None => remedy.to_owned(),
        };
        self.remedy(remedy)
    }

    /// The same failure, as the finding of a command that judges health.
    pub(crate) fn unhealthy(self) -> Self {
        Self {
            exit: Exit::Unhealthy,
            ..self
        }
    }

    /// What the operator can do, where that is known.
    pub(crate) fn remedy_text(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// The exit code that tells of it.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The lines for stderr.
    pub(crate) fn text(&self) -> String {
        match &self.remedy {
            Some(remedy) => format!("error: {}\nremedy: {remedy}", self.message),
            None => format!("error: {}", self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_do() {
        let failure = Failure::new("no such file: a.pem").remedy("give the path of a PEM file");
        assert_eq!(
            failure.text(),
            "error: no such file: a.pem\nremedy: give the path of a PEM file"
        );
        assert_eq!(failure.exit(), Exit::Failed);
    }
}
