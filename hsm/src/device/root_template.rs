//! The attributes that a root key is made with: what every device knows, and what narrows the key further where the device
//! takes that. Which is found on keys that are thrown away: a token may refuse an attribute, or take it and then wrap no
//! more.
//!
//! Two attributes of PKCS#11 have no place here. `CKA_WRAP_WITH_TRUSTED` on a KEK would let it be wrapped under
//! `CKA_TRUSTED` keys only, which the transport key, made anew by the user at each start, can't be. `CKA_LOCAL` in a wrap
//! template would shut out keys that were taken in, and those that are moved to a new version.

use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki_sys as ck;

use super::kek;
use super::raw::{Parameter, Template};
use super::session::{Session, SessionObject};
use super::wrapping::{Wrapping, mechanism_of};
use crate::Error;
use crate::configuration::ReleaseProfile;
use crate::key::{KeyKind, RootKeyAttributes, RootKeyLocator};
use crate::worker::protocol::OaepHash;

/// An AES-256 key, in bytes.
pub(super) const BYTES: u64 = 32;

const KIND: KeyKind = KeyKind::Aes { bytes: 32 };

/// How a device works with root keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manner {
    /// How new keys are wrapped.
    pub(crate) wrapping: Wrapping,
    /// How keys leave.
    pub(crate) release: ReleaseProfile,
}

/// What narrows a root key beyond the attributes that every device knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // Each stands for an attribute of PKCS#11.
pub(crate) struct Narrowing {
    /// `CKA_COPYABLE` false: no copy with other attributes.
    not_copyable: bool,
    /// `CKA_ALLOWED_MECHANISMS`: the mechanism of the wrap profile and no other.
    allowed_mechanisms: bool,
    /// `CKA_UNWRAP_TEMPLATE`: what is unwrapped is a sensitive session key that does nothing but be wrapped.
    unwrap_template: bool,
    /// `CKA_WRAP_TEMPLATE`: secret keys of a session only are wrapped.
    wrap_template: bool,
}

impl Narrowing {
    /// All that the device takes for keys that it makes, while keys can still be wrapped and unwrapped.
    pub(crate) fn found(session: &Session, manner: Manner) -> Self {
        Self::found_on(session, manner, |narrowing| make_like(session, manner, narrowing))
    }

    /// The same for keys that come to the device as `make` says: what it takes for those that it makes itself it may refuse
    /// here.
    pub(super) fn found_on<'a>(
        session: &'a Session,
        manner: Manner,
        make: impl Fn(Self) -> Result<SessionObject<'a>, Error>,
    ) -> Self {
        let attempt = |narrowing| try_out(session, manner, &make(narrowing)?);
        let parts: [fn(&mut Self) -> &mut bool; 4] = [
            |narrowing| &mut narrowing.not_copyable,
            |narrowing| &mut narrowing.allowed_mechanisms,
            |narrowing| &mut narrowing.unwrap_template,
            |narrowing| &mut narrowing.wrap_template,
        ];
        parts.into_iter().fold(Self::default(), |found, part| {
            let mut tried = found;
            *part(&mut tried) = true;
            // A device that failed for a moment is not one that does not take it.
            match attempt(tried).or_else(|_| attempt(tried)) {
                Ok(()) => tried,
                Err(_) => found,
            }
        })
    }
}

impl Narrowing {
    /// The attributes of it that a root key was made without.
    pub(crate) fn lacking(self, key: &RootKeyAttributes) -> Vec<&'static str> {
        let parts = [
            (
                self.not_copyable,
                key.copyable.map(|copyable| !copyable),
                "CKA_COPYABLE false",
            ),
            (
                self.allowed_mechanisms,
                key.allowed_mechanisms,
                "CKA_ALLOWED_MECHANISMS",
            ),
            (self.unwrap_template, key.unwrap_template, "CKA_UNWRAP_TEMPLATE"),
            (self.wrap_template, key.wrap_template, "CKA_WRAP_TEMPLATE"),
        ];
        let lacks = |(possible, has, name)| (possible && has == Some(false)).then_some(name);
        parts.into_iter().filter_map(lacks).collect()
    }

    /// The attributes of it that the device does not take.
    pub(crate) fn impossible(self) -> Vec<&'static str> {
        let parts = [
            (self.not_copyable, "CKA_COPYABLE"),
            (self.allowed_mechanisms, "CKA_ALLOWED_MECHANISMS"),
            (self.unwrap_template, "CKA_UNWRAP_TEMPLATE"),
            (self.wrap_template, "CKA_WRAP_TEMPLATE"),
        ];
        let impossible = |(possible, name): (bool, &'static str)| (!possible).then_some(name);
        parts.into_iter().filter_map(impossible).collect()
    }
}

/// Makes a root key on the token. The session must be a writing one.
pub(super) fn make(
    session: &Session,
    manner: Manner,
    narrowing: Narrowing,
    locator: &RootKeyLocator,
) -> Result<ObjectHandle, Error> {
    let mut attributes = attributes(narrowing);
    attributes.extend(token_attributes(locator));
    generate(session, manner, narrowing, &attributes)
}

/// Makes a key of the session that is in all else like a root key.
pub(crate) fn make_like(
    session: &Session,
    manner: Manner,
    narrowing: Narrowing,
) -> Result<SessionObject<'_>, Error> {
    let mut attributes = attributes(narrowing);
    attributes.push(Attribute::Token(false));
    generate(session, manner, narrowing, &attributes).map(|key| session.object(key))
}

