//! Keys that stay unwrapped on the device for a while, so that a storm of requests for the same keys costs one step each
//! instead of two. Off unless the configuration says how many and for how long.
//!
//! They are what a key is during any release: session objects that can be wrapped and do nothing else. Each is destroyed
//! when its time is over, when a newer one needs its place, when it is to be forgotten, and with the session that all of
//! them are in.
//!
//! A handle may come to mean another object where the device lost its sessions and nobody has noticed yet. So each kept
//! key has a `CKA_ID` of its own, which is read after each use: what was wrapped before that was the right key.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use openssl::sha::Sha256;

use super::fault::Fault;
use super::kek::{self, RootKey};
use super::session::Session;
use super::transport::TransportKey;
use crate::Error;
use crate::configuration::KeptKeys;
use crate::key::{KeyKind, RootKeyLocator};
use crate::worker::protocol::Transported;
use crate::wrapped::Wrapped;

/// The keys that a worker keeps.
pub(crate) struct Kept {
    limits: KeptKeys,
    /// What the keys are in; used for nothing else.
    session: Mutex<Session>,
    /// The session failed: nothing is kept until there is another.
    lost: AtomicBool,
    keys: Mutex<Keys>,
}

#[derive(Default)]
struct Keys {
    by_name: HashMap<Name, Arc<KeptKey>>,
    /// The oldest first; some may have been forgotten meanwhile.
    in_order: VecDeque<(Instant, Name)>,
    /// Those that are out of use and not destroyed yet.
    retired: Vec<Arc<KeptKey>>,
}

/// SHA-256 over the root key's identifier and all that is at rest of the key: nothing but the same bytes finds it.
type Name = [u8; 32];

struct KeptKey {
    name: Name,
    root: Vec<u8>,
    handle: ObjectHandle,
    since: Instant,
}

impl Kept {
    /// Keeps keys in a session of its own, which is logged in.
    pub(crate) fn new(limits: KeptKeys, session: Session) -> Self {
        Self {
            limits,
            session: Mutex::new(session),
            lost: AtomicBool::new(false),
            keys: Mutex::default(),
        }
    }

    /// Sends a key that is kept, or one that is unwrapped and kept from now on. `None` where neither can be done at once:
    /// then it is to be released as any other.
    pub(super) fn send(
        &self,
        session: &Session,
        (root, locator): (RootKey, &RootKeyLocator),
        kind: KeyKind,
        wrapped: &Wrapped,
        transport_key: &TransportKey,
    ) -> Option<Transported> {
        let name = name(locator, wrapped);
        if let Some(key) = self.get(&name) {
            let sent = transport_key.send_object(session, key.handle, kind);
            return match sent {
                Ok(sent) if is_named(session, key.handle, &name) => Some(sent),
                _ => {
                    self.keys().retire(&name);
                    None
                }
            };
        }
        if self.is_lost() {
            return None;
        }
        let own = self.session.try_lock().ok()?;
        let mut template = transport_key.template(kind);
        template.push(Attribute::Id(name.to_vec()));
        let key = match root.open(&own, kind, wrapped, &template) {
            Ok(key) => key,
            Err(error) => {
                let lost = Fault::of(&error) != Fault::Request;
                self.lost.fetch_or(lost, Ordering::Relaxed);
                return None;
            }
        };
        let sent = transport_key.send_object(session, key.handle(), kind).ok()?;
        self.put(KeptKey {
            name,
            root: locator.id.clone(),
            handle: key.keep(),
            since: Instant::now(),
        });
        self.destroy_unused(&own);
        Some(sent)
    }

    /// Whether the session of the keys failed.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Begins anew in another session, with no key.
    pub(crate) fn begin_anew(&self, session: Session) {
        let mut own = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        *self.keys() = Keys::default();
        // Closes the former, which destroys what is in it.
        *own = session;
        self.lost.store(false, Ordering::Relaxed);
    }

    /// Forgets one key under a root key, or all of them, and destroys what nothing uses.
    pub(crate) fn forget(&self, root: &RootKeyLocator, wrapped: Option<&Wrapped>) {
        {
            let mut keys = self.keys();
            let forgotten: Vec<Name> = match wrapped {
                Some(wrapped) => vec![name(root, wrapped)],
                None => keys
                    .by_name
                    .values()
                    .filter(|key| key.root == root.id)
                    .map(|key| key.name)
                    .collect(),
            };
            for name in forgotten {
                keys.retire(&name);
            }
        }
        self.sweep();
    }

    /// Destroys what is over or was forgotten and that nothing uses any more.
    pub(crate) fn sweep(&self) {
        let own = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        self.destroy_unused(&own);
    }

    fn destroy_unused(&self, own: &Session) {
        let unused = {
            let mut keys = self.keys();
            while let Some((since, _)) = keys.in_order.front()
                && since.elapsed() >= self.limits.time
            {
                keys.retire_the_oldest();
            }
            let (unused, used) = std::mem::take(&mut keys.retired)
                .into_iter()
                .partition::<Vec<_>, _>(|key| Arc::strong_count(key) == 1);
            keys.retired = used;
            unused
        };
        for key in unused {
            // One that is not there any more went with the session.
            if is_named(own, key.handle, &key.name) {
                let _ = own.pkcs11().destroy_object(key.handle);
            }
        }
    }

    /// Forgets all without closing the session: after `C_Finalize` there is nothing left of it.
    pub(crate) fn abandon(self) {
        let session = self.session.into_inner().unwrap_or_else(PoisonError::into_inner);
        session.abandon();
    }

    fn get(&self, name: &Name) -> Option<Arc<KeptKey>> {
        let keys = self.keys();
        let key = keys.by_name.get(name)?;
        (key.since.elapsed() < self.limits.time).then(|| Arc::clone(key))
    }

    fn put(&self, key: KeptKey) {
        let mut keys = self.keys();
        let (name, since) = (key.name, key.since);
        keys.in_order.push_back((since, name));
        let former = keys.by_name.insert(name, Arc::new(key));
        keys.retired.extend(former);
        while keys.by_name.len() > self.limits.count {
            keys.retire_the_oldest();
        }
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys {
    fn retire_the_oldest(&mut self) {
        if let Some((since, name)) = self.in_order.pop_front()
            && self.by_name.get(&name).is_some_and(|key| key.since == since)
        {
            self.retire(&name);
        }
    }

    fn retire(&mut self, name: &Name) {
        self.retired.extend(self.by_name.remove(name));
    }
}

fn name(root: &RootKeyLocator, wrapped: &Wrapped) -> Name {
    let mut hash = Sha256::new();
    for part in [&root.id[..], wrapped.profile.as_str().as_bytes(), &wrapped.bytes] {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finish()
}

fn is_named(session: &Session, key: ObjectHandle, name: &Name) -> bool {
    let named = session.pkcs11().get_attributes(key, &[AttributeType::Id]);
    named.is_ok_and(|attributes| attributes == [Attribute::Id(name.to_vec())])
}

/// Releases a key as [`kek::release`] does, through what is kept where that can be.
pub(crate) fn release(
    session: &Session,
    (root, locator): (RootKey, &RootKeyLocator),
    kind: KeyKind,
    wrapped: &Wrapped,
    transport: &super::Transport,
    kept: Option<&Kept>,
) -> Result<(Transported, Arc<TransportKey>), Error> {
    if let Some(kept) = kept {
        let transport_key = transport.use_current();
        let sent = kept.send(session, (root, locator), kind, wrapped, &transport_key);
        if let Some(sent) = sent {
            return Ok((sent, transport_key));
        }
    }
    kek::release(session, root, kind, wrapped, transport)
}
