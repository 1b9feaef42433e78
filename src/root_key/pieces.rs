//! Values of any length. A device holds up to 4,096 bytes in one object; what is longer is kept in pieces of that length,
//! each wrapped by itself, and the last one shorter. That they belong together, and in which order, is under the seal of
//! the row that keeps them.
//!
//! What several pieces are kept as: for each the number of its wrap profile (one byte) and of its wrapped bytes (four, the
//! highest first), and then these. A value of one piece is kept as the device gave it.

use claviger_hsm::Error as DeviceError;
use claviger_hsm::memory::LockedBuffer;
// It cleanses what it has of a value, which not every implementation does.
use openssl::sha::sha256;

use super::{Error, KeyKind, KeySpecification, MadeKey, Material, RootKeyBackend};
use crate::adapter::RootKey;
use crate::key::{ManagedObject, WrapProfile, WrappedKek};

/// The most bytes that a device holds in one object.
const PIECE: usize = 4096;
/// How profiles are numbered between the pieces.
const PROFILES: [(u8, WrapProfile); 6] = [
    (1, WrapProfile::AesKw),
    (2, WrapProfile::AesKwp),
    (3, WrapProfile::AesGcm),
    (4, WrapProfile::AesCbcPad),
    (5, WrapProfile::KeyProtect),
    (6, WrapProfile::KeyProtectAad),
];

/// What a backend has to know of a value: its pieces, one at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pieces(Vec<KeySpecification>);

impl From<KeySpecification> for Pieces {
    fn from(specification: KeySpecification) -> Self {
        Self(vec![specification])
    }
}

impl Pieces {
    /// The pieces of an object's value; none for an object that has no value.
    pub fn of(object: &ManagedObject) -> Option<Self> {
        if let Some(specification) = super::specification(object) {
            return Some(specification.into());
        }
        let bytes = object.bytes()?;
        let count = bytes.div_ceil(PIECE).max(1);
        let length = |place: usize| (bytes - place * PIECE).min(PIECE);
        let piece = |place| {
            let bytes = u16::try_from(length(place)).expect("a piece is shorter than 64 KiB");
            let mut piece = KeySpecification::new(KeyKind::Generic { bytes }, object);
            piece.binding.part = u16::try_from(place).expect("no object has 65,536 pieces");
            piece
        };
        Some(Self((0..count).map(piece).collect()))
    }

