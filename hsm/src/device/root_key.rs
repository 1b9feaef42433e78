//! Root keys: made, found, checked.

use std::cell::Cell;

use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki_sys as ck;

use super::check_value;
use super::root_template::{self, BYTES, Manner, Narrowing};
use super::session::Session;
use super::trial;
use super::wrapping::{Wrapping, mechanism_of};
use crate::Error;
use crate::key::{RootKeyAttributes, RootKeyFacts, RootKeyLocator};
use crate::wrapped::WrapProfile;

/// Makes a root key and checks what came out. The session must be a writing one.
///
/// `found_free` is false at first and true once label and identifier were found free. Where the same creation is tried
/// again after that, a key that is there is the one that the attempt before made and did not get an answer for.
///
/// Fails with [`Error::RootKeyExists`] where a key has the label or the identifier. A key that came out otherwise than
/// asked for is destroyed again, and [`Error::RootKeyUnfit`] says what was wrong.
pub(crate) fn create(
    session: &Session,
    manner: Manner,
    locator: &RootKeyLocator,
    found_free: &Cell<bool>,
) -> Result<RootKeyFacts, Error> {
    let made_before = if found_free.get() {
        match find(session, locator) {
            Err(Error::RootKeyNotFound { .. }) => None,
            found => Some(found?),
        }
    } else {
        require_free(session, locator)?;
        found_free.set(true);
        None
    };
    let key = match made_before {
        Some(key) => key,
        None => root_template::make(session, manner, Narrowing::found(session, manner), locator)?,
    };
    verify(session, key, locator).inspect_err(|_| {
        // It was made a moment ago and has wrapped nothing.
        let _ = session.pkcs11().destroy_object(key);
    })
}

/// Refuses with [`Error::RootKeyExists`] where a key has the label or the identifier.
pub(super) fn require_free(session: &Session, locator: &RootKeyLocator) -> Result<(), Error> {
    let taken = [
        Attribute::Label(locator.label.clone().into()),
        Attribute::Id(locator.id.clone()),
    ];
    for attribute in taken {
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::Token(true),
            attribute,
        ];
        if !session.pkcs11().find_objects(&template)?.is_empty() {
            return Err(Error::RootKeyExists {
                locator: locator.to_string(),
            });
        }
    }
    Ok(())
}

/// Finds a root key by its label and its identifier. It is never made here.
pub(crate) fn find(session: &Session, locator: &RootKeyLocator) -> Result<ObjectHandle, Error> {
    let found = session.pkcs11().find_objects(&[
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::Token(true),
        Attribute::Label(locator.label.clone().into()),
        Attribute::Id(locator.id.clone()),
    ])?;
    match found[..] {
        [key] => Ok(key),
        [] => Err(Error::RootKeyNotFound {
            locator: locator.to_string(),
        }),
        [first, ..] if are_one(session, &found, locator)? => Ok(first),
        _ => Err(unfit(locator, "several keys have this label and identifier")),
    }
}

/// Whether the same key is there several times. openCryptoki lists a key twice to a process that starts while another one
/// is killed.
fn are_one(session: &Session, keys: &[ObjectHandle], locator: &RootKeyLocator) -> Result<bool, Error> {
    let mut facts = Vec::new();
    for key in keys {
        facts.push(verify(session, *key, locator)?);
    }
    // Three bytes of CKA_CHECK_VALUE are too few to say so.
    let known = facts
        .iter()
        .all(|facts| facts.check_value.len() == check_value::BYTES);
    Ok(known && facts.windows(2).all(|pair| pair[0] == pair[1]))
}

/// Checks that a key is fit to be a root key, and makes its check value.
pub(crate) fn verify(
    session: &Session,
    key: ObjectHandle,
    locator: &RootKeyLocator,
) -> Result<RootKeyFacts, Error> {
    let attributes = attributes(session, key)?;
    if let Some(reason) = unfitness(&attributes) {
        return Err(unfit(locator, reason));
    }
    for attribute in session
        .pkcs11()
        .get_attributes(key, &[AttributeType::KeyType, AttributeType::ValueLen])?
    {
        match attribute {
            Attribute::KeyType(KeyType::AES) => {}
            // SoftHSM tells no length of what it has unwrapped; that was looked at when the key came.
            Attribute::ValueLen(length) if [BYTES, 0].contains(&*length) => {}
            _ => return Err(unfit(locator, "it is not an AES-256 key")),
        }
    }
    Ok(RootKeyFacts {
        locator: locator.clone(),
        check_value: check_value::of(session, key, locator)?,
        attributes,
    })
}

