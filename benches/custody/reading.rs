//! A proof and a search in a long log.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger::adapter::{AdapterId, Caller, Fingerprint, Origin};
use claviger::custody::{Event, EventName, ObjectFacts, RequestFacts, leaf_hash, verify_inclusion};
use claviger::recorder::{NodeFacts, Recorder, by_client};
use claviger::store::{RecordFilter, SealKeys, SearchFrom, SqliteStore, Store, custody_inclusion};
use uuid::Uuid;

/// Records of one commit, while the log is made.
const GROUP: u64 = 8192;
/// So many records each key has on average.
const RECORDS_OF_A_KEY: u64 = 20;
/// So many clients wrote them.
const CLIENTS: u64 = 64;
/// How often each question is asked.
const ASKED: u64 = 200;

pub async fn run(records: u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("claviger.db");
    let start = Instant::now();
    make(&path, records).await;
    let bytes = std::fs::metadata(&path).map_or(0, |file| file.len());
    println!(
        "a log of {records} records, {} MiB, made by the recorder in {:.0} s",
        bytes >> 20,
        start.elapsed().as_secs_f64()
    );
    // Opened anew: nothing is at hand but what the system keeps of the file.
    let start = Instant::now();
    let store = Arc::new(open(&path).await);
    let recorder = Recorder::start(store.clone(), node()).await;
    drop(recorder.expect("the log fits its head"));
    println!("a start on it: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);

    let head = store.custody_head().await.expect("the head is sound").head();
    measure("a proof of inclusion, made", async |number| {
        let index = scattered(number) % head.size;
        let proof = custody_inclusion(&*store, index, head.size).await;
        proof.expect("the hashes are there");
    })
    .await;
    measure("the same, with its record, and verified", async |number| {
        let index = scattered(number) % head.size;
        let record = store.custody_records(index, 1).await.expect("the log is read");
        let proof = custody_inclusion(&*store, index, head.size)
            .await
            .expect("the hashes are there");
        verify_inclusion(leaf_hash(&record[0].bytes), index, (head.size, head.root), &proof)
            .expect("the proof holds");
    })
    .await;
    let keys = (records / RECORDS_OF_A_KEY).max(1);
    measure("all records of a key", async |number| {
        let filter = RecordFilter {
            object: Some(identifier(scattered(number) % keys)),
            client: None,
        };
        let found = store.custody_search(&filter, SearchFrom::Number(0), 10_000).await;
        assert!(!found.expect("the log is searched").is_empty());
    })
    .await;
    measure("the last 100 records of a client", async |number| {
        let filter = RecordFilter {
            object: None,
            client: Some(client(number % CLIENTS).to_string()),
        };
        let found = store
            .custody_search(&filter, SearchFrom::Before(u64::MAX), 100)
            .await;
        assert!(!found.expect("the log is searched").is_empty());
    })
    .await;
    store.close().await;
}

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, SealKeys::new())
        .await
        .expect("the store opens")
}

fn node() -> NodeFacts {
    NodeFacts {
        name: "bench".into(),
        server_version: "0.1.0".into(),
        configuration_sha256: None,
    }
}

async fn make(path: &Path, records: u64) {
    let store = Arc::new(open(path).await);
    let recorder = Recorder::start(store.clone(), node())
        .await
        .expect("the recorder starts");
    let keys = (records / RECORDS_OF_A_KEY).max(1);
    for first in (0..records).step_by(usize::try_from(GROUP).expect("a small number")) {
        let events = (first..records.min(first + GROUP)).map(|number| event(number, keys));
        recorder
            .commit_together(Vec::new(), events.collect())
            .await
            .expect("the log can be written");
    }
    recorder.stop().await;
    store.close().await;
}

/// Asks many times and prints how long it took.
async fn measure(what: &str, ask: impl AsyncFn(u64)) {
    let mut times = Vec::new();
    for number in 0..ASKED {
        let start = Instant::now();
        ask(number).await;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{what}: p50 {:.2} ms, p99 {:.2} ms, worst {:.2} ms",
        milliseconds(times[times.len() / 2]),
        milliseconds(times[times.len() * 99 / 100]),
        milliseconds(times[times.len() - 1])
    );
}

/// Numbers without an order, the same in each run (`SplitMix64`).
fn scattered(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn identifier(key: u64) -> String {
    Uuid::from_u64_pair(scattered(key), key).to_string()
}

fn client(number: u64) -> Fingerprint {
    Fingerprint::of_der(&number.to_be_bytes())
}

/// A Get as vCenter asks for it.
fn event(number: u64, keys: u64) -> Event {
    let caller = Caller {
        adapter: AdapterId::from(Uuid::from_u128(1)),
        adapter_name: "bench".into(),
        certificate: client(scattered(number ^ 0x5555) % CLIENTS),
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
        identifier: identifier(scattered(number) % keys),
        object_type: Some("SymmetricKey".into()),
        algorithm: Some("AES".into()),
        length: Some(256),
        state_before: Some("Active".into()),
        state_after: Some("Active".into()),
        ..ObjectFacts::default()
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
