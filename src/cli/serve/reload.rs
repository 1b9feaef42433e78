//! SIGHUP: the configuration is read again. What can change while clients are served does; what can't is named.
//!
//! Certificates of the server and of auditors need no signal: their files are read again when they change.

use std::fmt::Debug;

use super::{Running, logging};
use crate::config::{self, Config, Limits, Problems, Severity};
use crate::custody::{Actor, Event, EventName, Hash};

impl Running {
    /// Reads the file of `current`, which is what is in force, again. A file with an error changes nothing, and
    /// neither does one whose reading can't be recorded.
    pub async fn reload(&self, current: &mut Config) {
        let event = Event::new(EventName::ServerReload, Actor::Server);
        let read = match read(current) {
            Ok(read) => read,
            Err(problems) => {
                tracing::error!("the configuration was not read again, and stays as it was: {problems}");
                self.record(event.failed("the configuration has errors")).await;
                return;
            }
        };
        let changed = changed_at_once(current, &read);
        let waiting = needing_restart(&changed, &read);
        let mut event = event.detail("read_configuration_sha256", Hash(read.sha256).to_string());
        if !waiting.is_empty() {
            event = event.detail("needs_restart", waiting.join(", "));
        }
        if !self.record(event).await {
            return;
        }
        self.services.recorder.configured_as(Hash(read.sha256));
        logging::change_level(&changed.log);
        self.services.endpoint.change_limits(changed.kmip.limits.clone());
        *current = changed;
        if waiting.is_empty() {
            tracing::info!("the configuration was read again");
        } else {
            tracing::warn!(
                "the configuration was read again; what changed in {} works only after a restart",
                waiting.join(", ")
            );
        }
        self.services.needs_restart.replace(waiting);
    }

    async fn record(&self, event: Event) -> bool {
        let recorded = self.services.recorder.commit(Vec::new(), event).await;
        if let Err(error) = &recorded {
            tracing::error!(%error, "that the configuration was read again could not be recorded: it stays as it was");
        }
        recorded.is_ok()
    }
}

/// The file as it is now, with nothing in it that would keep a server from starting.
fn read(current: &Config) -> Result<Config, Problems> {
    let read = Config::load(&current.file)?;
    let (errors, warnings): (Vec<_>, Vec<_>) = config::check(&read)
        .into_iter()
        .partition(|problem| problem.severity == Severity::Error);
    Problems::none_of(errors)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    Ok(read)
}

/// What is in force from now on: of what was read, what can change while clients are served.
fn changed_at_once(current: &Config, read: &Config) -> Config {
    let mut changed = current.clone();
    changed.log.level = read.log.level;
    changed.kmip.limits = Limits {
        // What reads a request has it from the start on.
        request_bytes: current.kmip.limits.request_bytes,
        ..read.kmip.limits.clone()
    };
    changed
}

/// What differs and is looked at only at a start.
fn needing_restart(current: &Config, read: &Config) -> Vec<String> {
    // A section has no more in it than what it shows: paths and numbers, and no secrets.
    fn differ<T: Debug>(before: &T, now: &T) -> bool {
        format!("{before:?}") != format!("{now:?}")
    }
    let names = [
        ("node", differ(&current.node, &read.node)),
        (
            "state_directory",
            differ(&current.state_directory, &read.state_directory),
        ),
        ("kmip", differ(&current.kmip, &read.kmip)),
        ("https", differ(&current.https, &read.https)),
        ("admin", differ(&current.admin, &read.admin)),
        ("store", differ(&current.store, &read.store)),
        ("device", differ(&current.devices, &read.devices)),
        ("mirror", differ(&current.mirrors, &read.mirrors)),
        ("key_protect", differ(&current.key_protect, &read.key_protect)),
        ("custody", differ(&current.custody, &read.custody)),
        ("backup", differ(&current.backup, &read.backup)),
        ("metrics", differ(&current.metrics, &read.metrics)),
        ("tracing", differ(&current.tracing, &read.tracing)),
        ("log.format", differ(&current.log.format, &read.log.format)),
    ];
    let differing = names.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(name, _)| name.to_owned()).collect()
}
