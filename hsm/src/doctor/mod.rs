//! What a device can do, found by trial, and what is wrong with it, said with a remedy.
//!
//! Everything that touches the module runs in a worker process, never in the caller's. An examination leaves nothing on
//! the token: all that it makes are session objects. A module for each [`Group`] of checks.

mod attributes;
mod clock;
mod cryptography;
mod examination;
mod mechanisms;
mod module;
mod pin;
mod profiles;
mod random;
mod report;
mod root_keys;
mod signing;
mod slot;
mod speed;

use crate::configuration::{DeviceConfig, WorkerCommand};
use crate::key::RootKeyLocator;
use crate::worker::protocol::{Begin, Begun, Examination};
use crate::worker::{Connection, Logins, TransportPair, connect};
use crate::{Error, memory};

pub use report::{Check, Group, Report, Verdict};

pub(crate) use examination::examine_here;

use report::Section;

/// Examines a device in a worker process of its own.
///
/// `recorded` are the root keys that should be on the token; each with its check value, where one was recorded.
///
/// Fails only where no worker can be started; what is wrong with the device is in the report. A wrong PIN is tried once.
pub async fn examine(
    config: &DeviceConfig,
    command: &WorkerCommand,
    recorded: &[RootKeyLocator],
) -> Result<Report, Error> {
    let begin = |start| {
        Begin::Examine(Examination {
            start,
            recorded: recorded.to_vec(),
        })
    };
    let pair = tokio::task::spawn_blocking(TransportPair::generate)
        .await
        .map_err(|error| Error::transport(error.to_string()))??;
    let logins = Logins::new()?;
    let mut report = match connect(config, command, &pair, &logins, begin).await {
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
            report.section(Group::Module).failed(
                "module",
                &error,
                "The module ended or hung its process. Ask its vendor, and see what it wrote to standard error.",
            );
            report
        }
        Err(error) => return Err(error),
    };
    check_memory(&mut report.section(Group::Memory));
    Ok(report)
}

/// Whether this process can lock memory for keys.
fn check_memory(section: &mut Section<'_>) {
    match memory::reserve(64 * 1024) {
        Ok(()) if memory::status().unlocked_bytes == 0 => {
            section.ok("locking", "memory for keys is locked and left out of core dumps");
        }
        Ok(()) => section.warning(
            "locking",
            format!("{} bytes could not be locked", memory::status().unlocked_bytes),
            "Raise LimitMEMLOCK= in the systemd unit, or `ulimit -l`.",
        ),
        Err(error) => section.failure(
            "locking",
            error.to_string(),
            "Raise LimitMEMLOCK= in the systemd unit, or `ulimit -l`.",
        ),
    }
}
