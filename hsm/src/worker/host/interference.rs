//! What tests do to a device behind its host's back.

use cryptoki::object::{Attribute, AttributeType};

use super::{Host, Seat};
use crate::device;
use crate::key::RootKeyLocator;

impl Host {
    pub(crate) fn destroy_session_objects(&self) {
        let slot = self.online().as_ref().unwrap().slot;
        let session = self.module.open_session(slot).unwrap();
        for object in session.pkcs11().find_objects(&[Attribute::Token(false)]).unwrap() {
            session.pkcs11().destroy_object(object).unwrap();
        }
    }

    /// The objects that have an identifier, which the keys of requests and of the transport do not.
    pub(crate) fn destroy_kept_objects(&self) {
        let slot = self.online().as_ref().unwrap().slot;
        let session = self.module.open_session(slot).unwrap();
        for object in session.pkcs11().find_objects(&[Attribute::Token(false)]).unwrap() {
            let id = session.pkcs11().get_attributes(object, &[AttributeType::Id]);
            if id.is_ok_and(|id| matches!(&id[..], [Attribute::Id(id)] if !id.is_empty())) {
                session.pkcs11().destroy_object(object).unwrap();
            }
        }
    }

    pub(crate) fn finalise_behind_its_back(&self) {
        self.module.finalise().unwrap();
    }

    pub(crate) fn delete_root_key(&self, root: &RootKeyLocator) {
        let slot = self.online().as_ref().unwrap().slot;
        let session = self.module.open_writing_session(slot).unwrap();
        let key = device::find(&session, root).unwrap();
        session.pkcs11().destroy_object(key).unwrap();
    }

    pub(crate) fn session_objects(&self) -> usize {
        let slot = self.online().as_ref().unwrap().slot;
        let session = self.module.open_session(slot).unwrap();
        session
            .pkcs11()
            .find_objects(&[Attribute::Token(false)])
            .unwrap()
            .len()
    }
}

impl Seat {
    pub(crate) fn pkcs11(&self) -> &cryptoki::session::Session {
        self.session.as_ref().unwrap().1.pkcs11()
    }
}
