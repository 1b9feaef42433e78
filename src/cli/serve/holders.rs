//! What holds root keys, for a command that needs no server.

use claviger_hsm::WorkerCommand;

use super::devices::Devices;
use super::{Error, key_managers, process};
use crate::cli::device::device_config;
use crate::config::Config;
use crate::root_key::RootKeys;

/// The devices and key managers of the configuration, started for one command.
pub(in crate::cli) struct Holders {
    devices: Devices,
    /// What they hold.
    pub(in crate::cli) root_keys: RootKeys,
}

impl Holders {
    /// Starts them. One that does not answer is told of where it is needed.
    pub(in crate::cli) async fn start(config: &Config) -> Result<Self, Error> {
        process::protect_memory()?;
        let worker = WorkerCommand::this_program().map_err(Error::Program)?;
        let key_managers = key_managers(config)?;
        let devices = config.devices.iter().map(device_config).collect();
        let devices = Devices::start(devices, None, &worker).await;
        let root_keys = devices.root_keys(&config.mirrors, &key_managers);
        Ok(Self { devices, root_keys })
    }

    /// Ends the workers.
    pub(in crate::cli) async fn shutdown(self) {
        self.devices.shutdown().await;
    }
}
