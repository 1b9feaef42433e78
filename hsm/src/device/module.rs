//! The module: loaded, initialised, its slots, and sessions on them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as Pkcs11Error, RvError};
use cryptoki::slot::Slot;

use super::raw::Functions;
use super::session::Session;
use super::token_info;
use crate::Error;
use crate::configuration::SlotSelector;
use crate::error::TokenList;
use crate::key::TokenFacts;

/// How long to wait before a token that was missed is looked for again.
const MISSED: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(250)];

/// A PKCS#11 module in this process.
pub(crate) struct Module {
    path: PathBuf,
    pkcs11: Pkcs11,
    functions: Functions,
}

impl Module {
    /// Loads the library; does not initialise it.
    pub(crate) fn load(path: &Path) -> Result<Arc<Self>, Error> {
        let pkcs11 = Pkcs11::new(path).map_err(|error| Error::Module {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(Arc::new(Self {
            path: path.to_owned(),
            pkcs11,
            functions: Functions::load(path)?,
        }))
    }

    /// `C_Initialize`, with the operating system's locks. That it is initialised already is success.
    pub(crate) fn initialise(&self) -> Result<(), Error> {
        match self
            .pkcs11
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        {
            Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Initialises the module and finds the slot; once more, and then once more again, where the token is not there.
    ///
    /// The tokens that a module sees are those of its initialisation, and one is missed there at times: SoftHSM misses
    /// its own while another process initialises.
    pub(crate) fn initialise_and_find(&self, selector: &SlotSelector) -> Result<TokenFacts, Error> {
        for wait in MISSED {
            self.initialise()?;
            match self.find_slot(selector) {
                Err(Error::SlotNotFound { .. }) => {
                    // Whether it succeeds or not, what is left to do is to initialise.
                    let _ = self.finalise();
                    thread::sleep(wait);
                }
                found => return found,
            }
        }
        self.initialise()?;
        self.find_slot(selector)
    }

    /// `C_Finalize`. Every [`Session`] must have been dropped or abandoned before: its number may be given to another.
    pub(crate) fn finalise(&self) -> Result<(), Error> {
        Ok(self.pkcs11.clone().finalize()?)
    }

    /// The library's own description: manufacturer, description, version.
    pub(crate) fn description(&self) -> Result<String, Error> {
        let info = self.pkcs11.get_library_info()?;
        Ok(format!(
            "{} {} {}",
            info.manufacturer_id(),
            info.library_description(),
            info.library_version()
        ))
    }

    /// The file it was loaded from.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The one slot with the token that is looked for.
    ///
    /// Fails with [`Error::SlotNotFound`], which lists the tokens that are there, where none or more than one matches.
    pub(crate) fn find_slot(&self, selector: &SlotSelector) -> Result<TokenFacts, Error> {
        let mut matching = Vec::new();
        let mut found = Vec::new();
        for slot in self.pkcs11.get_slots_with_token()? {
            // A slot that can't be asked is not the one that is looked for; another may well be.
            let Ok(token) = self.token(slot.id()) else {
                continue;
            };
            found.push(if token.label.is_empty() && token.serial.is_empty() {
                format!("one that is not initialised (slot {})", token.slot)
            } else {
                format!(
                    "\"{}\" (serial {}, slot {})",
                    token.label, token.serial, token.slot
                )
            });
            let matches = match selector {
                SlotSelector::TokenLabel(label) => token.label == *label,
                SlotSelector::TokenSerial(serial) => token.serial == *serial,
                SlotSelector::SlotId(id) => token.slot == *id,
            };
            if matches {
                matching.push(token);
            }
        }
        if let [_] = matching[..] {
            return Ok(matching.remove(0));
        }
        Err(Error::SlotNotFound {
            selector: selector.to_string(),
            found: TokenList(found),
        })
    }

    /// The token in a slot, as it says itself now.
    pub(crate) fn token(&self, slot: u64) -> Result<TokenFacts, Error> {
        Ok(token_info::facts(slot, &self.functions.token_info(slot)?))
    }

    /// The token's clock, as it is written; `None` where it has none (`CKF_CLOCK_ON_TOKEN`).
    pub(crate) fn clock(&self, slot: u64) -> Result<Option<String>, Error> {
        Ok(token_info::clock(&self.functions.token_info(slot)?))
    }

    /// The mechanisms that the token names, `CKM_` values.
    pub(crate) fn mechanisms(&self, slot: u64) -> Result<Vec<u64>, Error> {
        self.functions.mechanisms(slot)
    }

    /// A session in which token objects can't be made or changed: enough for session objects, and so for every key.
    pub(crate) fn open_session(self: &Arc<Self>, slot: u64) -> Result<Session, Error> {
        let session = self.pkcs11.open_ro_session_no_drop(to_slot(slot)?)?;
        Ok(Session::new(Arc::clone(self), session))
    }

    /// A session in which token objects can be made.
    pub(crate) fn open_writing_session(self: &Arc<Self>, slot: u64) -> Result<Session, Error> {
        let session = self.pkcs11.open_rw_session_no_drop(to_slot(slot)?)?;
        Ok(Session::new(Arc::clone(self), session))
    }

    pub(super) fn pkcs11(&self) -> &Pkcs11 {
        &self.pkcs11
    }

    pub(super) fn functions(&self) -> &Functions {
        &self.functions
    }
}

pub(super) fn to_slot(id: u64) -> Result<Slot, Error> {
    Ok(Slot::try_from(id)?)
}
