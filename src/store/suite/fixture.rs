//! A store with two adapters of two root keys, and how to write to it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;

use crate::adapter::{
    Adapter, AdapterId, Caller, ClientCertificate, Origin, RootKey, RootKeyId, RootKeyOrigin, RootKeyState,
    RootKeyVersion, WrappedBytes,
};
use crate::key::{self, KeyDraft, ManagedObject, WrapProfile, WrappedKek};
use crate::kmip::attribute::{Attribute, AttributeValue};
use crate::kmip::enumeration::CryptographicAlgorithm;
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::ttlv::DateTime;
use crate::store::{Applied, Change, Error, KeyRow, SealKey, SealKeys, WrappedUnder, WriteStore};

/// When everything in these tests was made.
pub(crate) const THEN: OffsetDateTime = datetime!(2026-11-24 08:00:00.123456 UTC);

/// A database of its own for one test, and what another hand could do to it.
pub(crate) trait Maker: Sized + Send + Sync {
    /// A database that nobody else has.
    fn make() -> impl Future<Output = Self> + Send;
    /// Opens it, for the first time or again.
    fn open(&self, keys: SealKeys) -> impl Future<Output = Arc<dyn WriteStore>> + Send;
    /// Runs a statement behind the store's back, without regard for foreign keys; gives the number of rows that it changed.
    fn execute(&self, statement: &str) -> impl Future<Output = u64> + Send;
    /// The same, which must change a row.
    fn by_hand(&self, statement: &str) -> impl Future<Output = ()> + Send {
        async move { assert!(self.execute(statement).await > 0, "{statement}") }
    }
    /// Changes one column of the row whose `key` column is `id` to another value of its type.
    fn change_column(
        &self,
        table: &str,
        column: &str,
        key: &str,
        id: &[u8],
    ) -> impl Future<Output = ()> + Send;
    /// The names of a table's columns.
    fn columns(&self, table: &str) -> impl Future<Output = Vec<String>> + Send;
}

/// The columns of a table.
pub(crate) async fn column_names<M: Maker>(table: &str) -> Vec<String> {
    let maker = M::make().await;
    let store = maker.open(SealKeys::new()).await;
    drop(store);
    maker.columns(table).await
}

/// A store with two adapters.
pub(crate) struct Fixture<M> {
    pub(crate) maker: M,
    pub(crate) keys: SealKeys,
    pub(crate) store: Arc<dyn WriteStore>,
    pub(crate) east: Adapter,
    pub(crate) west: Adapter,
}

impl<M: Maker> Fixture<M> {
    pub(crate) async fn new() -> Self {
        let maker = M::make().await;
        let keys = SealKeys::new();
        let store = maker.open(keys.clone()).await;
        let (east_root, west_root) = (root_key("east"), root_key("west"));
        keys.insert(east_root.id, seal_key(1));
        keys.insert(west_root.id, seal_key(2));
        let east = Adapter::new("east", "Data centre East", east_root.id, THEN).unwrap();
        let west = Adapter::new("west", "", west_root.id, THEN).unwrap();
        let changes = [
            Change::CreateRootKey(east_root),
            Change::CreateRootKey(west_root),
            Change::CreateAdapter(east.clone()),
            Change::CreateAdapter(west.clone()),
        ];
        write(&*store, &changes).await.unwrap();
        Self {
            maker,
            keys,
            store,
            east,
            west,
        }
    }

    /// The same database, opened by a server that starts anew with the same seal keys.
    pub(crate) async fn reopened(&self) -> Arc<dyn WriteStore> {
        self.maker.open(self.keys.clone()).await
    }

    /// Writes a new key of the adapter East and reads it back.
    pub(crate) async fn key(&self, attributes: &[(&str, &str)]) -> KeyRow {
        let row = row(&self.east, attributes);
        let id = row.object.id();
        write(&*self.store, &[Change::create_key(row)]).await.unwrap();
        self.store.key(self.east.id, id).await.unwrap().unwrap()
    }

