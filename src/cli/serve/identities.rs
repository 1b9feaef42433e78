//! Who is let in, read from the store: at the start, and whenever it changes.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::adapter::Trust;
use crate::endpoint::Identities;
use crate::store::{Error, SettingKind, Store};

/// Brings the endpoint's list up to what the store has.
pub(super) struct IdentityLoader {
    store: Arc<dyn Store>,
    identities: Identities,
    /// One reading after the other, so that an older one never replaces a newer one.
    alone: Mutex<()>,
}

impl IdentityLoader {
    pub(super) fn new(store: Arc<dyn Store>, identities: Identities) -> Self {
        Self {
            store,
            identities,
            alone: Mutex::new(()),
        }
    }

    /// Reads adapters, their quotas, certificates and authorities. A row that can't be trusted lets nobody in, and is told of.
    pub(super) async fn load(&self) -> Result<(), Error> {
        let _alone = self.alone.lock().await;
        let adapters = self.store.adapters().await?;
        let certificates = self.store.certificates(None).await?;
        let quotas = self.store.quotas().await?;
        let trust = self.store.settings_of(SettingKind::Trust).await?;
        let refused = adapters.refused.iter().chain(&certificates.refused);
        for error in refused.chain(&trust.refused) {
            tracing::error!(%error, "nobody is let in by a row that can't be verified");
        }
        for error in &quotas.refused {
            tracing::error!(%error, "a quota can't be verified: its adapter is refused what it asks for");
        }
        let connections = quotas.rows.into_iter().filter_map(|(adapter, quota)| {
            let most = quota.connections?.get();
            Some((adapter, usize::try_from(most).unwrap_or(usize::MAX)))
        });
        self.identities.bound_connections(&connections.collect());
        let names: HashMap<_, _> = adapters
            .rows
            .into_iter()
            .map(|adapter| (adapter.id, adapter.name))
            .collect();
        self.identities
            .replace(certificates.rows.into_iter().filter_map(|certificate| {
                let name = names.get(&certificate.adapter)?.clone();
                Some((certificate, name))
            }));
        let mut trusted = Vec::new();
        for setting in trust.rows {
            let Some(name) = names.get(&setting.adapter) else {
                continue;
            };
            match Trust::from_document(Some(&setting.document)) {
                Ok(trust) => trusted.extend(
                    trust
                        .authorities
                        .into_iter()
                        .map(|authority| (setting.adapter, name.clone(), authority)),
                ),
                Err(error) => {
                    tracing::error!(adapter = %name, %error, "the authorities of an adapter can't be read: they let nobody in");
                }
            }
        }
        for (authority, error) in self.identities.trust(trusted) {
            tracing::error!(%authority, %error, "an authority lets nobody in");
        }
        Ok(())
    }
}

#[async_trait]
impl crate::admin::ReloadIdentities for IdentityLoader {
    async fn reload(&self) -> Result<(), String> {
        self.load().await.map_err(|error| error.to_string())
    }
}
