//! Keys that go from one device to another: by a key that both devices have for the time of the move.

use claviger_hsm::{Error as DeviceError, RootKeyLocator};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Error, Pieces, RootKeys};
use crate::adapter::{RootKey, RootKeyId, RootKeyState};
use crate::key::WrappedKek;

/// How keys under one root key are brought under another: on the one token that has both, or over a key that both tokens
/// have in common for that time. On the way a key is wrapped wherever it is not on a device.
pub struct Way {
    from: RootKey,
    to: RootKey,
    /// The common key, with the check value that it has on both devices.
    between: Option<RootKey>,
}

impl RootKeys {
    /// The way from one root key to another. Between two devices this makes the common key, on both, in the place of one that
    /// an earlier move may have left.
    pub async fn open_way(&self, from: &RootKey, to: &RootKey) -> Result<Way, Error> {
        let between = if from.backend == to.backend {
            None
        } else {
            let (source, target) = (self.for_root(from)?, self.for_root(to)?);
            let common = common(from, to);
            let locator = RootKeyLocator {
                label: common.label.clone(),
                id: common.token_id(),
                check_value: None,
            };
            let shared = source.device()?.share_key_with(&target.device()?, &locator).await;
            let [facts, _] = shared.map_err(|source| Error::Device {
                backend: format!("{} or {}", from.backend, to.backend),
                source,
            })?;
            Some(RootKey {
                check_value: facts.check_value,
                ..common
            })
        };
        Ok(Way {
            from: from.clone(),
            to: to.clone(),
            between,
        })
    }

    /// Brings a value that is under this version of the way's first root key under the present version of its second.
    pub async fn bring(
        &self,
        way: &Way,
        version: &RootKey,
        pieces: &Pieces,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        let source = self.for_root(&way.from)?;
        let Some(between) = &way.between else {
            return pieces.rewrap(&*source, version, &way.to, wrapped).await;
        };
        let carried = pieces.rewrap(&*source, version, between, wrapped).await?;
        let target = self.for_root(&way.to)?;
        pieces.rewrap(&*target, between, &way.to, &carried).await
    }

    /// Destroys the common key on both devices.
    pub async fn close_way(&self, way: &Way) -> Result<(), Error> {
        match &way.between {
            Some(between) => self.destroy_on_both(&way.from, &way.to, between).await,
            None => Ok(()),
        }
    }

    /// Destroys what a way between these two that was not closed has left.
    pub async fn sweep(&self, from: &RootKey, to: &RootKey) -> Result<(), Error> {
        if from.backend == to.backend {
            return Ok(());
        }
        self.destroy_on_both(from, to, &common(from, to)).await
    }

    async fn destroy_on_both(&self, from: &RootKey, to: &RootKey, common: &RootKey) -> Result<(), Error> {
        self.for_root(from)?.destroy(common).await?;
        self.for_root(to)?.destroy(common).await?;
        let withdrawn = self.for_root(to)?.device()?.withdraw_take_in(&common.label).await;
        withdrawn.map_err(|source: DeviceError| Error::Device {
            backend: to.backend.clone(),
            source,
        })
    }
}

/// The facts of the common key of two root keys: always the same, so that one that was left is found.
fn common(from: &RootKey, to: &RootKey) -> RootKey {
    let both = [from.id.uuid().into_bytes(), to.id.uuid().into_bytes()].concat();
    let mut id = [0; 16];
    id.copy_from_slice(&Sha256::digest(&both)[..16]);
    RootKey {
        id: RootKeyId::from(Uuid::from_bytes(id)),
        // No root key has such a label: what is behind its last full stop is a version, as `v1`.
        label: format!("claviger.transfer.{}", hex::encode(&id[..8])),
        version: 1,
        check_value: Vec::new(),
        state: RootKeyState::Enabled,
        ..from.clone()
    }
}
