//! The log is signed as it grows, and nothing is signed that contradicts what was signed before.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ed25519_dalek::Signer as _;
use ed25519_dalek::SigningKey;
use tokio::sync::{Semaphore, watch};

use super::{
    CheckpointStatus, Checkpoints, Consistency, Cosigned, Cosigner, SignError, Signer, WitnessStatus, head_of,
};
use crate::custody::{
    Checkpoint, EventName, Head, NoteSignature, SignatureType, SignedNote, VerifierKey, cosigned,
    verify_consistency,
};
use crate::recorder::tests::faulty::{How, Step};
use crate::recorder::tests::{House, event, node};
use crate::recorder::{Error, Recorder};
use crate::store::suite::Maker;
use crate::store::{self, Store};

const ORIGIN: &str = "node-1/claviger";

/// A signer in software, which fails when it is told to.
pub(crate) struct SoftwareSigner {
    key: SigningKey,
    /// The next attempts, the last first.
    plan: Mutex<Vec<Attempt>>,
    /// How many signatures may be made.
    allowed: Semaphore,
    asked: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
enum Attempt {
    Failed,
    FailedButDone,
    SignedByAnother,
}

impl SoftwareSigner {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            key: SigningKey::from_bytes(&[3; 32]),
            plan: Mutex::default(),
            allowed: Semaphore::new(Semaphore::MAX_PERMITS),
            asked: AtomicUsize::new(0),
        })
    }

    fn that_waits() -> Arc<Self> {
        let signer = Self::new();
        signer.allowed.forget_permits(Semaphore::MAX_PERMITS);
        signer
    }

    fn will(&self, attempt: Attempt) {
        self.plan.lock().unwrap().push(attempt);
    }
}

#[async_trait]
impl Signer for SoftwareSigner {
    fn key(&self) -> VerifierKey {
        VerifierKey::new(
            ORIGIN,
            SignatureType::Ed25519,
            self.key.verifying_key().as_bytes(),
        )
        .unwrap()
    }

    async fn sign(&self, text: &str) -> Result<Vec<u8>, SignError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.allowed.acquire().await.unwrap().forget();
        let attempt = self.plan.lock().unwrap().pop();
        let away = Err(SignError("the device does not answer".into()));
        match attempt {
            None => Ok(self.key.sign(text.as_bytes()).to_bytes().to_vec()),
            Some(Attempt::Failed) => away,
            Some(Attempt::FailedButDone) => {
                self.key.sign(text.as_bytes());
                away
            }
            Some(Attempt::SignedByAnother) => Ok(SigningKey::from_bytes(&[4; 32])
                .sign(text.as_bytes())
                .to_bytes()
                .to_vec()),
        }
    }
}

fn checkpoints(signer: &Arc<SoftwareSigner>) -> Checkpoints {
    Checkpoints {
        origin: ORIGIN.to_owned(),
        signer: Arc::<SoftwareSigner>::clone(signer),
        cosigner: None,
        interval: Duration::from_millis(5),
        heartbeat: Duration::from_hours(1),
    }
}

impl House {
    async fn commit(&self, mark: &str) {
        self.recorder.commit(vec![], event(mark)).await.unwrap();
    }
}

async fn until(
    recorder: &Recorder,
    what: impl FnMut(&CheckpointStatus) -> bool,
) -> watch::Receiver<CheckpointStatus> {
    let mut status = recorder.checkpoints();
    let waited = tokio::time::timeout(Duration::from_mins(1), status.wait_for(what)).await;
    waited.expect("it comes to it within a minute").unwrap();
    status
}

fn is_over(size: u64) -> impl Fn(&CheckpointStatus) -> bool {
    move |status| status.latest.as_ref().is_some_and(|latest| latest.size == size) && status.failure.is_none()
}

/// The heads of all checkpoints that are kept; each is signed, and the beginning of the next and of the log.
async fn signed(store: &dyn Store, signer: &SoftwareSigner) -> Vec<Head> {
    let log = store.custody_head().await.unwrap().head();
    let mut heads = Vec::new();
    for stored in store.custody_checkpoints(0, 10_000).await.unwrap() {
        let note: SignedNote = stored.note.parse().unwrap();
        note.verified_by([&signer.key()]).unwrap();
        let head = head_of(&stored).unwrap();
        let proof = store::custody_consistency(store, head.size, log.size).await;
        verify_consistency((head.size, head.root), (log.size, log.root), &proof.unwrap()).unwrap();
        heads.push(head);
    }
    heads
}

