//! The life of a root key in the key manager: made, taken up, looked for, rotated, disabled, enabled, destroyed, restored.

use super::Error;
use super::backend::Inner;
use super::client::Service;
use super::identity::{Identity, is_of};
use super::refusal::Kind;
use super::wire::{Key, KeyState};
use crate::adapter::{RootKey, RootKeyOrigin};
use crate::root_key::CreatedRootKey;

impl Inner {
    /// Makes the key. Where the answer was lost, it is looked for: its description names the root key, which is new.
    pub(super) async fn create(
        &self,
        service: &Service<'_>,
        root_key: &RootKey,
    ) -> Result<CreatedRootKey, Error> {
        let (alias, description) = (alias(root_key), description(root_key));
        let created = service
            .create_root_key(&root_key.label, &alias, &description)
            .await;
        let key = match created {
            Ok(key) if key.key_version.is_some() => key,
            Ok(key) => service.key(&key.id.to_string()).await?,
            Err(error) if may_be_done(&error) => match service.key(&alias).await {
                Ok(key) if key.description == description && !key.is_deleted() => key,
                _ => return Err(error),
            },
            Err(error) => return Err(error),
        };
        self.told(&key, root_key.label.clone(), RootKeyOrigin::Generated)
    }

    /// Takes up a root key that is there, by its identifier or alias.
    pub(super) async fn adopt(&self, service: &Service<'_>, existing: &str) -> Result<CreatedRootKey, Error> {
        let key = service.key(existing).await?;
        if key.extractable {
            return Err(Error::Unfit {
                key: existing.to_owned(),
                reason: "is a standard key, whose value can be had from the key manager: name a root key"
                    .to_owned(),
            });
        }
        match trouble(&key) {
            Some(kind) => Err(Error::State {
                key: existing.to_owned(),
                kind,
            }),
            None => self.told(&key, key.name.clone(), RootKeyOrigin::Adopted),
        }
    }

    /// Gives the key a new version. One that it has got already, by a try whose answer was lost or by somebody else, is taken
    /// for that.
    pub(super) async fn rotate(
        &self,
        service: &Service<'_>,
        present: &RootKey,
    ) -> Result<CreatedRootKey, Error> {
        let identity = Identity::of(present, &self.config.instance_id)?;
        let id = identity.key.to_string();
        let mut key = service.key(&id).await?;
        if identity_of(&key)? == identity {
            let rotated = service.rotate(identity.key).await;
            key = match (rotated, service.key(&id).await) {
                (Ok(()), key) => key?,
                (Err(error), Ok(key)) if may_be_done(&error) && identity_of(&key)? != identity => key,
                (Err(error), _) => return Err(error),
            };
        } else {
            tracing::info!(key = %id, "the root key has a new version already, which is taken up");
        }
        if identity_of(&key)? == identity {
            return Err(Error::Unfit {
                key: id,
                reason: "was rotated and has no new version: try again".to_owned(),
            });
        }
        self.told(&key, present.label.clone(), present.origin)
    }

    /// The check value of the version that wraps now.
    pub(super) async fn present_version(
        &self,
        service: &Service<'_>,
        root_key: &RootKey,
    ) -> Result<Vec<u8>, Error> {
        let identity = Identity::of(root_key, &self.config.instance_id)?;
        let key = service.key(&identity.key.to_string()).await?;
        Ok(identity_of(&key)?.check_value())
    }

    /// Whether the key is there, unwraps, and has the version.
    pub(super) async fn verify(&self, service: &Service<'_>, root_key: &RootKey) -> Result<(), Error> {
        let identity = Identity::of(root_key, &self.config.instance_id)?;
        let id = identity.key.to_string();
        let key = service.key(&id).await?;
        match trouble(&key) {
            None => {}
            // It still unwraps, and its keys can be moved.
            Some(Kind::Expired) => {
                tracing::warn!(root_key = %root_key.name, key = %id, "the root key is expired: no key is made under it");
            }
            Some(kind) => return Err(Error::State { key: id, kind }),
        }
        if key.extractable {
            return Err(Error::Unfit {
                key: id,
                reason: "is a standard key, not a root key".to_owned(),
            });
        }
        self.has_version(service, &key, identity).await?;
        // At a start, so that the first key need not wait for it; it is tried again with that where it fails.
        if let Err(error) = self.aad.profile(service, identity.key).await {
            tracing::debug!(%error, "whether the key manager binds additional data is not known yet");
        }
        Ok(())
    }

