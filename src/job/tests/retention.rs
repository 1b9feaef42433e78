//! A log that is pruned by the operator's policy loses no proof, and nothing that anybody still needs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ed25519_dalek::{Signer as _, SigningKey};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::custody::{
    Actor, Event, EventName, Hash, ObjectFacts, RowFault, SignatureType, VerifierKey, verify_consistency,
    verify_inclusion,
};
use crate::job::{Archive, Comparison, Feeds, Retention, RetentionError, RetentionPolicy};
use crate::recorder::{Checkpoints, NodeFacts, Recorder, SignError, Signer, by_client};
use crate::store::sqlite_tests::SqliteMaker;
use crate::store::suite::Fixture;
use crate::store::suite::fixture::{caller, row, write};
use crate::store::{self, Change, KeyRow, Store};

struct TestSigner(SigningKey);

#[async_trait]
impl Signer for TestSigner {
    fn key(&self) -> VerifierKey {
        let public = self.0.verifying_key();
        VerifierKey::new("node-1/claviger", SignatureType::Ed25519, public.as_bytes()).unwrap()
    }

    async fn sign(&self, text: &str) -> Result<Vec<u8>, SignError> {
        Ok(self.0.sign(text.as_bytes()).to_bytes().to_vec())
    }
}

fn node() -> NodeFacts {
    NodeFacts {
        name: "node-1".to_owned(),
        server_version: "0.1.0".to_owned(),
        configuration_sha256: None,
    }
}

struct House {
    fixture: Fixture<SqliteMaker>,
    recorder: Recorder,
    retention: Retention,
    feeds: Feeds,
}

impl House {
    /// A log that is signed, and whose records may go as soon as they are written.
    async fn new() -> Self {
        let fixture = Fixture::<SqliteMaker>::new().await;
        let recorder = Recorder::start(fixture.store.clone(), node()).await.unwrap();
        let mut retention = Retention::new(fixture.store.clone(), recorder.clone());
        retention.policy = Some(RetentionPolicy {
            keep: Duration::ZERO,
            without_archive: true,
        });
        Self {
            fixture,
            recorder,
            retention,
            feeds: Feeds::default(),
        }
    }

    fn sign(&self) {
        self.recorder.sign_with(Checkpoints {
            origin: "node-1/claviger".into(),
            signer: Arc::new(TestSigner(SigningKey::from_bytes(&[7; 32]))),
            cosigner: None,
            interval: Duration::from_millis(1),
            heartbeat: Duration::from_hours(1),
        });
    }

    async fn signed(&self) {
        let size = self.recorder.status().head.size;
        let mut checkpoints = self.recorder.checkpoints();
        checkpoints
            .wait_for(|status| status.lag(size) == 0)
            .await
            .unwrap();
    }

    async fn fill(&self, number: usize) {
        let event = || Event::new(EventName::KmipQuery, Actor::Server);
        let events = std::iter::repeat_with(event).take(number).collect();
        self.recorder.commit_together(Vec::new(), events).await.unwrap();
    }

    async fn make(&self) -> KeyRow {
        let row = row(&self.fixture.east, &[]);
        let id = row.object.id();
        let mut event = by_client(EventName::KmipCreate, &caller(&self.fixture.east));
        event.object = Some(ObjectFacts {
            identifier: id.to_string(),
            ..ObjectFacts::default()
        });
        event.adapter = Some(crate::custody::AdapterFacts {
            id: self.fixture.east.id.uuid(),
            name: "east".into(),
        });
        self.recorder
            .commit(vec![Change::create_key(row)], event)
            .await
            .unwrap();
        self.fixture
            .store
            .key(self.fixture.east.id, id)
            .await
            .unwrap()
            .unwrap()
    }

    async fn let_go(&self, archives: &[Archive]) -> Result<u64, RetentionError> {
        let event = Event::new(EventName::CustodyPrune, Actor::Server);
        let now = OffsetDateTime::now_utc();
        self.retention.let_go(archives, &self.feeds, now, event).await
    }

    async fn leaf(&self, number: u64) -> Hash {
        self.fixture.store.custody_hashes(0, number, 1).await.unwrap()[0]
    }
}

