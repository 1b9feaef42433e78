//! `claviger config`: what the configuration file says, and whether it can be so.

use std::path::Path;

use clap::Subcommand;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::output::Output;
use crate::config::{Config, Problem, Severity, check};

#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Command {
    /// Read the file and look at what it names; tell everything that is wrong at once
    Check,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Finding {
    file: String,
    /// Counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// Whether the server starts all the same.
    warning: bool,
    problem: String,
    remedy: String,
}

/// Runs the command on the configuration at `file`.
pub(crate) fn run(command: Command, file: &Path, output: Output) -> Result<Exit, Failure> {
    let Command::Check = command;
    let problems = match Config::load(file) {
        Ok(config) => check(&config),
        Err(problems) => problems.iter().cloned().collect(),
    };
    let findings: Vec<_> = problems.iter().map(finding).collect();
    output.data(&findings, |_| match problems.as_slice() {
        [] => format!("{}: nothing is wrong", file.display()),
        _ => problems
            .iter()
            .map(Problem::to_string)
            .collect::<Vec<_>>()
            .join("\n"),
    })?;
    Ok(if findings.is_empty() {
        Exit::Done
    } else {
        Exit::Unhealthy
    })
}

fn finding(problem: &Problem) -> Finding {
    Finding {
        file: problem.file.display().to_string(),
        line: problem.line,
        warning: problem.severity == Severity::Warning,
        problem: problem.what.clone(),
        remedy: problem.remedy.clone(),
    }
}
