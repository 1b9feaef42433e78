//! A log whose oldest records were pruned: every command goes on over it, and an auditor with an old checkpoint, an old bundle
//! or an old record proves the same as before.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use claviger::custody::verification::{Visit, verify_bundle};
use claviger::custody::{
    Actor, Approver, Event, EventName, Hash, Policy, SignatureType, TlogProof, VerifierKey,
};
use claviger::job::{Archive, Feeds, Retention, RetentionPolicy};
use claviger::recorder::{Checkpoints, NodeFacts, Recorder, SignError, Signer};
use claviger::store::{SealKeys, SqliteStore, Store};
use ed25519_dalek::{Signer as _, SigningKey};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use time::OffsetDateTime;

const ORIGIN: &str = "test/claviger";

struct TestSigner(SigningKey);

#[async_trait]
impl Signer for TestSigner {
    fn key(&self) -> VerifierKey {
        let public = self.0.verifying_key();
        VerifierKey::new(ORIGIN, SignatureType::Ed25519, public.as_bytes()).expect("a key")
    }

    async fn sign(&self, text: &str) -> Result<Vec<u8>, SignError> {
        Ok(self.0.sign(text.as_bytes()).to_bytes().to_vec())
    }
}

/// The folder of a server that does not run, and what an auditor has of an earlier visit.
struct House {
    folder: tempfile::TempDir,
    /// How many records the log had at the visit; its checkpoint is in the file `state`.
    visited: u64,
    /// The exact bytes of a record of that time.
    record: Vec<u8>,
    key: VerifierKey,
}

impl House {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("CLAVIGER_CONFIG", self.path("claviger.toml"))
            .output();
        output.expect("it runs")
    }

    /// `claviger custody … --database`, which must do.
    fn custody(&self, arguments: &[&str]) -> String {
        let output = self.custody_output(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn custody_output(&self, arguments: &[&str]) -> Output {
        let all = [&["custody", "--database", "log.db"], arguments].concat();
        self.run(env!("CARGO_BIN_EXE_claviger"), &all)
    }

    fn verifier(&self, bundle: &str) -> Output {
        let arguments = [bundle, "--policy", "policy", "--state", "state"];
        self.run(env!("CARGO_BIN_EXE_claviger-verify"), &arguments)
    }
}

async fn record(recorder: &Recorder, number: usize) {
    let events = std::iter::repeat_with(|| Event::new(EventName::KmipQuery, Actor::Server));
    let done = recorder
        .commit_together(Vec::new(), events.take(number).collect())
        .await;
    done.expect("they are recorded");
    let size = recorder.status().head.size;
    let mut checkpoints = recorder.checkpoints();
    let signed = checkpoints.wait_for(|status| status.lag(size) == 0).await;
    signed.expect("it is signed");
}

/// What the bundle has, as whoever names it says.
fn archive(bundle: &Path, policy: &Policy) -> Archive {
    let visit = Visit {
        policy,
        state: None,
        heartbeat: time::Duration::DAY,
    };
    let report = verify_bundle(std::fs::File::open(bundle).expect("a bundle"), &visit);
    assert!(report.verified, "{:?}", report.findings);
    Archive {
        sha256: Hash([1; 32]),
        from: report.from,
        size: report.size,
        root: report.root.expect("a root"),
    }
}

/// A log of 1200 records, of which a bundle was made and the first 1024 were pruned.
async fn pruned() -> House {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("log.db");
    let store = SqliteStore::open(&database, SealKeys::new())
        .await
        .expect("a store");
    let store = Arc::new(store);
    let node = NodeFacts {
        name: "test".into(),
        server_version: "0".into(),
        configuration_sha256: None,
    };
    let recorder = Recorder::start(store.clone(), node).await.expect("a log");
    let signer = Arc::new(TestSigner(SigningKey::from_bytes(&[9; 32])));
    let key = signer.key();
    recorder.sign_with(Checkpoints {
        origin: ORIGIN.into(),
        signer,
        cosigner: None,
        interval: Duration::from_millis(1),
        heartbeat: Duration::from_hours(1),
    });
    record(&recorder, 100).await;
    let checkpoint = store.custody_checkpoint().await.expect("the store answers");
    let latest = checkpoint.expect("it is signed").note;
    let stored = store.custody_records(7, 1).await.expect("the store answers");
    let policy_text = format!("log {key}\nquorum none\n");
    let policy = Policy::from_bytes(policy_text.as_bytes()).expect("a policy");
    let configuration = format!(
        "version = \"v1\"\nnode = \"test\"\nstate_directory = \".\"\n[kmip]\ncertificate = \"c\"\nkey = \"k\"\n\
         [[device]]\nname = \"hsm\"\nmodule = \"m.so\"\ntoken_serial = \"1\"\npin_file = \"pin\"\n\
         [custody]\norigin = \"{ORIGIN}\"\n"
    );
    for (name, text) in [
        ("state", latest.as_str()),
        ("policy", policy_text.as_str()),
        ("custody.vkey", &format!("{key}\n")),
        ("claviger.toml", &configuration),
    ] {
        std::fs::write(folder.path().join(name), text).expect("it is written");
    }
    let house = House {
        folder,
        visited: 100,
        record: stored[0].bytes.clone(),
        key,
    };
    record(&recorder, 1100).await;
    house.custody(&["bundle", "before.tar"]);
    let mut retention = Retention::new(store.clone(), recorder.clone());
    retention.policy = Some(RetentionPolicy {
        keep: Duration::ZERO,
        without_archive: false,
    });
    let asked = Actor::Administrator {
        uid: 1000,
        user: "olivia".into(),
    };
    let mut event = Event::new(EventName::CustodyPrune, asked);
    event.approvers = vec![Approver {
        uid: Some(1001),
        user: "pavel".into(),
        certificate: None,
    }];
    let archives = [archive(&house.path("before.tar"), &policy)];
    let now = OffsetDateTime::now_utc();
    let below = retention.let_go(&archives, &Feeds::default(), now, event).await;
    assert_eq!(below.expect("they may go"), 1024);
    recorder.prune().await.expect("they go");
    record(&recorder, 1).await;
    recorder.stop().await;
    store.close().await;
    house
}

#[tokio::test]
async fn every_command_goes_on_over_a_pruned_log() {
    let house = pruned().await;
    let proof: serde_json::Value =
        serde_json::from_str(&house.custody(&["verify", "--output", "json"])).expect("JSON");
    let size = proof["size"].as_u64().expect("a size");
    assert_eq!(
        (proof["verified"].as_bool(), proof["kept_from"].as_u64()),
        (Some(true), Some(1024))
    );
    let exported = house.custody(&["export", "--format", "jsonl"]);
    assert_eq!(exported.lines().count() as u64, size - 1024);
    let listed = house.custody(&["list", "--limit", "5000", "--output", "json"]);
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed.len() as u64, size - 1024);
    let page = house.custody(&["report"]);
    assert!(
        page.contains("from record 1024 to the last"),
        "the page says where it begins"
    );
    let shown = house.custody_output(&["show", "7"]);
    assert!(!shown.status.success());
    let words = String::from_utf8_lossy(&shown.stderr);
    assert!(words.contains("record 7 was pruned"), "{words}");
}