/// How keys are wrapped under this root key: in the device's manner, or, where that is not among the key's
/// `CKA_ALLOWED_MECHANISMS`, by the best profile that is.
pub(crate) fn wrapping(
    session: &Session,
    key: ObjectHandle,
    manner: Manner,
    locator: &RootKeyLocator,
) -> Result<Wrapping, Error> {
    let allowed = allowed_mechanisms(session, key)?;
    let is_allowed = |profile| allowed.is_empty() || allowed.contains(&mechanism_of(profile));
    if is_allowed(manner.wrapping.profile()) {
        return Ok(manner.wrapping);
    }
    WrapProfile::ALL
        .into_iter()
        .filter(|profile| is_allowed(*profile))
        .find_map(|profile| trial::choose(session, Some(profile)).ok())
        .ok_or_else(|| unfit(locator, "this device wraps by none of its CKA_ALLOWED_MECHANISMS"))
}

/// Empty where all are allowed, or the token does not tell.
fn allowed_mechanisms(session: &Session, key: ObjectHandle) -> Result<Vec<ck::CK_MECHANISM_TYPE>, Error> {
    const ONE: usize = size_of::<ck::CK_MECHANISM_TYPE>();
    let (functions, name) = (session.functions(), ck::CKA_ALLOWED_MECHANISMS);
    let Some(length) = functions.attribute_length(session.pkcs11(), key, name) else {
        return Ok(Vec::new());
    };
    let mut bytes = vec![0; length];
    let length = functions.attribute(session.pkcs11(), key, name, &mut bytes)?;
    let (mechanisms, _) = bytes[..length].as_chunks::<ONE>();
    Ok(mechanisms
        .iter()
        .map(|mechanism| ck::CK_MECHANISM_TYPE::from_ne_bytes(*mechanism))
        .collect())
}

