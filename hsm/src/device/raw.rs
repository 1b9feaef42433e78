//! `C_WrapKey` in one call, into a buffer of our own.
//!
//! `cryptoki` asks for the length first, which has the device wrap twice at half the speed, and does not cut the result
//! to the length that the module returns.
//!
//! # Why the unsafe code here is sound
//!
//! - The function pointer comes from the module's own function list, `C_GetFunctionList`, and is used with the types
//!   that PKCS#11 2.40, section 5.13, gives it. The library stays loaded as long as [`WrapFunction`] lives.
//! - The mechanism has no parameter, so it points nowhere. The buffer and its length are those of one slice that is
//!   borrowed mutably for the call. What the module says it wrote is believed only up to the slice's length.
//! - As with every PKCS#11 module, that the file is one and keeps to the standard is the operator's word. It runs in
//!   the worker process only.
#![allow(unsafe_code)]

use std::path::Path;
use std::ptr;

use cryptoki::context::Function;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use cryptoki_sys as ck;

use super::fault::result;
use crate::Error;

type WrapKey = unsafe extern "C" fn(
    ck::CK_SESSION_HANDLE,
    ck::CK_MECHANISM_PTR,
    ck::CK_OBJECT_HANDLE,
    ck::CK_OBJECT_HANDLE,
    ck::CK_BYTE_PTR,
    ck::CK_ULONG_PTR,
) -> ck::CK_RV;

/// The module's `C_WrapKey`.
pub(super) struct WrapFunction {
    wrap_key: WrapKey,
    /// Keeps the function's code in memory.
    _library: ck::Pkcs11,
}

impl WrapFunction {
    /// Takes the function from the module at `path`, which is loaded already or loaded now.
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
        // SAFETY: the list is the module's, valid while it is loaded; the field is copied, aligned or not.
        let wrap_key = unsafe { (&raw const (*list).C_WrapKey).read_unaligned() };
        let wrap_key = wrap_key.ok_or_else(|| refused("it has no C_WrapKey".to_owned()))?;
        Ok(Self {
            wrap_key,
            _library: library,
        })
    }

    /// Wraps `key` under `wrapping_key` by `CKM_AES_KEY_WRAP` into `out`; returns how many bytes were written.
    pub(super) fn aes_key_wrap(
        &self,
        session: &Session,
        wrapping_key: ObjectHandle,
        key: ObjectHandle,
        out: &mut [u8],
    ) -> Result<usize, Error> {
        let mut mechanism = ck::CK_MECHANISM {
            mechanism: ck::CKM_AES_KEY_WRAP,
            pParameter: ptr::null_mut(),
            ulParameterLen: 0,
        };
        let mut length = out.len() as ck::CK_ULONG;
        // SAFETY: see the module's documentation.
        let value = unsafe {
            (self.wrap_key)(
                session.handle(),
                &raw mut mechanism,
                wrapping_key.handle(),
                key.handle(),
                out.as_mut_ptr(),
                &raw mut length,
            )
        };
        result(value, Function::WrapKey)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        Ok(length.min(out.len()))
    }
}
