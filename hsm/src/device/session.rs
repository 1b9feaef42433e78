//! A session, and the session objects that never outlive their use.

use std::cell::Cell;
use std::sync::Arc;

use cryptoki::error::{Error as Pkcs11Error, RvError};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, ObjectHandle};
use cryptoki::session::{Session as Pkcs11Session, SessionState, UserType};
use cryptoki::types::AuthPin;

use super::module::Module;
use crate::Error;

/// What AES key wrap adds (RFC 3394), and room for a module that pads.
const WRAP_ROOM: usize = 64;

/// A session with the token. For one thread at a time.
pub(crate) struct Session {
    module: Arc<Module>,
    /// Taken out when the session is closed or abandoned.
    open: Option<Pkcs11Session>,
    unfit: Cell<bool>,
}

impl Session {
    pub(super) fn new(module: Arc<Module>, session: Pkcs11Session) -> Self {
        Self {
            module,
            open: Some(session),
            unfit: Cell::new(false),
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

    /// Unwraps a key by AES key wrap (RFC 3394) into a session object.
    pub(super) fn unwrap(
        &self,
        unwrapping_key: ObjectHandle,
        wrapped: &[u8],
        template: &[Attribute],
    ) -> Result<SessionObject<'_>, Error> {
        let key = self
            .pkcs11()
            .unwrap_key(&Mechanism::AesKeyWrap, unwrapping_key, wrapped, template)?;
        Ok(self.object(key))
    }

    /// Wraps a key of `bytes` bytes by AES key wrap (RFC 3394).
    pub(super) fn wrap(
        &self,
        wrapping_key: ObjectHandle,
        key: ObjectHandle,
        bytes: usize,
    ) -> Result<Vec<u8>, Error> {
        let mut wrapped = vec![0; bytes + WRAP_ROOM];
        let wrap = self.module.wrap_function();
        let length = wrap.aes_key_wrap(self.pkcs11(), wrapping_key, key, &mut wrapped)?;
        wrapped.truncate(length);
        Ok(wrapped)
    }

    /// SHA-256 of a key's value, computed on the device; `None` where it refuses that for this key.
    pub(super) fn sha256_of(&self, key: ObjectHandle) -> Result<Option<[u8; 32]>, Error> {
        let session = self.pkcs11();
        session.digest_init(&Mechanism::Sha256)?;
        if session.digest_key(key).is_err() {
            // Ends the operation, so that the session can be used again. Its result means nothing.
            let _ = session.digest_final();
            return Ok(None);
        }
        Ok(session.digest_final()?.try_into().ok())
    }

    /// Fills `out` from the token's generator.
    pub(crate) fn random(&self, out: &mut [u8]) -> Result<(), Error> {
        Ok(self.pkcs11().generate_random_slice(out)?)
    }

    fn object(&self, handle: ObjectHandle) -> SessionObject<'_> {
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

/// Whether both key wrap and key generation are named by the token; a hint only, for what is found by trial decides.
pub(crate) fn names_key_wrap(mechanisms: &[MechanismType]) -> bool {
    mechanisms.contains(&MechanismType::AES_KEY_WRAP) && mechanisms.contains(&MechanismType::AES_KEY_GEN)
}
