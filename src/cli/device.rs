//! A device of the configuration, in the terms of the device's crate.

use claviger_hsm::{DeviceConfig, SlotSelector};

use crate::config::{Device, TokenSelector};

/// The same device; what the configuration does not say keeps the default.
pub(crate) fn device_config(device: &Device) -> DeviceConfig {
    let slot = match &device.token {
        TokenSelector::Label(label) => SlotSelector::TokenLabel(label.clone()),
        TokenSelector::Serial(serial) => SlotSelector::TokenSerial(serial.clone()),
        TokenSelector::Slot(slot) => SlotSelector::SlotId(*slot),
    };
    DeviceConfig {
        workers: device.workers,
        sessions: device.sessions,
        deadline: device.deadline,
        environment: device.environment.clone(),
        ..DeviceConfig::new(&device.name, &device.module, slot, &device.pin_file)
    }
}
