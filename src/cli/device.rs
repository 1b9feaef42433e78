//! A device of the configuration, in the terms of the device's crate.

use claviger_hsm::{DeviceConfig, KeptKeys, ReleaseProfile, SlotSelector, WrapProfile};

use crate::config::{self, Device, TokenSelector};

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
        queue: device.queue,
        wrap_profile: device.wrap_profile.map(wrap_profile),
        release_profile: match device.release_profile {
            config::ReleaseProfile::Transport => ReleaseProfile::Transport,
            config::ReleaseProfile::Read => ReleaseProfile::Read,
        },
        kept_keys: (device.kept_keys > 0).then_some(KeptKeys {
            count: device.kept_keys,
            time: device.kept_keys_time,
        }),
        environment: device.environment.clone(),
        ..DeviceConfig::new(&device.name, &device.module, slot, &device.pin_file)
    }
}

fn wrap_profile(profile: config::WrapProfile) -> WrapProfile {
    match profile {
        config::WrapProfile::AesKwp => WrapProfile::AesKwp,
        config::WrapProfile::AesKw => WrapProfile::AesKw,
        config::WrapProfile::AesGcm => WrapProfile::AesGcm,
        config::WrapProfile::AesCbcPad => WrapProfile::AesCbcPad,
    }
}