#[tokio::test]
async fn every_record_comes_under_a_checkpoint() {
    let house = House::new().await;
    let signer = SoftwareSigner::new();
    house.recorder.sign_with(checkpoints(&signer));
    for size in 1..=20 {
        house.commit("record").await;
        if size % 4 == 0 {
            until(&house.recorder, is_over(size)).await;
        }
    }
    let heads = signed(&*house.fixture.store, &signer).await;
    assert!(heads.len() >= 5, "{heads:?}");
    assert_eq!(heads.last(), Some(&house.recorder.status().head));
}

#[tokio::test]
async fn of_many_records_one_checkpoint_an_interval_is_made_and_the_last_at_a_stop() {
    let house = House::new().await;
    let signer = SoftwareSigner::new();
    house.recorder.sign_with(Checkpoints {
        interval: Duration::from_hours(1),
        ..checkpoints(&signer)
    });
    house.commit("first").await;
    until(&house.recorder, is_over(1)).await;
    for _ in 0..10 {
        house.commit("more").await;
    }
    house.recorder.stop().await;
    let sizes: Vec<_> = signed(&*house.fixture.store, &signer)
        .await
        .iter()
        .map(|head| head.size)
        .collect();
    assert_eq!(sizes, [1, 11]);
    assert_eq!(house.recorder.checkpoints().borrow().lag(11), 0);
}

#[tokio::test]
async fn a_log_at_rest_says_that_it_lives() {
    let house = House::new().await;
    let signer = SoftwareSigner::new();
    house.recorder.sign_with(Checkpoints {
        heartbeat: Duration::from_millis(20),
        ..checkpoints(&signer)
    });
    until(&house.recorder, |status| {
        status.latest.as_ref().is_some_and(|latest| latest.size >= 3)
    })
    .await;
    house.recorder.stop().await;
    let (records, _) = house.verified().await;
    assert!(
        records
            .iter()
            .all(|record| record.event == EventName::CustodyHeartbeat)
    );
    assert!(signed(&*house.fixture.store, &signer).await.len() >= 3);
}

#[tokio::test]
async fn while_the_signer_is_away_requests_go_on_and_the_status_says_how_far_the_checkpoint_lags() {
    for attempt in [Attempt::Failed, Attempt::FailedButDone, Attempt::SignedByAnother] {
        let house = House::new().await;
        let signer = SoftwareSigner::new();
        house.recorder.sign_with(checkpoints(&signer));
        house.commit("signed").await;
        until(&house.recorder, is_over(1)).await;
        signer.allowed.forget_permits(Semaphore::MAX_PERMITS);
        signer.allowed.add_permits(1);
        signer.will(attempt);
        for _ in 0..3 {
            house.commit("not signed yet").await;
        }
        let status = until(&house.recorder, |status| status.failure.is_some()).await;
        assert_eq!(status.borrow().lag(4), 3, "{attempt:?}");
        house.commit("goes on").await;
        signer.allowed.add_permits(1000);
        until(&house.recorder, is_over(5)).await;
        let heads = signed(&*house.fixture.store, &signer).await;
        assert_eq!(heads.last(), Some(&house.recorder.status().head), "{attempt:?}");
    }
}

