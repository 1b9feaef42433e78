//! Encrypting, decrypting, signing, verifying and deriving in one call each, into buffers of our own. `cryptoki` asks for
//! each length first, and does not know the parameters of CTR and CCM.
//!
//! See the documentation of [`super`] for why the unsafe code is sound. All data that is handed in is only read.

use std::ptr;

use cryptoki::context::Function;
use cryptoki::object::{Attribute, ObjectHandle};
use cryptoki::session::Session;
use cryptoki_sys as ck;

use super::super::fault::result;
use super::{Parameter, Template, with_mechanism, written};
use crate::Error;

type Init = Option<
    unsafe extern "C" fn(ck::CK_SESSION_HANDLE, ck::CK_MECHANISM_PTR, ck::CK_OBJECT_HANDLE) -> ck::CK_RV,
>;
type Transform = Option<
    unsafe extern "C" fn(
        ck::CK_SESSION_HANDLE,
        ck::CK_BYTE_PTR,
        ck::CK_ULONG,
        ck::CK_BYTE_PTR,
        ck::CK_ULONG_PTR,
    ) -> ck::CK_RV,
>;
type Verify = Option<
    unsafe extern "C" fn(
        ck::CK_SESSION_HANDLE,
        ck::CK_BYTE_PTR,
        ck::CK_ULONG,
        ck::CK_BYTE_PTR,
        ck::CK_ULONG,
    ) -> ck::CK_RV,
>;
type DeriveKey = Option<
    unsafe extern "C" fn(
        ck::CK_SESSION_HANDLE,
        ck::CK_MECHANISM_PTR,
        ck::CK_OBJECT_HANDLE,
        ck::CK_ATTRIBUTE_PTR,
        ck::CK_ULONG,
        ck::CK_OBJECT_HANDLE_PTR,
    ) -> ck::CK_RV,
>;

/// The functions that use a key; a module may lack any of them.
pub(in crate::device) struct Uses {
    encrypt: (Init, Transform),
    decrypt: (Init, Transform),
    sign: (Init, Transform),
    verify: (Init, Verify),
    derive_key: DeriveKey,
}

/// What is done with data and a key, and gives bytes.
#[derive(Clone, Copy)]
pub(in crate::device) enum Use {
    Encrypt,
    Decrypt,
    Sign,
}

impl Uses {
    /// Takes the functions from a module's list.
    pub(super) fn of(list: &ck::CK_FUNCTION_LIST) -> Self {
        Self {
            encrypt: (list.C_EncryptInit, list.C_Encrypt),
            decrypt: (list.C_DecryptInit, list.C_Decrypt),
            sign: (list.C_SignInit, list.C_Sign),
            verify: (list.C_VerifyInit, list.C_Verify),
            derive_key: list.C_DeriveKey,
        }
    }

    /// Does it; the result is no longer than `room`.
    pub(in crate::device) fn transform(
        &self,
        what: Use,
        session: &Session,
        (mechanism, parameter): (ck::CK_MECHANISM_TYPE, Parameter<'_>),
        key: ObjectHandle,
        data: &[u8],
        room: usize,
    ) -> Result<Vec<u8>, Error> {
        let ((init, transform), functions) = match what {
            Use::Encrypt => (self.encrypt, (Function::EncryptInit, Function::Encrypt)),
            Use::Decrypt => (self.decrypt, (Function::DecryptInit, Function::Decrypt)),
            Use::Sign => (self.sign, (Function::SignInit, Function::Sign)),
        };
        let transform = transform.ok_or_else(missing)?;
        let mut out = vec![0; room];
        let mut length = out.len() as ck::CK_ULONG;
        // The parameter stays where it is until all is done: some modules read it again.
        with_mechanism(mechanism, parameter, |mechanism| {
            begin(init, functions.0, session, mechanism, key)?;
            // SAFETY: see the module's documentation.
            let value = unsafe {
                transform(
                    session.handle(),
                    data.as_ptr().cast_mut(),
                    data.len() as ck::CK_ULONG,
                    out.as_mut_ptr(),
                    &raw mut length,
                )
            };
            result(value, functions.1)
        })?;
        if written(length, &out) as ck::CK_ULONG != length {
            return Err(Error::protocol(
                "the module says that it wrote more than there was room for",
            ));
        }
        out.truncate(written(length, &out));
        Ok(out)
    }

    /// Has the device verify a message authentication code.
    pub(in crate::device) fn verify(
        &self,
        session: &Session,
        (mechanism, parameter): (ck::CK_MECHANISM_TYPE, Parameter<'_>),
        key: ObjectHandle,
        data: &[u8],
        code: &[u8],
    ) -> Result<(), Error> {
        let (init, verify) = self.verify;
        let verify = verify.ok_or_else(missing)?;
        with_mechanism(mechanism, parameter, |mechanism| {
            begin(init, Function::VerifyInit, session, mechanism, key)?;
            // SAFETY: see the module's documentation.
            let value = unsafe {
                verify(
                    session.handle(),
                    data.as_ptr().cast_mut(),
                    data.len() as ck::CK_ULONG,
                    code.as_ptr().cast_mut(),
                    code.len() as ck::CK_ULONG,
                )
            };
            result(value, Function::Verify)
        })
    }

    /// Derives a key into a session object.
    pub(in crate::device) fn derive_key(
        &self,
        session: &Session,
        (mechanism, parameter): (ck::CK_MECHANISM_TYPE, Parameter<'_>),
        base: ObjectHandle,
        template: &[Attribute],
    ) -> Result<ObjectHandle, Error> {
        let derive_key = self.derive_key.ok_or_else(missing)?;
        let template = Template::from(template);
        let mut lent = template.lend();
        let template = lent.attributes();
        let mut key: ck::CK_OBJECT_HANDLE = 0;
        with_mechanism(mechanism, parameter, |mechanism| {
            // SAFETY: see the module's documentation.
            let value = unsafe {
                derive_key(
                    session.handle(),
                    mechanism,
                    base.handle(),
                    template.as_mut_ptr(),
                    template.len() as ck::CK_ULONG,
                    &raw mut key,
                )
            };
            result(value, Function::DeriveKey)
        })?;
        // SAFETY: the handle is the one that the module has just given.
        Ok(unsafe { ObjectHandle::new_from_raw(key) })
    }
}

fn begin(
    init: Init,
    function: Function,
    session: &Session,
    mechanism: ck::CK_MECHANISM_PTR,
    key: ObjectHandle,
) -> Result<(), Error> {
    let init = init.ok_or_else(missing)?;
    // SAFETY: see the module's documentation; the mechanism is the one that `with_mechanism` lends.
    let value = unsafe { init(session.handle(), mechanism, key.handle()) };
    result(value, function)
}

fn missing() -> Error {
    Error::Function {
        function: "a function that the module does not have".to_owned(),
        code: ck::CKR_FUNCTION_NOT_SUPPORTED,
        name: "CKR_FUNCTION_NOT_SUPPORTED".to_owned(),
    }
}

/// An empty list is a null pointer.
pub(super) fn pointer(bytes: &[u8]) -> ck::CK_BYTE_PTR {
    if bytes.is_empty() {
        ptr::null_mut()
    } else {
        bytes.as_ptr().cast_mut()
    }
}
