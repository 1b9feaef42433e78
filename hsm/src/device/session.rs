//! A session, and the session objects that never outlive their use.

use std::cell::Cell;
use std::sync::Arc;

use cryptoki::error::{Error as Pkcs11Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectHandle};
use cryptoki::session::{Session as Pkcs11Session, SessionState, UserType};
use cryptoki::types::AuthPin;
use cryptoki_sys as ck;
use zeroize::Zeroize;

use super::fault::Fault;
use super::module::Module;
use super::raw::{Functions, Parameter, Use};
use crate::Error;

/// A session with the token. For one thread at a time.
pub(crate) struct Session {
    module: Arc<Module>,
    /// Taken out when the session is closed or abandoned.
    open: Option<Pkcs11Session>,
    unfit: Cell<bool>,
    /// Whether `C_UnwrapKey` refuses in its template what an unwrapped key is by default.
    pub(super) refuses_defaults: Cell<bool>,
}

impl Session {
    pub(super) fn new(module: Arc<Module>, session: Pkcs11Session) -> Self {
        Self {
            module,
            open: Some(session),
            unfit: Cell::new(false),
            refuses_defaults: Cell::new(false),
        }
    }

    pub(crate) fn pkcs11(&self) -> &Pkcs11Session {
        self.open
            .as_ref()
            .expect("it is taken out only by what consumes the session")
    }

    /// Forgets the session without closing it: after `C_Finalize` its number may belong to another.
    pub(crate) fn abandon(mut self) {
        self.open = None;
    }

    /// Whether an object could not be destroyed: the session is to be closed then, which destroys it.
    pub(crate) fn is_unfit(&self) -> bool {
        self.unfit.get()
    }

    /// Whether the user is logged in, as the token sees it.
    pub(crate) fn is_logged_in(&self) -> Result<bool, Error> {
        let state = self.pkcs11().get_session_info()?.session_state();
        Ok(matches!(state, SessionState::RoUser | SessionState::RwUser))
    }

    /// Logs the user in, for all sessions of this process. That the user is logged in already is success.
    ///
    /// Fails with [`Error::PinIncorrect`] where the token refuses this PIN or any: never try again then, or it locks.
    pub(crate) fn login(&self, pin: &AuthPin) -> Result<(), Error> {
        match self.pkcs11().login(UserType::User, Some(pin)) {
            Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(
                error @ Pkcs11Error::Pkcs11(
                    RvError::PinIncorrect
                    | RvError::PinInvalid
                    | RvError::PinLenRange
                    | RvError::PinExpired
                    | RvError::PinLocked
                    | RvError::UserPinNotInitialized,
                    _,
                ),
            ) => match Error::from(error) {
                Error::Function { name, .. } => Err(Error::PinIncorrect { name }),
                other => Err(other),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a secret key as a session object.
    pub(super) fn generate(
        &self,
        mechanism: &Mechanism<'_>,
        template: &[Attribute],
    ) -> Result<SessionObject<'_>, Error> {
        Ok(self.object(self.pkcs11().generate_key(mechanism, template)?))
    }

    /// Puts an object of known value into the session.
    pub(super) fn create(&self, template: &[Attribute]) -> Result<SessionObject<'_>, Error> {
        Ok(self.object(self.pkcs11().create_object(template)?))
    }

    /// Puts a secret key of known value into the session. The copy of the value that this takes is wiped.
    pub(super) fn create_secret(
        &self,
        template: &[Attribute],
        value: &[u8],
    ) -> Result<SessionObject<'_>, Error> {
        let mut template = template.to_vec();
        template.push(Attribute::Value(value.to_vec()));
        let created = self.create(&template);
        if let Some(Attribute::Value(value)) = template.last_mut() {
            value.zeroize();
        }
        created
    }

    /// SHA-256 of a key's value, computed on the device; `None` where it refuses that for this key.
    pub(super) fn sha256_of(&self, key: ObjectHandle) -> Result<Option<[u8; 32]>, Error> {
        let session = self.pkcs11();
        session.digest_init(&Mechanism::Sha256)?;
        if let Err(error) = session.digest_key(key).map_err(Error::from) {
            // Ends the operation, so that the session can be used again. Its result means nothing.
            let _ = session.digest_final();
            return match Fault::of(&error) {
                Fault::Request => Ok(None),
                _ => Err(error),
            };
        }
        Ok(session.digest_final()?.try_into().ok())
    }

