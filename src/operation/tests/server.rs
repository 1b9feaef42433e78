//! A server without a socket: two adapters, a client of each, and a clock that is set by hand.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use time::OffsetDateTime;

use super::backend::Backend;
use crate::adapter::{
    Adapter, AdapterId, Caller, Fingerprint, Origin, RootKey, RootKeyId, RootKeyOrigin, RootKeyState,
    WrappedBytes,
};
use crate::custody::{Actor, Event, EventName, Record};
use crate::key::testing::template_of_vcenter;
use crate::kmip::ProtocolVersion;
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeValue};
use crate::kmip::enumeration::{ObjectType, ResultReason, ResultStatus, State};
use crate::kmip::message::{RequestHeader, RequestItem, RequestMessage, ResponseItem, ResponseMessage};
use crate::kmip::object::{KeyValue, Object};
use crate::kmip::output::ZeroizingOutput;
use crate::kmip::payload::{
    CreateRequest, GetAttributesRequest, GetRequest, RequestPayload, ResponsePayload,
};
use crate::kmip::ttlv::{DateTime, Limits as MessageLimits};
use crate::kmip::version::V1_4;
use crate::operation::{Clock, Disposition, Limits, Services, answer};
use crate::recorder::{NodeFacts, Recorder};
use crate::root_key::RootKeys;
use crate::store::{Change, KeyRow, SealKey, SealKeys, SqliteStore, Store};

pub(super) const START: DateTime = DateTime(1_764_000_000);

pub(super) struct Server {
    pub(super) services: Arc<Services>,
    pub(super) store: Arc<SqliteStore>,
    pub(super) recorder: Recorder,
    pub(super) backend: Arc<Backend>,
    pub(super) clock: Arc<AtomicI64>,
    pub(super) east: Caller,
    pub(super) west: Caller,
    _folder: TempDir,
}

