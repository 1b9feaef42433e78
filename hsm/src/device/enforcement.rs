//! What the device enforces, found by trying what somebody would who has the PIN. All of it is tried on keys of the session
//! that are thrown away: one like a root key, and one that it wraps.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectHandle};

use super::kek;
use super::root_template::{self, Manner, Narrowing};
use super::session::{Session, SessionObject};
use super::trial;
use crate::Error;
use crate::key::KeyKind;
use crate::wrapped::{WrapProfile, Wrapped};

const KIND: KeyKind = KeyKind::Aes { bytes: 32 };

/// What can be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attack {
    /// Read the root key's value.
    ReadRootKey,
    /// Wrap the root key under a key of one's own.
    WrapRootKey,
    /// Wrap the root key under itself.
    SelfWrap,
    /// Decrypt with the root key what it wrapped.
    WrapThenDecrypt,
    /// Set `CKA_DECRYPT` on the root key, for the same.
    ModifyRootKey,
    /// Copy the root key with `CKA_DECRYPT`, for the same.
    CopyRootKey,
    /// Use the root key with another mechanism than that of its wrap profile.
    OtherMechanism,
    /// Unwrap a key as one that is not sensitive, and read it.
    UnwrapReadable,
    /// Unwrap a key as one that decrypts.
    UnwrapDecrypting,
    /// Read a sensitive key that was unwrapped.
    ReadSensitive,
}

/// What came of an attack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Refused,
    Succeeded,
    /// It could not be tried.
    NotTried(String),
}

impl Attack {
    pub(crate) const ALL: [Self; 10] = [
        Self::ReadRootKey,
        Self::WrapRootKey,
        Self::SelfWrap,
        Self::WrapThenDecrypt,
        Self::ModifyRootKey,
        Self::CopyRootKey,
        Self::OtherMechanism,
        Self::UnwrapReadable,
        Self::UnwrapDecrypting,
        Self::ReadSensitive,
    ];

    /// What is tried, in a few words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ReadRootKey => "read a root key",
            Self::WrapRootKey => "wrap a root key under another key",
            Self::SelfWrap => "wrap a root key under itself",
            Self::WrapThenDecrypt => "decrypt with a root key what it wrapped",
            Self::ModifyRootKey => "let a root key decrypt",
            Self::CopyRootKey => "copy a root key to one that decrypts",
            Self::OtherMechanism => "wrap with a root key by another mechanism",
            Self::UnwrapReadable => "unwrap a key as a readable one",
            Self::UnwrapDecrypting => "unwrap a key as one that decrypts",
            Self::ReadSensitive => "read a sensitive key",
        }
    }

    /// What it means where the attack succeeds.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::ReadRootKey | Self::WrapRootKey => {
                "who has the PIN takes the root key away, and with it every key under it"
            }
            Self::SelfWrap => "the root key leaves the device in a wrapped form",
            Self::WrapThenDecrypt | Self::ModifyRootKey | Self::CopyRootKey => {
                "who has the PIN and the database decrypts every key, away from the records of the custody log"
            }
            Self::OtherMechanism => {
                "CKA_ALLOWED_MECHANISMS is not enforced: who has the PIN may use the root key with a weaker mechanism"
            }
            Self::UnwrapReadable => {
                "CKA_UNWRAP_TEMPLATE is not enforced: who has the PIN and the database reads every key"
            }
            Self::UnwrapDecrypting => {
                "CKA_UNWRAP_TEMPLATE is not enforced: who has the PIN and the database uses every key to decrypt"
            }
            Self::ReadSensitive => {
                "CKA_SENSITIVE is not enforced: a key is readable on the device for the moment of its release"
            }
        }
    }

    /// Whether the device is no place for root keys where this succeeds.
    pub(crate) fn is_fatal(self) -> bool {
        matches!(self, Self::ReadRootKey | Self::WrapRootKey)
    }

    /// Tries it.
    pub(crate) fn on(self, session: &Session, manner: Manner) -> Outcome {
        let narrowing = Narrowing::found(session, manner);
        let scene = match Scene::set(session, manner, narrowing) {
            Ok(scene) => scene,
            Err(error) => return Outcome::NotTried(error.to_string()),
        };
        match scene.play(self) {
            Ok(Some(())) => Outcome::Succeeded,
            Ok(None) => Outcome::NotTried("the device has no other mechanism that Claviger knows".to_owned()),
            Err(_) => Outcome::Refused,
        }
    }
}

/// A key like a root key, a key of the attacker's own, and a key that the first has wrapped.
struct Scene<'a> {
    session: &'a Session,
    manner: Manner,
    root: SessionObject<'a>,
    own: SessionObject<'a>,
    wrapped: Wrapped,
}

impl<'a> Scene<'a> {
    fn set(session: &'a Session, manner: Manner, narrowing: Narrowing) -> Result<Self, Error> {
        let root = root_template::make_like(session, manner, narrowing)?;
        let own = trial::wrapping_key(session)?;
        let key = kek::make(session, KIND, &kek::template_for(KIND, manner.release))?;
        let wrapped = session.wrap(manner.wrapping, root.handle(), key.handle(), KIND.bytes())?;
        Ok(Self {
            session,
            manner,
            root,
            own,
            wrapped,
        })
    }

