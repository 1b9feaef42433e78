//! The functions of PKCS#11 2.40, each passed on unless the script says otherwise.
//!
//! # Why the unsafe code here is sound
//!
//! - Each function has the type that PKCS#11 gives it, and hands its arguments on as they came, to the function of the
//!   same name in the real module's own list. What holds for the call of the one holds for that of the other. Of what an
//!   argument points to, the type of a mechanism is read here, and nothing is written.
//! - The real module is never unloaded. Its function list is copied once, when it is loaded.
//! - The list that is given out is a static of this library, and is never written to: its caller reads it, as the
//!   standard has it.
//! - As with every PKCS#11 module, that the real one is one and keeps to the standard is the word of whoever names it.
#![allow(unsafe_code)]
#![allow(non_snake_case)] // The functions have the standard's names.
#![allow(clippy::many_single_char_names)] // Their arguments have none: they are passed on by place.

use std::any::Any;
use std::ffi::{c_int, c_void};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::{ptr, thread};

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_BBOOL, CK_BYTE, CK_FLAGS, CK_FUNCTION_LIST, CK_INFO, CK_MECHANISM, CK_MECHANISM_INFO,
    CK_MECHANISM_TYPE, CK_NOTIFY, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_SESSION_INFO, CK_SLOT_ID,
    CK_SLOT_INFO, CK_TOKEN_INFO, CK_ULONG, CK_USER_TYPE, CK_UTF8CHAR, CK_VERSION, CKR_ARGUMENTS_BAD,
    CKR_FUNCTION_NOT_SUPPORTED, CKR_GENERAL_ERROR, CKR_OK, Pkcs11,
};

use crate::script::{Action, End};
use crate::state;

/// Signal 11, on every Linux.
const SIGSEGV: c_int = 11;

unsafe extern "C" {
    /// Of the C library, which Rust's own is linked to.
    safe fn raise(signal: c_int) -> c_int;
}

/// The module that stands behind, and the script.
struct Behind {
    functions: CK_FUNCTION_LIST,
    script: PathBuf,
    /// Keeps its code in memory.
    _library: Pkcs11,
}

static BEHIND: OnceLock<Result<Behind, String>> = OnceLock::new();

impl Behind {
    fn get() -> Option<&'static Self> {
        match BEHIND.get_or_init(Self::load) {
            Ok(behind) => Some(behind),
            Err(reason) => {
                complain(reason);
                None
            }
        }
    }

    fn load() -> Result<Self, String> {
        let named = |variable: &str| {
            let path = std::env::var_os(variable).map(PathBuf::from);
            path.ok_or_else(|| format!("{variable} is not set"))
        };
        let (module, script) = (named(crate::MODULE)?, named(crate::SCRIPT)?);
        // SAFETY: loading runs the library's initialisers; see the module's documentation for whose word that is.
        let library = unsafe { Pkcs11::new(module) }.map_err(|error| error.to_string())?;
        if let Err(error) = &library.C_GetFunctionList {
            return Err(error.to_string());
        }
        let mut list: *mut CK_FUNCTION_LIST = ptr::null_mut();
        // SAFETY: the symbol is there, and `list` takes one pointer.
        let value = unsafe { library.C_GetFunctionList(&raw mut list) };
        if value != CKR_OK || list.is_null() {
            return Err(format!("the module behind has no function list (0x{value:x})"));
        }
        Ok(Self {
            // SAFETY: the list is the module's, valid while it is loaded, and is copied.
            functions: unsafe { list.read_unaligned() },
            script,
            _library: library,
        })
    }
}

/// The module's entry.
///
/// # Safety
///
/// `list` is null or takes one pointer.
#[unsafe(no_mangle)]
unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    if list.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    if Behind::get().is_none() {
        return CKR_GENERAL_ERROR;
    }
    // SAFETY: the caller's word.
    unsafe { list.write((&raw const LIST).cast_mut()) };
    CKR_OK
}

/// The type of the mechanism, where the argument of a function is one.
fn mechanism_in(argument: &dyn Any) -> Option<CK_MECHANISM_TYPE> {
    let mechanism = argument.downcast_ref::<*mut CK_MECHANISM>()?;
    // SAFETY: the standard has it that the pointer is null or that of a mechanism.
    let mechanism = unsafe { mechanism.as_ref() }?;
    Some(mechanism.mechanism)
}

