//! A log of an installation, with its checkpoints and rows, signed in this process.

use std::collections::BTreeMap;
use std::io::Cursor;

use ed25519_dalek::{Signer as _, SigningKey};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::{NoContext, Timestamp, Uuid};

use super::super::super::bundle::{BUNDLE_FORMAT, BundleWriter, Manifest};
use super::super::super::{
    Actor, AdapterFacts, CertificateFacts, Checkpoint, CompactRange, Event, EventName, Hash, Head,
    IdentityFacts, ObjectFacts, Policy, Record, RootKeyFacts, RowFacts, SignatureType, SignedNote,
    TILE_WIDTH, Tile, Tiles, VerifierKey, consistency_plan, cosigned, leaf_hash, root_plan, tiles_of,
};

pub(crate) const ORIGIN: &str = "node-1/claviger";
const START: OffsetDateTime = datetime!(2026-11-24 08:00:00 UTC);

/// A log as a server keeps it.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) records: Vec<Vec<u8>>,
    /// The sizes at which a checkpoint was signed.
    pub(crate) signed: Vec<u64>,
    pub(crate) rows: BTreeMap<Uuid, RowFacts>,
    pub(crate) identities: Vec<IdentityFacts>,
    time: OffsetDateTime,
}

impl Log {
    /// So many keys, each made, activated, released twice, and every third revoked and destroyed; a checkpoint each fifty
    /// records.
    pub(crate) fn of_keys(number: u64) -> Self {
        let mut log = Self {
            records: Vec::new(),
            signed: Vec::new(),
            rows: BTreeMap::new(),
            identities: Vec::new(),
            time: START,
        };
        log.append(Event::new(EventName::ServerStart, Actor::Server));
        for key in 0..number {
            let id = Uuid::from_u128(u128::from(key) + 1);
            log.key(EventName::KmipCreate, id, None, Some("PreActive"));
            log.key(EventName::KmipActivate, id, Some("PreActive"), Some("Active"));
            log.key(EventName::KmipGet, id, Some("Active"), None);
            log.key(EventName::KmipGet, id, Some("Active"), None);
            if key % 3 == 0 {
                log.key(EventName::KmipRevoke, id, Some("Active"), Some("Deactivated"));
                log.key(EventName::KmipDestroy, id, Some("Deactivated"), Some("Destroyed"));
            }
        }
        log
    }

    /// Two root keys, one of them rotated and disabled; two adapters, one of them moved; two certificates; and an adapter
    /// that was deleted with its certificate.
    pub(crate) fn with_identities(mut self) -> Self {
        let (one, two) = (ROOT_KEY, Uuid::from_u128(78));
        for (root_key, label) in [(one, "claviger.a.v1"), (two, "claviger.b.v1")] {
            self.identity(
                EventName::RootKeyCreate,
                None,
                Some(root_key_facts(root_key, label, 1)),
                None,
            );
        }
        for (number, root_key) in [(90, one), (91, one), (92, two)] {
            let (adapter, certificate) = (adapter_facts(number), certificate_facts(number));
            let under = root_key_facts(root_key, "claviger.a.v1", 1);
            self.identity(EventName::AdapterCreate, Some(adapter.clone()), Some(under), None);
            self.identity(EventName::CertificateAdd, Some(adapter), None, Some(certificate));
        }
        let moved = root_key_facts(two, "claviger.b.v1", 1);
        self.identity(EventName::AdapterMove, Some(adapter_facts(91)), Some(moved), None);
        self.identity(EventName::AdapterDelete, Some(adapter_facts(92)), None, None);
        let rotated = root_key_facts(one, "claviger.a.v2", 2);
        self.identity(EventName::RootKeyRotate, None, Some(rotated.clone()), None);
        self.identity(EventName::RootKeyDisable, None, Some(rotated), None);
        self.identities = vec![
            root_key(one, "claviger.a.v2", 2, "disabled"),
            root_key(two, "claviger.b.v1", 1, "enabled"),
            adapter(90, one),
            adapter(91, two),
            certificate(90),
            certificate(91),
        ];
        self
    }

    fn identity(
        &mut self,
        name: EventName,
        adapter: Option<AdapterFacts>,
        root_key: Option<RootKeyFacts>,
        certificate: Option<CertificateFacts>,
    ) {
        self.append(Event {
            adapter,
            root_key,
            certificate,
            ..Event::new(name, Actor::Server)
        });
    }

    pub(crate) fn size(&self) -> u64 {
        self.records.len() as u64
    }

    /// Appends the record of an event, a second after the one before it.
    pub(crate) fn append(&mut self, event: Event) {
        self.time += Duration::seconds(1);
        let record = record(self.size(), self.time, event);
        self.push(record);
    }