    /// An error where the device refuses; `None` where there is nothing to try.
    fn play(&self, attack: Attack) -> Result<Option<()>, Error> {
        let (session, root) = (self.session, self.root.handle());
        let decrypting = [Attribute::Decrypt(true)];
        match attack {
            Attack::ReadRootKey => session.read(root, &mut [0; 32])?,
            Attack::WrapRootKey => self.wrap(self.own.handle(), root)?,
            Attack::SelfWrap => self.wrap(root, root)?,
            Attack::WrapThenDecrypt => self.decrypt(root)?,
            Attack::ModifyRootKey => {
                session.pkcs11().update_attributes(root, &decrypting)?;
                self.decrypt(root)?;
            }
            Attack::CopyRootKey => {
                let copy = session.object(session.pkcs11().copy_object(root, &decrypting)?);
                self.decrypt(copy.handle())?;
            }
            Attack::OtherMechanism => return self.wrap_otherwise(),
            Attack::UnwrapReadable => {
                // A token that refuses this may still make a key readable that it is told nothing about.
                let key = self
                    .unwrap(Attribute::Sensitive(false))
                    .or_else(|_| self.unwrap_without(AttributeType::Sensitive, None))?;
                session.read(key.handle(), &mut [0; 32])?;
            }
            Attack::UnwrapDecrypting => {
                let key = self.unwrap(Attribute::Decrypt(true))?;
                self.decrypt(key.handle())?;
            }
            Attack::ReadSensitive => {
                let key = self.unwrap(Attribute::Sensitive(true))?;
                session.read(key.handle(), &mut [0; 32])?;
            }
        }
        Ok(Some(()))
    }

    fn wrap(&self, under: ObjectHandle, key: ObjectHandle) -> Result<(), Error> {
        let wrapped = self.session.wrap(self.manner.wrapping, under, key, KIND.bytes());
        wrapped.map(|_| ())
    }

    /// By a profile that the device does, with the key like a root key.
    fn wrap_otherwise(&self) -> Result<Option<()>, Error> {
        let usual = self.manner.wrapping.profile();
        let other = WrapProfile::ALL
            .into_iter()
            .filter(|profile| *profile != usual)
            .find_map(|profile| trial::choose(self.session, Some(profile)).ok());
        let Some(other) = other else {
            return Ok(None);
        };
        let key = kek::make(self.session, KIND, &kek::template_for(KIND, self.manner.release))?;
        self.session
            .wrap(other, self.root.handle(), key.handle(), KIND.bytes())?;
        Ok(Some(()))
    }

    /// With one attribute of the usual template replaced.
    fn unwrap(&self, otherwise: Attribute) -> Result<SessionObject<'_>, Error> {
        self.unwrap_without(otherwise.attribute_type(), Some(otherwise))
    }

    fn unwrap_without(
        &self,
        left_out: AttributeType,
        instead: Option<Attribute>,
    ) -> Result<SessionObject<'_>, Error> {
        let mut template = kek::template_for(KIND, self.manner.release);
        template.retain(|attribute| attribute.attribute_type() != left_out);
        template.extend(instead);
        self.session
            .unwrap(self.root.handle(), &self.wrapped, KIND.bytes(), &template)
    }

    fn decrypt(&self, key: ObjectHandle) -> Result<(), Error> {
        let decrypted =
            self.session
                .pkcs11()
                .decrypt(&Mechanism::AesCbc([0; 16]), key, &self.wrapped.bytes[..32])?;
        drop(zeroize::Zeroizing::new(decrypted));
        Ok(())
    }
}

#[cfg(all(test, feature = "testkit"))]
mod tests {
    use super::*;
    use crate::configuration::ReleaseProfile;
    use crate::device::{Module, read_pin};
    use crate::in_process::with_token;

    #[test]
    fn an_attack_that_a_carelessly_made_key_allows_is_seen() {
        let test = "device::enforcement::tests::an_attack_that_a_carelessly_made_key_allows_is_seen";
        with_token(test, |start| {
            let module = Module::load(&start.module).unwrap();
            let slot = module.initialise_and_find(&start.slot).unwrap().slot;
            let session = module.open_session(slot).unwrap();
            session.login(&read_pin(&start.pin_file).unwrap()).unwrap();
            let manner = Manner {
                wrapping: trial::choose(&session, None).unwrap(),
                release: ReleaseProfile::Transport,
            };
            let careless = Scene::set(&session, manner, Narrowing::default()).unwrap();
            for attack in [Attack::UnwrapReadable, Attack::UnwrapDecrypting] {
                assert_eq!(careless.play(attack).unwrap(), Some(()), "{}", attack.name());
                assert_eq!(attack.on(&session, manner), Outcome::Refused, "{}", attack.name());
            }
        });
    }
}
