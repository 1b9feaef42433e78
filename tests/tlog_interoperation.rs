//! The custody log in the formats of C2SP, read and written by code that others wrote: the crates `signed_note` and
//! `tlog_tiles`, ports of what checks Go's modules.

mod support;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;

use claviger::custody::{
    Checkpoint, CompactRange, Hash, Head, SignatureType, SignedNote, Tile, TlogProof, VerifierKey, leaf_hash,
    verify_consistency, verify_inclusion,
};
use claviger::witness::AddCheckpoint;
use ed25519_dalek::{Signer as _, SigningKey};
use signed_note::{Note, StandardVerifier, VerifierList};
use support::audit;
use support::message::{self, about, create, identifier};
use support::server::Server;
use tlog_tiles::{HashReader, TileHashReader, TileReader};

/// The height of C2SP's tiles.
const HEIGHT: u8 = 8;

/// What is in a bundle, by its path.
struct Members(BTreeMap<String, Vec<u8>>);

impl Members {
    fn of(bundle: &std::path::Path) -> Self {
        let mut archive = tar::Archive::new(File::open(bundle).expect("the bundle"));
        let members = archive.entries().expect("an archive").map(|entry| {
            let mut entry = entry.expect("a member");
            let path = entry.path().expect("a path").to_str().expect("text").to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("it is whole");
            (path, bytes)
        });
        Self(members.collect())
    }

    fn text(&self, path: &str) -> &str {
        std::str::from_utf8(&self.0[path]).expect("text")
    }

    /// A tile. A bundle of a whole log has those of the leaves alone: the others are made of them.
    fn tile(&self, tile: &tlog_tiles::Tile) -> Option<Vec<u8>> {
        if let Some(hashes) = self.0.get(&path(tile)) {
            return Some(hashes.clone());
        }
        let level = tile.level().checked_sub(1)?;
        let first = tile.level_index() << HEIGHT;
        let below = (first..first + u64::from(tile.width()))
            .map(|index| self.tile(&tlog_tiles::Tile::new(HEIGHT, level, index, 1 << HEIGHT, false)));
        let hashes = below.map(|below| Some(tlog_tiles::Tile::subtree_hash(&below?).0));
        Some(hashes.collect::<Option<Vec<_>>>()?.concat())
    }
}

/// Where C2SP has a tile: without the height, which is in the paths of Go's checksum database.
fn path(tile: &tlog_tiles::Tile) -> String {
    let path = tile.path();
    path.replacen(&format!("tile/{HEIGHT}/"), "tile/", 1)
}