#[tokio::test]
async fn a_checkpoint_that_could_not_be_kept_is_made_again_and_one_that_was_is_not() {
    for (step, how) in [
        (Step::Begin, How::Failed),
        (Step::PutCheckpoint, How::Failed),
        (Step::PutCheckpoint, How::FailedButDone),
        (Step::Commit, How::Failed),
        (Step::Commit, How::FailedButDone),
    ] {
        let house = House::new().await;
        let signer = SoftwareSigner::that_waits();
        house.recorder.sign_with(checkpoints(&signer));
        house.commit("record").await;
        while signer.asked.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        // The next to write is the one who keeps the checkpoint.
        house.plan.fail(step, how);
        signer.allowed.add_permits(1000);
        until(&house.recorder, is_over(1)).await;
        assert!(house.plan.is_used_up(), "{step:?} {how:?}");
        let again = usize::from((step, how) != (Step::Commit, How::FailedButDone));
        assert_eq!(
            signer.asked.load(Ordering::Relaxed),
            1 + again,
            "{step:?} {how:?}"
        );
        house.commit("next").await;
        until(&house.recorder, is_over(2)).await;
        let heads = signed(&*house.fixture.store, &signer).await;
        assert_eq!(heads.len(), 2, "{step:?} {how:?}");
    }
}

#[tokio::test]
async fn while_it_is_not_known_what_was_signed_nothing_is_signed() {
    let house = House::new().await;
    let signer = SoftwareSigner::new();
    house.commit("record").await;
    house.plan.fail(Step::ReadCheckpoint, How::Failed);
    house.recorder.sign_with(checkpoints(&signer));
    let status = until(&house.recorder, |status| status.failure.is_some()).await;
    assert_eq!(status.borrow().latest, None);
    until(&house.recorder, is_over(1)).await;
    assert_eq!(signer.asked.load(Ordering::Relaxed), 1);
}

/// What another hand does to a log of 300 records under a checkpoint, and what is said of it.
const TAMPERED: [(&str, &str); 5] = [
    (
        "UPDATE custody_record SET leaf = zeroblob(32) WHERE sequence = 3 OR sequence = 299",
        "the hashes of the log give",
    ),
    (
        "UPDATE custody_hash SET hash = zeroblob(32) WHERE level = 1",
        "the hashes of the log give",
    ),
    (
        "UPDATE custody_checkpoint SET note = replace(note, char(10), 'x')",
        "is none",
    ),
    ("UPDATE custody_checkpoint SET size = 299", "is none"),
    ("DELETE FROM custody_record WHERE sequence > 290", "missing"),
];

#[tokio::test]
async fn a_log_that_contradicts_its_checkpoint_is_signed_no_more_and_ends_the_server() {
    for (statement, expected) in TAMPERED
        .into_iter()
        .chain([("DELETE FROM custody_checkpoint", "the checkpoint taken away")])
    {
        let house = House::new().await;
        let signer = SoftwareSigner::new();
        house.recorder.sign_with(checkpoints(&signer));
        let records = (0..300).map(event).collect();
        house.recorder.commit_together(vec![], records).await.unwrap();
        until(&house.recorder, is_over(300)).await;
        house.fixture.maker.by_hand(statement).await;
        house.commit("one more").await;
        let why = tokio::time::timeout(Duration::from_mins(1), house.recorder.broken()).await;
        let why = why.expect("it is found within a minute");
        assert!(why.contains(expected), "{statement}: {why}");
        let error = house.recorder.commit(vec![], event("never")).await.unwrap_err();
        assert!(matches!(error, Error::BrokenLog { .. }), "{error}");
        house.recorder.stop().await;
        assert_eq!(signer.asked.load(Ordering::Relaxed), 1, "{statement}");
    }
}

#[tokio::test]
async fn a_start_refuses_a_log_that_contradicts_its_checkpoint() {
    for (statement, expected) in TAMPERED {
        let house = House::new().await;
        let signer = SoftwareSigner::new();
        house.recorder.sign_with(checkpoints(&signer));
        let records = (0..300).map(event).collect();
        house.recorder.commit_together(vec![], records).await.unwrap();
        house.recorder.stop().await;
        house.fixture.maker.by_hand(statement).await;
        let error = Recorder::start(house.fixture.reopened().await, node())
            .await
            .err()
            .unwrap();
        assert!(
            error.to_string().contains(expected) || error.to_string().contains("was changed"),
            "{statement}: {error}"
        );
    }
}