/// Does with a call what the script says; `mechanism` is what it is for, where it is for one.
fn pass(
    function: usize,
    mechanism: Option<CK_MECHANISM_TYPE>,
    real: impl Fn(&CK_FUNCTION_LIST) -> Option<CK_RV>,
) -> CK_RV {
    let Some(behind) = Behind::get() else {
        return CKR_GENERAL_ERROR;
    };
    let action = state::next(&behind.script, function, mechanism).unwrap_or_else(|reason| {
        // A test whose faults can't be made must not pass.
        complain(&reason);
        std::process::abort()
    });
    let call = || real(&behind.functions).unwrap_or(CKR_FUNCTION_NOT_SUPPORTED);
    let Some(Action { done, end }) = action else {
        return call();
    };
    if done {
        let value = call();
        if value != CKR_OK {
            return value;
        }
    }
    match end {
        End::Later(delay) => {
            thread::sleep(delay);
            call()
        }
        End::Value(value) => value,
        End::Hang => loop {
            thread::park();
        },
        End::Crash => loop {
            // The first goes to the handler of Rust's runtime, which gives the signal its default meaning back.
            raise(SIGSEGV);
        },
    }
}

#[allow(clippy::print_stderr)] // A module has nobody else to tell.
fn complain(reason: &str) {
    eprintln!("the fault module: {reason}");
}

macro_rules! functions {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        /// The names, in the order of PKCS#11's list.
        pub(crate) const FUNCTIONS: &[&str] = &[$(stringify!($name)),*];

        /// The places of the functions in [`FUNCTIONS`].
        #[allow(non_camel_case_types, clippy::enum_variant_names)]
        enum Place { $($name),* }

        $(unsafe extern "C" fn $name($($argument: $type),*) -> CK_RV {
            let mechanism = None$(.or_else(|| mechanism_in(&$argument)))*;
            pass(Place::$name as usize + 1, mechanism, |behind| {
                let function = behind.$name?;
                // SAFETY: see the module's documentation.
                Some(unsafe { function($($argument),*) })
            })
        })*

        static LIST: CK_FUNCTION_LIST = CK_FUNCTION_LIST {
            version: CK_VERSION { major: 2, minor: 40 },
            C_GetFunctionList: Some(C_GetFunctionList),
            $($name: Some($name)),*
        };
    };
}

