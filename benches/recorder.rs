//! What a custody record and the read of a key cost in CPU time, all threads of the process together, with every
//! commit flushed to the disk: `cargo bench --bench recorder`.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger::adapter::{
    Adapter, AdapterId, Caller, Fingerprint, Origin, RootKey, RootKeyId, RootKeyOrigin, RootKeyState,
    WrappedBytes,
};
use claviger::custody::{Actor, Event, EventName, ObjectFacts, RequestFacts, RootKeyFacts};
use claviger::key::{self, KeyDraft, WrapProfile, WrappedKek};
use claviger::kmip::attribute::{Attribute, AttributeValue};
use claviger::kmip::enumeration::CryptographicAlgorithm;
use claviger::kmip::mask::CryptographicUsageMask;
use claviger::kmip::ttlv::DateTime;
use claviger::recorder::{NodeFacts, Recorder, by_client};
use claviger::store::{Change, KeyRow, SealKey, SealKeys, SqliteStore, Store, WrappedUnder};
use time::OffsetDateTime;
use uuid::Uuid;

const RECORDS: usize = 40_000;
const READS: usize = 40_000;
const CREATES: usize = 8_000;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(run(&folder.path().join("claviger.db")));
}

async fn run(path: &std::path::Path) {
    let keys = SealKeys::new();
    let store = Arc::new(
        SqliteStore::open(path, keys.clone())
            .await
            .expect("the store opens"),
    );
    let node = NodeFacts {
        name: "bench".into(),
        server_version: "0.1.0".into(),
        configuration_sha256: None,
    };
    let recorder = Recorder::start(store.clone(), node)
        .await
        .expect("the recorder starts");
    let adapter = prepare(&recorder, &keys).await;
    let rows: Vec<KeyRow> = (0..CREATES).map(|_| row(&adapter)).collect();
    let ids: Arc<Vec<Uuid>> = Arc::new(rows.iter().map(|row| row.object.id()).collect());
    let rows = Arc::new(rows);
    {
        let (recorder, rows, adapter) = (recorder.clone(), rows, adapter.clone());
        measure(
            "key created with its record",
            CREATES,
            16,
            &recorder.clone(),
            move |number| {
                let (recorder, event) = (recorder.clone(), get(&adapter, rows[number].object.id()));
                let change = Change::create_key(rows[number].clone());
                async move { write(&recorder, vec![change], event).await }
            },
        )
        .await;
    }
    for tasks in [1, 16, 64] {
        let (writer, adapter, ids) = (recorder.clone(), adapter.clone(), ids.clone());
        let number = if tasks == 1 { RECORDS / 20 } else { RECORDS };
        measure("record alone", number, tasks, &recorder, move |number| {
            let (recorder, event) = (writer.clone(), get(&adapter, ids[number % ids.len()]));
            async move { write(&recorder, vec![], event).await }
        })
        .await;
    }
    let (reader, id) = (store.clone(), adapter.id);
    measure("key read and verified", READS, 16, &recorder, move |number| {
        let (store, ids) = (reader.clone(), ids.clone());
        async move { read(&store, id, ids[number % ids.len()]).await }
    })
    .await;
    recorder.stop().await;
    store.close().await;
}

async fn write(recorder: &Recorder, changes: Vec<Change>, event: Event) {
    recorder
        .commit(changes, event)
        .await
        .expect("the log can be written");
}

async fn read(store: &SqliteStore, adapter: AdapterId, id: Uuid) {
    let row = store.key(adapter, id).await.expect("the row is sound");
    assert!(row.is_some_and(|row| row.wrapped.is_some()));
}

/// Has so many tasks do `work` until it was done `number` times, and prints what one time cost.
async fn measure<F>(
    what: &str,
    number: usize,
    tasks: usize,
    recorder: &Recorder,
    work: impl Fn(usize) -> F + Clone + Send + Sync + 'static,
) where
    F: Future<Output = ()> + Send,
{
    let (groups, cpu, start) = (recorder.status().groups, cpu_time(), Instant::now());
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let work = work.clone();
            tokio::spawn(async move {
                for each in (task..number).step_by(tasks) {
                    work(each).await;
                }
            })
        })
        .collect();
    for task in running {
        task.await.expect("no task panics");
    }
    let (cpu, elapsed) = (cpu_time().saturating_sub(cpu), start.elapsed());
    let groups = recorder.status().groups - groups;
    let number = u128::try_from(number).expect("a count of records is small");
    println!(
        "{what}, {tasks} at once: {} ns of CPU each, {} a second, {} groups",
        cpu.as_nanos() / number,
        number * 1_000_000 / elapsed.as_micros(),
        groups,
    );
}