#[tokio::test]
async fn a_log_that_was_cut_back_to_an_earlier_head_is_refused() {
    let house = House::new().await;
    let signer = SoftwareSigner::new();
    house.commit("first").await;
    let early = house.fixture.store.custody_head().await.unwrap();
    house.recorder.sign_with(checkpoints(&signer));
    house.commit("second").await;
    house.recorder.stop().await;
    let root = early.tree.root();
    for statement in [
        "DELETE FROM custody_record WHERE sequence = 1".to_owned(),
        format!("UPDATE custody_head SET size = 1, root = x'{root}', frontier = x'{root}'"),
    ] {
        house.fixture.maker.by_hand(&statement).await;
    }
    let error = Recorder::start(house.fixture.reopened().await, node())
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("records were taken away"), "{error}");
}

#[tokio::test]
async fn the_hashes_of_an_older_log_are_made_when_it_is_opened() {
    let house = House::new().await;
    let size = 66_000_u64;
    // More in one commit than one statement takes.
    for first in (0..size).step_by(11_000) {
        let events = (first..first + 11_000).map(event).collect();
        house.recorder.commit_together(vec![], events).await.unwrap();
    }
    let head = house.recorder.status().head;
    let kept = house.fixture.store.custody_hashes(1, 0, 1000).await.unwrap();
    assert_eq!(kept.len(), 257);
    house.recorder.stop().await;
    house.fixture.maker.by_hand("DELETE FROM custody_hash").await;
    let store = house.fixture.reopened().await;
    Recorder::start(Arc::clone(&store), node()).await.unwrap();
    assert_eq!(store.custody_hashes(1, 0, 1000).await.unwrap(), kept);
    assert_eq!(store.custody_hash_count(2).await.unwrap(), 1);
    assert_eq!(store::custody_root(&*store, size).await.unwrap(), head.root);
}

/// Witnesses, of whom one is away.
struct TestWitnesses(SigningKey);

#[async_trait]
impl Cosigner for TestWitnesses {
    async fn cosign(&self, checkpoint: &Checkpoint, note: &SignedNote, log: &dyn Consistency) -> Cosigned {
        assert_eq!(note.text, checkpoint.to_string());
        let size = checkpoint.head.size;
        assert!(log.proof(1, size).await.is_ok(), "{size}");
        let signature = self.0.sign(cosigned(&note.text, 1_764_000_000).as_bytes());
        let signature = [&1_764_000_000_u64.to_be_bytes()[..], &signature.to_bytes()].concat();
        let witness = |name: &str, trouble: Option<&str>| WitnessStatus {
            ahead: None,
            name: name.into(),
            trouble: trouble.map(Into::into),
        };
        Cosigned {
            signatures: vec![self.key().signature(signature)],
            quorum: true,
            witnesses: vec![
                witness("witness.example/one", None),
                witness("two", Some("no route")),
            ],
        }
    }
}

impl TestWitnesses {
    fn key(&self) -> VerifierKey {
        VerifierKey::new(
            "witness.example/one",
            SignatureType::Cosignature,
            self.0.verifying_key().as_bytes(),
        )
        .unwrap()
    }
}

#[tokio::test]
async fn cosignatures_are_kept_with_the_checkpoint() {
    let house = House::new().await;
    let signer = SoftwareSigner::new();
    let witnesses = Arc::new(TestWitnesses(SigningKey::from_bytes(&[5; 32])));
    house.recorder.sign_with(Checkpoints {
        cosigner: Some(Arc::<TestWitnesses>::clone(&witnesses)),
        ..checkpoints(&signer)
    });
    for size in 1..=3 {
        house.commit("record").await;
        until(&house.recorder, |status| status.cosigned == Some(size)).await;
    }
    house.recorder.stop().await;
    let stored = house.fixture.store.custody_checkpoint().await.unwrap().unwrap();
    let note: SignedNote = stored.note.parse().unwrap();
    let (log, witness) = (signer.key(), witnesses.key());
    let by = note.verified_by([&log, &witness]).unwrap();
    assert_eq!(by.len(), 2);
    let status = house.recorder.checkpoints().borrow().clone();
    assert_eq!(status.latest, Some(stored));
    assert_eq!(status.witnesses[1].trouble.as_deref(), Some("no route"));
    let names: Vec<&NoteSignature> = note.signatures.iter().collect();
    assert_eq!(names[0].name, ORIGIN, "the log's own signature stays the first");
    signed(&*house.fixture.store, &signer).await;
}
