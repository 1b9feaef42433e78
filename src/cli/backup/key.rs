//! `claviger backup key …`: the key that backups are under.

use serde::Serialize;
use time::OffsetDateTime;

use super::{failure, not_started};
use crate::backup::BackupKey;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, Properties, say, time};
use crate::cli::serve::Holders;
use crate::config::Config;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make the key on the device, or in the key manager, once, and write down which it is
    Create {
        /// What is to hold it, by its name in the configuration [default: the only one]
        #[arg(long, value_name = "NAME")]
        device: Option<String>,
    },
    /// Which key it is
    Show,
}

/// The key as it is shown.
#[derive(Serialize)]
pub(super) struct Shown {
    device: String,
    token: String,
    token_serial: String,
    label: String,
    check_value: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl Shown {
    pub(super) fn of(key: &BackupKey) -> Self {
        Self {
            device: key.backend.clone(),
            token: key.token_label.clone(),
            token_serial: key.token_serial.clone(),
            label: key.label.clone(),
            check_value: hex::encode(&key.check_value),
            created_at: key.created_at,
        }
    }

    pub(super) fn lines(&self, properties: &mut Properties) {
        properties
            .line("key", &self.label)
            .line("device", &self.device)
            .line("token", &self.token)
            .line("token serial", &self.token_serial)
            .line("check value", &self.check_value)
            .line("key made", time(self.created_at));
    }
}

pub(super) async fn run(command: Command, config: &Config, output: Output) -> Result<Exit, Failure> {
    let file = &config.backup.key;
    let known = BackupKey::read(file).map_err(|error| failure(&error))?;
    let key = match (command, known) {
        (Command::Show, Some(key)) => key,
        (Command::Show, None) => {
            return Err(Failure::new("no key for backups is known here")
                .remedy("make one, once: `claviger backup key create`"));
        }
        (Command::Create { .. }, Some(key)) => {
            say(format_args!("there is one already: {}", file.display()));
            key
        }
        (Command::Create { device }, None) => make(config, device.as_deref()).await?,
    };
    output.data(&Shown::of(&key), |shown| {
        let mut properties = Properties::new();
        shown.lines(&mut properties);
        properties.text()
    })?;
    Ok(Exit::Done)
}

async fn make(config: &Config, device: Option<&str>) -> Result<BackupKey, Failure> {
    let file = &config.backup.key;
    let holders = Holders::start(config)
        .await
        .map_err(|error| not_started(&error))?;
    let names: Vec<String> = holders.root_keys.names().map(str::to_owned).collect();
    let made = match (device, &names[..]) {
        (Some(name), _) => BackupKey::make(&holders.root_keys, name).await,
        (None, [only]) => BackupKey::make(&holders.root_keys, only).await,
        (None, _) => {
            holders.shutdown().await;
            return Err(Failure::usage(format!(
                "the configuration has {}, and none is named",
                names.join(", ")
            ))
            .remedy("name one with --device"));
        }
    };
    holders.shutdown().await;
    let key = made.map_err(|error| {
        failure(&error).remedy(format!(
            "`claviger doctor` tells more of the device. Where the token has such a key already, {} says which: copy it from \
             the other server, or take it out of a backup: `claviger backup show FILE`",
            file.display()
        ))
    })?;
    key.write(file).map_err(|error| {
        failure(&error).remedy(format!(
            "the key is made, and is not known here; destroy the key {} on its token, mend what is wrong with the file, and \
             make another",
            key.label
        ))
    })?;
    say(format_args!(
        "{} says which key it is, and every backup does; nothing of it is secret. What opens backups is the token: have a clone \
         of it elsewhere. Copy the file to the other servers, if there are any",
        file.display()
    ));
    Ok(key)
}
