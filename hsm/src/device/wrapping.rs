//! The wrap profiles on the device: with which mechanism and initialisation vector a key is wrapped and unwrapped.

use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki_sys as ck;

use super::raw::Parameter;
use super::session::{Session, SessionObject};
use crate::Error;
use crate::wrapped::{WrapProfile, Wrapped};

/// Room for a module that gives more than it should, and is found out by it.
const ROOM: usize = 64;
const LONGEST_IV: usize = 16;

/// How this device wraps new keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    Kwp,
    Kw,
    Gcm(VectorFrom),
    CbcPad,
}

/// Who chooses the initialisation vector of AES-GCM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VectorFrom {
    /// We do: 96 random bits of the device's generator. A root key may wrap 2^32 keys like this (SP 800-38D, section 8.3).
    Caller,
    /// The device does, and writes it where it was given zeros, as validated devices do.
    Device,
}

impl Wrapping {
    pub(crate) fn profile(self) -> WrapProfile {
        match self {
            Self::Kwp => WrapProfile::AesKwp,
            Self::Kw => WrapProfile::AesKw,
            Self::Gcm(_) => WrapProfile::AesGcm,
            Self::CbcPad => WrapProfile::AesCbcPad,
        }
    }
}

/// The mechanism of a profile.
pub(super) const fn mechanism_of(profile: WrapProfile) -> ck::CK_MECHANISM_TYPE {
    match profile {
        WrapProfile::AesKwp => ck::CKM_AES_KEY_WRAP_KWP,
        WrapProfile::AesKw => ck::CKM_AES_KEY_WRAP,
        WrapProfile::AesGcm => ck::CKM_AES_GCM,
        WrapProfile::AesCbcPad => ck::CKM_AES_CBC_PAD,
    }
}

impl Session {
    /// Wraps a key of `bytes` bytes.
    pub(super) fn wrap(
        &self,
        wrapping: Wrapping,
        wrapping_key: ObjectHandle,
        key: ObjectHandle,
        bytes: usize,
    ) -> Result<Wrapped, Error> {
        let profile = wrapping.profile();
        let mut iv = [0; LONGEST_IV];
        if wrapping == Wrapping::Gcm(VectorFrom::Device) {
            let wrapped = self.wrap_with(profile, &mut iv, (wrapping_key, key), bytes)?;
            return match iv {
                [0, ..] if iv.iter().all(|byte| *byte == 0) => Err(unlike(profile)),
                _ => Ok(wrapped),
            };
        }
        if profile.iv_bytes() > 0 {
            self.random(&mut iv[..profile.iv_bytes()])?;
        }
        self.wrap_with(profile, &mut iv, (wrapping_key, key), bytes)
    }

    /// Wraps a key with the first bytes of `iv` as initialisation vector, which the device may replace.
    pub(super) fn wrap_with(
        &self,
        profile: WrapProfile,
        iv: &mut [u8; LONGEST_IV],
        keys: (ObjectHandle, ObjectHandle),
        bytes: usize,
    ) -> Result<Wrapped, Error> {
        let iv_bytes = profile.iv_bytes();
        let mut wrapped = vec![0; profile.wrapped_bytes(bytes) + ROOM];
        let (mechanism, parameter) = (mechanism_of(profile), parameter(profile, iv));
        let out = &mut wrapped[iv_bytes..];
        let length = self
            .functions()
            .wrap_key(self.pkcs11(), mechanism, parameter, keys, out)
            .map_err(|error| unknown(profile, error))?;
        if iv_bytes + length != profile.wrapped_bytes(bytes) {
            return Err(unlike(profile));
        }
        wrapped[..iv_bytes].copy_from_slice(&iv[..iv_bytes]);
        wrapped.truncate(iv_bytes + length);
        Ok(Wrapped {
            profile,
            bytes: wrapped,
        })
    }

    /// Wraps a key by a mechanism without a parameter, into exactly `length` bytes.
    pub(super) fn wrap_by(
        &self,
        mechanism: ck::CK_MECHANISM_TYPE,
        keys: (ObjectHandle, ObjectHandle),
        length: usize,
    ) -> Result<Vec<u8>, Error> {
        let mut wrapped = vec![0; length + ROOM];
        let written =
            self.functions()
                .wrap_key(self.pkcs11(), mechanism, Parameter::None, keys, &mut wrapped)?;
        if written != length {
            return Err(Error::protocol(
                "the device wrapped a key to another length than the standard says",
            ));
        }
        wrapped.truncate(written);
        Ok(wrapped)
    }

