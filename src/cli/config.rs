//! `claviger config`: what the configuration file says, and whether it can be so.

use std::path::Path;

use clap::Subcommand;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::output::Output;
use crate::config::{Config, Problem, Severity, check};
use crate::custody::Policy;

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
        Ok(config) => {
            let mut problems = check(&config);
            problems.extend(of_witnesses(&config));
            problems
        }
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

/// What is wrong with the policy that says who the witnesses are. That the file is not there, the check of the configuration says.
fn of_witnesses(config: &Config) -> Vec<Problem> {
    const KEY: &str = "custody.witness.policy";
    let Some(witness) = &config.custody.witness else {
        return Vec::new();
    };
    let Ok(bytes) = std::fs::read(&witness.policy) else {
        return Vec::new();
    };
    let file = witness.policy.display();
    let problem = |severity, what: String, remedy: &str| Problem {
        file: config.file.clone(),
        line: config.line_of(KEY),
        severity,
        what: format!("`{KEY}`: {what}"),
        remedy: remedy.to_owned(),
    };
    let how =
        "write the witnesses, the address of each and the quorum into it: docs/witness.md has an example";
    match Policy::from_bytes(&bytes) {
        Err(error) => vec![problem(Severity::Error, format!("{file}: {error}"), how)],
        Ok(policy) if !policy.asks_for_witnesses() => {
            let what = format!("the quorum of {file} asks for no witness");
            vec![problem(Severity::Error, what, how)]
        }
        Ok(policy) => policy
            .witnesses()
            .filter(|witness| witness.url.is_none())
            .map(|witness| {
                let what = format!("{file} does not say where the witness {} is asked", witness.name);
                problem(Severity::Warning, what, how)
            })
            .collect(),
    }
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
