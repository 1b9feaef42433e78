//! A kept key while it is used: a session object that can do the one thing and nothing else, and never leaves.

use std::fmt;
use std::mem::discriminant;

use cryptoki::object::{Attribute, KeyType};
use cryptoki_sys as ck;

use super::fault::Fault;
use super::kek::{self, RootKey};
use super::session::{Session, SessionObject};
use crate::Error;
use crate::key::KeptKey;

/// Unwraps a key as one of this type that can do this alone, as `CKA_ENCRYPT`, and can't be read or wrapped.
///
/// The type need not be the one that it was kept as: wrapped keys are bytes. Fails with [`Error::Unsupported`] for a key
/// that the device holds with more bytes than it has, and for one whose length no AES key has.
pub(super) fn open<'a>(
    session: &'a Session,
    root: RootKey,
    key: &KeptKey,
    key_type: KeyType,
    purpose: Attribute,
) -> Result<SessionObject<'a>, Error> {
    let bytes = key.kind.bytes();
    if key.kind.padded_bytes() != bytes {
        return Err(Error::Unsupported {
            what: format!("a key of {bytes} bytes is held with more bytes behind it"),
        });
    }
    if key_type == KeyType::AES && !matches!(bytes, 16 | 24 | 32) {
        return Err(Error::Unsupported {
            what: format!("AES with a key of {bytes} bytes"),
        });
    }
    let own = [Attribute::KeyType(key_type), Attribute::Extractable(false)];
    let mut closed = kek::template(key.kind);
    closed.retain(|attribute| own.iter().all(|own| !same(own, attribute)));
    closed.extend(own);
    let mut template = closed.clone();
    template.retain(|attribute| !same(&purpose, attribute));
    template.push(purpose.clone());
    match root.open(session, key.kind, &key.wrapped, &template) {
        Err(error) if error.code() == Some(ck::CKR_TEMPLATE_INCONSISTENT) => {
            open_and_allow(session, root, key, &closed, purpose)
        }
        opened => opened,
    }
}

/// Where `CKA_UNWRAP_TEMPLATE` of the root key has it that what is unwrapped does nothing: the one use is allowed afterwards.
fn open_and_allow<'a>(
    session: &'a Session,
    root: RootKey,
    key: &KeptKey,
    closed: &[Attribute],
    purpose: Attribute,
) -> Result<SessionObject<'a>, Error> {
    let opened = root.open(session, key.kind, &key.wrapped, closed)?;
    let allowed = session.pkcs11().update_attributes(opened.handle(), &[purpose]);
    match allowed.map_err(Error::from) {
        Ok(()) => Ok(opened),
        Err(error) if Fault::of(&error) == Fault::Request => Err(Error::Unsupported {
            what: format!("using a key that is unwrapped under this root key ({error})"),
        }),
        Err(error) => Err(error),
    }
}

fn same(one: &Attribute, other: &Attribute) -> bool {
    discriminant(one) == discriminant(other)
}

/// Says plainly that a mechanism is not to be had, or not with this key or these parameters.
pub(super) fn unsupported(error: Error, what: impl fmt::Display) -> Error {
    match error {
        Error::Function {
            code:
                ck::CKR_MECHANISM_INVALID
                | ck::CKR_MECHANISM_PARAM_INVALID
                | ck::CKR_FUNCTION_NOT_SUPPORTED
                | ck::CKR_KEY_FUNCTION_NOT_PERMITTED
                | ck::CKR_KEY_SIZE_RANGE
                | ck::CKR_KEY_TYPE_INCONSISTENT
                | ck::CKR_ATTRIBUTE_VALUE_INVALID,
            name,
            ..
        } => Error::Unsupported {
            what: format!("{what} ({name})"),
        },
        error => error,
    }
}
