//! The device's side of the transport key: made on the device, handed over once, renewed by count and by time.
//!
//! Where keys are to be read from the device ([`ReleaseProfile::Read`]), the worker makes the transport key itself: what it
//! reads crosses the boundary under that.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsOaepParams, PkcsOaepSource};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};

use openssl::bn::BigNum;
use openssl::encrypt::Encrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::{Padding, Rsa};

use super::kek;
use super::root_template::Manner;
use super::session::{Session, SessionObject};
use super::wrapping::Wrapping;
use crate::Error;
use crate::configuration::{ReleaseProfile, TransportRenewal};
use crate::key::KeyKind;
use crate::memory::LockedBuffer;
use crate::software::{self, SoftwareKey};
use crate::worker::protocol::{HandedOver, OaepHash, TransportRecipient, Transported};
use crate::wrapped::WrapProfile;

const BYTES: u64 = SoftwareKey::BYTES as u64;
/// By which profile the worker wraps what it reads.
const IN_SOFTWARE: WrapProfile = WrapProfile::AesKw;
/// After a renewal that failed the old key is used on for so long.
const NEXT_TRY: Duration = Duration::from_mins(1);

/// The RSA public key under which transport keys are handed over.
pub(crate) struct Recipient {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl Recipient {
    /// Big-endian integers without leading zeros.
    pub(crate) fn new(modulus: Vec<u8>, exponent: Vec<u8>) -> Self {
        Self { modulus, exponent }
    }

    /// By RSA-OAEP with SHA-256.
    fn encrypt(&self, key: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let modulus = BigNum::from_slice(&self.modulus)?;
        let exponent = BigNum::from_slice(&self.exponent)?;
        let public = PKey::from_rsa(Rsa::from_public_components(modulus, exponent)?)?;
        let mut encrypter = Encrypter::new(&public)?;
        encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
        encrypter.set_rsa_oaep_md(MessageDigest::sha256())?;
        encrypter.set_rsa_mgf1_md(MessageDigest::sha256())?;
        let mut out = vec![0; encrypter.encrypt_len(key)?];
        let length = encrypter.encrypt(key, &mut out)?;
        out.truncate(length);
        Ok(out)
    }
}

impl From<TransportRecipient> for Recipient {
    fn from(recipient: TransportRecipient) -> Self {
        Self::new(recipient.modulus, recipient.exponent)
    }
}

/// A transport key.
pub(crate) struct TransportKey {
    epoch: u64,
    place: Place,
}

/// Where a transport key is.
enum Place {
    /// On the device, which wraps under it like this.
    Device(ObjectHandle, Wrapping),
    /// In this process, which wraps what it reads.
    Process(SoftwareKey),
}

impl TransportKey {
    /// What a key's session object must be like, so that it can be sent under this.
    pub(super) fn template(&self, kind: KeyKind) -> Vec<Attribute> {
        let release = match self.place {
            Place::Device(..) => ReleaseProfile::Transport,
            Place::Process(_) => ReleaseProfile::Read,
        };
        kek::template_for(kind, release)
    }

    /// Wraps a key for the other side of the boundary.
    pub(super) fn send(
        &self,
        session: &Session,
        key: &SessionObject<'_>,
        kind: KeyKind,
    ) -> Result<Transported, Error> {
        self.send_object(session, key.handle(), kind)
    }

    /// The same, of a key that lives longer.
    pub(super) fn send_object(
        &self,
        session: &Session,
        key: ObjectHandle,
        kind: KeyKind,
    ) -> Result<Transported, Error> {
        let bytes = kind.padded_bytes();
        let wrapped = match &self.place {
            Place::Device(handle, wrapping) => session.wrap(*wrapping, *handle, key, bytes)?,
            Place::Process(software) => {
                let mut value = LockedBuffer::zeroed(bytes);
                session.read(key, value.as_mut_slice())?;
                software.seal(IN_SOFTWARE, value.as_slice(), bytes)?
            }
        };
        Ok(Transported {
            epoch: self.epoch,
            wrapped,
        })
    }

