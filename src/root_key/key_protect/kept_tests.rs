use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::super::Refusal;
use super::super::wire::{Key, KeyState};
use super::*;
use crate::adapter::{RootKeyId, RootKeyOrigin, RootKeyState, WrappedBytes};
use crate::key::WrapProfile;
use crate::root_key::KeyKind;
use claviger_hsm::memory::LockedBuffer;

/// Name, description and payload.
type StandardKey = (String, String, Vec<u8>);

/// A key manager in memory. What a wrapped key is does not matter here: it is the key itself.
#[derive(Default)]
struct Manager {
    keys: Mutex<BTreeMap<Uuid, StandardKey>>,
    made: AtomicU64,
    root_key_is_away: AtomicBool,
    /// What every request for a payload is answered by, where it is not served.
    answer: Mutex<Option<KeyProtectError>>,
    /// What is told of a key that is not there.
    metadata: Mutex<Option<KeyProtectError>>,
}

fn refused(status: u16, code: &str) -> KeyProtectError {
    KeyProtectError::Refused(Refusal {
        kind: Kind::of(status, code),
        request: "a key",
        status,
        code: code.to_owned(),
        correlation_id: String::new(),
    })
}

fn not_found() -> KeyProtectError {
    refused(404, "KEY_NOT_FOUND_ERR")
}

#[async_trait]
impl StandardKeys for Manager {
    fn backend(&self) -> &'static str {
        "ibm"
    }

    async fn create(&self, name: &str, description: &str, payload: &[u8]) -> Result<Uuid, KeyProtectError> {
        let id = Uuid::from_u128(self.made.fetch_add(1, Ordering::SeqCst).into());
        let key = (name.to_owned(), description.to_owned(), payload.to_vec());
        self.keys.lock().unwrap().insert(id, key);
        Ok(id)
    }

    async fn payload(&self, id: Uuid) -> Result<LockedBuffer, KeyProtectError> {
        if let Some(answer) = self.answer.lock().unwrap().clone() {
            return Err(answer);
        }
        let keys = self.keys.lock().unwrap();
        let (_, _, payload) = keys.get(&id).ok_or_else(not_found)?;
        let mut buffer = LockedBuffer::default();
        buffer.extend_from_slice(payload);
        Ok(buffer)
    }

    async fn metadata(&self, id: Uuid) -> Result<Key, KeyProtectError> {
        if let Some(answer) = self.metadata.lock().unwrap().clone() {
            return Err(answer);
        }
        let keys = self.keys.lock().unwrap();
        let found = keys.iter().find(|(found, _)| **found == id);
        found.map(|(id, key)| shown(*id, key)).ok_or_else(not_found)
    }

    async fn delete(&self, id: Uuid) -> Result<(), KeyProtectError> {
        let deleted = self.keys.lock().unwrap().remove(&id);
        deleted.map(drop).ok_or_else(|| refused(410, "KEY_DELETED_ERR"))
    }

    async fn page(&self, offset: usize, limit: usize) -> Result<Vec<Key>, KeyProtectError> {
        let keys = self.keys.lock().unwrap();
        let page = keys.iter().skip(offset).take(limit);
        Ok(page.map(|(id, key)| shown(*id, key)).collect())
    }
}

fn shown(id: Uuid, (name, description, _): &(String, String, Vec<u8>)) -> Key {
    Key {
        id,
        name: name.clone(),
        description: description.clone(),
        aliases: Vec::new(),
        state: KeyState::Active,
        extractable: true,
        imported: true,
        deleted: false,
        key_ring: "default".to_owned(),
        key_version: None,
        dual_auth_delete: None,
        creation_date: Some("2026-11-24T08:00:00Z".to_owned()),
    }
}

#[async_trait]
impl RootKeyBackend for Manager {
    async fn generate(&self, _: &RootKey, what: KeySpecification) -> Result<MadeKey, Error> {
        Ok(MadeKey {
            wrapped: WrappedKek {
                profile: WrapProfile::KeyProtectAad,
                bytes: vec![1; what.bytes()],
            },
            sha256: [0; 32],
        })
    }

    async fn import(&self, root_key: &RootKey, what: KeySpecification, _: &[u8]) -> Result<MadeKey, Error> {
        self.generate(root_key, what).await
    }