    /// Unwraps a key of `bytes` bytes into a session object.
    ///
    /// Fails with [`Error::WrappedKeyRefused`] where the length is another, before or after, and with
    /// [`Error::WrapProfile`] where the device does not know the profile.
    pub(super) fn unwrap(
        &self,
        unwrapping_key: ObjectHandle,
        wrapped: &Wrapped,
        bytes: usize,
        template: &[Attribute],
    ) -> Result<SessionObject<'_>, Error> {
        let profile = wrapped.profile;
        if wrapped.bytes.len() != profile.wrapped_bytes(bytes) {
            return Err(Error::WrappedKeyRefused);
        }
        let (vector, rest) = wrapped.bytes.split_at(profile.iv_bytes());
        let mut iv = [0; LONGEST_IV];
        iv[..vector.len()].copy_from_slice(vector);
        let key = self.unwrap_as_the_token_likes(template, |template| {
            let (mechanism, parameter) = (mechanism_of(profile), parameter(profile, &mut iv));
            self.functions().unwrap_key(
                self.pkcs11(),
                mechanism,
                parameter,
                unwrapping_key,
                rest,
                &template.into(),
            )
        });
        let key = self.object(key.map_err(|error| unknown(profile, error))?);
        if !profile.has_integrity() {
            self.see_to(key.handle(), bytes, template)?;
        }
        Ok(key)
    }

    /// Unwraps a key by a mechanism without a parameter.
    pub(super) fn unwrap_by(
        &self,
        mechanism: ck::CK_MECHANISM_TYPE,
        unwrapping_key: ObjectHandle,
        wrapped: &[u8],
        template: &[Attribute],
    ) -> Result<SessionObject<'_>, Error> {
        let key = self.unwrap_as_the_token_likes(template, |template| {
            self.functions().unwrap_key(
                self.pkcs11(),
                mechanism,
                Parameter::None,
                unwrapping_key,
                wrapped,
                &template.into(),
            )
        });
        Ok(self.object(key?))
    }

    /// Unwraps by `unwrap` with this template, or with what the token takes of it.
    ///
    /// Some tokens refuse `CKA_EXTRACTABLE` here: it is what the standard has by default for a key that is unwrapped
    /// (PKCS#11 2.40, section 5.13). Others do not have it by default. The same goes for a key that is not sensitive.
    pub(super) fn unwrap_as_the_token_likes(
        &self,
        template: &[Attribute],
        mut unwrap: impl FnMut(&[Attribute]) -> Result<ObjectHandle, Error>,
    ) -> Result<ObjectHandle, Error> {
        let is_a_default = |attribute: &Attribute| {
            matches!(
                attribute,
                Attribute::Extractable(true) | Attribute::Sensitive(false)
            )
        };
        if !self.refuses_defaults.get() {
            match unwrap(template) {
                Err(error)
                    if error.code() == Some(ck::CKR_ATTRIBUTE_READ_ONLY)
                        && template.iter().any(is_a_default) =>
                {
                    self.refuses_defaults.set(true);
                }
                unwrapped => return unwrapped,
            }
        }
        let mut template = template.to_vec();
        template.retain(|attribute| !is_a_default(attribute));
        unwrap(&template)
    }

    /// A blob without integrity opens to whatever its bytes say, a shorter key among that. And the tokens that have no
    /// better profile are those that may take no notice of `CKA_SENSITIVE`: it is set where it is missing.
    fn see_to(&self, key: ObjectHandle, bytes: usize, template: &[Attribute]) -> Result<(), Error> {
        let asked = [AttributeType::ValueLen, AttributeType::Sensitive];
        let (mut length, mut sensitive) = (None, false);
        for attribute in self.pkcs11().get_attributes(key, &asked)? {
            match attribute {
                Attribute::ValueLen(value) => length = Some(*value),
                Attribute::Sensitive(value) => sensitive = value,
                _ => {}
            }
        }
        if length != Some(bytes as u64) {
            return Err(Error::WrappedKeyRefused);
        }
        let wanted = template
            .iter()
            .any(|attribute| matches!(attribute, Attribute::Sensitive(true)));
        if wanted && !sensitive {
            self.pkcs11()
                .update_attributes(key, &[Attribute::Sensitive(true)])?;
        }
        Ok(())
    }
}

fn parameter(profile: WrapProfile, iv: &mut [u8; LONGEST_IV]) -> Parameter<'_> {
    match profile {
        WrapProfile::AesKwp | WrapProfile::AesKw => Parameter::None,
        WrapProfile::AesGcm => {
            let iv = iv.first_chunk_mut();
            Parameter::Gcm(iv.expect("twelve bytes are fewer than sixteen"))
        }
        WrapProfile::AesCbcPad => Parameter::Block(iv),
    }
}

fn unlike(profile: WrapProfile) -> Error {
    Error::UnlikeProfile {
        profile: profile.to_string(),
    }
}

/// Says plainly that a mechanism is not to be had.
fn unknown(profile: WrapProfile, error: Error) -> Error {
    match error.code() {
        Some(ck::CKR_MECHANISM_INVALID) => Error::WrapProfile {
            profile: profile.to_string(),
        },
        _ => error,
    }
}
