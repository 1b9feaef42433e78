//! A witness as its administrator has it: the built binary, killed and started again.

#![allow(
    clippy::unwrap_used,
    reason = "what a helper of a test cannot do fails the test"
)]

mod support;

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::mpsc;

use claviger::custody::{
    Checkpoint, CompactRange, Hash, Head, SignatureType, SignedNote, VerifierKey, consistency_plan, fold,
    leaf_hash,
};
use claviger::witness::AddCheckpoint;
use ed25519_dalek::{Signer as _, SigningKey};
use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use support::witness::Witness;

const ORIGIN: &str = "node-1/claviger";

/// A log that only this test has.
struct Log {
    key: SigningKey,
    leaves: Vec<Hash>,
}

impl Log {
    fn new(size: u64) -> Self {
        Self {
            key: SigningKey::from_bytes(&[7; 32]),
            leaves: (0..size).map(|number| leaf_hash(&number.to_be_bytes())).collect(),
        }
    }

    fn verifier(&self) -> VerifierKey {
        VerifierKey::new(
            ORIGIN,
            SignatureType::Ed25519,
            self.key.verifying_key().as_bytes(),
        )
        .unwrap()
    }

    fn root(&self, from: u64, to: u64) -> Hash {
        let mut tree = CompactRange::new();
        for leaf in &self.leaves[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()] {
            tree.append(*leaf);
        }
        tree.root()
    }

    fn request(&self, old: u64, size: u64) -> AddCheckpoint {
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            head: Head {
                size,
                root: self.root(0, size),
            },
        };
        let text = checkpoint.to_string();
        let signature = self.key.sign(text.as_bytes()).to_bytes().to_vec();
        let plan = consistency_plan(old, size).unwrap();
        let proof = plan.iter().map(|run| {
            let hashes = run
                .iter()
                .map(|node| self.root(node.index << node.height, (node.index + 1) << node.height));
            fold(&hashes.collect::<Vec<_>>()).unwrap()
        });
        AddCheckpoint {
            old,
            proof: proof.collect(),
            note: SignedNote {
                text,
                signatures: vec![self.verifier().signature(signature)],
            },
        }
    }
}

async fn post(witness: &Witness, request: &AddCheckpoint) -> Option<(StatusCode, String)> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/add-checkpoint", witness.address);
    let answer = client.post(url).body(request.to_string()).send().await.ok()?;
    Some((answer.status(), answer.text().await.ok()?))
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o777
}

/// When a witness is killed, so that it is at another point of a request each time.
enum Moment {
    /// Once it has answered so often: it has the next request before it, or has just begun with it.
    Answered(usize),
    /// Once it has written to its memory so often: it is about to sign, or to answer.
    Written(usize),
}

impl Moment {
    const fn of(round: usize) -> Self {
        let times = 1 + round / 2;
        if round.is_multiple_of(2) {
            Self::Answered(times)
        } else {
            Self::Written(times)
        }
    }

    /// Returns when it has come, or the witness is gone.
    fn wait_for(&self, witness: &Path, answers: &mpsc::Receiver<()>) {
        match self {
            Self::Answered(times) => drop(answers.iter().take(*times).last()),
            Self::Written(times) => {
                let memory = witness.join("witness.db-wal");
                let written = || {
                    let memory = std::fs::metadata(&memory).ok()?;
                    Some((memory.len(), memory.modified().ok()))
                };
                let (mut before, mut seen) = (written(), 0);
                while seen < *times {
                    std::thread::yield_now();
                    let now = written();
                    seen += usize::from(now != before);
                    before = now;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_is_killed_at_any_moment_takes_no_cosignature_back() {
    const KILLS: usize = 24;
    let log = Log::new(10_000);
    let mut witness = Witness::start(&log.verifier().to_string());
    // What it said last that it has cosigned, and how often it gave out a cosignature.
    let (mut told, mut given) = (0, 0);
    for round in 0..KILLS {
        let (pid, folder) = (witness.pid(), witness.directory());
        let (answered, answers) = mpsc::channel();
        let killer = std::thread::spawn(move || {
            Moment::of(round).wait_for(&folder, &answers);
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).unwrap();
            kill_process(pid, Signal::KILL).unwrap();
        });
        while let Some((status, words)) = post(&witness, &log.request(told, told + 1)).await {
            assert_eq!(status, StatusCode::OK, "{words}");
            told += 1;
            given += 1;
            let _ = answered.send(());
        }
        killer.join().unwrap();
        witness.kill();
        witness.start_again();
        let (status, words) = post(&witness, &log.request(9_999, 10_000)).await.unwrap();
        assert_eq!(status, StatusCode::CONFLICT);
        let known: u64 = words.trim_end().parse().unwrap();
        // The request that was under way may be in its memory, and its answer was lost.
        assert!(
            (told..=told + 1).contains(&known),
            "it said that it has cosigned {told}, and knows {known}"
        );
        told = known;
    }
    assert!(given >= KILLS / 2);
    println!("{KILLS} kills, {given} cosignatures, none taken back");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sets_up_a_witness_and_sees_what_it_has_seen() {
    let mut log = Log::new(30);
    let mut witness = Witness::start(&log.verifier().to_string());
    for (name, expected) in [
        ("", 0o700),
        ("witness.toml", 0o600),
        ("witness.pem", 0o600),
        ("witness.db", 0o600),
    ] {
        assert_eq!(mode(&witness.directory().join(name)), expected, "{name}");
    }
    let shown = witness.show();
    assert_eq!(shown["logs"][0]["origin"], ORIGIN);
    assert!(shown["logs"][0]["size"].is_null());
    let key: VerifierKey = shown["key"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        (key.name(), key.signature_type()),
        ("w.example/1", SignatureType::Cosignature)
    );
    let request = log.request(0, 20);
    let (status, lines) = post(&witness, &request).await.unwrap();
    assert_eq!(status, StatusCode::OK);
    let note: SignedNote = format!("{}{lines}", request.note).parse().unwrap();
    assert!(note.verified_by([&key]).is_ok());
    assert_eq!(witness.show()["logs"][0]["size"], 20);
    // Made once.
    let again = witness.claviger(&["init", "w.example/1"]);
    assert_eq!(again.status.code(), Some(1));
    // Two forms of one log are an administrator's business.
    log.leaves[3] = leaf_hash(b"another");
    assert_eq!(post(&witness, &log.request(20, 20)).await.unwrap().0, 422);
    let shown = witness.claviger(&["show"]);
    assert_eq!(shown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&shown.stderr).contains("TWO LOGS"));
    // It stops when it is told to, and not without what it remembers.
    assert!(witness.stop().success());
    std::fs::remove_file(witness.directory().join("witness.db")).unwrap();
    let refused = witness.claviger(&["run"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("is missing"));
}
