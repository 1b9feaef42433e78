//! What is chosen when the stand-in starts.

use std::path::PathBuf;
use std::time::Duration;

use claviger_hsm::WorkerCommand;

/// Which of the two services it stands in for. They speak the same REST interface; names of resources differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// Key Protect: `<region>.kms.cloud.ibm.com`.
    #[default]
    KeyProtect,
    /// Hyper Protect Crypto Services: `<instance>.api.<region>.hs-crypto.appdomain.cloud`.
    Hpcs,
}

impl Form {
    /// The service's name in a CRN.
    pub(crate) fn service_name(self) -> &'static str {
        match self {
            Self::KeyProtect => "kms",
            Self::Hpcs => "hs-crypto",
        }
    }

    /// The names that the server's certificate has besides those of the loopback address, so that a client that is told
    /// where a name leads can use the service's own.
    pub(crate) fn host_names(self, instance: &str) -> Vec<String> {
        let region = crate::REGION;
        let mut names = vec!["iam.cloud.ibm.com".to_owned()];
        match self {
            Self::KeyProtect => {
                names.push(format!("{region}.kms.cloud.ibm.com"));
                names.push(format!("private.{region}.kms.cloud.ibm.com"));
            }
            Self::Hpcs => {
                names.push(format!("{instance}.api.{region}.hs-crypto.appdomain.cloud"));
                names.push(format!(
                    "{instance}.api.private.{region}.hs-crypto.appdomain.cloud"
                ));
            }
        }
        names
    }
}

/// What it does with `aad` in wrap, unwrap and rewrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Aad {
    /// A ciphertext opens with the `aad` alone that it was made with, as at Key Protect.
    #[default]
    Bound,
    /// Takes it and does nothing with it.
    Ignored,
    /// Refuses a request that has it.
    Refused,
}

/// How long the service makes one wait between two actions on a key. The default is none, for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// From one `rotate` to the next.
    pub rotation: Duration,
    /// From the last change of state to `enable`, `disable` or `restore`.
    pub action: Duration,
    /// From the deletion to the purge.
    pub purge: Duration,
}

impl Waits {
    /// Those of the service: an hour, thirty seconds, four hours.
    pub fn of_the_service() -> Self {
        Self {
            rotation: Duration::from_hours(1),
            action: Duration::from_secs(30),
            purge: Duration::from_hours(4),
        }
    }
}

/// How a stand-in is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Holds everything: certificates, API keys, the token, the state. Made where it is not there; a stand-in that is started
    /// on the directory of another goes on where that one ended.
    pub directory: PathBuf,
    /// The port on 127.0.0.1; 0 is any that is free.
    pub port: u16,
    /// Which service.
    pub form: Form,
    /// What becomes of `aad`.
    pub aad: Aad,
    /// What waits there are.
    pub waits: Waits,
    /// The program that hosts the device of the root keys: one that calls [`claviger_hsm::worker::serve_inherited`], such as
    /// this crate's own or `claviger`, with the argument `device-worker`.
    pub worker: WorkerCommand,
    /// How many processes the device has. Two serve about 5,000 wraps a second on two processors.
    pub workers: usize,
}

impl Options {
    /// The defaults for tests: any port, Key Protect, `aad` bound, no waits, two workers.
    pub fn new(directory: impl Into<PathBuf>, worker: WorkerCommand) -> Self {
        Self {
            directory: directory.into(),
            port: 0,
            form: Form::default(),
            aad: Aad::default(),
            waits: Waits::default(),
            worker,
            workers: 2,
        }
    }
}