/// The CPU time of all threads that live, to the nanosecond, as the scheduler counts it.
fn cpu_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux lists the threads");
    let nanoseconds = threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
        .sum();
    Duration::from_nanos(nanoseconds)
}

async fn prepare(recorder: &Recorder, keys: &SealKeys) -> Adapter {
    let now = OffsetDateTime::now_utc();
    let root_key = RootKey {
        id: RootKeyId::new(),
        name: "bench".into(),
        backend: "hsm".into(),
        token_label: "claviger".into(),
        token_serial: "0123456789abcdef".into(),
        label: "claviger bench".into(),
        version: 1,
        check_value: vec![1, 2, 3],
        seal_key: WrappedBytes {
            profile: "aes-kw".into(),
            bytes: vec![7; 40],
        },
        created_at: now,
        state: RootKeyState::default(),
        origin: RootKeyOrigin::default(),
    };
    let seal_key = SealKey::filled_by(|bytes| {
        bytes.fill(1);
        Ok::<_, std::convert::Infallible>(())
    });
    keys.insert(root_key.id, seal_key.expect("nothing can fail"));
    let adapter = Adapter::new("bench", "", root_key.id, now).expect("the name is good");
    let changes = vec![
        Change::CreateRootKey(root_key),
        Change::CreateAdapter(adapter.clone()),
    ];
    recorder
        .commit(changes, Event::new(EventName::AdapterCreate, Actor::Server))
        .await
        .expect("the log can be written");
    adapter
}

/// A key as vCenter leaves it.
fn row(adapter: &Adapter) -> KeyRow {
    let mut attributes = vec![
        Attribute::new(AttributeValue::CryptographicAlgorithm(
            CryptographicAlgorithm::AES,
        )),
        Attribute::new(AttributeValue::CryptographicLength(256)),
        Attribute::new(AttributeValue::CryptographicUsageMask(
            CryptographicUsageMask::from_bits(12),
        )),
    ];
    attributes.extend(vmware().map(|(name, value)| Attribute::custom_text(name, value)));
    let object = KeyDraft::new(
        Uuid::now_v7(),
        adapter.id.uuid(),
        key::Origin::Created,
        attributes,
        DateTime(1_764_000_000),
    )
    .expect("the attributes are good")
    .finish([9; 32]);
    let kek = WrappedKek {
        profile: WrapProfile::AesKw,
        bytes: vec![5; 40],
    };
    KeyRow::new(
        object,
        Some(WrappedUnder {
            root_key: adapter.root_key,
            version: 1,
            kek,
        }),
    )
}

fn vmware() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        ("x-Product_Version", "7.0.3 build-19480866"),
        ("x-Vendor", "VMware, Inc."),
        ("x-Product", "VMware vSphere"),
        ("x-Component", "Virtual Machine"),
        ("x-Identifier", "5029a5b8-2d3c-4a7e-9b11-0a1b2c3d4e5f"),
        ("x-Name", "a virtual machine"),
    ]
    .into_iter()
}

/// The event of a Get with all that belongs to it.
fn get(adapter: &Adapter, id: Uuid) -> Event {
    let caller = Caller {
        adapter: adapter.id,
        adapter_name: adapter.name.clone(),
        certificate: Fingerprint([5; 32]),
        subject: "CN=kmipClient20261124080000".into(),
        issuer: "CN=kmipClient20261124080000".into(),
        serial: "01:02".into(),
        origin: Origin {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 40_000,
            tls_version: "TLSv1.3".into(),
        },
    };
    let mut event = by_client(EventName::KmipGet, &caller);
    event.object = Some(ObjectFacts {
        identifier: id.to_string(),
        object_type: Some("SymmetricKey".into()),
        algorithm: Some("AES".into()),
        length: Some(256),
        state_before: Some("Active".into()),
        state_after: Some("Active".into()),
        attributes: vmware()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        row_sha256: None,
    });
    event.root_key = Some(RootKeyFacts {
        id: adapter.root_key.uuid(),
        backend: "hsm".into(),
        token_serial: "0123456789abcdef".into(),
        label: "claviger bench".into(),
        version: 1,
        wrap_profile: Some("aes-kw".into()),
        release_profile: Some("transport".into()),
    });
    event.request = Some(RequestFacts {
        operation: "Get".into(),
        protocol_version: "1.1".into(),
        batch_position: 1,
        batch_count: 1,
        batch_item_id: None,
        client_correlation: None,
        server_correlation: None,
    });
    event
}
