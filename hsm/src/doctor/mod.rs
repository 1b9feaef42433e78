//! What a device can do, found by trial, and what is wrong with it, said with a remedy.
//!
//! Everything that touches the module runs in a worker process, never in the caller's. An examination leaves nothing on
//! the token: all that it makes are session objects.

mod examination;

use serde::{Deserialize, Serialize};

use crate::configuration::{DeviceConfig, WorkerCommand};
use crate::worker::protocol::{Begin, Begun};
use crate::worker::{Connection, Logins, TransportPair, connect};
use crate::{Error, memory};

pub(crate) use examination::examine_here;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and something should be changed.
    Warning,
    /// The device can't be used like that.
    Failure,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at, such as `login`.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found.
    pub finding: String,
    /// What to do about it; empty where there is nothing to do.
    pub remedy: String,
}

/// The checks of a device, in the order in which they were made. After a failure that the others build on, they are
/// left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Check>,
}

impl Report {
    /// The worst verdict of all.
    pub fn verdict(&self) -> Verdict {
        self.checks
            .iter()
            .map(|check| check.verdict)
            .max()
            .unwrap_or(Verdict::Ok)
    }

    pub(crate) fn ok(&mut self, name: &str, finding: impl Into<String>) {
        self.push(name, Verdict::Ok, finding.into(), "");
    }

    pub(crate) fn warning(&mut self, name: &str, finding: impl Into<String>, remedy: &str) {
        self.push(name, Verdict::Warning, finding.into(), remedy);
    }

    pub(crate) fn failure(&mut self, name: &str, finding: impl Into<String>, remedy: &str) {
        self.push(name, Verdict::Failure, finding.into(), remedy);
    }

    fn push(&mut self, name: &str, verdict: Verdict, finding: String, remedy: &str) {
        self.checks.push(Check {
            name: name.to_owned(),
            verdict,
            finding,
            remedy: remedy.to_owned(),
        });
    }
}

/// Examines a device in a worker process of its own.
///
/// Fails only where no worker can be started; what is wrong with the device is in the report. A wrong PIN is tried once.
pub async fn examine(config: &DeviceConfig, command: &WorkerCommand) -> Result<Report, Error> {
    let pair = tokio::task::spawn_blocking(TransportPair::generate)
        .await
        .map_err(|error| Error::transport(error.to_string()))??;
    let logins = Logins::new()?;
    let mut report = match connect(config, command, &pair, &logins, Begin::Examine).await {
        Ok(Connection {
            begun: Begun::Examined(report),
            process,
            ..
        }) => {
            process.end_within_grace().await;
            report
        }
        Ok(Connection {
            begun: Begun::Failed(error),
            ..
        }) => return Err(error),
        Ok(_) => return Err(Error::protocol("an answer to another question")),
        Err(error @ Error::Unavailable { .. }) => {
            let mut report = Report::default();
            report.failure(
                "module",
                error.to_string(),
                "The module ended or hung its process. Ask its vendor, and see what it wrote to standard error.",
            );
            report
        }
        Err(error) => return Err(error),
    };
    check_memory(&mut report);
    Ok(report)
}

/// Whether this process can lock memory for keys.
fn check_memory(report: &mut Report) {
    match memory::reserve(64 * 1024) {
        Ok(()) if memory::status().unlocked_bytes == 0 => {
            report.ok(
                "memory locking",
                "memory for keys is locked and left out of core dumps",
            );
        }
        Ok(()) => report.warning(
            "memory locking",
            format!("{} bytes could not be locked", memory::status().unlocked_bytes),
            "Raise LimitMEMLOCK= in the systemd unit, or `ulimit -l`.",
        ),
        Err(error) => report.failure(
            "memory locking",
            error.to_string(),
            "Raise LimitMEMLOCK= in the systemd unit, or `ulimit -l`.",
        ),
    }
}