    /// Fills `out` from the token's generator.
    pub(crate) fn random(&self, out: &mut [u8]) -> Result<(), Error> {
        Ok(self.pkcs11().generate_random_slice(out)?)
    }

    /// Has the token's generator mix this in. Whether it takes a seed.
    pub(crate) fn seed(&self, seed: &[u8]) -> Result<bool, Error> {
        match self.pkcs11().seed_random(seed).map_err(Error::from) {
            Ok(()) => Ok(true),
            Err(error) => match error.code() {
                Some(
                    ck::CKR_RANDOM_SEED_NOT_SUPPORTED
                    | ck::CKR_RANDOM_NO_RNG
                    | ck::CKR_FUNCTION_NOT_SUPPORTED,
                ) => Ok(false),
                _ => Err(error),
            },
        }
    }

    /// Encrypts, decrypts or signs in one call, into at most `room` bytes.
    pub(super) fn transform(
        &self,
        what: Use,
        mechanism: (ck::CK_MECHANISM_TYPE, Parameter<'_>),
        key: ObjectHandle,
        data: &[u8],
        room: usize,
    ) -> Result<Vec<u8>, Error> {
        let uses = &self.functions().uses;
        self.seen_to(uses.transform(what, self.pkcs11(), mechanism, key, data, room))
    }

    /// Verifies a message authentication code.
    pub(super) fn verify(
        &self,
        mechanism: (ck::CK_MECHANISM_TYPE, Parameter<'_>),
        key: ObjectHandle,
        data: &[u8],
        code: &[u8],
    ) -> Result<(), Error> {
        let uses = &self.functions().uses;
        self.seen_to(uses.verify(self.pkcs11(), mechanism, key, data, code))
    }

    /// Signs data, or a digest, by an asymmetric key.
    pub(super) fn sign(
        &self,
        mechanism: &Mechanism<'_>,
        key: ObjectHandle,
        data: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let signed = self.pkcs11().sign(mechanism, key, data);
        self.seen_to(signed.map_err(Error::from))
    }

    /// Derives a key into a session object.
    pub(super) fn derive(
        &self,
        mechanism: (ck::CK_MECHANISM_TYPE, Parameter<'_>),
        base: ObjectHandle,
        template: &[Attribute],
    ) -> Result<SessionObject<'_>, Error> {
        let derived = self
            .functions()
            .uses
            .derive_key(self.pkcs11(), mechanism, base, template);
        Ok(self.object(derived?))
    }

    /// Where an operation failed, some modules leave it open: the session is not used again.
    fn seen_to<T>(&self, outcome: Result<T, Error>) -> Result<T, Error> {
        if outcome.is_err() {
            self.unfit.set(true);
        }
        outcome
    }

    /// Reads a key's value into `out`. Fails where it has another length.
    pub(super) fn read(&self, key: ObjectHandle, out: &mut [u8]) -> Result<(), Error> {
        let length = self
            .functions()
            .attribute(self.pkcs11(), key, ck::CKA_VALUE, out)?;
        if length == out.len() {
            return Ok(());
        }
        Err(Error::KeyLength { bytes: length })
    }

    pub(super) fn functions(&self) -> &Functions {
        self.module.functions()
    }

    pub(super) fn object(&self, handle: ObjectHandle) -> SessionObject<'_> {
        SessionObject {
            session: self,
            handle,
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(session) = self.open.take() {
            // A session that the token has closed already is closed.
            let _ = session.close();
        }
    }
}

/// An object that lives in a session; destroyed when this is dropped, on every path.
pub(crate) struct SessionObject<'a> {
    session: &'a Session,
    handle: ObjectHandle,
}

impl SessionObject<'_> {
    /// The object's handle, valid while this lives.
    pub(crate) fn handle(&self) -> ObjectHandle {
        self.handle
    }

    /// Leaves the object in the session. Whoever has the handle now destroys it.
    pub(super) fn keep(self) -> ObjectHandle {
        let handle = self.handle;
        std::mem::forget(self);
        handle
    }
}

impl Drop for SessionObject<'_> {
    fn drop(&mut self) {
        if self.session.pkcs11().destroy_object(self.handle).is_err() {
            self.session.unfit.set(true);
        }
    }
}
