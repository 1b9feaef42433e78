//! A key that comes wrapped under a kept one: it is unwrapped on the device, and none of it is in the clear outside.

use cryptoki::object::{Attribute, AttributeType, KeyType};
use cryptoki_sys as ck;

use super::client_wrap::pad_is_rfc_5649;
use super::fault::Fault;
use super::kek::RootKey;
use super::key_use;
use super::session::{Session, SessionObject};
use crate::Error;
use crate::key::{KeptKey, KeyKind, KeyWrap};
use crate::wrapped::{WrapProfile, Wrapped};

/// Unwraps a key of this kind into a session object with this template.
///
/// Fails with [`Error::KeyLength`], which names the length that came out, where that is not the kind's; for a key that the
/// device would have to hold with more bytes than it has; with [`Error::WrapProfile`] where the device does not unwrap like
/// that; and with [`Error::ForeignKeyRefused`] where it says plainly that the bytes do not open.
pub(crate) fn unwrap_under<'a>(
    session: &'a Session,
    (root, wrapping_key): (RootKey, &KeptKey),
    key_wrap: KeyWrap,
    wrapped: &[u8],
    kind: KeyKind,
    template: &[Attribute],
) -> Result<SessionObject<'a>, Error> {
    let bytes = kind.bytes();
    if kind.padded_bytes() != bytes {
        return Err(Error::KeyLength { bytes });
    }
    match wrapped.len().checked_sub(8) {
        Some(held) if held < 16 || !held.is_multiple_of(8) => return Err(Error::ForeignKeyRefused),
        None => return Err(Error::ForeignKeyRefused),
        // With padding the true length may be up to seven bytes less, which is found below.
        Some(held) if held != bytes => return Err(Error::KeyLength { bytes: held }),
        Some(_) => {}
    }
    let under = key_use::open(session, root, wrapping_key, KeyType::AES, Attribute::Unwrap(true))?;
    let by = |profile| {
        let wrapped = Wrapped {
            profile,
            bytes: wrapped.to_vec(),
        };
        session.unwrap(under.handle(), &wrapped, bytes, template)
    };
    let unwrapped = match key_wrap {
        KeyWrap::Nist => by(WrapProfile::AesKw),
        KeyWrap::Padded => match by(WrapProfile::AesKwp) {
            Err(missing @ Error::WrapProfile { .. }) => {
                if !pad_is_rfc_5649(session)? {
                    return Err(missing);
                }
                session.unwrap_by(ck::CKM_AES_KEY_WRAP_PAD, under.handle(), wrapped, template)
            }
            unwrapped => unwrapped,
        },
    };
    let key = unwrapped.map_err(refusal)?;
    match length(session, &key)? {
        Some(length) if length != bytes => Err(Error::KeyLength { bytes: length }),
        _ => Ok(key),
    }
}

/// The length of a key in bytes; `None` where the token does not tell it, or says 0, as SoftHSM does of keys that it unwraps.
fn length(session: &Session, key: &SessionObject<'_>) -> Result<Option<usize>, Error> {
    let asked = [AttributeType::ValueLen];
    let attributes = session.pkcs11().get_attributes(key.handle(), &asked)?;
    Ok(attributes.into_iter().find_map(|attribute| match attribute {
        Attribute::ValueLen(length) => usize::try_from(*length).ok().filter(|length| *length > 0),
        _ => None,
    }))
}

fn refusal(error: Error) -> Error {
    match error {
        Error::WrappedKeyRefused => Error::ForeignKeyRefused,
        Error::Function { ref function, .. }
            if function == "C_UnwrapKey" && Fault::of(&error) == Fault::Request =>
        {
            Error::ForeignKeyRefused
        }
        error => error,
    }
}