    /// Appends the record of an event of a key. Where it changes the key, its row is another.
    pub(crate) fn key(&mut self, name: EventName, id: Uuid, before: Option<&str>, after: Option<&str>) {
        let mut event = Event::new(name, Actor::Server);
        if after.is_some() {
            let row = RowFacts {
                identifier: id,
                revision: self.rows.get(&id).map_or(0, |row| row.revision + 1),
                sha256: leaf_hash(&self.size().to_be_bytes()),
            };
            event.rows.push(row.clone());
            self.rows.insert(id, row);
        }
        event.object = Some(ObjectFacts {
            identifier: id.to_string(),
            state_before: before.map(Into::into),
            state_after: after.map(Into::into),
            row_sha256: self.rows.get(&id).map(|row| row.sha256),
            ..ObjectFacts::default()
        });
        event.root_key = Some(RootKeyFacts {
            release_profile: (name == EventName::KmipGet).then(|| "transport".into()),
            ..root_key_facts(ROOT_KEY, "claviger.a.v1", 1)
        });
        self.append(event);
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, time: Duration) {
        self.time += time;
    }

    pub(crate) fn push(&mut self, record: Vec<u8>) {
        self.records.push(record);
        if self.size().is_multiple_of(50) {
            self.signed.push(self.size());
        }
    }

    fn leaves(&self) -> Vec<Hash> {
        self.records.iter().map(|record| leaf_hash(record)).collect()
    }

    /// The checkpoint over the first so many records.
    pub(crate) fn checkpoint(&self, size: u64) -> SignedNote {
        self.checkpoints(&[size]).remove(0)
    }

    /// The checkpoints over so many records each, by size.
    fn checkpoints(&self, sizes: &[u64]) -> Vec<SignedNote> {
        let mut tree = CompactRange::new();
        let mut notes = Vec::new();
        for size in sizes {
            while tree.size() < *size {
                tree.append(leaf_hash(&self.records[usize::try_from(tree.size()).unwrap()]));
            }
            let root = tree.root();
            notes.push(signed(ORIGIN, Head { size: *size, root }, &signer()));
        }
        notes
    }

    /// The bundle from this record on, as a server exports it.
    pub(crate) fn bundle(&self, from: u64) -> Vec<u8> {
        self.parts(from).pack()
    }

    /// The same in parts, to be tampered with.
    pub(crate) fn parts(&self, from: u64) -> Parts {
        let size = self.size();
        let tiles = tiles(&self.leaves());
        let mut needed = tiles_of([&root_plan(from)], size);
        for kept in self.signed.iter().filter(|kept| **kept < from).take(1) {
            needed.extend(tiles_of(&consistency_plan(*kept, size).unwrap(), size));
        }
        let mut needed: Vec<Tile> = needed
            .into_iter()
            .filter(|tile| tile.level > 0 || tile.index < from / TILE_WIDTH)
            .collect();
        needed.extend((from / TILE_WIDTH..).map_while(|index| Tile::at(0, index, size)));
        let hashes = |tile: &Tile| {
            (0..u64::from(tile.width))
                .map(|place| {
                    let node = super::super::super::Node {
                        height: tile.level * 8,
                        index: tile.index * TILE_WIDTH + place,
                    };
                    tiles.node(node).unwrap()
                })
                .collect()
        };
        let signed: Vec<u64> = self.signed.iter().copied().filter(|size| *size >= from).collect();
        Parts {
            manifest: Manifest {
                format: BUNDLE_FORMAT,
                origin: ORIGIN.into(),
                from,
                size,
                rows_at: Some(size),
                kept_from: None,
                made_at: START,
                server_version: "0.1.0".into(),
            },
            policy: policy(),
            checkpoint: self.checkpoint(size),
            checkpoints: self.checkpoints(&signed),
            tiles: needed.iter().map(|tile| (*tile, hashes(tile))).collect(),
            records: self.records[usize::try_from(from).unwrap()..].to_vec(),
            rows: self.rows.clone(),
            identities: self.identities.clone(),
        }
    }
}

const ROOT_KEY: Uuid = Uuid::from_u128(77);

fn root_key_facts(id: Uuid, label: &str, version: u32) -> RootKeyFacts {
    RootKeyFacts {
        id,
        backend: "hsm".into(),
        token_serial: "01".into(),
        label: label.into(),
        version,
        wrap_profile: None,
        release_profile: None,
    }
}

fn adapter_facts(number: u128) -> AdapterFacts {
    AdapterFacts {
        id: Uuid::from_u128(number),
        name: format!("adapter-{number}"),
    }
}

