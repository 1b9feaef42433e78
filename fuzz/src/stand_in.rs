//! A server without socket and device: the operations over a real store, with a stand-in that "wraps" by adding a constant.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use claviger::adapter::{
    Adapter, Caller, Fingerprint, Origin, RootKey, RootKeyId, RootKeyOrigin, RootKeyState, WrappedBytes,
};
use claviger::custody::{Actor, Event, EventName};
use claviger::key::{WrapProfile, WrappedKek};
use claviger::kmip::ttlv::DateTime;
use claviger::operation::{Clock, Limits, Services};
use claviger::recorder::{NodeFacts, Recorder};
use claviger::root_key::{
    BackendDescription, CreatedRootKey, Error, KeptKey, KeySpecification, KeyWrap, MadeKey, Material,
    RootKeyBackend, RootKeys, RsaPublicKey, WrappedRootKey,
};
use claviger::store::{Change, SealKey, SealKeys, SqliteStore};
use openssl::aes::{AesKey, wrap_key};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use time::OffsetDateTime;

/// What is added to each byte of a key.
const MASK: u8 = 0x5A;

#[derive(Default)]
struct Backend {
    made: AtomicU64,
}

fn length(what: KeySpecification) -> usize {
    what.bytes()
}

fn masked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ MASK).collect()
}

fn made(key: &[u8]) -> MadeKey {
    MadeKey {
        wrapped: WrappedKek {
            profile: WrapProfile::AesKw,
            bytes: masked(key),
        },
        sha256: Sha256::digest(key).into(),
    }
}

/// What operations never ask for.
fn not_asked_for<T>() -> Result<T, Error> {
    panic!("operations do not ask for it")
}

#[async_trait]
impl RootKeyBackend for Backend {
    async fn create(&self, _: &RootKey) -> Result<CreatedRootKey, Error> {
        not_asked_for()
    }

    async fn verify(&self, _: &RootKey) -> Result<(), Error> {
        Ok(())
    }

    async fn generate(&self, _: &RootKey, what: KeySpecification) -> Result<MadeKey, Error> {
        let seed = self.made.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let key: Vec<u8> = Sha256::digest(seed)
            .iter()
            .copied()
            .cycle()
            .take(length(what))
            .collect();
        Ok(made(&key))
    }

    async fn import(&self, _: &RootKey, what: KeySpecification, material: &[u8]) -> Result<MadeKey, Error> {
        assert_eq!(material.len(), length(what));
        Ok(made(material))
    }

    async fn release(
        &self,
        _: &RootKey,
        what: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<Material, Error> {
        assert_eq!(wrapped.bytes.len(), length(what));
        Ok(Material::of_stand_in(masked(&wrapped.bytes)))
    }

    async fn release_under(
        &self,
        key: KeptKey<'_>,
        wrapping_key: KeptKey<'_>,
        key_wrap: KeyWrap,
    ) -> Result<Vec<u8>, Error> {
        if key_wrap == KeyWrap::Padded {
            return Err(Error::Device {
                backend: "stand-in".to_owned(),
                source: claviger_hsm::Error::WrapProfile {
                    profile: "aes-kwp".to_owned(),
                },
            });
        }
        let under = AesKey::new_encrypt(&masked(&wrapping_key.wrapped.bytes)).expect("an AES key");
        let mut wrapped = vec![0; key.wrapped.bytes.len() + 8];
        wrap_key(&under, None, &mut wrapped, &masked(&key.wrapped.bytes))
            .expect("AES key wrap takes the key");
        Ok(wrapped)
    }

    async fn rewrap(
        &self,
        _: &RootKey,
        _: &RootKey,
        _: KeySpecification,
        wrapped: &WrappedKek,
    ) -> Result<WrappedKek, Error> {
        Ok(wrapped.clone())
    }

    async fn destroy(&self, _: &RootKey) -> Result<(), Error> {
        not_asked_for()
    }

    async fn offer_take_in(&self, _: &str) -> Result<RsaPublicKey, Error> {
        not_asked_for()
    }

    async fn take_in(&self, _: &str, _: &WrappedRootKey, _: &RootKey) -> Result<CreatedRootKey, Error> {
        not_asked_for()
    }

    fn device(&self) -> Result<claviger_hsm::Device, Error> {
        not_asked_for()
    }

    async fn check(&self, _: &RootKey) -> Result<(), Error> {
        Ok(())
    }

    async fn describe(&self) -> Result<BackendDescription, Error> {
        not_asked_for()
    }
}

/// The server and its one client.
pub struct Server {
    pub services: Arc<Services>,
    pub caller: Caller,
    _folder: TempDir,
}

impl Server {
    /// A server with an empty store, in memory where the system has a file system there.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .expect("a temporary folder can be made");
        let keys = SealKeys::new();
        let store = SqliteStore::open(&folder.path().join("claviger.db"), keys.clone())
            .await
            .expect("the store opens");
        let store = Arc::new(store);
        let node = NodeFacts {
            name: "fuzz".into(),
            server_version: "0".into(),
            configuration_sha256: None,
        };
        let recorder = Recorder::start(store.clone(), node)
            .await
            .expect("the recorder starts");
        let root_key = root_key();
        let filled: Result<_, Infallible> = SealKey::filled_by(|bytes| {
            bytes.fill(3);
            Ok(())
        });
        keys.insert(root_key.id, filled.expect("it cannot fail"));
        let adapter =
            Adapter::new("fuzz", "", root_key.id, OffsetDateTime::now_utc()).expect("the name is fine");
        let caller = caller(&adapter);
        recorder
            .commit(
                vec![Change::CreateRootKey(root_key), Change::CreateAdapter(adapter)],
                Event::new(EventName::AdapterCreate, Actor::Server),
            )
            .await
            .expect("the log can be written");
        let root_keys = RootKeys::new(vec![("hsm".into(), Arc::new(Backend::default()))]);
        let clock = Clock::from_source(|| DateTime(1_764_000_000));
        let services = Services::new(store, recorder, root_keys, clock, Limits::default());
        Self {
            services: Arc::new(services),
            caller,
            _folder: folder,
        }
    }
}

fn root_key() -> RootKey {
    RootKey {
        id: RootKeyId::new(),
        name: "fuzz".to_owned(),
        backend: "hsm".to_owned(),
        token_label: "claviger".to_owned(),
        token_serial: "0123456789abcdef".to_owned(),
        label: "claviger fuzz".to_owned(),
        version: 1,
        check_value: vec![1, 2, 3],
        seal_key: WrappedBytes {
            profile: "aes-kw".to_owned(),
            bytes: vec![7; 40],
        },
        created_at: OffsetDateTime::now_utc(),
        state: RootKeyState::default(),
        origin: RootKeyOrigin::default(),
    }
}

fn caller(adapter: &Adapter) -> Caller {
    Caller {
        adapter: adapter.id,
        adapter_name: adapter.name.clone(),
        certificate: Fingerprint([5; 32]),
        subject: "CN=fuzz".into(),
        issuer: "CN=fuzz".into(),
        serial: "01".into(),
        origin: Origin {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 40_000,
            tls_version: "TLSv1.3".into(),
        },
    }
}
