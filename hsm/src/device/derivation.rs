//! A key derived on the device by encrypting data with a kept AES key: its leading bytes are those of the ciphertext.

use cryptoki::object::{Attribute, KeyType, ObjectHandle};
use cryptoki_sys as ck;

use super::kek::{self, RootKey};
use super::key_use::{self, unsupported};
use super::raw::Parameter;
use super::session::{Session, SessionObject};
use crate::Error;
use crate::cryptography::{DerivingCipher, check_length};
use crate::key::{KeptKey, KeyKind};

/// Derives a key of this kind, which has this template besides its length. What the device holds behind its bytes is
/// ciphertext too.
pub(crate) fn derive<'a>(
    session: &'a Session,
    (root, base): (RootKey, &KeptKey),
    cipher: DerivingCipher,
    data: &[u8],
    kind: KeyKind,
    template: &[Attribute],
) -> Result<SessionObject<'a>, Error> {
    let fits = data.len().is_multiple_of(16) && data.len() >= kind.padded_bytes();
    check_length(fits, data.len())?;
    let base = key_use::open(session, root, base, KeyType::AES, Attribute::Derive(true))?;
    derive_with(session, base.handle(), cipher, data, kind, template)
}

/// Derives with an object of the session.
pub(super) fn derive_with<'a>(
    session: &'a Session,
    base: ObjectHandle,
    cipher: DerivingCipher,
    data: &[u8],
    kind: KeyKind,
    template: &[Attribute],
) -> Result<SessionObject<'a>, Error> {
    // The leading bytes follow from the leading blocks alone, and some tokens take no more than they need.
    let needed = kind.padded_bytes().next_multiple_of(16).min(data.len());
    let data = &data[..needed];
    let mechanism = match cipher {
        DerivingCipher::Ecb => (ck::CKM_AES_ECB_ENCRYPT_DATA, Parameter::DerivationString(data)),
        DerivingCipher::Cbc { iv } => (ck::CKM_AES_CBC_ENCRYPT_DATA, Parameter::CbcEncryptData(iv, data)),
    };
    let mut template = template.to_vec();
    let length = kek::length(kind)?;
    template.push(Attribute::ValueLen(length));
    let derived = session.derive(mechanism, base, &template);
    derived.map_err(|error| unsupported(error, cipher))
}