    /// Disables the key.
    pub(super) async fn disable(&self, service: &Service<'_>, root_key: &RootKey) -> Result<(), Error> {
        let identity = Identity::of(root_key, &self.config.instance_id)?;
        let key = service.key(&identity.key.to_string()).await?;
        // What is deleted is more than disabled.
        let is_disabled = |key: &Key| key.state == KeyState::Suspended || key.is_deleted();
        if is_disabled(&key) {
            return Ok(());
        }
        let disabled = service.disable(identity.key).await;
        settled(service, identity, disabled, is_disabled).await
    }

    /// Enables the key.
    pub(super) async fn enable(&self, service: &Service<'_>, root_key: &RootKey) -> Result<(), Error> {
        let identity = Identity::of(root_key, &self.config.instance_id)?;
        let id = identity.key.to_string();
        let key = service.key(&id).await?;
        if key.is_deleted() {
            return Err(Error::State {
                key: id,
                kind: Kind::KeyDeleted,
            });
        }
        let is_enabled = |key: &Key| key.state == KeyState::Active;
        if is_enabled(&key) {
            return Ok(());
        }
        let enabled = service.enable(identity.key).await;
        settled(service, identity, enabled, is_enabled).await
    }

    /// Deletes the key with all its versions. It is the recorded one, or, where none is recorded, one that a creation of this
    /// very version left.
    pub(super) async fn destroy(&self, service: &Service<'_>, root_key: &RootKey) -> Result<(), Error> {
        is_of(root_key, &self.config.instance_id)?;
        let recorded = if root_key.check_value.is_empty() {
            None
        } else {
            Some(Identity::of(root_key, &self.config.instance_id)?)
        };
        let name = recorded.map_or_else(|| alias(root_key), |identity| identity.key.to_string());
        let key = match service.key(&name).await {
            Ok(key) => key,
            Err(error) if self.is_gone(&error, root_key) => return Ok(()),
            Err(error) => return Err(error),
        };
        if key.is_deleted() {
            return Ok(());
        }
        match recorded {
            Some(identity) => self.has_version(service, &key, identity).await?,
            None if key.description == description(root_key) => {}
            None => {
                return Err(Error::Unfit {
                    key: name,
                    reason: "was not made for this root key, and is left alone".to_owned(),
                });
            }
        }
        self.delete(service, &key, root_key).await
    }

