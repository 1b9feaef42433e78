//! A software token that is made where there is none: for a server that has no device.

use cryptoki::session::UserType;
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::module::{Module, to_slot};
use crate::Error;
use crate::configuration::SlotSelector;

/// The bytes that the security officer's PIN is made of.
const OFFICER_BYTES: usize = 16;

impl Module {
    /// Initialises the first free token under this label, with this user PIN. That there is one of the label is success.
    ///
    /// The security officer's PIN is random and forgotten: nobody needs it for a token that is thrown away with its host.
    pub(crate) fn make_token(&self, label: &str, pin: &AuthPin) -> Result<(), Error> {
        self.initialise()?;
        let selector = SlotSelector::TokenLabel(label.to_owned());
        let Err(absent) = self.find_slot(&selector) else {
            return Ok(());
        };
        let slots = self.pkcs11().get_slots_with_token()?;
        let is_free = |slot: &u64| {
            self.token(*slot)
                .is_ok_and(|token| token.label.is_empty() && token.serial.is_empty())
        };
        let slot = slots.iter().map(Slot::id).find(is_free).ok_or(absent)?;
        let mut random = [0; OFFICER_BYTES];
        openssl::rand::rand_bytes(&mut random).map_err(Error::protocol)?;
        let officer = AuthPin::from(hex::encode(random).as_str());
        self.pkcs11().init_token(to_slot(slot)?, &officer, label)?;
        let session = self.pkcs11().open_rw_session(to_slot(slot)?)?;
        session.login(UserType::So, Some(&officer))?;
        session.init_pin(pin)?;
        session.logout()?;
        drop(session);
        self.finalise()
    }
}
