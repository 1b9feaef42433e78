//! `claviger custody key …`: the key that signs the checkpoints of the log.

use std::time::{Duration, Instant};

use claviger_hsm::{Device, Error, SigningKey, WorkerCommand};
use serde::Serialize;

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, Properties, say};
use crate::cli::signing_key::{self, MAKE_ONE};
use crate::config::{Config, CustodySigner};
use crate::custody::VerifierKey;

/// How often a member of a cluster is asked for a key that another made.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make the key on the device, once, and write its public key down; the server signs from its next start
    Create,
    /// The public key, and the line of a policy that trusts it: for auditors and witnesses
    Show,
}

/// The key as an auditor takes it.
#[derive(Debug, Serialize)]
struct Shown {
    origin: String,
    signed_by: String,
    algorithm: &'static str,
    /// What verifies checkpoints: `NAME+HASH+KEY`.
    verifier_key: String,
    /// The line of a C2SP tlog-policy.
    policy: String,
}

pub(super) async fn run(command: Command, config: &Config, output: Output) -> Result<Exit, Failure> {
    let key = match command {
        Command::Create => create(config).await?,
        Command::Show => {
            let missing = || Failure::new("no key of the custody log is known here").remedy(MAKE_ONE);
            signing_key::known(config)?.ok_or_else(missing)?
        }
    };
    output.data(&shown(config, &key), table)?;
    if let Command::Create = command {
        say(format_args!(
            "give the public key to whoever audits the log, by a way that they trust; a server that runs signs from its \
             next start"
        ));
    }
    Ok(Exit::Done)
}

/// Makes the key where there is none, and writes its public key down. What is there already is kept.
pub(crate) async fn create(config: &Config) -> Result<VerifierKey, Failure> {
    let known = signing_key::known(config)?;
    let origin = known
        .as_ref()
        .map_or(config.custody.origin.as_str(), VerifierKey::name);
    let configs = signing_key::devices(config);
    if configs.is_empty() {
        return Err(Failure::new("the configuration names nothing that signs the custody log").remedy(
            "name the device that signs: device = \"NAME\" in [custody]; without a device, add [custody.software]",
        ));
    }
    let command = WorkerCommand::this_program()
        .map_err(|error| Failure::new(format!("this program cannot find its own file: {error}")))?;
    if let CustodySigner::Software(device) = &config.custody.signer {
        signing_key::software::make(config, device, &command).await?;
    }
    let mut made: Option<SigningKey> = None;
    for device_config in configs {
        let name = device_config.name.clone();
        let failed = |error: &Error| {
            Failure::new(format!("the device {name}: {error}"))
                .remedy("`claviger doctor` tells more of the device")
        };
        let device = Device::start(device_config, command.clone())
            .await
            .map_err(|error| failed(&error))?;
        let key = of_device(config, &device, made.is_none() && known.is_none()).await;
        device.shutdown().await;
        let key = key.map_err(|error| failed(&error))?;
        if made.as_ref().is_some_and(|other| *other != key) {
            return Err(Failure::new(format!(
                "the device {name} has another key than the one before it"
            ))
            .remedy(
                "have the devices of a mirror hold the same keys, or name one of them as `custody.device`",
            ));
        }
        made = Some(key);
    }
    let key = made.ok_or_else(|| Failure::new("no device was asked"))?;
    let key = signing_key::verifier_key(origin, &key)?;
    match known {
        Some(known) if known == key => {}
        Some(known) => {
            return Err(Failure::new(format!(
                "the token has another key than {}: {key}, not {known}",
                config.custody.public_key.display()
            ))
            .remedy("put the token back that has the key; a log that goes on with another is another log"));
        }
        None => signing_key::write_down(&config.custody.public_key, &key)?,
    }
    if let CustodySigner::Software(device) = &config.custody.signer {
        signing_key::software::give_to_server(config, device)?;
    }
    Ok(key)
}

/// The key of a device: made there where it may be, and it is not there.
async fn of_device(config: &Config, device: &Device, may_be_made: bool) -> Result<SigningKey, Error> {
    let label = &config.custody.key_label;
    let replication = config.mirrors.iter().map(|mirror| mirror.replication).max();
    let limit = Instant::now() + replication.unwrap_or_default();
    loop {
        match device.signing_key(label).await {
            Err(Error::SigningKeyNotFound { .. }) if may_be_made => {
                return device.make_signing_key(label).await;
            }
            // A cluster takes a while to bring it to all of its members.
            Err(Error::SigningKeyNotFound { .. }) if Instant::now() < limit => {
                tokio::time::sleep(LOOK).await;
            }
            found => return found,
        }
    }
}

fn shown(config: &Config, key: &VerifierKey) -> Shown {
    Shown {
        origin: key.name().to_owned(),
        signed_by: match &config.custody.signer {
            CustodySigner::Devices(names) => {
                format!("{}, key {:?}", names.join(", "), config.custody.key_label)
            }
            CustodySigner::Software(_) => "SOFTWARE on this host".to_owned(),
            CustodySigner::Nowhere => "nothing".to_owned(),
        },
        algorithm: key.signature_type().name(),
        verifier_key: key.to_string(),
        policy: format!("log {key}"),
    }
}

fn table(shown: &Shown) -> String {
    let mut properties = Properties::new();
    properties
        .line("origin", &shown.origin)
        .line("signed by", &shown.signed_by)
        .line("algorithm", shown.algorithm)
        .line("verifier key", &shown.verifier_key)
        .line("policy line", &shown.policy);
    properties.text()
}
