//! The use of a key for a client: whether it is allowed, where it happens, what it costs, and its record.
//!
//! A key is used on the device. What the device lacks is done here, in locked memory, where the operator allowed that
//! (`[kmip] cryptography_in_server`). Either way the record is durable before the client hears what came of it, and has
//! lengths and parameters in it, and no data.

use async_trait::async_trait;
use claviger_hsm::memory::LockedBuffer;

use super::item::{Commit, Item};
use super::make;
use super::refusal::Refusal;
use crate::cryptography;
use crate::key::Usage;
use crate::kmip::enumeration::ObjectType;
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::payload::UniqueIdentifier;
use crate::kmip::ttlv::DateTime;
use crate::root_key::{self, KeptKey, RootKeyBackend};
use crate::store::{Change, KeyRow};

/// How often a use is recorded, or asked of the device, anew because somebody else changed the object meanwhile.
const ATTEMPTS: usize = 8;

/// What a key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Purpose {
    usage: Usage,
    mask: CryptographicUsageMask,
}

impl Purpose {
    pub(super) const ENCRYPT: Self = Self::new(Usage::Protect, CryptographicUsageMask::ENCRYPT);
    pub(super) const DECRYPT: Self = Self::new(Usage::Process, CryptographicUsageMask::DECRYPT);
    pub(super) const MAC: Self = Self::new(Usage::Protect, CryptographicUsageMask::MAC_GENERATE);
    pub(super) const MAC_VERIFY: Self = Self::new(Usage::Process, CryptographicUsageMask::MAC_VERIFY);
    pub(super) const DERIVE_KEY: Self = Self::new(Usage::Protect, CryptographicUsageMask::DERIVE_KEY);

    const fn new(usage: Usage, mask: CryptographicUsageMask) -> Self {
        Self { usage, mask }
    }

    /// Whether the object may be used for this.
    fn permit(self, row: &KeyRow, now: DateTime) -> Result<(), Refusal> {
        let object = &row.object;
        match object.object_type() {
            ObjectType::SymmetricKey => {}
            // There is nothing in it to encrypt with.
            ObjectType::SecretData if self == Self::DERIVE_KEY => {}
            other => return Err(Refusal::not_usable_type(other)),
        }
        object.check_usage(self.usage, now).map_err(Refusal::of_usage)?;
        let mask = object.usage_mask().unwrap_or_default();
        if !mask.contains(self.mask) {
            return Err(Refusal::usage_mask(self.mask));
        }
        if row.wrapped.is_none() {
            return Err(Refusal::value_not_here());
        }
        Ok(())
    }
}

/// What a use takes off the Usage Limits of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    /// The bytes that are protected.
    pub(super) bytes: usize,
    /// The objects that are protected.
    pub(super) objects: u32,
}

/// The key that a request means, where it may be used for this.
pub(super) async fn find(
    item: &mut Item<'_>,
    asked: Option<UniqueIdentifier<'_>>,
    purpose: Purpose,
    cost: Cost,
) -> Result<KeyRow, Refusal> {
    let row = item.object(asked).await?;
    purpose.permit(&row, item.now())?;
    row.object
        .clone()
        .use_up(cost.bytes, cost.objects)
        .map_err(Refusal::of_usage)?;
    Ok(row)
}

/// Records the use, with what it costs in the same commit. To be done before the client hears what came of it.
pub(super) async fn record(
    item: &mut Item<'_>,
    mut row: KeyRow,
    purpose: Purpose,
    cost: Cost,
) -> Result<(), Refusal> {
    for _ in 0..ATTEMPTS {
        let root_key = row.wrapped.as_ref().map(|wrapped| wrapped.root_key);
        let mut changes: Vec<_> = root_key.map(Change::UseRootKey).into_iter().collect();
        let id = row.object.id().hyphenated().to_string();
        let used_up = row.object.use_up(cost.bytes, cost.objects);
        let used_up = used_up.map_err(Refusal::of_usage)?;
        let renewed = item.renew(&mut row).await;
        if used_up || renewed {
            changes.push(Change::update_key(row));
        }
        if item.commit(changes).await? == Commit::Done {
            if renewed {
                item.renewal = None;
            }
            return Ok(());
        }
        row = item.object(Some(UniqueIdentifier::Text(&id))).await?;
        purpose.permit(&row, item.now())?;
    }
    Err(Refusal::busy())
}