impl TileReader for Members {
    fn height(&self) -> u8 {
        HEIGHT
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = tiles.iter().map(|tile| self.tile(tile));
        read.collect::<Option<_>>().ok_or(tlog_tiles::Error::InvalidTile)
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

/// What signed a note, as the others' code has it.
fn verified_by_others(note: &str, key: &str) -> Note {
    let key = StandardVerifier::new(key).expect("a key");
    let note = Note::from_bytes(note.as_bytes()).expect("a note");
    let known = VerifierList::new(vec![Box::new(key)]);
    let (verified, _) = note.verify(&known).expect("it is signed");
    assert_eq!(verified.len(), 1);
    note
}

fn theirs(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().map(|hash| tlog_tiles::Hash(hash.0)).collect()
}

fn ours(hashes: &[tlog_tiles::Hash]) -> Vec<Hash> {
    hashes.iter().map(|hash| Hash(hash.0)).collect()
}

/// A server that signs its log, with more records than one tile has; the log's key.
fn long_log() -> (Server, String) {
    let mut server = Server::start();
    server.must(&["custody", "key", "create"]);
    server.restart();
    let client = server.client("client");
    let mut connection = client.connect();
    let key = identifier(&connection.exchange(&create()));
    for _ in 0..300 {
        message::key_material(&connection.exchange(&about(message::GET, &key)));
    }
    let key = audit::wait_until_signed(&server);
    (server, key)
}

#[test]
fn a_servers_checkpoints_tiles_and_proofs_are_verified_by_programs_of_others() {
    let (server, key) = long_log();
    let members = Members::of(&audit::bundle(&server, "bundle.tar"));
    let note = verified_by_others(members.text("checkpoint"), &key);
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    assert_eq!(checkpoint.origin(), "test/claviger");
    let (size, root) = (checkpoint.size(), *checkpoint.hash());
    // The upper tile as the server keeps it is in a bundle that begins after it.
    let last = server.custody_records().pop().expect("a record");
    let part = server.config().with_file_name("part.tar");
    let since = last["time"].as_str().expect("a time");
    server.must(&[
        "custody",
        "bundle",
        part.to_str().expect("a path"),
        "--since",
        since,
    ]);
    let upper = tlog_tiles::Tile::new(HEIGHT, 1, 0, 1, false);
    assert_eq!(
        Members::of(&part).0.get(&path(&upper)),
        members.tile(&upper).as_ref()
    );

    // Their code has all that it reads from our tiles proved by the root.
    let tiles = TileHashReader::new(size, root, &members);
    let records: Vec<_> = members.text("records.jsonl").lines().collect();
    assert_eq!(records.len() as u64, size);
    for (number, record) in (0..).zip(&records).step_by(7) {
        let hash = tlog_tiles::record_hash(record.as_bytes());
        let index = tlog_tiles::stored_hash_index(0, number);
        assert_eq!(tiles.read_hashes(&[index]).expect("it is proved"), [hash]);
        let proof = tlog_tiles::prove_record(size, number, &tiles).expect("a proof");
        tlog_tiles::check_record(&proof, size, root, number, hash).expect("it holds");
        let leaf = leaf_hash(record.as_bytes());
        verify_inclusion(leaf, number, (size, Hash(root.0)), &ours(&proof)).expect("it holds here");
    }
    let lines: Vec<_> = members.text("checkpoints").trim_end().split("\n\n").collect();
    let (earlier, rest) = lines.as_chunks::<2>();
    assert!(!earlier.is_empty() && rest.is_empty(), "{lines:?}");
    for [text, signatures] in earlier {
        let note = verified_by_others(&format!("{text}\n\n{signatures}\n"), &key);
        let before = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
        let proof = tlog_tiles::prove_tree(size, before.size(), &tiles).expect("a proof");
        tlog_tiles::check_tree(&proof, size, root, before.size(), *before.hash()).expect("it holds");
        let before = (before.size(), Hash(before.hash().0));
        verify_consistency(before, (size, Hash(root.0)), &ours(&proof)).expect("it holds here");
    }
}

#[test]
fn what_custody_prove_gives_out_is_verified_by_programs_of_others() {
    let (server, key) = long_log();
    let records = server.custody_records();
    let first = Members::of(&audit::bundle(&server, "first.tar"));
    for number in [0, 255, 256, 299] {
        let proof: TlogProof = server
            .must(&["custody", "prove", &number.to_string()])
            .parse()
            .expect("a proof");
        let note = verified_by_others(&proof.note.to_string(), &key);
        let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
        let record = proof.extra.as_deref().expect("the record");
        tlog_tiles::check_record(
            &theirs(&proof.hashes),
            checkpoint.size(),
            *checkpoint.hash(),
            number,
            tlog_tiles::record_hash(record),
        )
        .expect("it holds");
        let said: serde_json::Value = serde_json::from_slice(record).expect("a record");
        assert_eq!(
            said["id"],
            records[usize::try_from(number).expect("it is small")]["id"]
        );
    }

    let before: SignedNote = first.text("checkpoint").parse().expect("a note");
    let before = tlog_tiles::Checkpoint::from_bytes(before.text.as_bytes()).expect("a checkpoint");
    server.client("another");
    while audit::signing(&server)["size"].as_u64() <= Some(before.size()) {}
    let proof: AddCheckpoint = server
        .must(&["custody", "prove", "--from", &before.size().to_string()])
        .parse()
        .expect("a proof");
    let note = verified_by_others(&proof.note.to_string(), &key);
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    tlog_tiles::check_tree(
        &theirs(&proof.proof),
        checkpoint.size(),
        *checkpoint.hash(),
        before.size(),
        *before.hash(),
    )
    .expect("it holds");
}

/// A log as Go's checksum database has it: all hashes in one row.
#[derive(Default)]
struct Stored(RefCell<Vec<tlog_tiles::Hash>>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let stored = self.0.borrow();
        let at = |index: &u64| stored[usize::try_from(*index).expect("it is small")];
        Ok(indexes.iter().map(at).collect())
    }
}

#[test]
fn the_tree_its_tiles_and_its_proofs_are_those_of_another_log() {
    const SIZE: u64 = 600;
    let log = Stored::default();
    let mut tree = CompactRange::new();
    let mut roots = vec![tree.root()];
    for number in 0..SIZE {
        let record = number.to_be_bytes();
        let hashes = tlog_tiles::stored_hashes(number, &record, &log).expect("hashes");
        log.0.borrow_mut().extend(hashes);
        tree.append(leaf_hash(&record));
        roots.push(tree.root());
        let root = tlog_tiles::tree_hash(number + 1, &log).expect("a root");
        assert_eq!(tree.root().0, root.0, "{number}");
    }
    let root = |size: u64| roots[usize::try_from(size).expect("it is small")];
    let head = (SIZE, root(SIZE));
    for number in 0..SIZE {
        let proof = tlog_tiles::prove_record(SIZE, number, &log).expect("a proof");
        let leaf = leaf_hash(&number.to_be_bytes());
        assert_eq!(verify_inclusion(leaf, number, head, &ours(&proof)), Ok(()));
        if number > 0 {
            let proof = tlog_tiles::prove_tree(SIZE, number, &log).expect("a proof");
            assert_eq!(
                verify_consistency((number, root(number)), head, &ours(&proof)),
                Ok(())
            );
        }
    }
    for size in [1, 255, 256, 257, 70_000, 16_777_216, 16_777_217] {
        for tile in tlog_tiles::Tile::new_tiles(HEIGHT, 0, size) {
            let (level, index) = (tile.level(), tile.level_index());
            let same = Tile::at(level, index, size).expect("it is there");
            assert_eq!(u32::from(same.width), tile.width());
            assert_eq!(same.to_string(), path(&tile));
        }
    }
}

#[test]
fn a_note_is_the_same_to_others_whoever_signed_it() {
    let head = Head {
        size: 5,
        root: Hash([9; 32]),
    };
    let origin = "example.com/log".to_owned();
    let text = Checkpoint { origin, head }.to_string();
    let signing = SigningKey::from_bytes(&[3; 32]);
    let public = signing.verifying_key();
    let key = VerifierKey::new("example.com/log", SignatureType::Ed25519, public.as_bytes()).expect("a key");
    let by_us = SignedNote {
        signatures: vec![key.signature(signing.sign(text.as_bytes()).to_bytes().to_vec())],
        text: text.clone(),
    };
    let read = verified_by_others(&by_us.to_string(), &key.to_string());
    assert_eq!(read.to_bytes(), by_us.to_string().into_bytes());

    // The key of their documentation signs our text.
    let secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let public = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let signer = signed_note::StandardSigner::new(secret).expect("a key");
    let mut by_them = Note::new(text.as_bytes(), &[]).expect("a note");
    by_them.add_sigs(&[&signer]).expect("it is signed");
    let written = String::from_utf8(by_them.to_bytes()).expect("text");
    let note: SignedNote = written.parse().expect("a note");
    assert_eq!(note.to_string(), written);
    let public: VerifierKey = public.parse().expect("a key");
    assert_eq!(note.verified_by([&public]).expect("it is signed").len(), 1);
    assert_eq!(note.text.parse::<Checkpoint>().expect("a checkpoint").head, head);
    let forged: SignedNote = written.replacen("\n5\n", "\n6\n", 1).parse().expect("a note");
    assert!(forged.verified_by([&public]).is_err());
}