    async fn delete(&self, service: &Service<'_>, key: &Key, root_key: &RootKey) -> Result<(), Error> {
        match service.delete(key.id).await {
            Ok(()) => {}
            Err(error) if self.is_gone(&error, root_key) => return Ok(()),
            Err(error) => {
                if error.kind() == Some(Kind::AuthorizationsNotMet) {
                    let is_set = key
                        .dual_auth_delete
                        .as_ref()
                        .is_some_and(|dual| dual.key_set_for_deletion);
                    if !is_set {
                        service.set_for_deletion(key.id).await?;
                    }
                }
                return Err(error);
            }
        }
        let id = key.id.to_string();
        match service.key(&id).await {
            Ok(key) if key.is_deleted() => Ok(()),
            Ok(_) => Err(Error::Unfit {
                key: id,
                reason: "is still there after its deletion".to_owned(),
            }),
            Err(error) if self.is_gone(&error, root_key) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Restores the key, which the key manager allows for thirty days after its deletion.
    pub(super) async fn restore(&self, service: &Service<'_>, root_key: &RootKey) -> Result<(), Error> {
        let identity = Identity::of(root_key, &self.config.instance_id)?;
        let id = identity.key.to_string();
        let is_deleted = match service.key(&id).await {
            Ok(key) => key.is_deleted(),
            Err(error) if error.kind() == Some(Kind::KeyDeleted) => true,
            Err(error) => return Err(error),
        };
        if is_deleted {
            let restored = service.restore(identity.key).await;
            settled(service, identity, restored, |key| !key.is_deleted()).await?;
        }
        self.withdraw_deletion(service, &id, identity).await
    }

    /// Takes back that the key was set for deletion, where it was.
    async fn withdraw_deletion(
        &self,
        service: &Service<'_>,
        id: &str,
        identity: Identity,
    ) -> Result<(), Error> {
        let key = service.key(id).await?;
        self.has_version(service, &key, identity).await?;
        if is_set_for_deletion(&key) {
            service.unset_for_deletion(key.id).await?;
        }
        Ok(())
    }

    /// Whether the answer says that the key is no more. That there is no such key says it only where it was looked for in its
    /// own key ring.
    fn is_gone(&self, error: &Error, root_key: &RootKey) -> bool {
        match error.kind() {
            Some(Kind::KeyDeleted) => true,
            Some(Kind::KeyNotFound) => self
                .config
                .key_ring
                .as_ref()
                .is_none_or(|key_ring| *key_ring == root_key.token_label),
            _ => false,
        }
    }

    async fn has_version(&self, service: &Service<'_>, key: &Key, identity: Identity) -> Result<(), Error> {
        let is_present = key
            .key_version
            .as_ref()
            .is_some_and(|version| version.id == identity.version);
        if is_present || service.has_version(key.id, identity.version).await? {
            return Ok(());
        }
        Err(Error::VersionUnknown {
            key: key.id.to_string(),
            version: identity.version.to_string(),
        })
    }

    fn told(&self, key: &Key, label: String, origin: RootKeyOrigin) -> Result<CreatedRootKey, Error> {
        Ok(CreatedRootKey {
            label,
            token_label: self.config.key_ring.clone().unwrap_or_default(),
            token_serial: self.config.instance_id.clone(),
            check_value: identity_of(key)?.check_value(),
            origin,
        })
    }
}

/// The key at its present version.
fn identity_of(key: &Key) -> Result<Identity, Error> {
    let version = key.key_version.as_ref().ok_or_else(|| Error::Unfit {
        key: key.id.to_string(),
        reason: "has no version that the key manager tells of".to_owned(),
    })?;
    Ok(Identity {
        key: key.id,
        version: version.id,
    })
}

/// What came of a change, where the service may have been asked for it twice because its first answer was lost: what is as
/// it should be is so by the first.
async fn settled(
    service: &Service<'_>,
    identity: Identity,
    outcome: Result<(), Error>,
    is_so: impl Fn(&Key) -> bool,
) -> Result<(), Error> {
    let Err(error) = outcome else {
        return Ok(());
    };
    match service.key(&identity.key.to_string()).await {
        Ok(key) if is_so(&key) => Ok(()),
        _ => Err(error),
    }
}

/// The alias of a key that is made here. No two keys of an instance have the same.
fn alias(root_key: &RootKey) -> String {
    root_key.label.replace('.', "-")
}

fn description(root_key: &RootKey) -> String {
    format!(
        "Root key {} of Claviger, version {}",
        root_key.id, root_key.version
    )
}

fn is_set_for_deletion(key: &Key) -> bool {
    key.dual_auth_delete
        .as_ref()
        .is_some_and(|dual| dual.key_set_for_deletion)
}

/// What keeps the key from being used; none where nothing does.
fn trouble(key: &Key) -> Option<Kind> {
    if key.is_deleted() {
        return Some(Kind::KeyDeleted);
    }
    match key.state {
        KeyState::Active => None,
        KeyState::Suspended => Some(Kind::KeyDisabled),
        KeyState::Deactivated => Some(Kind::Expired),
        KeyState::Destroyed => Some(Kind::KeyDeleted),
        KeyState::PreActive | KeyState::Unknown => Some(Kind::InvalidState),
    }
}

/// Whether the service may have done what it was asked, though it did not say so.
fn may_be_done(error: &Error) -> bool {
    matches!(
        error,
        Error::Unavailable { .. } | Error::Unreadable { .. } | Error::Deadline { .. }
    )
}