/// What is done with a key, on the device or here.
#[async_trait]
pub(super) trait Work: Sync {
    /// What comes of it.
    type Done: Send;

    /// What it is, as a refusal names it.
    fn name(&self) -> String;

    /// Does it on the device; nothing where devices have no such mechanism.
    async fn on_device(
        &self,
        backend: &dyn RootKeyBackend,
        key: KeptKey<'_>,
    ) -> Result<Option<Self::Done>, root_key::Error>;

    /// Does it here.
    fn in_server(&self, key: &LockedBuffer) -> Result<Self::Done, cryptography::Error>;
}

/// Does it on the device, or here where the device can't and the operator allowed it. The record is told which.
pub(super) async fn carry_out<W: Work>(
    item: &mut Item<'_>,
    row: &KeyRow,
    work: &W,
) -> Result<W::Done, Refusal> {
    let mut row = row.clone();
    for _ in 0..ATTEMPTS {
        let refusal = match try_once(item, &row, work).await {
            Ok(done) => return Ok(done),
            Err(refusal) => refusal,
        };
        // It may have been wrapped anew meanwhile, and what it was under before destroyed.
        let id = row.object.id().hyphenated().to_string();
        match item.another(&id).await? {
            Some(now) if now.wrapped.is_some() && now.wrapped != row.wrapped => row = now,
            _ => return Err(refusal),
        }
    }
    Err(Refusal::busy())
}

async fn try_once<W: Work>(item: &mut Item<'_>, row: &KeyRow, work: &W) -> Result<W::Done, Refusal> {
    let wrapped = row.wrapped.as_ref().ok_or_else(Refusal::value_not_here)?;
    let services = item.services;
    let root_key = services.root_key_at(wrapped.root_key, wrapped.version).await?;
    item.uses(&root_key, wrapped.version, Some(wrapped.kek.profile));
    let backend = services.root_keys.for_root(&root_key);
    let backend = backend.map_err(|error| Refusal::not_used(&error))?;
    let key = KeptKey {
        root_key: &root_key,
        specification: make::specification(&row.object)?,
        wrapped: &wrapped.kek,
    };
    let lacking = match work.on_device(&*backend, key).await {
        Ok(Some(done)) => {
            item.detail("cryptography", "device");
            return Ok(done);
        }
        Ok(None) => work.name(),
        Err(error) => match error.unsupported_what() {
            Some(what) => what.to_owned(),
            None => return Err(Refusal::not_used(&error)),
        },
    };
    if !services.limits.cryptography_in_server {
        return Err(Refusal::device_lacks(&lacking));
    }
    let (key, material) = release(item, row).await?;
    item.renews(row, &root_key, &material).await;
    work.in_server(&key)
        .map_err(|error| Refusal::of_cryptography(&error))
}

/// Opens a key in locked memory here. The record is told how it left the device, and that it was used here.
pub(super) async fn open(item: &mut Item<'_>, row: &KeyRow) -> Result<LockedBuffer, Refusal> {
    let (key, _) = release(item, row).await?;
    Ok(key)
}

async fn release(item: &mut Item<'_>, row: &KeyRow) -> Result<(LockedBuffer, root_key::Material), Refusal> {
    let wrapped = row.wrapped.as_ref().ok_or_else(Refusal::value_not_here)?;
    let services = item.services;
    let root_key = services.root_key_at(wrapped.root_key, wrapped.version).await?;
    item.uses(&root_key, wrapped.version, Some(wrapped.kek.profile));
    let material = services
        .root_keys
        .for_root(&root_key)
        .map_err(|error| Refusal::not_released(&error))?
        .release(&root_key, make::specification(&row.object)?, &wrapped.kek)
        .await
        .map_err(|error| Refusal::not_released(&error))?;
    item.leaves_by(material.release_profile());
    item.detail("cryptography", "server");
    let mut key = LockedBuffer::zeroed(material.len());
    material
        .open_into(key.as_mut_slice())
        .map_err(|error| Refusal::not_released(&error))?;
    Ok((key, material))
}
