//! Keys that go from under one root key under another: within a backend, from one device to another by a key that both have
//! for the time of the move, and to or from a backend that is no device over the server's locked memory.
//!
//! | from and to | by | on the way a key is |
//! |---|---|---|
//! | one device, or one mirror | the device | on the device |
//! | two devices, or a member of a mirror that stands for it | the devices | wrapped under a key that both devices have |
//! | at least one is no device, as Key Protect | the server | in locked memory of the server, for as long as both requests take |

use std::sync::Arc;

use claviger_hsm::RootKeyLocator;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Error, Pieces, RootKeyBackend, RootKeys};
use crate::adapter::{RootKey, RootKeyId, RootKeyState};
use crate::key::WrappedKek;

/// Where keys are in the clear on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// On devices alone.
    Device,
    /// In locked memory of the server.
    ServerMemory,
}

impl Carrier {
    /// The name for records: `device` or `server-memory`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::ServerMemory => "server-memory",
        }
    }
}

/// How keys under one root key are brought under another.
pub struct Way {
    to: RootKey,
    source: Arc<dyn RootKeyBackend>,
    target: Arc<dyn RootKeyBackend>,
    route: Route,
}

enum Route {
    /// The backend has both root keys.
    Within,
    /// Over this key, with the check value that it has on both devices.
    Between(Box<RootKey>),
    /// Over the server's memory.
    Memory,
}

/// The two ends of a way: of a mirror the member that stands for it.
struct Ends {
    source: Arc<dyn RootKeyBackend>,
    target: Arc<dyn RootKeyBackend>,
    /// Whether both are devices.
    devices: bool,
}

impl Way {
    /// Where keys are in the clear on this way.
    pub const fn carrier(&self) -> Carrier {
        match self.route {
            Route::Within | Route::Between(_) => Carrier::Device,
            Route::Memory => Carrier::ServerMemory,
        }
    }

    /// Brings a value that is under this version of the first root key under the present version of the second.
    pub async fn bring(
        &self,
        version: &RootKey,
        pieces: &Pieces,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        let (source, target) = (&*self.source, &*self.target);
        match &self.route {
            Route::Within => pieces.rewrap(source, version, &self.to, wrapped).await,
            Route::Between(between) => {
                let carried = pieces.rewrap(source, version, between, wrapped).await?;
                pieces.rewrap(target, between, &self.to, &carried).await
            }
            Route::Memory => pieces.carry((source, version), (target, &self.to), wrapped).await,
        }
    }
}

impl RootKeys {
    /// Where keys would be in the clear on the way from one root key to another; nothing is made or asked for it.
    ///
    /// Fails where there is no way now: a device that is not up, or a mirror of which no member serves.
    pub fn carrier(&self, from: &RootKey, to: &RootKey) -> Result<Carrier, Error> {
        let ends = self.ends(from, to)?;
        Ok(if ends.devices {
            Carrier::Device
        } else {
            Carrier::ServerMemory
        })
    }

    /// The way from one root key to another. Between two devices this makes the common key, on both, in the place of one that
    /// an earlier move may have left.
    pub async fn open_way(&self, from: &RootKey, to: &RootKey) -> Result<Way, Error> {
        let Ends {
            source,
            target,
            devices,
        } = self.ends(from, to)?;
        let route = if !devices {
            Route::Memory
        } else if from.backend == to.backend {
            Route::Within
        } else {
            let common = common(from, to);
            let locator = RootKeyLocator {
                label: common.label.clone(),
                id: common.token_id(),
                check_value: None,
            };
            let (giver, taker) = (source.device()?, target.device()?);
            let shared = giver.share_key_with(&taker, &locator).await;
            let [facts, _] = shared.map_err(|source| Error::Device {
                backend: format!("{} or {}", from.backend, to.backend),
                source,
            })?;
            Route::Between(Box::new(RootKey {
                check_value: facts.check_value,
                ..common
            }))
        };
        Ok(Way {
            to: to.clone(),
            source,
            target,
            route,
        })
    }

    /// Destroys the common key on both devices; of a mirror on every member, which may have a copy.
    pub async fn close_way(&self, from: &RootKey, way: &Way) -> Result<(), Error> {
        match &way.route {
            Route::Between(between) => self.destroy_on_both(from, &way.to, between).await,
            Route::Within | Route::Memory => Ok(()),
        }
    }

    /// Destroys what a way between these two that was not closed has left.
    pub async fn sweep(&self, from: &RootKey, to: &RootKey) -> Result<(), Error> {
        if from.backend == to.backend || !self.ends(from, to)?.devices {
            return Ok(());
        }
        self.destroy_on_both(from, to, &common(from, to)).await
    }

    fn ends(&self, from: &RootKey, to: &RootKey) -> Result<Ends, Error> {
        let (source, target) = (self.for_root(from)?, self.for_root(to)?);
        if from.backend == to.backend {
            // Where it is a device that is not up, that is for each key to say.
            return Ok(Ends {
                devices: from.id == to.id || is_device(&*source) != Ok(false),
                source,
                target,
            });
        }
        let (one, other) = (one_of(&source, from), one_of(&target, to));
        if is_device(&*one)? && is_device(&*other)? {
            return Ok(Ends {
                source: one,
                target: other,
                devices: true,
            });
        }
        // All members of a mirror share the work.
        Ok(Ends {
            source,
            target,
            devices: false,
        })
    }

    async fn destroy_on_both(&self, from: &RootKey, to: &RootKey, common: &RootKey) -> Result<(), Error> {
        let (source, target) = (self.for_root(from)?, self.for_root(to)?);
        let outcomes = [source.destroy(common).await, target.destroy(common).await];
        let mut devices = target.members(to);
        if devices.is_empty() {
            devices.push(target);
        }
        for device in devices {
            let withdrawn = device.device()?.withdraw_take_in(&common.label).await;
            withdrawn.map_err(|source| Error::Device {
                backend: to.backend.clone(),
                source,
            })?;
        }
        outcomes.into_iter().collect()
    }
}

/// The backend, or the member of a mirror that stands for it: the first that is up, of those that serve the root key.
fn one_of(backend: &Arc<dyn RootKeyBackend>, root_key: &RootKey) -> Arc<dyn RootKeyBackend> {
    let mut members = backend.members(root_key).into_iter();
    let up = members.find(|member| member.device().is_ok());
    up.unwrap_or_else(|| Arc::clone(backend))
}

/// Whether keys go from this backend to another by a key that both have. Those of a mirror's do so between its members.
fn is_device(backend: &dyn RootKeyBackend) -> Result<bool, Error> {
    match backend.device() {
        Ok(_) | Err(Error::NotOneDevice { .. }) => Ok(true),
        Err(Error::Unsupported { .. }) => Ok(false),
        Err(error) => Err(error),
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