    /// Takes a key that came from the other side into a session object.
    pub(super) fn take<'a>(
        &self,
        session: &'a Session,
        material: &Transported,
        kind: KeyKind,
    ) -> Result<SessionObject<'a>, Error> {
        let bytes = kind.padded_bytes();
        match &self.place {
            Place::Device(handle, _) => {
                session.unwrap(*handle, &material.wrapped, bytes, &kek::template(kind))
            }
            Place::Process(software) => {
                let mut value = LockedBuffer::zeroed(bytes);
                software.open(&material.wrapped, bytes, value.as_mut_slice())?;
                session.create_secret(&kek::template(kind), value.as_slice())
            }
        }
    }
}

/// The transport keys of a worker, and the session that they live in.
pub(crate) struct Transport {
    means: Means,
    renewal: TransportRenewal,
    /// Held while a key is made or destroyed; used for nothing else.
    session: Mutex<Session>,
    keys: Mutex<Keys>,
    uses: AtomicU64,
}

/// How transport keys are made and used.
struct Means {
    recipient: Recipient,
    wrapping: Wrapping,
    release: ReleaseProfile,
}

struct Keys {
    current: Arc<TransportKey>,
    renew_at: Instant,
    hash: OaepHash,
    /// Those before, which something under way may still use, the oldest first.
    earlier: Vec<Arc<TransportKey>>,
}

impl Transport {
    /// Makes the first transport key, of the epoch given, and hands it over.
    ///
    /// RSA-OAEP is tried with SHA-256 first and with SHA-1 where the token refuses that. (OAEP does not need a hash that
    /// resists collisions: RFC 8017, section 7.1 and appendix B.1.)
    pub(crate) fn open(
        session: Session,
        recipient: Recipient,
        Manner { wrapping, release }: Manner,
        renewal: TransportRenewal,
        epoch: u64,
    ) -> Result<(Self, HandedOver), Error> {
        let means = Means {
            recipient,
            wrapping,
            release,
        };
        let made = means
            .make(&session, OaepHash::Sha256, epoch)
            .or_else(|_| means.make(&session, OaepHash::Sha1, epoch));
        let (key, handed) = made?;
        let keys = Keys {
            current: Arc::new(key),
            renew_at: Instant::now() + renewal.age,
            hash: handed.hash,
            earlier: Vec::new(),
        };
        let transport = Self {
            means,
            renewal,
            session: Mutex::new(session),
            keys: Mutex::new(keys),
            uses: AtomicU64::new(0),
        };
        Ok((transport, handed))
    }

    /// The current key, for one use.
    pub(crate) fn use_current(&self) -> Arc<TransportKey> {
        self.uses.fetch_add(1, Ordering::Relaxed);
        Arc::clone(&self.keys().current)
    }

    /// The key of an epoch, for one use: the current one, or one before it.
    pub(crate) fn use_epoch(&self, epoch: u64) -> Result<Arc<TransportKey>, Error> {
        self.uses.fetch_add(1, Ordering::Relaxed);
        let keys = self.keys();
        let mut known = keys.earlier.iter().chain([&keys.current]);
        known
            .find(|key| key.epoch == epoch)
            .map(Arc::clone)
            .ok_or(Error::TransportExpired)
    }

    /// Makes a new key where the current one is due, and returns the epochs of those that were destroyed. The one before
    /// stays; those before that go when nothing uses them.
    ///
    /// The new key is handed to `announce` before any other thread can use it. Only one thread renews; the others go on
    /// with the old key meanwhile. A failure leaves everything as it was.
    pub(crate) fn renew_if_due(&self, announce: impl FnOnce(HandedOver)) -> Result<Vec<u64>, Error> {
        let (epoch, hash) = {
            let keys = self.keys();
            let due =
                self.uses.load(Ordering::Relaxed) >= self.renewal.uses || Instant::now() >= keys.renew_at;
            if !due {
                return Ok(Vec::new());
            }
            (keys.current.epoch, keys.hash)
        };
        let Ok(session) = self.session.try_lock() else {
            return Ok(Vec::new());
        };
        if self.keys().current.epoch != epoch {
            return Ok(Vec::new());
        }
        let made = self.means.make(&session, hash, epoch + 1);
        let mut keys = self.keys();
        self.uses.store(0, Ordering::Relaxed);
        let (key, handed) = match made {
            Ok(made) => made,
            Err(error) => {
                keys.renew_at = Instant::now() + NEXT_TRY;
                return Err(error);
            }
        };
        keys.renew_at = Instant::now() + self.renewal.age;
        announce(handed);
        let former = std::mem::replace(&mut keys.current, Arc::new(key));
        let (unused, used) = std::mem::take(&mut keys.earlier)
            .into_iter()
            .partition::<Vec<_>, _>(|key| Arc::strong_count(key) == 1);
        keys.earlier = used;
        keys.earlier.push(former);
        drop(keys);
        let destroy = |key: Arc<TransportKey>| {
            if let Place::Device(handle, _) = key.place {
                // A key that can't be destroyed goes with its session; it has no more use.
                let _ = session.pkcs11().destroy_object(handle);
            }
            key.epoch
        };
        Ok(unused.into_iter().map(destroy).collect())
    }