/// Whether a key like a root key wraps and unwraps.
fn try_out(session: &Session, manner: Manner, root: &SessionObject<'_>) -> Result<(), Error> {
    let template = kek::template_for(KIND, manner.release);
    let key = kek::make(session, KIND, &template)?;
    let wrapped = session.wrap(manner.wrapping, root.handle(), key.handle(), KIND.bytes())?;
    session.unwrap(root.handle(), &wrapped, KIND.bytes(), &template)?;
    Ok(())
}

fn attributes(narrowing: Narrowing) -> Vec<Attribute> {
    let mut attributes = plain_attributes();
    if narrowing.not_copyable {
        // The same by way of a copy. Of PKCS#11 2.30; an older token refuses the template.
        attributes.push(Attribute::Copyable(false));
    }
    attributes
}

/// What every device knows.
pub(super) fn plain_attributes() -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::ValueLen(BYTES.into()),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        // With a modifiable key, who has the PIN sets DECRYPT and turns it into an oracle for every wrapped key.
        Attribute::Modifiable(false),
        Attribute::Wrap(true),
        Attribute::Unwrap(true),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::Sign(false),
        Attribute::Verify(false),
        Attribute::Derive(false),
    ]
}

/// A key of the session that wraps, for a trial.
pub(super) fn wrapping_attributes() -> Vec<Attribute> {
    let mut attributes = plain_attributes();
    attributes.retain(|attribute| !matches!(attribute, Attribute::ValueLen(_)));
    attributes.push(Attribute::Token(false));
    attributes
}

/// A root key that comes wrapped.
#[derive(Clone, Copy)]
pub(super) struct Brought<'a> {
    /// What it is wrapped under.
    pub(super) private_key: ObjectHandle,
    /// The hash of RSA-OAEP, and of its mask.
    pub(super) hash: OaepHash,
    pub(super) wrapped: &'a [u8],
}

impl Brought<'_> {
    /// Unwraps it onto the token. The session must be a writing one.
    pub(super) fn unwrap(
        self,
        session: &Session,
        manner: Manner,
        narrowing: Narrowing,
        locator: &RootKeyLocator,
    ) -> Result<ObjectHandle, Error> {
        self.unwrap_as(session, manner, narrowing, token_attributes(locator))
    }

    /// Unwraps it into a key of the session that is in all else like the root key.
    pub(super) fn unwrap_like(
        self,
        session: &Session,
        manner: Manner,
        narrowing: Narrowing,
    ) -> Result<SessionObject<'_>, Error> {
        self.unwrap_as(session, manner, narrowing, [Attribute::Token(false)])
            .map(|key| session.object(key))
    }

    fn unwrap_as(
        self,
        session: &Session,
        manner: Manner,
        narrowing: Narrowing,
        place: impl IntoIterator<Item = Attribute>,
    ) -> Result<ObjectHandle, Error> {
        let mut attributes = attributes(narrowing);
        // The wrapped key has its length in it, and some tokens refuse to be told.
        attributes.retain(|attribute| !matches!(attribute, Attribute::ValueLen(_)));
        attributes.extend(place);
        with_template(manner, narrowing, &attributes, |template| {
            session.functions().unwrap_key(
                session.pkcs11(),
                ck::CKM_RSA_PKCS_OAEP,
                Parameter::Oaep(self.hash),
                self.private_key,
                self.wrapped,
                template,
            )
        })
    }
}

fn token_attributes(locator: &RootKeyLocator) -> [Attribute; 3] {
    [
        Attribute::Token(true),
        Attribute::Label(locator.label.clone().into()),
        Attribute::Id(locator.id.clone()),
    ]
}

fn generate(
    session: &Session,
    manner: Manner,
    narrowing: Narrowing,
    attributes: &[Attribute],
) -> Result<ObjectHandle, Error> {
    with_template(manner, narrowing, attributes, |template| {
        session
            .functions()
            .generate_key(session.pkcs11(), ck::CKM_AES_KEY_GEN, template)
    })
}

/// Lends the template of a root key to `call`.
fn with_template<T>(
    manner: Manner,
    narrowing: Narrowing,
    attributes: &[Attribute],
    call: impl FnOnce(&Template<'_>) -> T,
) -> T {
    let mechanisms = [mechanism_of(manner.wrapping.profile())];
    // A key that is unwrapped to be a client's wrapping key wraps, so that CKA_WRAP has no place in it.
    let mut unwrapped = kek::template_for(KIND, manner.release);
    unwrapped.retain(|attribute| {
        !matches!(
            attribute,
            Attribute::KeyType(_) | Attribute::Extractable(_) | Attribute::Wrap(_) | Attribute::Derive(_)
        )
    });
    if manner.release == ReleaseProfile::Read {
        unwrapped.retain(|attribute| !matches!(attribute, Attribute::Sensitive(_)));
    }
    let wrapped = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Token(false)];
    let mut template = Template::from(attributes);
    if narrowing.allowed_mechanisms {
        template.allowed_mechanisms = &mechanisms;
    }
    if narrowing.unwrap_template {
        template.of_unwrapped = &unwrapped;
    }
    if narrowing.wrap_template {
        template.of_wrapped = &wrapped;
    }
    call(&template)
}