    /// The piece of a value that is kept in one.
    pub fn only(&self) -> Option<KeySpecification> {
        match self.0.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Takes a value in and wraps it under the root key.
    pub async fn import(
        &self,
        backend: &dyn RootKeyBackend,
        root_key: &RootKey,
        material: &[u8],
    ) -> Result<MadeKey, Error> {
        if let [one] = self.0.as_slice() {
            return backend.import(root_key, *one, material).await;
        }
        let mut wrapped = Vec::with_capacity(self.0.len());
        for (specification, piece) in self.0.iter().zip(material.chunks(PIECE)) {
            match backend.import(root_key, *specification, piece).await {
                Ok(made) => wrapped.push(made.wrapped),
                Err(error) => return Err(given_up(backend, root_key, &wrapped, error).await),
            }
        }
        Ok(MadeKey {
            wrapped: join(&wrapped),
            sha256: sha256(material),
        })
    }

    /// Releases a value that was wrapped under the root key. It stays closed until [`Material::open_into`].
    pub async fn release(
        &self,
        backend: &dyn RootKeyBackend,
        root_key: &RootKey,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error> {
        let mut released = Vec::with_capacity(self.0.len());
        for (specification, piece) in self.0.iter().zip(self.split(root_key, wrapped)?) {
            released.push(backend.release(root_key, *specification, &piece).await?);
        }
        Ok(Material::joined(released))
    }

    /// Wraps a value under another root key, see [`RootKeyBackend::rewrap`].
    pub async fn rewrap(
        &self,
        backend: &dyn RootKeyBackend,
        from: &RootKey,
        to: &RootKey,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        let mut rewrapped = Vec::with_capacity(self.0.len());
        for (specification, piece) in self.0.iter().zip(self.split(from, wrapped)?) {
            match backend.rewrap(from, to, *specification, &piece).await {
                Ok(piece) => rewrapped.push(piece),
                Err(error) => return Err(given_up(backend, to, &rewrapped, error).await),
            }
        }
        Ok(join(&rewrapped))
    }

    /// Brings a value from under a root key of one backend under one of another over locked memory of this process. No more
    /// than one piece is in the clear at a time, from when its backend has given it out until the other has taken it.
    pub(super) async fn carry(
        &self,
        (source, from): (&dyn RootKeyBackend, &RootKey),
        (target, to): (&dyn RootKeyBackend, &RootKey),
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        let mut carried = Vec::with_capacity(self.0.len());
        for (specification, piece) in self.0.iter().zip(self.split(from, wrapped)?) {
            let brought = async {
                let released = source.release(from, *specification, &piece).await?;
                let mut clear = LockedBuffer::zeroed(released.len());
                released.open_into(clear.as_mut_slice())?;
                drop(released);
                target.import(to, *specification, clear.as_slice()).await
            };
            match brought.await {
                Ok(made) => carried.push(made.wrapped),
                Err(error) => return Err(given_up(target, to, &carried, error).await),
            }
        }
        Ok(join(&carried))
    }

    /// Gives a value up, see [`RootKeyBackend::discard`]: every piece of it, and the first failure.
    pub async fn discard(
        &self,
        backend: &dyn RootKeyBackend,
        root_key: &RootKey,
        wrapped: &WrappedKek,
    ) -> Result<(), Error> {
        let mut outcome = Ok(());
        for piece in self.split(root_key, wrapped)? {
            outcome = outcome.and(backend.discard(root_key, &piece).await);
        }
        outcome
    }

    /// Forgets what is kept open of a value, see [`RootKeyBackend::forget`].
    pub async fn forget(&self, backend: &dyn RootKeyBackend, root_key: &RootKey, wrapped: &WrappedKek) {
        // What can't be split can't have been released either.
        for piece in self.split(root_key, wrapped).unwrap_or_default() {
            backend.forget(root_key, Some(&piece)).await;
        }
    }

    /// What the backend calls the pieces of a value by, of those that lie in the backend itself.
    pub fn kept_there(
        &self,
        backend: &dyn RootKeyBackend,
        root_key: &RootKey,
        wrapped: &WrappedKek,
    ) -> Vec<String> {
        let pieces = self.split(root_key, wrapped).unwrap_or_default();
        pieces
            .iter()
            .filter_map(|piece| backend.kept_there(piece))
            .collect()
    }

    /// Whether every piece of a value is there still, see [`RootKeyBackend::verify_kept`].
    pub async fn verify_kept(
        &self,
        backend: &dyn RootKeyBackend,
        root_key: &RootKey,
        wrapped: &WrappedKek,
    ) -> Result<(), Error> {
        for (specification, piece) in self.0.iter().zip(self.split(root_key, wrapped)?) {
            backend.verify_kept(root_key, *specification, &piece).await?;
        }
        Ok(())
    }

    fn split(&self, root_key: &RootKey, wrapped: &WrappedKek) -> Result<Vec<WrappedKek>, Error> {
        if self.0.len() == 1 {
            return Ok(vec![wrapped.clone()]);
        }
        split(&wrapped.bytes)
            .filter(|pieces| pieces.len() == self.0.len())
            .ok_or_else(|| Error::Device {
                backend: root_key.backend.clone(),
                source: DeviceError::WrappedKeyRefused,
            })
    }
}

/// The error that ended the wrapping of a value's pieces, after those that were wrapped are given up.
async fn given_up(
    backend: &dyn RootKeyBackend,
    root_key: &RootKey,
    pieces: &[WrappedKek],
    error: Error,
) -> Error {
    for piece in pieces {
        if let Err(error) = backend.discard(root_key, piece).await {
            tracing::warn!(root_key = %root_key.name, %error, "a piece of a value that was not kept could not be given up");
        }
    }
    error
}

/// The pieces as they are kept. The profile that is kept beside them is that of the first.
fn join(pieces: &[WrappedKek]) -> WrappedKek {
    if let [one] = pieces {
        return one.clone();
    }
    let mut bytes = Vec::with_capacity(pieces.iter().map(|piece| piece.bytes.len() + 5).sum());
    for piece in pieces {
        let number = PROFILES.iter().find(|(_, profile)| *profile == piece.profile);
        let length = u32::try_from(piece.bytes.len()).expect("a wrapped piece is shorter than 4 GiB");
        bytes.push(number.expect("each profile has a number").0);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&piece.bytes);
    }
    WrappedKek {
        profile: pieces.first().expect("a value has one piece at least").profile,
        bytes,
    }
}

/// The pieces of what [`join`] made; none where it made no such thing.
fn split(mut bytes: &[u8]) -> Option<Vec<WrappedKek>> {
    let mut pieces = Vec::new();
    while let Some((number, rest)) = bytes.split_first() {
        let (length, rest) = rest.split_first_chunk()?;
        let (piece, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        pieces.push(WrappedKek {
            profile: PROFILES.iter().find(|(known, _)| known == number)?.1,
            bytes: piece.to_vec(),
        });
        bytes = rest;
    }
    Some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(profile: WrapProfile, length: usize) -> WrappedKek {
        WrappedKek {
            profile,
            bytes: vec![0xA5; length],
        }
    }

    #[test]
    fn pieces_that_two_members_of_a_mirror_wrapped_differently_come_apart_again() {
        let pieces = [
            piece(WrapProfile::AesKwp, 4104),
            piece(WrapProfile::AesGcm, 4124),
            piece(WrapProfile::AesCbcPad, 32),
        ];
        let joined = join(&pieces);
        assert_eq!(joined.profile, WrapProfile::AesKwp);
        assert_eq!(split(&joined.bytes), Some(pieces.to_vec()));
    }

    #[test]
    fn pieces_that_were_cut_are_not_taken_for_others() {
        let joined = join(&[piece(WrapProfile::AesKw, 40), piece(WrapProfile::AesKw, 24)]).bytes;
        for length in 1..joined.len() {
            let cut = split(&joined[..length]);
            assert!(cut.is_none_or(|pieces| pieces.len() < 2), "{length}");
        }
        let mut other = joined;
        other[0] = 9;
        assert_eq!(split(&other), None);
    }

    #[test]
    fn each_profile_has_a_number() {
        for (_, profile) in PROFILES {
            let both = [piece(profile, 24), piece(profile, 24)];
            assert_eq!(split(&join(&both).bytes), Some(both.to_vec()));
        }
    }
}