fn certificate_facts(number: u128) -> CertificateFacts {
    CertificateFacts {
        fingerprint: format!("{number:064x}"),
        name: None,
        subject: String::new(),
        issuer: String::new(),
        serial: String::new(),
    }
}

pub(crate) fn root_key(id: Uuid, label: &str, version: u32, state: &str) -> IdentityFacts {
    IdentityFacts::RootKey {
        id,
        token_serial: "01".into(),
        label: label.into(),
        version,
        state: state.into(),
    }
}

pub(crate) fn adapter(number: u128, root_key: Uuid) -> IdentityFacts {
    let AdapterFacts { id, name } = adapter_facts(number);
    IdentityFacts::Adapter { id, name, root_key }
}

/// The certificate that opens the adapter of the same number.
pub(crate) fn certificate(number: u128) -> IdentityFacts {
    IdentityFacts::Certificate {
        fingerprint: certificate_facts(number).fingerprint,
        adapter: Uuid::from_u128(number),
    }
}

/// A bundle, taken apart.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) manifest: Manifest,
    pub(crate) policy: Policy,
    pub(crate) checkpoint: SignedNote,
    pub(crate) checkpoints: Vec<SignedNote>,
    pub(crate) tiles: Vec<(Tile, Vec<Hash>)>,
    pub(crate) records: Vec<Vec<u8>>,
    pub(crate) rows: BTreeMap<Uuid, RowFacts>,
    pub(crate) identities: Vec<IdentityFacts>,
}

impl Parts {
    pub(crate) fn pack(&self) -> Vec<u8> {
        let out = Cursor::new(Vec::new());
        let mut writer = BundleWriter::new(out, &self.manifest, &self.policy, &self.checkpoint).unwrap();
        writer.begin_checkpoints().unwrap();
        for note in &self.checkpoints {
            writer.checkpoint(&note.to_string()).unwrap();
        }
        for (tile, hashes) in &self.tiles {
            writer.tile(*tile, hashes).unwrap();
        }
        writer.begin_records().unwrap();
        for record in &self.records {
            writer.record(record).unwrap();
        }
        writer.begin_rows().unwrap();
        for row in self.rows.values() {
            writer.row(row).unwrap();
        }
        writer.begin_identities().unwrap();
        for identity in &self.identities {
            writer.identity(identity).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }
}

pub(crate) fn record(sequence: u64, time: OffsetDateTime, event: Event) -> Vec<u8> {
    let seconds = u64::try_from(time.unix_timestamp()).unwrap();
    let id = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, time.nanosecond()));
    Record::new(sequence, id, time, "node-1", "0.1.0", event).to_bytes()
}

pub(crate) fn signer() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

pub(crate) fn witness() -> SigningKey {
    SigningKey::from_bytes(&[2; 32])
}

pub(crate) fn key(name: &str, key: &SigningKey) -> VerifierKey {
    VerifierKey::new(name, SignatureType::Ed25519, key.verifying_key().as_bytes()).unwrap()
}

pub(crate) fn witness_key() -> VerifierKey {
    let key = witness().verifying_key();
    VerifierKey::new("w.example/1", SignatureType::Cosignature, key.as_bytes()).unwrap()
}

/// Signed by this key, and by the witness.
pub(crate) fn signed(origin: &str, head: Head, by: &SigningKey) -> SignedNote {
    let origin = origin.to_owned();
    let text = Checkpoint { origin, head }.to_string();
    let signature = by.sign(text.as_bytes()).to_bytes().to_vec();
    let seen = witness().sign(cosigned(&text, 1000).as_bytes()).to_bytes();
    let seen = [&1000u64.to_be_bytes()[..], &seen].concat();
    SignedNote {
        signatures: vec![
            key(ORIGIN, by).signature(signature),
            witness_key().signature(seen),
        ],
        text,
    }
}

/// The auditor's: this log, and its witness.
pub(crate) fn policy() -> Policy {
    let log = key(ORIGIN, &signer());
    format!("log {log}\nwitness w1 {}\nquorum w1\n", witness_key())
        .parse()
        .unwrap()
}

/// All tiles over these leaves.
pub(crate) fn tiles(leaves: &[Hash]) -> Tiles {
    let (mut tiles, mut hashes) = (Tiles::default(), leaves.to_vec());
    for level in 0.. {
        for (index, tile) in (0..).zip(hashes.chunks(256)) {
            tiles.insert(level, index, tile.to_vec());
        }
        hashes = hashes
            .chunks_exact(256)
            .map(|tile| {
                let mut tree = CompactRange::new();
                for hash in tile {
                    tree.append(*hash);
                }
                tree.root()
            })
            .collect();
        if hashes.is_empty() {
            break;
        }
    }
    tiles
}