functions! {
    C_Initialize(a: *mut c_void);
    C_Finalize(a: *mut c_void);
    C_GetInfo(a: *mut CK_INFO);
    C_GetSlotList(a: CK_BBOOL, b: *mut CK_SLOT_ID, c: *mut CK_ULONG);
    C_GetSlotInfo(a: CK_SLOT_ID, b: *mut CK_SLOT_INFO);
    C_GetTokenInfo(a: CK_SLOT_ID, b: *mut CK_TOKEN_INFO);
    C_GetMechanismList(a: CK_SLOT_ID, b: *mut CK_MECHANISM_TYPE, c: *mut CK_ULONG);
    C_GetMechanismInfo(a: CK_SLOT_ID, b: CK_MECHANISM_TYPE, c: *mut CK_MECHANISM_INFO);
    C_InitToken(a: CK_SLOT_ID, b: *mut CK_UTF8CHAR, c: CK_ULONG, d: *mut CK_UTF8CHAR);
    C_InitPIN(a: CK_SESSION_HANDLE, b: *mut CK_UTF8CHAR, c: CK_ULONG);
    C_SetPIN(a: CK_SESSION_HANDLE, b: *mut CK_UTF8CHAR, c: CK_ULONG, d: *mut CK_UTF8CHAR, e: CK_ULONG);
    C_OpenSession(a: CK_SLOT_ID, b: CK_FLAGS, c: *mut c_void, d: CK_NOTIFY, e: *mut CK_SESSION_HANDLE);
    C_CloseSession(a: CK_SESSION_HANDLE);
    C_CloseAllSessions(a: CK_SLOT_ID);
    C_GetSessionInfo(a: CK_SESSION_HANDLE, b: *mut CK_SESSION_INFO);
    C_GetOperationState(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: *mut CK_ULONG);
    C_SetOperationState(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: CK_OBJECT_HANDLE, e: CK_OBJECT_HANDLE);
    C_Login(a: CK_SESSION_HANDLE, b: CK_USER_TYPE, c: *mut CK_UTF8CHAR, d: CK_ULONG);
    C_Logout(a: CK_SESSION_HANDLE);
    C_CreateObject(a: CK_SESSION_HANDLE, b: *mut CK_ATTRIBUTE, c: CK_ULONG, d: *mut CK_OBJECT_HANDLE);
    C_CopyObject(a: CK_SESSION_HANDLE, b: CK_OBJECT_HANDLE, c: *mut CK_ATTRIBUTE, d: CK_ULONG, e: *mut CK_OBJECT_HANDLE);
    C_DestroyObject(a: CK_SESSION_HANDLE, b: CK_OBJECT_HANDLE);
    C_GetObjectSize(a: CK_SESSION_HANDLE, b: CK_OBJECT_HANDLE, c: *mut CK_ULONG);
    C_GetAttributeValue(a: CK_SESSION_HANDLE, b: CK_OBJECT_HANDLE, c: *mut CK_ATTRIBUTE, d: CK_ULONG);
    C_SetAttributeValue(a: CK_SESSION_HANDLE, b: CK_OBJECT_HANDLE, c: *mut CK_ATTRIBUTE, d: CK_ULONG);
    C_FindObjectsInit(a: CK_SESSION_HANDLE, b: *mut CK_ATTRIBUTE, c: CK_ULONG);
    C_FindObjects(a: CK_SESSION_HANDLE, b: *mut CK_OBJECT_HANDLE, c: CK_ULONG, d: *mut CK_ULONG);
    C_FindObjectsFinal(a: CK_SESSION_HANDLE);
    C_EncryptInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE);
    C_Encrypt(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_EncryptUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_EncryptFinal(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: *mut CK_ULONG);
    C_DecryptInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE);
    C_Decrypt(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_DecryptUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_DecryptFinal(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: *mut CK_ULONG);
    C_DigestInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM);
    C_Digest(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_DigestUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG);
    C_DigestKey(a: CK_SESSION_HANDLE, b: CK_OBJECT_HANDLE);
    C_DigestFinal(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: *mut CK_ULONG);
    C_SignInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE);
    C_Sign(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_SignUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG);
    C_SignFinal(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: *mut CK_ULONG);
    C_SignRecoverInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE);
    C_SignRecover(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_VerifyInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE);
    C_Verify(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: CK_ULONG);
    C_VerifyUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG);
    C_VerifyFinal(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG);
    C_VerifyRecoverInit(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE);
    C_VerifyRecover(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_DigestEncryptUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_DecryptDigestUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_SignEncryptUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_DecryptVerifyUpdate(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG, d: *mut CK_BYTE, e: *mut CK_ULONG);
    C_GenerateKey(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: *mut CK_ATTRIBUTE, d: CK_ULONG, e: *mut CK_OBJECT_HANDLE);
    C_GenerateKeyPair(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: *mut CK_ATTRIBUTE, d: CK_ULONG, e: *mut CK_ATTRIBUTE, f: CK_ULONG, g: *mut CK_OBJECT_HANDLE, h: *mut CK_OBJECT_HANDLE);
    C_WrapKey(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE, d: CK_OBJECT_HANDLE, e: *mut CK_BYTE, f: *mut CK_ULONG);
    C_UnwrapKey(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE, d: *mut CK_BYTE, e: CK_ULONG, f: *mut CK_ATTRIBUTE, g: CK_ULONG, h: *mut CK_OBJECT_HANDLE);
    C_DeriveKey(a: CK_SESSION_HANDLE, b: *mut CK_MECHANISM, c: CK_OBJECT_HANDLE, d: *mut CK_ATTRIBUTE, e: CK_ULONG, f: *mut CK_OBJECT_HANDLE);
    C_SeedRandom(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG);
    C_GenerateRandom(a: CK_SESSION_HANDLE, b: *mut CK_BYTE, c: CK_ULONG);
    C_GetFunctionStatus(a: CK_SESSION_HANDLE);
    C_CancelFunction(a: CK_SESSION_HANDLE);
    C_WaitForSlotEvent(a: CK_FLAGS, b: *mut CK_SLOT_ID, c: *mut c_void);
}