#[tokio::test]
async fn what_an_auditor_has_from_before_still_proves_the_same() {
    let house = pruned().await;
    // A record that was pruned, by its bytes.
    let proof: TlogProof = house.custody(&["prove", "7"]).parse().expect("a proof");
    assert_eq!(proof.extra, None);
    proof.verify(&house.record, [&house.key]).expect("it holds");
    let mut other = house.record.clone();
    other[0] ^= 1;
    proof
        .verify(&other, [&house.key])
        .expect_err("it holds of nothing else");
    // A checkpoint, also one that the server no longer has.
    let visited = house.visited.to_string();
    assert!(
        house
            .custody(&["prove", "--from", &visited])
            .starts_with("old 100\n")
    );
    assert!(house.custody(&["prove", "--from", "77"]).starts_with("old 77\n"));
    // The last visit, continued by a bundle of what is left.
    let words = house.custody(&["bundle", "after.tar", "--kept", &visited]);
    assert!(words.is_empty(), "{words}");
    let verified = house.verifier("after.tar");
    let words = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success(), "{words}");
    assert!(words.contains("from number 1024"), "{words}");
    assert!(words.contains("what the records before 1024 say"), "{words}");
    assert!(words.contains("noted log.pruned"), "{words}");
}

#[tokio::test]
async fn a_hash_of_a_pruned_record_that_was_changed_is_found() {
    let house = pruned().await;
    let options = SqliteConnectOptions::new().filename(house.path("log.db"));
    let mut connection = options.connect().await.expect("a connection");
    let changed = sqlx::query("UPDATE custody_hash SET hash = zeroblob(32) WHERE level = 0 AND position = 5")
        .execute(&mut connection)
        .await;
    assert_eq!(changed.expect("it is changed").rows_affected(), 1);
    let verified = house.custody_output(&["verify"]);
    assert!(!verified.status.success(), "{verified:?}");
    let proved = house.custody_output(&["prove", "7"]);
    assert!(!proved.status.success(), "{proved:?}");
}
