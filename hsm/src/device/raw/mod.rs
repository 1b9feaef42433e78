//! What `cryptoki` can't do or does otherwise: using a key, wrapping, unwrapping and reading an attribute in one call each and with buffers
//! of our own; making a key with templates inside its template; what a token says of itself.
//!
//! `cryptoki` asks for a wrapped key's length first, which has the device wrap twice at half the speed, and does not cut
//! the result to the length that the module returns; it does not know `CKM_AES_KEY_WRAP_KWP`,
//! `CKA_WRAP_TEMPLATE` and `CKA_UNWRAP_TEMPLATE`; and the buffers that it reads values into are not wiped. It refuses
//! the whole of `CK_TOKEN_INFO` where the token's time is not written as the standard says, as openCryptoki's is not, and
//! leaves those out of a list of mechanisms that it does not know.
//!
//! # Why the unsafe code here is sound
//!
//! - The function pointers come from the module's own function list, `C_GetFunctionList`, and are used with the types
//!   that PKCS#11 2.40, sections 5.5, 5.7 and 5.13, gives them. The library stays loaded as long as [`Functions`] lives.
//! - A mechanism's parameter and a buffer point into values that are borrowed mutably, or owned, for the whole call, with
//!   their own lengths; an empty list is a null pointer of length 0. What the module says it wrote is believed only up to the
//!   buffer's length.
//! - A template's pointers are those of attributes that outlive the call, and the module only reads them (PKCS#11 2.40,
//!   section 4.1.2).
//! - `CK_TOKEN_INFO` is numbers and bytes, for which every value is valid.
//! - As with every PKCS#11 module, that the file is one and keeps to the standard is the operator's word. It runs in
//!   the worker process only.
#![allow(unsafe_code)]

mod cryptography;
mod template;

use std::path::Path;
use std::ptr;

use cryptoki::context::Function;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use cryptoki_sys as ck;

use super::fault::result;
use crate::Error;
use crate::cryptography::Aead;
use crate::worker::protocol::OaepHash;

pub(super) use cryptography::Use;
pub(super) use template::Template;

type WrapKey = unsafe extern "C" fn(
    ck::CK_SESSION_HANDLE,
    ck::CK_MECHANISM_PTR,
    ck::CK_OBJECT_HANDLE,
    ck::CK_OBJECT_HANDLE,
    ck::CK_BYTE_PTR,
    ck::CK_ULONG_PTR,
) -> ck::CK_RV;
type UnwrapKey = unsafe extern "C" fn(
    ck::CK_SESSION_HANDLE,
    ck::CK_MECHANISM_PTR,
    ck::CK_OBJECT_HANDLE,
    ck::CK_BYTE_PTR,
    ck::CK_ULONG,
    ck::CK_ATTRIBUTE_PTR,
    ck::CK_ULONG,
    ck::CK_OBJECT_HANDLE_PTR,
) -> ck::CK_RV;
type GenerateKey = unsafe extern "C" fn(
    ck::CK_SESSION_HANDLE,
    ck::CK_MECHANISM_PTR,
    ck::CK_ATTRIBUTE_PTR,
    ck::CK_ULONG,
    ck::CK_OBJECT_HANDLE_PTR,
) -> ck::CK_RV;
type GetAttributeValue = unsafe extern "C" fn(
    ck::CK_SESSION_HANDLE,
    ck::CK_OBJECT_HANDLE,
    ck::CK_ATTRIBUTE_PTR,
    ck::CK_ULONG,
) -> ck::CK_RV;
type GetTokenInfo = unsafe extern "C" fn(ck::CK_SLOT_ID, ck::CK_TOKEN_INFO_PTR) -> ck::CK_RV;
type GetMechanismList =
    unsafe extern "C" fn(ck::CK_SLOT_ID, ck::CK_MECHANISM_TYPE_PTR, ck::CK_ULONG_PTR) -> ck::CK_RV;

/// More mechanisms are not asked for: whatever length a module says, it is no reason to run out of memory.
const MOST_MECHANISMS: usize = 65_536;

