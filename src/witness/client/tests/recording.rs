//! A recorder whose checkpoints a real witness cosigns, and what it answers while the witness is away.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{ORIGIN, asking, policy};
use crate::custody::{Actor, Event, EventName, SignedNote, VerifierKey};
use crate::recorder::{
    CheckpointStatus, Checkpoints, Committed, Error, NodeFacts, Recorder, SignError, Signer,
};
use crate::store::sqlite_tests::SqliteMaker;
use crate::store::suite::Fixture;
use crate::witness::testing::Log;
use crate::witness::tests::Running;

/// Signs with the key of a log in memory.
struct Key(Log);

#[async_trait]
impl Signer for Key {
    fn key(&self) -> VerifierKey {
        self.0.verifier()
    }

    async fn sign(&self, text: &str) -> Result<Vec<u8>, SignError> {
        Ok(self.0.sign_text(text))
    }
}

struct House {
    fixture: Fixture<SqliteMaker>,
    recorder: Recorder,
    witness: Running,
}

impl House {
    async fn new() -> Self {
        let witness = Running::start(&[&Log::new(ORIGIN, 1)]).await;
        Self::seen_by(witness).await
    }

    /// An empty database of the same log.
    async fn seen_by(witness: Running) -> Self {
        let fixture = Fixture::<SqliteMaker>::new().await;
        let node = NodeFacts {
            name: "node-1".to_owned(),
            server_version: "0.1.0".to_owned(),
            configuration_sha256: None,
        };
        let recorder = Recorder::start(fixture.store.clone(), node).await.unwrap();
        let log = Log::new(ORIGIN, 1);
        recorder.sign_with(Checkpoints {
            origin: ORIGIN.to_owned(),
            signer: Arc::new(Key(log)),
            cosigner: Some(Arc::new(asking(policy(1, &[&witness])))),
            interval: Duration::from_millis(10),
            heartbeat: Duration::from_mins(5),
        });
        Self {
            fixture,
            recorder,
            witness,
        }
    }

    async fn record(&self, actor: Actor) -> Result<Committed, Error> {
        self.recorder
            .commit(Vec::new(), Event::new(EventName::KmipGet, actor))
            .await
    }
}

fn client() -> Actor {
    Actor::Client {
        certificate: "00".repeat(32),
        subject: "CN=vcenter".to_owned(),
        issuer: "CN=vcenter".to_owned(),
        serial: "01".to_owned(),
        user: None,
    }
}

#[tokio::test]
async fn what_a_client_was_answered_a_witness_has_seen_and_an_auditor_can_verify() {
    let house = House::new().await;
    house.recorder.require_witnesses(Duration::from_secs(30));
    for _ in 0..3 {
        let committed = house.record(client()).await.unwrap();
        let cosigned = house.recorder.checkpoints().borrow().cosigned;
        assert!(cosigned > Some(committed.sequence));
        let stored = house.fixture.store.custody_checkpoint().await.unwrap().unwrap();
        let note: SignedNote = stored.note.parse().unwrap();
        assert!(note.verified_by([house.witness.key()]).is_ok());
    }
}

#[tokio::test]
async fn without_its_witness_a_log_that_requires_it_answers_no_client_and_the_server_goes_on() {
    let mut house = House::new().await;
    house.recorder.require_witnesses(Duration::from_millis(500));
    house.witness.pause().await;
    let refused = house.record(client()).await.unwrap_err();
    let Error::Unwitnessed { sequence, why, .. } = &refused else {
        panic!("{refused}");
    };
    assert!(why.contains("can't be reached"), "{why}");
    // It is in the log all the same, and what is no client's success waits for nobody.
    let own = house.record(Actor::Server).await.unwrap();
    assert_eq!(own.sequence, sequence + 1);
    let denied = Event::new(EventName::KmipGet, client()).refused("no");
    house.recorder.commit(Vec::new(), denied).await.unwrap();
    // It comes back by itself.
    house.witness.resume().await;
    let mut answered = house.record(client()).await;
    while matches!(answered, Err(Error::Unwitnessed { .. })) {
        answered = house.record(client()).await;
    }
    answered.unwrap();
}

#[tokio::test]
async fn without_its_witness_a_log_serves_where_that_is_the_operators_choice_and_says_so() {
    let mut house = House::new().await;
    house.witness.pause().await;
    house.record(client()).await.unwrap();
    let mut status = house.recorder.checkpoints();
    let told = status.wait_for(|status| status.witnesses.iter().any(|witness| witness.trouble.is_some()));
    assert_eq!(told.await.unwrap().cosigned, None);
}

#[tokio::test]
async fn a_log_of_which_the_witness_has_seen_more_is_held_until_a_new_epoch() {
    let before = House::new().await;
    for _ in 0..5 {
        before.record(Actor::Server).await.unwrap();
    }
    let mut status = before.recorder.checkpoints();
    status
        .wait_for(|status| status.cosigned == Some(5))
        .await
        .unwrap();
    before.recorder.stop().await;
    // The database, and all that the server knew, is put back to before the first record.
    let after = House::seen_by(before.witness).await;
    // Fewer than the witness has seen.
    for _ in 0..3 {
        if let Err(error) = after.record(Actor::Server).await {
            assert!(matches!(error, Error::Held(_)), "{error}");
        }
    }
    while after.recorder.held().is_none() {
        tokio::task::yield_now().await;
    }
    let rollback = after.recorder.held().unwrap();
    assert_eq!(rollback.known_size, 5);
    assert!(
        rollback.witness.is_some() && rollback.found.size < 5,
        "{rollback}"
    );
    let refused = after.record(client()).await;
    assert!(matches!(refused, Err(Error::Held(_))), "{refused:?}");
    let epoch = Event::new(EventName::CustodyEpoch, Actor::Server);
    after.recorder.open_epoch(epoch).await.unwrap();
    // What was agreed to is agreed to, while the witness says the same.
    after.record(client()).await.unwrap();
    let mut status = after.recorder.checkpoints();
    let told = |status: &CheckpointStatus| status.witnesses.iter().any(|witness| witness.ahead == Some(5));
    status.wait_for(told).await.unwrap();
    assert!(after.recorder.held().is_none());
}