impl Server {
    pub(super) async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub(super) async fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = SealKeys::new();
        let store = SqliteStore::open(&folder.path().join("claviger.db"), keys.clone())
            .await
            .unwrap();
        let store = Arc::new(store);
        let node = NodeFacts {
            name: "test".into(),
            server_version: "0".into(),
            configuration_sha256: None,
        };
        let recorder = Recorder::start(store.clone(), node).await.unwrap();
        let mut callers = Vec::new();
        for name in ["east", "west"] {
            let root_key = root_key(name);
            keys.insert(root_key.id, seal_key());
            let adapter = Adapter::new(name, "", root_key.id, OffsetDateTime::now_utc()).unwrap();
            callers.push(caller(&adapter));
            recorder
                .commit(
                    vec![Change::CreateRootKey(root_key), Change::CreateAdapter(adapter)],
                    Event::new(EventName::AdapterCreate, Actor::Server),
                )
                .await
                .unwrap();
        }
        let backend = Arc::new(Backend::default());
        let root_keys = RootKeys::new(vec![("hsm".into(), backend.clone())]);
        let clock = Arc::new(AtomicI64::new(START.0));
        let told = clock.clone();
        let services = Services::new(
            store.clone(),
            recorder.clone(),
            root_keys,
            Clock::from_source(move || DateTime(told.load(Ordering::SeqCst))),
            limits,
        );
        let west = callers.pop().unwrap();
        let east = callers.pop().unwrap();
        Self {
            services: Arc::new(services),
            store,
            recorder,
            backend,
            clock,
            east,
            west,
            _folder: folder,
        }
    }

    /// Lets time pass.
    pub(super) fn wait(&self, seconds: i64) -> DateTime {
        DateTime(self.clock.fetch_add(seconds, Ordering::SeqCst) + seconds)
    }

    /// Sends bytes and returns the bytes of the answer.
    pub(super) async fn bytes(&self, caller: &Caller, request: &[u8]) -> (Vec<u8>, Disposition) {
        let mut out = ZeroizingOutput::new();
        let disposition = answer(&self.services, caller, request, &mut out).await;
        (out.as_slice().to_vec(), disposition)
    }

    /// Sends a message and reads the answer.
    pub(super) fn message(
        &self,
        caller: &Caller,
        request: &RequestMessage<'_>,
    ) -> impl Future<Output = ResponseMessage<'static>> + Send {
        self.sent(caller, encoded(request))
    }

    async fn sent(&self, caller: &Caller, request: Vec<u8>) -> ResponseMessage<'static> {
        let (response, disposition) = self.bytes(caller, &request).await;
        assert_eq!(disposition, Disposition::KeepOpen);
        decoded(response)
    }

    /// Asks one thing in a version.
    pub(super) fn ask_in(
        &self,
        version: ProtocolVersion,
        caller: &Caller,
        payload: RequestPayload<'_>,
    ) -> impl Future<Output = ResponseItem<'static>> + Send {
        let request = encoded(&RequestMessage {
            header: RequestHeader::new(version),
            items: vec![RequestItem::new(payload)].into(),
        });
        async move {
            let mut response = self.sent(caller, request).await;
            assert_eq!(response.header.protocol_version, version);
            assert_eq!(response.items.len(), 1);
            response.items.pop().unwrap()
        }
    }

    /// Asks one thing as the client of East.
    pub(super) async fn ask(&self, payload: RequestPayload<'_>) -> ResponseItem<'static> {
        self.ask_in(V1_4, &self.east, payload).await
    }

    /// Asks one thing that is to succeed.
    pub(super) async fn done(&self, payload: RequestPayload<'_>) -> ResponsePayload<'static> {
        let item = self.ask(payload).await;
        assert_eq!(item.result_status, ResultStatus::Success, "{item:?}");
        item.payload.unwrap()
    }

    /// Asks one thing that is to be refused, and returns why.
    pub(super) async fn refused(&self, payload: RequestPayload<'_>) -> ResultReason {
        let item = self.ask(payload).await;
        assert_eq!(item.result_status, ResultStatus::OperationFailed, "{item:?}");
        item.result_reason.unwrap()
    }

    /// Makes a key with these attributes besides those that vCenter gives.
    pub(super) async fn create_for(&self, caller: &Caller, more: Vec<Attribute>) -> String {
        match self.ask_in(V1_4, caller, create(more)).await.payload {
            Some(ResponsePayload::Create(made)) => made.unique_identifier,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn create(&self, more: Vec<Attribute>) -> String {
        self.create_for(&self.east, more).await
    }

    /// An object of East as it is kept.
    pub(super) async fn row(&self, id: &str) -> KeyRow {
        let row = self.store.key(self.east.adapter, id.parse().unwrap()).await;
        row.unwrap().unwrap()
    }

    /// Fetches a key's bytes.
    pub(super) async fn get(&self, id: &str) -> Vec<u8> {
        let ResponsePayload::Get(got) = self.done(get(id)).await else {
            panic!("another payload");
        };
        material(&got.object)
    }

    /// The values of one attribute.
    pub(super) async fn attribute(&self, id: &str, kind: AttributeKind) -> Vec<AttributeValue> {
        let request = GetAttributesRequest {
            unique_identifier: Some(id.into()),
            attribute_names: vec![kind.into()],
        };
        match self.done(RequestPayload::GetAttributes(request)).await {
            ResponsePayload::GetAttributes(got) => got
                .attributes
                .0
                .into_iter()
                .map(|attribute| attribute.value)
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn state(&self, id: &str) -> State {
        match self.attribute(id, AttributeKind::State).await.as_slice() {
            [AttributeValue::State(state)] => *state,
            other => panic!("{other:?}"),
        }
    }

    /// Every record of the custody log so far.
    pub(super) async fn records(&self) -> Vec<Record> {
        let stored = self.store.custody_records(0, 10_000).await.unwrap();
        stored
            .iter()
            .map(|record| serde_json::from_slice(&record.bytes).unwrap())
            .collect()
    }
}

pub(super) fn encoded(request: &RequestMessage<'_>) -> Vec<u8> {
    let mut out = ZeroizingOutput::new();
    request.encode(&mut out).unwrap();
    out.as_slice().to_vec()
}

/// A response that lives as long as the test's process.
pub(super) fn decoded(response: Vec<u8>) -> ResponseMessage<'static> {
    ResponseMessage::decode(response.leak(), &MessageLimits::default()).unwrap()
}

pub(super) fn create(more: Vec<Attribute>) -> RequestPayload<'static> {
    let attributes: Vec<_> = template_of_vcenter().into_iter().chain(more).collect();
    RequestPayload::Create(CreateRequest {
        object_type: ObjectType::SymmetricKey,
        template_attribute: attributes.into(),
        protection_storage_masks: None,
    })
}

pub(super) fn get(id: &str) -> RequestPayload<'_> {
    RequestPayload::Get(GetRequest {
        unique_identifier: Some(id.into()),
        ..GetRequest::default()
    })
}

pub(super) fn material(object: &Object<'_>) -> Vec<u8> {
    let block = match object {
        Object::SymmetricKey(block) => block,
        Object::SecretData(secret) => &secret.key_block,
        Object::OpaqueObject(opaque) => return opaque.value.as_bytes().unwrap().to_vec(),
        other => panic!("{other:?}"),
    };
    match &block.key_value {
        Some(KeyValue::Structure { material, .. }) => material.as_bytes().unwrap().to_vec(),
        other => panic!("{other:?}"),
    }
}

fn caller(adapter: &Adapter) -> Caller {
    Caller {
        adapter: adapter.id,
        adapter_name: adapter.name.clone(),
        certificate: Fingerprint([5; 32]),
        subject: "CN=kmipClient20261124080000".into(),
        issuer: "CN=kmipClient20261124080000".into(),
        serial: "01".into(),
        origin: Origin {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 40_000,
            tls_version: "TLSv1.3".into(),
        },
    }
}

/// A client of an adapter that is no longer there.
pub(super) fn stranger(like: &Caller) -> Caller {
    Caller {
        adapter: AdapterId::new(),
        ..like.clone()
    }
}

pub(super) fn root_key(name: &str) -> RootKey {
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
        created_at: OffsetDateTime::now_utc(),
        state: RootKeyState::default(),
        origin: RootKeyOrigin::default(),
    }
}

pub(super) fn seal_key() -> SealKey {
    let filled: Result<_, Infallible> = SealKey::filled_by(|bytes| {
        bytes.fill(3);
        Ok(())
    });
    filled.unwrap()
}