#[tokio::test]
async fn every_key_of_a_pruned_log_is_still_compared_and_every_proof_holds() {
    let house = House::new().await;
    house.sign();
    let old = house.make().await;
    house.signed().await;
    let visited = house.recorder.status().head;
    house.fill(1100).await;
    house.make().await;
    house.signed().await;
    let leaf = house.leaf(0).await;
    let store: &dyn Store = &*house.fixture.store;

    assert_eq!(house.let_go(&[]).await.unwrap(), 1024);
    assert_eq!(house.recorder.prune().await.unwrap(), 1024);
    assert_eq!(store.custody_records(0, 1).await.unwrap()[0].sequence, 1024);
    assert_eq!(house.leaf(0).await, leaf);
    let head = store.custody_head().await.unwrap().head();
    let proof = store::custody_inclusion(store, 0, head.size).await.unwrap();
    assert_eq!(verify_inclusion(leaf, 0, (head.size, head.root), &proof), Ok(()));
    let proof = store::custody_consistency(store, visited.size, head.size)
        .await
        .unwrap();
    let trees = ((visited.size, visited.root), (head.size, head.root));
    assert_eq!(verify_consistency(trees.0, trees.1, &proof), Ok(()));

    let comparison = Comparison::new(house.fixture.reopened().await, house.recorder.clone());
    let compared = comparison.compare().await.unwrap();
    assert_eq!((compared.rows, compared.not_judged, compared.wrong), (2, 0, 0));
    let mut forged = old.clone();
    forged.wrapped = house.make().await.wrapped;
    write(&*house.fixture.store, &[Change::update_key(forged)])
        .await
        .unwrap();
    let compared = comparison.compare().await.unwrap();
    let found: Vec<Uuid> = compared.findings.iter().map(|finding| finding.key).collect();
    assert_eq!(found, [old.object.id()]);
    assert!(matches!(compared.findings[0].fault, RowFault::Other { .. }));

    // Told again once more, it is known after the next pruning as well.
    house.fill(1100).await;
    house.signed().await;
    assert_eq!(house.let_go(&[]).await.unwrap(), 2048);
    assert_eq!(house.recorder.prune().await.unwrap(), 2048);
    let compared = comparison.compare().await.unwrap();
    assert_eq!((compared.rows, compared.not_judged, compared.wrong), (3, 0, 1));
    house.recorder.stop().await;
    let restarted = Recorder::start(house.fixture.reopened().await, node())
        .await
        .unwrap();
    restarted
        .commit(Vec::new(), Event::new(EventName::KmipQuery, Actor::Server))
        .await
        .unwrap();
}

#[tokio::test]
async fn nothing_goes_without_a_policy_a_bundle_or_a_signature() {
    let mut house = House::new().await;
    house.fill(1100).await;
    let refused = house.let_go(&[]).await.unwrap_err();
    assert!(refused.to_string().contains("no checkpoint"), "{refused}");
    house.sign();
    house.signed().await;
    house.retention.policy = Some(RetentionPolicy {
        keep: Duration::from_hours(1),
        without_archive: true,
    });
    let refused = house.let_go(&[]).await.unwrap_err();
    assert!(refused.to_string().contains("younger"), "{refused}");
    house.retention.policy = Some(RetentionPolicy {
        keep: Duration::ZERO,
        without_archive: false,
    });
    let refused = house.let_go(&[]).await.unwrap_err();
    assert!(matches!(refused, RetentionError::NoArchive), "{refused}");
    let mut archive = Archive {
        sha256: Hash([1; 32]),
        from: 0,
        size: 700,
        root: Hash([2; 32]),
    };
    let refused = house.let_go(std::slice::from_ref(&archive)).await.unwrap_err();
    assert!(matches!(refused, RetentionError::OtherLog { .. }), "{refused}");
    // A bundle that begins later leaves a gap.
    archive.root = store::custody_root(&*house.fixture.store, 700).await.unwrap();
    archive.from = 256;
    let refused = house.let_go(std::slice::from_ref(&archive)).await.unwrap_err();
    assert!(refused.to_string().contains("no bundle"), "{refused}");
    archive.from = 0;
    assert_eq!(
        house.let_go(&[archive]).await.unwrap(),
        512,
        "no more than it has"
    );
    house.retention.policy = None;
    let refused = house.let_go(&[]).await.unwrap_err();
    assert!(matches!(refused, RetentionError::NoPolicy), "{refused}");
}

#[tokio::test]
async fn what_a_feed_has_not_delivered_stays() {
    let house = House::new().await;
    house.sign();
    house.fill(1100).await;
    house.signed().await;
    house.feeds.set_position("siem", 300);
    assert_eq!(house.let_go(&[]).await.unwrap(), 256);
    let refused = house.let_go(&[]).await.unwrap_err();
    assert!(refused.to_string().contains("the feed siem"), "{refused}");
}
