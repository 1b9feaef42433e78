//! Measures `claviger-verify` over a bundle of its own making: its time on one core, and the most memory it takes.
//!
//! Usage: `bench-verify VERIFIER [RECORDS]`; `scripts/bench custody verify` builds both and calls it.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "what was measured is for people to read")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use claviger::custody::bundle::{BUNDLE_FORMAT, BundleWriter, Manifest};
use claviger::custody::{
    Actor, AdapterFacts, Checkpoint, CompactRange, Event, EventName, Hash, Head, ObjectFacts, Origin, Policy,
    Record, RequestFacts, RootKeyFacts, RowFacts, SignatureType, SignedNote, TILE_WIDTH, Tile, VerifierKey,
    leaf_hash,
};
use ed25519_dalek::{Signer as _, SigningKey};
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::{NoContext, Timestamp, Uuid};

const ORIGIN: &str = "bench/claviger";
/// Of each key so many records: made, activated, and released.
const PER_KEY: u64 = 20;
/// Records a second, and so a checkpoint.
const PER_SECOND: u64 = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let verifier = arguments.next().ok_or("expected the path of claviger-verify")?;
    let size: u64 = arguments.next().as_deref().unwrap_or("1000000").parse()?;
    let folder = std::env::temp_dir().join(format!("claviger-bench-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let measured = measure(Path::new(&verifier), size, &folder);
    std::fs::remove_dir_all(&folder)?;
    measured
}

fn measure(verifier: &Path, size: u64, folder: &Path) -> Result<(), Box<dyn Error>> {
    let (bundle, policy) = (folder.join("custody.tar"), folder.join("policy"));
    write(size, &bundle, &policy)?;
    let bytes = std::fs::metadata(&bundle)?.len();
    println!(
        "bundle: {size} records, {} keys, {} MiB",
        size / PER_KEY,
        bytes >> 20
    );
    let began = Instant::now();
    let mut child = Command::new("taskset")
        .args(["-c", "0"])
        .arg(verifier)
        .arg(&bundle)
        .arg("--policy")
        .arg(&policy)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        peak = peak.max(memory(child.id()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = began.elapsed();
    let output = child.wait_with_output()?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    if !output.status.success() {
        return Err("the bundle was not verified".into());
    }
    println!(
        "verify: {:.2} s on one core, {} MiB at most",
        took.as_secs_f64(),
        peak >> 10
    );
    Ok(())
}

/// The most memory that a process has had so far, in KiB.
fn memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

fn write(size: u64, bundle: &Path, policy: &Path) -> Result<(), Box<dyn Error>> {
    let signer = SigningKey::from_bytes(&[1; 32]);
    let key = VerifierKey::new(ORIGIN, SignatureType::Ed25519, signer.verifying_key().as_bytes())?;
    let policy_text = Policy::of_log(key.clone());
    std::fs::write(policy, policy_text.to_string())?;
    let signed = |tree: &CompactRange| {
        let head = Head {
            size: tree.size(),
            root: tree.root(),
        };
        let text = Checkpoint {
            origin: ORIGIN.to_owned(),
            head,
        }
        .to_string();
        let signature = signer.sign(text.as_bytes()).to_bytes().to_vec();
        SignedNote {
            signatures: vec![key.signature(signature)],
            text,
        }
    };
    let mut tree = CompactRange::new();
    let (mut leaves, mut checkpoints) = (Vec::new(), Vec::new());
    for sequence in 0..size {
        let leaf = leaf_hash(&record(sequence));
        tree.append(leaf);
        leaves.push(leaf);
        if tree.size() % PER_SECOND == 0 {
            checkpoints.push(signed(&tree).to_string());
        }
    }
    let manifest = Manifest {
        format: BUNDLE_FORMAT,
        origin: ORIGIN.to_owned(),
        from: 0,
        size,
        rows_at: Some(size),
        made_at: START,
        server_version: "0.1.0".to_owned(),
    };
    let out = BufWriter::with_capacity(1 << 20, File::create(bundle)?);
    let mut writer = BundleWriter::new(out, &manifest, &policy_text, &signed(&tree))?;
    writer.begin_checkpoints()?;
    for checkpoint in checkpoints {
        writer.checkpoint(&checkpoint)?;
    }
    for index in 0..size.div_ceil(TILE_WIDTH) {
        let tile = Tile::at(0, index, size).ok_or("a log has tiles up to its end")?;
        let first = usize::try_from(index * TILE_WIDTH)?;
        writer.tile(tile, &leaves[first..first + usize::from(tile.width)])?;
    }
    writer.begin_records()?;
    for sequence in 0..size {
        writer.record(&record(sequence))?;
    }
    writer.begin_rows()?;
    for number in 0..size.div_ceil(PER_KEY) {
        let last = (size - 1).min(number * PER_KEY + 1);
        writer.row(&row(number, last % PER_KEY, last))?;
    }
    writer.finish()?;
    Ok(())
}

const START: OffsetDateTime = datetime!(2026-11-24 08:00:00 UTC);

fn row(number: u64, revision: u64, sequence: u64) -> RowFacts {
    RowFacts {
        identifier: Uuid::from_u128(u128::from(number) + 1),
        revision,
        sha256: leaf_hash(&sequence.to_be_bytes()),
    }
}

/// A record as vCenter's requests give it.
fn record(sequence: u64) -> Vec<u8> {
    let (number, step) = (sequence / PER_KEY, sequence % PER_KEY);
    let (name, operation, before, after) = match step {
        0 => (EventName::KmipCreate, "Create", None, Some("PreActive")),
        1 => (
            EventName::KmipActivate,
            "Activate",
            Some("PreActive"),
            Some("Active"),
        ),
        _ => (EventName::KmipGet, "Get", Some("Active"), None),
    };
    let mut event = Event::new(
        name,
        Actor::Client {
            certificate: "ab".repeat(32),
            subject: "CN=kmipClient20261124080000,O=VMware".to_owned(),
            issuer: "CN=kmipClient20261124080000,O=VMware".to_owned(),
            serial: "01:a2:03:04".to_owned(),
            user: None,
        },
    );
    event.origin = Some(Origin {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        port: 40000,
        tls_version: Some("TLSv1.3".to_owned()),
    });
    event.adapter = Some(AdapterFacts {
        id: Uuid::from_u128(7),
        name: "east".to_owned(),
    });
    let written = row(number, step.min(1), sequence - step.saturating_sub(1));
    event.object = Some(ObjectFacts {
        identifier: written.identifier.to_string(),
        object_type: Some("SymmetricKey".to_owned()),
        algorithm: Some("AES".to_owned()),
        length: Some(256),
        state_before: before.map(Into::into),
        state_after: after.map(Into::into),
        attributes: BTreeMap::from([("x-Product".to_owned(), "VMware, Inc.".to_owned())]),
        row_sha256: Some(Hash(written.sha256.0)),
    });
    if after.is_some() {
        event.rows.push(written);
    }
    event.root_key = Some(RootKeyFacts {
        id: Uuid::from_u128(8),
        backend: "hsm".to_owned(),
        token_serial: "0123456789abcdef".to_owned(),
        label: "claviger.east.v1".to_owned(),
        version: 1,
        wrap_profile: Some("aes-kwp".to_owned()),
        release_profile: (step > 1).then(|| "transport".to_owned()),
    });
    event.request = Some(RequestFacts {
        operation: operation.to_owned(),
        protocol_version: "1.1".to_owned(),
        batch_position: 1,
        batch_count: 1,
        batch_item_id: None,
        client_correlation: None,
        server_correlation: None,
    });
    let nanoseconds = i64::try_from(sequence * (1_000_000_000 / PER_SECOND)).expect("a bench is short");
    let time = START + time::Duration::nanoseconds(nanoseconds);
    let seconds = u64::try_from(time.unix_timestamp()).expect("it is after 1970");
    // The identifier is made from the number as well, so that each making of the record gives the same bytes.
    let stamp = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.nanosecond()));
    let id = stamp.as_u128() >> 80 << 80 | 0x7000_8000_0000_0000_0000 | u128::from(sequence);
    Record::new(sequence, Uuid::from_u128(id), time, "bench", "0.1.0", event).to_bytes()
}