/// A mechanism's parameter.
pub(super) enum Parameter<'a> {
    /// The mechanism takes none.
    None,
    /// An initialisation vector of one block.
    Block(&'a mut [u8; 16]),
    /// `CK_GCM_PARAMS` with this initialisation vector, no additional data and a tag of 128 bits. A device that makes the
    /// vector itself writes it here.
    Gcm(&'a mut [u8; 12]),
    /// An initialisation vector of one block, which is only read.
    Vector(&'a [u8; 16]),
    /// `CK_AES_CTR_PARAMS`.
    Counter {
        /// The first counter block.
        block: [u8; 16],
        /// How many of its bits are counted up.
        bits: u8,
    },
    /// `CK_GCM_PARAMS` with a vector that is only read.
    GcmOf(&'a Aead),
    /// `CK_CCM_PARAMS` for so many bytes of plaintext.
    Ccm(&'a Aead, usize),
    /// `CK_KEY_DERIVATION_STRING_DATA`.
    DerivationString(&'a [u8]),
    /// `CK_AES_CBC_ENCRYPT_DATA_PARAMS`.
    CbcEncryptData([u8; 16], &'a [u8]),
    /// `CK_RSA_PKCS_OAEP_PARAMS` with this hash, as the mask's too, and no label.
    Oaep(OaepHash),
}

/// The module's functions that are called without `cryptoki`.
pub(super) struct Functions {
    wrap_key: WrapKey,
    unwrap_key: UnwrapKey,
    generate_key: GenerateKey,
    get_attribute_value: GetAttributeValue,
    get_token_info: GetTokenInfo,
    get_mechanism_list: GetMechanismList,
    /// What uses a key.
    pub(super) uses: cryptography::Uses,
    /// Keeps the functions' code in memory.
    _library: ck::Pkcs11,
}

impl Functions {
    /// Takes the functions from the module at `path`, which is loaded already or loaded now.
    pub(super) fn load(path: &Path) -> Result<Self, Error> {
        let refused = |reason: String| Error::Module {
            path: path.display().to_string(),
            reason,
        };
        // SAFETY: loading runs the library's initialisers; see the module's documentation for whose word that is.
        let library = unsafe { ck::Pkcs11::new(path) }.map_err(|error| refused(error.to_string()))?;
        if let Err(error) = &library.C_GetFunctionList {
            return Err(refused(error.to_string()));
        }
        let mut list: *mut ck::CK_FUNCTION_LIST = ptr::null_mut();
        // SAFETY: the symbol is there, and `list` takes one pointer.
        let value = unsafe { library.C_GetFunctionList(&raw mut list) };
        result(value, Function::GetFunctionList)?;
        if list.is_null() {
            return Err(refused("it has no function list".to_owned()));
        }
        // SAFETY: the list is the module's, valid while it is loaded; each field is copied, aligned or not.
        let (wrap_key, unwrap_key, generate_key, get_attribute_value, get_token_info, get_mechanism_list) = unsafe {
            (
                (&raw const (*list).C_WrapKey).read_unaligned(),
                (&raw const (*list).C_UnwrapKey).read_unaligned(),
                (&raw const (*list).C_GenerateKey).read_unaligned(),
                (&raw const (*list).C_GetAttributeValue).read_unaligned(),
                (&raw const (*list).C_GetTokenInfo).read_unaligned(),
                (&raw const (*list).C_GetMechanismList).read_unaligned(),
            )
        };
        // SAFETY: as above; the list is copied.
        let uses = cryptography::Uses::of(&unsafe { list.read_unaligned() });
        let missing = |name: &str| refused(format!("it has no {name}"));
        Ok(Self {
            wrap_key: wrap_key.ok_or_else(|| missing("C_WrapKey"))?,
            unwrap_key: unwrap_key.ok_or_else(|| missing("C_UnwrapKey"))?,
            generate_key: generate_key.ok_or_else(|| missing("C_GenerateKey"))?,
            get_attribute_value: get_attribute_value.ok_or_else(|| missing("C_GetAttributeValue"))?,
            get_token_info: get_token_info.ok_or_else(|| missing("C_GetTokenInfo"))?,
            get_mechanism_list: get_mechanism_list.ok_or_else(|| missing("C_GetMechanismList"))?,
            uses,
            _library: library,
        })
    }

    /// Wraps `key` under `wrapping_key` into `out`; returns how many bytes were written.
    pub(super) fn wrap_key(
        &self,
        session: &Session,
        mechanism: ck::CK_MECHANISM_TYPE,
        parameter: Parameter<'_>,
        (wrapping_key, key): (ObjectHandle, ObjectHandle),
        out: &mut [u8],
    ) -> Result<usize, Error> {
        let mut length = out.len() as ck::CK_ULONG;
        with_mechanism(mechanism, parameter, |mechanism| {
            // SAFETY: see the module's documentation.
            let value = unsafe {
                (self.wrap_key)(
                    session.handle(),
                    mechanism,
                    wrapping_key.handle(),
                    key.handle(),
                    out.as_mut_ptr(),
                    &raw mut length,
                )
            };
            result(value, Function::WrapKey)
        })?;
        Ok(written(length, out))
    }

    /// Unwraps a key into an object, of the session unless the template says otherwise.
    pub(super) fn unwrap_key(
        &self,
        session: &Session,
        mechanism: ck::CK_MECHANISM_TYPE,
        parameter: Parameter<'_>,
        unwrapping_key: ObjectHandle,
        wrapped: &[u8],
        template: &Template<'_>,
    ) -> Result<ObjectHandle, Error> {
        let mut lent = template.lend();
        let template = lent.attributes();
        let mut key: ck::CK_OBJECT_HANDLE = 0;
        with_mechanism(mechanism, parameter, |mechanism| {
            // SAFETY: see the module's documentation; the wrapped bytes are only read, whatever the pointer's type.
            let value = unsafe {
                (self.unwrap_key)(
                    session.handle(),
                    mechanism,
                    unwrapping_key.handle(),
                    wrapped.as_ptr().cast_mut(),
                    wrapped.len() as ck::CK_ULONG,
                    template.as_mut_ptr(),
                    template.len() as ck::CK_ULONG,
                    &raw mut key,
                )
            };
            result(value, Function::UnwrapKey)
        })?;
        // SAFETY: the handle is the one that the module has just given.
        Ok(unsafe { ObjectHandle::new_from_raw(key) })
    }

    /// Makes a secret key by a mechanism without parameter.
    pub(super) fn generate_key(
        &self,
        session: &Session,
        mechanism: ck::CK_MECHANISM_TYPE,
        template: &Template<'_>,
    ) -> Result<ObjectHandle, Error> {
        let mut lent = template.lend();
        let template = lent.attributes();
        let mut key: ck::CK_OBJECT_HANDLE = 0;
        with_mechanism(mechanism, Parameter::None, |mechanism| {
            // SAFETY: see the module's documentation.
            let value = unsafe {
                (self.generate_key)(
                    session.handle(),
                    mechanism,
                    template.as_mut_ptr(),
                    template.len() as ck::CK_ULONG,
                    &raw mut key,
                )
            };
            result(value, Function::GenerateKey)
        })?;
        // SAFETY: the handle is the one that the module has just given.
        Ok(unsafe { ObjectHandle::new_from_raw(key) })
    }

    /// Reads an attribute into `out`; returns how many bytes it has.
    pub(super) fn attribute(
        &self,
        session: &Session,
        key: ObjectHandle,
        attribute: ck::CK_ATTRIBUTE_TYPE,
        out: &mut [u8],
    ) -> Result<usize, Error> {
        let length = self.ask(session, key, attribute, out.as_mut_ptr().cast(), out.len())?;
        Ok(written(length, out))
    }

    /// The length of an attribute in bytes; `None` where the token does not tell it.
    pub(super) fn attribute_length(
        &self,
        session: &Session,
        key: ObjectHandle,
        attribute: ck::CK_ATTRIBUTE_TYPE,
    ) -> Option<usize> {
        let length = self.ask(session, key, attribute, ptr::null_mut(), 0).ok()?;
        (length != ck::CK_UNAVAILABLE_INFORMATION)
            .then(|| usize::try_from(length).ok())
            .flatten()
    }

    /// `place` is null, or what a caller's slice of `length` bytes begins with.
    fn ask(
        &self,
        session: &Session,
        key: ObjectHandle,
        attribute: ck::CK_ATTRIBUTE_TYPE,
        place: ck::CK_VOID_PTR,
        length: usize,
    ) -> Result<ck::CK_ULONG, Error> {
        let mut attribute = ck::CK_ATTRIBUTE {
            type_: attribute,
            pValue: place,
            ulValueLen: length as ck::CK_ULONG,
        };
        // SAFETY: see the module's documentation; both callers keep to what `place` is.
        let value =
            unsafe { (self.get_attribute_value)(session.handle(), key.handle(), &raw mut attribute, 1) };
        result(value, Function::GetAttributeValue)?;
        Ok(attribute.ulValueLen)
    }

    /// What a slot's token says of itself now.
    pub(super) fn token_info(&self, slot: u64) -> Result<ck::CK_TOKEN_INFO, Error> {
        let mut info = ck::CK_TOKEN_INFO::default();
        // SAFETY: see the module's documentation.
        let value = unsafe { (self.get_token_info)(slot, &raw mut info) };
        result(value, Function::GetTokenInfo)?;
        Ok(info)
    }

    /// The mechanisms that a slot's token names.
    pub(super) fn mechanisms(&self, slot: u64) -> Result<Vec<ck::CK_MECHANISM_TYPE>, Error> {
        let mut length: ck::CK_ULONG = 0;
        // SAFETY: see the module's documentation; with a null pointer only the length is written.
        let value = unsafe { (self.get_mechanism_list)(slot, ptr::null_mut(), &raw mut length) };
        result(value, Function::GetMechanismList)?;
        let room = usize::try_from(length).unwrap_or(usize::MAX).min(MOST_MECHANISMS);
        let mut list = vec![0; room];
        length = room as ck::CK_ULONG;
        // SAFETY: see the module's documentation.
        let value = unsafe { (self.get_mechanism_list)(slot, list.as_mut_ptr(), &raw mut length) };
        result(value, Function::GetMechanismList)?;
        list.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(list)
    }
}

/// Lends a mechanism with its parameter to `call`.
fn with_mechanism<T>(
    mechanism: ck::CK_MECHANISM_TYPE,
    parameter: Parameter<'_>,
    call: impl FnOnce(ck::CK_MECHANISM_PTR) -> T,
) -> T {
    let (mut gcm, mut oaep, mut counter, mut ccm, mut string, mut cbc);
    let (pointer, length) = match parameter {
        Parameter::None => (ptr::null_mut(), 0),
        Parameter::Block(iv) => (iv.as_mut_ptr().cast(), iv.len()),
        Parameter::Gcm(iv) => {
            gcm = ck::CK_GCM_PARAMS {
                pIv: iv.as_mut_ptr(),
                ulIvLen: iv.len() as ck::CK_ULONG,
                ulIvBits: (iv.len() * 8) as ck::CK_ULONG,
                pAAD: ptr::null_mut(),
                ulAADLen: 0,
                ulTagBits: 128,
            };
            ((&raw mut gcm).cast(), size_of::<ck::CK_GCM_PARAMS>())
        }
        Parameter::Vector(iv) => (iv.as_ptr().cast_mut().cast(), iv.len()),
        Parameter::GcmOf(aead) => {
            gcm = ck::CK_GCM_PARAMS {
                pIv: cryptography::pointer(&aead.nonce),
                ulIvLen: aead.nonce.len() as ck::CK_ULONG,
                ulIvBits: (aead.nonce.len() * 8) as ck::CK_ULONG,
                pAAD: cryptography::pointer(&aead.additional_data),
                ulAADLen: aead.additional_data.len() as ck::CK_ULONG,
                ulTagBits: ck::CK_ULONG::from(aead.tag_bytes) * 8,
            };
            ((&raw mut gcm).cast(), size_of::<ck::CK_GCM_PARAMS>())
        }
        Parameter::Ccm(aead, length) => {
            ccm = ck::CK_CCM_PARAMS {
                ulDataLen: length as ck::CK_ULONG,
                pNonce: cryptography::pointer(&aead.nonce),
                ulNonceLen: aead.nonce.len() as ck::CK_ULONG,
                pAAD: cryptography::pointer(&aead.additional_data),
                ulAADLen: aead.additional_data.len() as ck::CK_ULONG,
                ulMACLen: aead.tag_bytes.into(),
            };
            ((&raw mut ccm).cast(), size_of::<ck::CK_CCM_PARAMS>())
        }
        Parameter::Counter { block, bits } => {
            counter = ck::CK_AES_CTR_PARAMS {
                ulCounterBits: bits.into(),
                cb: block,
            };
            ((&raw mut counter).cast(), size_of::<ck::CK_AES_CTR_PARAMS>())
        }
        Parameter::DerivationString(data) => {
            string = ck::CK_KEY_DERIVATION_STRING_DATA {
                pData: cryptography::pointer(data),
                ulLen: data.len() as ck::CK_ULONG,
            };
            (
                (&raw mut string).cast(),
                size_of::<ck::CK_KEY_DERIVATION_STRING_DATA>(),
            )
        }
        Parameter::CbcEncryptData(iv, data) => {
            cbc = ck::CK_AES_CBC_ENCRYPT_DATA_PARAMS {
                iv,
                pData: cryptography::pointer(data),
                length: data.len() as ck::CK_ULONG,
            };
            (
                (&raw mut cbc).cast(),
                size_of::<ck::CK_AES_CBC_ENCRYPT_DATA_PARAMS>(),
            )
        }
        Parameter::Oaep(hash) => {
            let (hash, mask) = match hash {
                OaepHash::Sha256 => (ck::CKM_SHA256, ck::CKG_MGF1_SHA256),
                OaepHash::Sha1 => (ck::CKM_SHA_1, ck::CKG_MGF1_SHA1),
            };
            oaep = ck::CK_RSA_PKCS_OAEP_PARAMS {
                hashAlg: hash,
                mgf: mask,
                source: ck::CKZ_DATA_SPECIFIED,
                pSourceData: ptr::null_mut(),
                ulSourceDataLen: 0,
            };
            ((&raw mut oaep).cast(), size_of::<ck::CK_RSA_PKCS_OAEP_PARAMS>())
        }
    };
    let mut mechanism = ck::CK_MECHANISM {
        mechanism,
        pParameter: pointer,
        ulParameterLen: length as ck::CK_ULONG,
    };
    call(&raw mut mechanism)
}

fn written(length: ck::CK_ULONG, out: &[u8]) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX).min(out.len())
}