    async fn release(
        &self,
        _: &RootKey,
        _: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error> {
        Ok(Material::of_stand_in(wrapped.bytes.clone()))
    }

    async fn release_under(
        &self,
        key: KeptKey<'_>,
        under: KeptKey<'_>,
        _: KeyWrap,
    ) -> Result<Vec<u8>, Error> {
        Ok([&key.wrapped.bytes[..], &under.wrapped.bytes[..]].concat())
    }

    async fn rewrap(
        &self,
        _: &RootKey,
        _: &RootKey,
        _: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        Ok(WrappedKek {
            bytes: wrapped.bytes.iter().map(|byte| byte + 1).collect(),
            ..*wrapped
        })
    }

    async fn verify(&self, _: &RootKey) -> Result<(), Error> {
        if self.root_key_is_away.load(Ordering::SeqCst) {
            return Err(Error::KeyProtect {
                backend: "ibm".to_owned(),
                source: not_found(),
            });
        }
        Ok(())
    }

    async fn create(&self, _: &RootKey) -> Result<CreatedRootKey, Error> {
        unreachable!("no root key is made")
    }

    async fn destroy(&self, _: &RootKey) -> Result<(), Error> {
        unreachable!("no root key is destroyed")
    }

    async fn offer_take_in(&self, _: &str) -> Result<RsaPublicKey, Error> {
        unreachable!("no root key is brought there")
    }

    async fn take_in(&self, _: &str, _: &WrappedRootKey, _: &RootKey) -> Result<CreatedRootKey, Error> {
        unreachable!("no root key is brought there")
    }

    fn device(&self) -> Result<Device, Error> {
        Err(Error::unsupported("a device"))
    }

    async fn check(&self, _: &RootKey) -> Result<(), Error> {
        Ok(())
    }

    async fn describe(&self) -> Result<BackendDescription, Error> {
        unreachable!("nobody asks")
    }
}

fn root_key() -> RootKey {
    RootKey {
        id: RootKeyId::new(),
        name: "east".to_owned(),
        backend: "ibm".to_owned(),
        token_label: String::new(),
        token_serial: String::new(),
        label: "claviger.east.v1".to_owned(),
        version: 1,
        check_value: vec![0; 32],
        seal_key: WrappedBytes {
            profile: String::new(),
            bytes: Vec::new(),
        },
        created_at: OffsetDateTime::UNIX_EPOCH,
        state: RootKeyState::default(),
        origin: RootKeyOrigin::default(),
    }
}

fn a_key() -> KeySpecification {
    KeySpecification {
        kind: KeyKind::Aes { bytes: 32 },
        binding: Binding {
            adapter: Uuid::from_u128(100),
            object: Uuid::from_u128(200),
            part: 0,
        },
    }
}

fn kept(manager: &Arc<Manager>, keeps: bool) -> KeptBackend {
    KeptBackend::over(manager.clone(), manager.clone(), keeps)
}

async fn value(backend: &KeptBackend, wrapped: &WrappedKek) -> Result<Vec<u8>, Error> {
    let material = backend.release(&root_key(), a_key(), wrapped).await?;
    let mut value = vec![0; material.len()];
    material.open_into(&mut value)?;
    Ok(value)
}

fn is_deletion(outcome: &Result<Vec<u8>, Error>) -> bool {
    matches!(outcome, Err(Error::WrappedKeyDeleted { binding, .. }) if *binding == a_key().binding)
}

#[tokio::test]
async fn a_wrapped_key_lies_in_the_key_manager_alone_under_the_name_of_its_disk() {
    let manager = Arc::new(Manager::default());
    let backend = kept(&manager, true);
    let made = backend.generate(&root_key(), a_key()).await.unwrap();
    assert!(
        !made.wrapped.bytes.windows(4).any(|bytes| bytes == [1; 4]),
        "the row has it too"
    );
    assert_eq!(value(&backend, &made.wrapped).await, Ok(vec![1; 32]));
    let there = backend.inventory().await.unwrap().unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!(there[0].name, format!("vmware_kmip_{}", a_key().binding.object));
    assert_eq!(there[0].adapter, Some(a_key().binding.adapter));
    assert_eq!(Some(&there[0].id), backend.kept_there(&made.wrapped).as_ref());
    assert!(there[0].is_new && there[0].created_at.is_some());

    let anew = backend
        .rewrap(&root_key(), &root_key(), a_key(), &made.wrapped)
        .await
        .unwrap();
    assert_eq!(value(&backend, &anew).await, Ok(vec![2; 32]));
    backend.discard(&root_key(), &made.wrapped).await.unwrap();
    // Given up twice, as after a kill.
    backend.discard(&root_key(), &made.wrapped).await.unwrap();
    assert_eq!(value(&backend, &anew).await, Ok(vec![2; 32]));
    assert!(is_deletion(&value(&backend, &made.wrapped).await));
}

#[tokio::test]
async fn a_seal_key_lies_in_the_store() {
    let manager = Arc::new(Manager::default());
    let backend = kept(&manager, true);
    let root_key = root_key();
    let made = backend
        .generate(&root_key, KeySpecification::of_seal_key(&root_key))
        .await
        .unwrap();
    assert_eq!(
        (made.wrapped.bytes, manager.keys.lock().unwrap().len()),
        (vec![1; 32], 0)
    );
}

#[tokio::test]
async fn what_was_kept_before_the_configuration_changed_is_found_where_it_is() {
    let manager = Arc::new(Manager::default());
    let (there, here) = (kept(&manager, true), kept(&manager, false));
    let kept_in_it = there.generate(&root_key(), a_key()).await.unwrap().wrapped;
    let kept_in_a_row = here.generate(&root_key(), a_key()).await.unwrap().wrapped;
    assert_eq!(value(&here, &kept_in_it).await, Ok(vec![1; 32]));
    assert_eq!(value(&there, &kept_in_a_row).await, Ok(vec![1; 32]));
    assert_eq!(there.kept_there(&kept_in_a_row), None);
}

#[tokio::test]
async fn another_payload_than_was_put_there_is_refused() {
    let manager = Arc::new(Manager::default());
    let backend = kept(&manager, true);
    let wrapped = backend.generate(&root_key(), a_key()).await.unwrap().wrapped;
    for (_, _, payload) in manager.keys.lock().unwrap().values_mut() {
        payload[31] ^= 1;
    }
    let refused = value(&backend, &wrapped).await.unwrap_err();
    assert!(matches!(refused, Error::WrappedKeyChanged { .. }));
    assert!(refused.is_refusal_of_the_wrapped_key() && refused.deleted_wrapped_key().is_none());
}

#[tokio::test]
async fn the_key_managers_word_that_a_key_was_deleted_is_taken_for_it() {
    let manager = Arc::new(Manager::default());
    let backend = kept(&manager, true);
    let wrapped = backend.generate(&root_key(), a_key()).await.unwrap().wrapped;
    *manager.answer.lock().unwrap() = Some(refused(410, "KEY_DELETED_ERR"));
    assert!(is_deletion(&value(&backend, &wrapped).await));
    // Of a key that is purged nothing is left but that its root key is there.
    *manager.answer.lock().unwrap() = None;
    manager.keys.lock().unwrap().clear();
    assert!(is_deletion(&value(&backend, &wrapped).await));
    assert!(backend.verify_kept(&root_key(), a_key(), &wrapped).await.is_err());
}

#[tokio::test]
async fn an_outage_a_missing_right_or_another_instance_is_never_taken_for_a_deletion() {
    let manager = Arc::new(Manager::default());
    let backend = kept(&manager, true);
    let wrapped = backend.generate(&root_key(), a_key()).await.unwrap().wrapped;
    let unavailable = KeyProtectError::Unavailable {
        service: "Key Protect",
        reason: "it answered 503".to_owned(),
        correlation_id: String::new(),
    };
    let garbage = KeyProtectError::Unreadable {
        service: "Key Protect",
        request: "a key",
        correlation_id: String::new(),
    };
    for answer in [
        refused(401, "UNAUTHORIZED_ERR"),
        refused(403, ""),
        // Of a gateway, a proxy, or an instance that is gone.
        refused(404, ""),
        refused(404, "INSTANCE_NOT_FOUND_ERR"),
        refused(404, "KEY_RING_NOT_FOUND_ERR"),
        refused(410, ""),
        refused(410, "INSTANCE_DELETED_ERR"),
        refused(409, "KEY_ACTION_INVALID_STATE_ERR"),
        refused(429, ""),
        unavailable,
        garbage,
        KeyProtectError::Busy,
    ] {
        *manager.answer.lock().unwrap() = Some(answer.clone());
        let outcome = value(&backend, &wrapped).await;
        assert!(outcome.is_err() && !is_deletion(&outcome), "{answer}");
    }
    // Not found, and the root key is not, either: it is the instance that is another one.
    *manager.answer.lock().unwrap() = Some(not_found());
    manager.root_key_is_away.store(true, Ordering::SeqCst);
    assert!(!is_deletion(&value(&backend, &wrapped).await));
    manager.root_key_is_away.store(false, Ordering::SeqCst);
    // Not found in the key ring, and found in another one.
    assert!(!is_deletion(&value(&backend, &wrapped).await));
    // Not found, and then away.
    *manager.metadata.lock().unwrap() = Some(refused(403, ""));
    assert!(!is_deletion(&value(&backend, &wrapped).await));
    *manager.answer.lock().unwrap() = None;
    assert_eq!(value(&backend, &wrapped).await, Ok(vec![1; 32]));
}

#[tokio::test]
async fn the_inventory_has_every_page_and_nothing_of_others() {
    let manager = Arc::new(Manager::default());
    let backend = kept(&manager, true);
    for number in 0..=2 * PAGE {
        let mut what = a_key();
        what.binding.object = Uuid::from_u128(1_000 + number as u128);
        backend.generate(&root_key(), what).await.unwrap();
    }
    let foreign = StandardKeys::create(&*manager, "somebody's secret", "", b"secret");
    foreign.await.unwrap();
    let there = backend.inventory().await.unwrap().unwrap();
    assert_eq!(there.len(), 2 * PAGE + 1);
}
