//! An instance of the key manager in the configuration, in the terms of what speaks to it.

use crate::config::{self, KeyProtect};
use crate::root_key::key_protect::{ApiKeySource, Error, KeptIn, KeyProtectBackend, KeyProtectConfig};

/// What speaks to the instance. Reads its files, and asks nobody.
pub(crate) fn key_protect_backend(instance: &KeyProtect) -> Result<KeyProtectBackend, Error> {
    let api_key = ApiKeySource::File(instance.api_key_file.clone());
    KeyProtectBackend::new(KeyProtectConfig {
        key_ring: instance.key_ring.clone(),
        iam_url: instance.iam_url.clone(),
        ca_file: instance.ca_file.clone(),
        proxy: instance.proxy.clone(),
        deadline: instance.deadline,
        requests: instance.requests,
        kept_in: match instance.wrapped_keys {
            config::WrappedKeys::Store => KeptIn::Store,
            config::WrappedKeys::KeyManager => KeptIn::KeyManager,
        },
        ..KeyProtectConfig::new(&instance.name, &instance.url, &instance.instance_id, api_key)
    })
}