/// Every key on the token that is fit to be a root key.
pub(crate) fn list(session: &Session) -> Result<Vec<RootKeyFacts>, Error> {
    let keys = session.pkcs11().find_objects(&[
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(true),
        Attribute::Wrap(true),
        Attribute::Unwrap(true),
    ])?;
    let mut list = Vec::new();
    for key in keys {
        let mut locator = RootKeyLocator {
            label: String::new(),
            id: Vec::new(),
            check_value: None,
        };
        for attribute in session
            .pkcs11()
            .get_attributes(key, &[AttributeType::Label, AttributeType::Id])?
        {
            match attribute {
                Attribute::Label(label) => locator.label = String::from_utf8_lossy(&label).into_owned(),
                Attribute::Id(id) => locator.id = id,
                _ => {}
            }
        }
        match verify(session, key, &locator) {
            Ok(facts) => list.push(facts),
            Err(Error::RootKeyUnfit { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(list)
}

/// What can be done with a key. An attribute that the token does not tell is taken for the worse.
pub(crate) fn attributes(session: &Session, key: ObjectHandle) -> Result<RootKeyAttributes, Error> {
    let mut attributes = RootKeyAttributes {
        sensitive: false,
        extractable: true,
        modifiable: true,
        wrap: false,
        unwrap: false,
        encrypt: true,
        decrypt: true,
        sign: true,
        derive: true,
        copyable: None,
        local: false,
        allowed_mechanisms: None,
        unwrap_template: None,
        wrap_template: None,
    };
    let asked = [
        AttributeType::Sensitive,
        AttributeType::Extractable,
        AttributeType::Modifiable,
        AttributeType::Wrap,
        AttributeType::Unwrap,
        AttributeType::Encrypt,
        AttributeType::Decrypt,
        AttributeType::Sign,
        AttributeType::Derive,
        AttributeType::Copyable,
        AttributeType::Local,
    ];
    for attribute in session.pkcs11().get_attributes(key, &asked)? {
        match attribute {
            Attribute::Sensitive(value) => attributes.sensitive = value,
            Attribute::Extractable(value) => attributes.extractable = value,
            Attribute::Modifiable(value) => attributes.modifiable = value,
            Attribute::Wrap(value) => attributes.wrap = value,
            Attribute::Unwrap(value) => attributes.unwrap = value,
            Attribute::Encrypt(value) => attributes.encrypt = value,
            Attribute::Decrypt(value) => attributes.decrypt = value,
            Attribute::Sign(value) => attributes.sign = value,
            Attribute::Derive(value) => attributes.derive = value,
            Attribute::Copyable(value) => attributes.copyable = Some(value),
            Attribute::Local(value) => attributes.local = value,
            _ => {}
        }
    }
    let is_set = |name| {
        let length = session.functions().attribute_length(session.pkcs11(), key, name);
        length.map(|length| length > 0)
    };
    attributes.allowed_mechanisms = is_set(ck::CKA_ALLOWED_MECHANISMS);
    attributes.unwrap_template = is_set(ck::CKA_UNWRAP_TEMPLATE);
    attributes.wrap_template = is_set(ck::CKA_WRAP_TEMPLATE);
    Ok(attributes)
}

fn unfitness(attributes: &RootKeyAttributes) -> Option<&'static str> {
    let faults = [
        (
            !attributes.sensitive,
            "it is not sensitive (CKA_SENSITIVE is false)",
        ),
        (
            attributes.extractable,
            "it can be extracted (CKA_EXTRACTABLE is true)",
        ),
        (
            attributes.modifiable,
            "its attributes can be changed (CKA_MODIFIABLE is true)",
        ),
        (
            attributes.copyable == Some(true),
            "it can be copied with other attributes (CKA_COPYABLE is true)",
        ),
        (!attributes.wrap, "it can't wrap (CKA_WRAP is false)"),
        (!attributes.unwrap, "it can't unwrap (CKA_UNWRAP is false)"),
        (
            attributes.decrypt,
            "it can decrypt what it wrapped (CKA_DECRYPT is true)",
        ),
        (attributes.encrypt, "it can encrypt (CKA_ENCRYPT is true)"),
        (attributes.sign, "it can sign (CKA_SIGN is true)"),
        (
            attributes.derive,
            "keys can be derived from it (CKA_DERIVE is true)",
        ),
    ];
    faults
        .into_iter()
        .find_map(|(is_so, reason)| is_so.then_some(reason))
}

fn unfit(locator: &RootKeyLocator, reason: &str) -> Error {
    Error::RootKeyUnfit {
        locator: locator.to_string(),
        reason: reason.to_owned(),
    }
}

#[cfg(all(test, feature = "testkit"))]
mod tests {
    use super::*;
    use crate::device::{Module, read_pin};
    use crate::in_process::with_token;

    /// A fit root key of a known value.
    fn put(session: &Session, locator: &RootKeyLocator, value: u8) {
        let mut template = root_template::plain_attributes();
        template.retain(|attribute| !matches!(attribute, Attribute::ValueLen(_) | Attribute::Modifiable(_)));
        template.extend([
            Attribute::Token(true),
            Attribute::Label(locator.label.clone().into()),
            Attribute::Id(locator.id.clone()),
            Attribute::Value(vec![value; 32]),
            Attribute::Copyable(false),
            // The last, as in a root key that is taken in.
            Attribute::Modifiable(false),
        ]);
        session.create(&template).expect("the token takes it").keep();
    }

    #[test]
    fn a_root_key_that_a_token_lists_twice_is_used_and_two_root_keys_are_not() {
        let test =
            "device::root_key::tests::a_root_key_that_a_token_lists_twice_is_used_and_two_root_keys_are_not";
        with_token(test, |start| {
            let module = Module::load(&start.module).unwrap();
            let slot = module.initialise_and_find(&start.slot).unwrap().slot;
            let session = module.open_writing_session(slot).unwrap();
            session.login(&read_pin(&start.pin_file).unwrap()).unwrap();
            let locator = RootKeyLocator {
                label: "root".into(),
                id: vec![1; 16],
                check_value: None,
            };
            put(&session, &locator, 7);
            put(&session, &locator, 7);
            let key = find(&session, &locator).unwrap();
            verify(&session, key, &locator).unwrap();
            put(&session, &locator, 8);
            let refused = find(&session, &locator).unwrap_err();
            assert!(matches!(refused, Error::RootKeyUnfit { .. }), "{refused}");
        });
    }
}
