//! What is wrong with a configuration, said so that it can be mended.

use std::fmt;
use std::path::PathBuf;

/// How much a problem stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The server does not start with it.
    Error,
    /// The server starts, and somebody has to see to it.
    Warning,
}

/// One thing that is wrong, where, and what mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The configuration file.
    pub file: PathBuf,
    /// The line in it, counted from 1; none where nothing in the file is at fault, or a key is missing.
    pub line: Option<usize>,
    /// How much it stands in the way.
    pub severity: Severity,
    /// What is wrong.
    pub what: String,
    /// What mends it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        let warning = if self.severity == Severity::Warning {
            "warning: "
        } else {
            ""
        };
        write!(f, ": {warning}{}\n  remedy: {}", self.what, self.remedy)
    }
}

/// Everything that was found wrong; at least one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// All of them, or nothing where there is none.
    ///
    /// # Errors
    /// The problems, in the order of their lines.
    pub fn none_of(mut problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_by_key(|problem| problem.line);
        Err(Self(problems))
    }

    /// Each problem.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