    /// Rotates the root key of the adapter East to its second version.
    pub(crate) async fn rotate(&self) -> Result<RootKeyVersion, Error> {
        let present = self.store.root_key(self.east.root_key).await?.unwrap();
        let superseded = RootKeyVersion {
            version: 1,
            ..present.superseded(THEN)
        };
        let root_key = RootKey {
            version: 2,
            label: RootKey::label_of("east", 2),
            check_value: vec![4, 5, 6],
            ..present
        };
        let change = Change::RotateRootKey {
            root_key,
            superseded: superseded.clone(),
            from: RootKeyState::Enabled,
        };
        write(&*self.store, &[change]).await?;
        Ok(superseded)
    }

    pub(crate) async fn certificate(&self, name: &str) -> ClientCertificate {
        let certificate = certificate(self.east.id, name);
        write(&*self.store, &[Change::AddCertificate(certificate.clone())])
            .await
            .unwrap();
        certificate
    }
}

/// Makes changes in a transaction of their own.
pub(crate) async fn write(store: &dyn WriteStore, changes: &[Change]) -> Result<Applied, Error> {
    let mut transaction = store.begin().await?;
    let applied = transaction.apply(changes).await?;
    transaction.commit().await?;
    Ok(applied)
}

pub(crate) fn seal_key(fill: u8) -> SealKey {
    let filled: Result<_, Infallible> = SealKey::filled_by(|bytes| {
        bytes.fill(fill);
        Ok(())
    });
    filled.unwrap()
}

pub(crate) fn root_key(name: &str) -> RootKey {
    RootKey {
        id: RootKeyId::new(),
        name: name.to_owned(),
        backend: "hsm".to_owned(),
        token_label: "claviger".to_owned(),
        token_serial: "0123456789abcdef".to_owned(),
        label: format!("claviger {name}"),
        version: 1,
        check_value: vec![1, 2, 3],
        seal_key: WrappedBytes {
            profile: "aes-kw".to_owned(),
            bytes: vec![7; 40],
        },
        created_at: THEN,
        state: RootKeyState::default(),
        origin: RootKeyOrigin::default(),
    }
}

/// A certificate as VMware's products make them, self-signed.
pub(crate) fn certificate(adapter: AdapterId, name: &str) -> ClientCertificate {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec![name.to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    ClientCertificate::from_pem(adapter, name, certificate.pem().as_bytes(), THEN).unwrap()
}

/// An AES key with these custom attributes.
pub(crate) fn object(adapter: AdapterId, attributes: &[(&str, &str)]) -> ManagedObject {
    let mut all = vec![
        Attribute::new(AttributeValue::CryptographicAlgorithm(
            CryptographicAlgorithm::AES,
        )),
        Attribute::new(AttributeValue::CryptographicLength(256)),
        Attribute::new(AttributeValue::CryptographicUsageMask(
            CryptographicUsageMask::from_bits(12),
        )),
    ];
    all.extend(
        attributes
            .iter()
            .map(|(name, value)| Attribute::custom_text(*name, *value)),
    );
    KeyDraft::new(
        Uuid::now_v7(),
        adapter.uuid(),
        key::Origin::Created,
        all,
        DateTime(1_764_000_000),
    )
    .unwrap()
    .finish([9; 32])
}

/// A row of that adapter with wrapped bytes of its own, never stored.
pub(crate) fn row(adapter: &Adapter, attributes: &[(&str, &str)]) -> KeyRow {
    let object = object(adapter.id, attributes);
    let bytes = [object.id().into_bytes(), object.id().into_bytes()].concat();
    let wrapped = WrappedUnder {
        root_key: adapter.root_key,
        version: 1,
        kek: WrappedKek {
            profile: WrapProfile::AesKw,
            bytes,
        },
    };
    KeyRow::new(object, Some(wrapped))
}

/// A client of that adapter.
pub(crate) fn caller(adapter: &Adapter) -> Caller {
    let certificate = crate::adapter::Fingerprint([5; 32]);
    Caller {
        adapter: adapter.id,
        adapter_name: adapter.name.clone(),
        certificate,
        subject: "CN=kmipClient20261124080000".to_owned(),
        issuer: "CN=kmipClient20261124080000".to_owned(),
        serial: "01:02".to_owned(),
        origin: Origin {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 40_000,
            tls_version: "TLSv1.3".to_owned(),
        },
    }
}