    /// Forgets all without closing the session: after `C_Finalize` there is nothing left of it.
    pub(crate) fn abandon(self) {
        self.session
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .abandon();
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Means {
    fn make(
        &self,
        session: &Session,
        hash: OaepHash,
        epoch: u64,
    ) -> Result<(TransportKey, HandedOver), Error> {
        match self.release {
            ReleaseProfile::Transport => self.make_on_device(session, hash, epoch),
            ReleaseProfile::Read => self.make_here(epoch),
        }
    }

    fn make_here(&self, epoch: u64) -> Result<(TransportKey, HandedOver), Error> {
        let key = SoftwareKey::generate()?;
        let bytes = self
            .recipient
            .encrypt(key.bytes())
            .map_err(|error| Error::transport(software::reason(&error).unwrap_or("RSA-OAEP failed")))?;
        let handed = HandedOver {
            epoch,
            hash: OaepHash::Sha256,
            bytes,
        };
        let place = Place::Process(key);
        Ok((TransportKey { epoch, place }, handed))
    }

    fn make_on_device(
        &self,
        session: &Session,
        hash: OaepHash,
        epoch: u64,
    ) -> Result<(TransportKey, HandedOver), Error> {
        let key = session.generate(
            &Mechanism::AesKeyGen,
            &[
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::KeyType(KeyType::AES),
                Attribute::ValueLen(BYTES.into()),
                Attribute::Token(false),
                Attribute::Private(true),
                Attribute::Sensitive(true),
                Attribute::Extractable(true),
                Attribute::Modifiable(false),
                Attribute::Wrap(true),
                Attribute::Unwrap(true),
                Attribute::Encrypt(false),
                Attribute::Decrypt(false),
            ],
        )?;
        let recipient = &self.recipient;
        let template = public_key_template(&recipient.modulus, &recipient.exponent);
        let public_key = session.create(&template)?;
        let bytes = session
            .pkcs11()
            .wrap_key(&oaep(hash), public_key.handle(), key.handle())?;
        Ok((
            TransportKey {
                epoch,
                place: Place::Device(key.keep(), self.wrapping),
            },
            HandedOver { epoch, hash, bytes },
        ))
    }
}

/// An RSA public key of another, to wrap under.
pub(super) fn public_key_template(modulus: &[u8], exponent: &[u8]) -> [Attribute; 9] {
    [
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::KeyType(KeyType::RSA),
        Attribute::Token(false),
        Attribute::Private(false),
        Attribute::Wrap(true),
        Attribute::Encrypt(false),
        Attribute::Verify(false),
        Attribute::Modulus(modulus.to_vec()),
        Attribute::PublicExponent(exponent.to_vec()),
    ]
}

/// RSA-OAEP with this hash, as the mask's too.
pub(super) fn oaep(hash: OaepHash) -> Mechanism<'static> {
    let (digest, mask) = match hash {
        OaepHash::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
        OaepHash::Sha1 => (MechanismType::SHA1, PkcsMgfType::MGF1_SHA1),
    };
    Mechanism::RsaPkcsOaep(PkcsOaepParams::new(digest, mask, PkcsOaepSource::empty()))
}
