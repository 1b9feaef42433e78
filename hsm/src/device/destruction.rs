//! Root keys: destroyed on the token.

use super::root_key::{find, verify};
use super::session::Session;
use crate::Error;
use crate::key::RootKeyLocator;

/// Destroys a root key and looks for it afterwards. The session must be a writing one.
///
/// Fails with [`Error::RootKeyNotFound`] where it is not there: it was destroyed before, or nothing is there, since the
/// token is away and its module does not say so.
///
/// A key whose check value is not the one that the locator names is another key: it is left alone, and
/// [`Error::RootKeyMismatch`] says so. One that is unfit otherwise is destroyed all the same.
pub(crate) fn destroy(session: &Session, locator: &RootKeyLocator) -> Result<(), Error> {
    let key = find(session, locator)?;
    match verify(session, key, locator) {
        Ok(_) | Err(Error::RootKeyUnfit { .. }) => {}
        Err(error) => return Err(error),
    }
    session.pkcs11().destroy_object(key)?;
    match find(session, locator) {
        Err(Error::RootKeyNotFound { .. }) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::RootKeyUnfit {
            locator: locator.to_string(),
            reason: "the token says that it is destroyed, and it is still there".to_owned(),
        }),
    }
}
