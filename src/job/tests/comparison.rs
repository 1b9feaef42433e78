//! The comparison: a row that was written past the custody log is found, with whichever seal, and no other is.

use std::sync::Arc;

use uuid::Uuid;

use crate::adapter::{AccessToken, Adapter, Role, SecretDigest};
use crate::custody::{
    Actor, AdapterFacts, CertificateFacts, Event, EventName, IdentityFault, ObjectFacts, Outcome, Record,
    RowFault,
};
use crate::job::{Compared, Comparison, IdentityFinding, LedgerError};
use crate::recorder::{NodeFacts, Recorder, by_client, root_key_facts};
use crate::store::sqlite_tests::SqliteMaker;
use crate::store::suite::Fixture;
use crate::store::suite::fixture::{Maker, THEN, caller, certificate, row, write};
use crate::store::{Change, KeyRow, Store};

/// A store whose keys are written as a server does, and what compares them.
struct House {
    fixture: Fixture<SqliteMaker>,
    recorder: Recorder,
    comparison: Comparison,
}

impl House {
    async fn new() -> Self {
        let fixture = Fixture::<SqliteMaker>::new().await;
        let node = NodeFacts {
            name: "node-1".to_owned(),
            server_version: "0.1.0".to_owned(),
            configuration_sha256: None,
        };
        let recorder = Recorder::start(fixture.store.clone(), node).await.unwrap();
        let store: Arc<dyn Store> = fixture.reopened().await;
        Self {
            comparison: Comparison::new(store, recorder.clone()),
            recorder,
            fixture,
        }
    }

    fn event(&self, name: EventName, key: Uuid) -> Event {
        let mut event = by_client(name, &caller(&self.fixture.east));
        event.object = Some(ObjectFacts {
            identifier: key.to_string(),
            ..ObjectFacts::default()
        });
        event
    }

    /// A key that is made on the record.
    async fn make(&self) -> KeyRow {
        let row = row(&self.fixture.east, &[]);
        let id = row.object.id();
        let event = self.event(EventName::KmipCreate, id);
        self.recorder
            .commit(vec![Change::create_key(row)], event)
            .await
            .unwrap();
        self.row(id).await
    }

    /// Writes the key once more, on the record.
    async fn write(&self, row: KeyRow) -> KeyRow {
        let id = row.object.id();
        let event = self.event(EventName::KmipActivate, id);
        self.recorder
            .commit(vec![Change::update_key(row)], event)
            .await
            .unwrap();
        self.row(id).await
    }

    async fn row(&self, id: Uuid) -> KeyRow {
        let found = self.fixture.store.key(self.fixture.east.id, id).await;
        found.unwrap().expect("it is there")
    }

    async fn compare(&self) -> Arc<Compared> {
        self.comparison.compare().await.unwrap()
    }

    /// Records the root keys and the adapters that there are, as if they had been made on the record.
    async fn record_identities(&self) {
        for adapter in [&self.fixture.east, &self.fixture.west] {
            let root_key = self
                .fixture
                .store
                .root_key(adapter.root_key)
                .await
                .unwrap()
                .unwrap();
            for name in [EventName::RootKeyCreate, EventName::AdapterCreate] {
                let mut event = Event::new(name, Actor::Server);
                event.root_key = Some(root_key_facts(&root_key));
                event.adapter = (name == EventName::AdapterCreate).then(|| adapter_facts(adapter));
                self.recorder.commit(Vec::new(), event).await.unwrap();
            }
        }
    }

    /// What is recorded of keys' rows that were written by another hand.
    async fn recorded(&self) -> Vec<Record> {
        let stored = self.fixture.store.custody_records(0, 10_000).await.unwrap();
        stored
            .iter()
            .map(|stored| Record::from_bytes(&stored.bytes).unwrap())
            .filter(|record| record.event == EventName::StoreTampered && record.object.is_some())
            .collect()
    }
}

fn adapter_facts(adapter: &Adapter) -> AdapterFacts {
    AdapterFacts {
        id: adapter.id.uuid(),
        name: adapter.name.clone(),
    }
}

fn faults(compared: &Compared) -> Vec<(Uuid, RowFault)> {
    let findings = compared.findings.iter();
    findings
        .map(|finding| (finding.key, finding.fault.clone()))
        .collect()
}

#[tokio::test]
async fn rows_that_were_written_on_the_record_are_no_findings() {
    let house = House::new().await;
    let first = house.make().await;
    let replaced = house.write(first).await;
    // As a Re-key does: two rows, and a record that is about one of them.
    let replacement = row(&house.fixture.east, &[]);
    let event = house.event(EventName::KmipReKey, replacement.object.id());
    let changes = vec![Change::create_key(replacement), Change::update_key(replaced)];
    house.recorder.commit(changes, event).await.unwrap();
    let compared = house.compare().await;
    assert_eq!((compared.rows, compared.not_judged, compared.wrong), (2, 0, 0));
    assert_eq!(compared.records, 3);
    assert!(house.recorded().await.is_empty());
}

#[tokio::test]
async fn a_row_that_a_database_writer_sealed_himself_is_found_and_recorded_once() {
    let house = House::new().await;
    let (victim, other) = (house.make().await, house.make().await);
    let (mut forged, id) = (victim.clone(), victim.object.id());
    forged.wrapped = other.wrapped;
    write(&*house.fixture.store, &[Change::update_key(forged)])
        .await
        .unwrap();
    let compared = house.compare().await;
    let (found, recorded, sequence) = (2, 1, 0);
    let expected = RowFault::Other {
        found,
        recorded,
        sequence,
    };
    assert_eq!(faults(&compared), [(id, expected)]);
    house.compare().await;
    let records = house.recorded().await;
    assert_eq!(records.len(), 1, "it is recorded once");
    assert_eq!(records[0].outcome, Outcome::Failed);
    assert_eq!(records[0].object.as_ref().unwrap().identifier, id.to_string());
    assert_eq!(records[0].adapter.as_ref().unwrap().name, "east");
}

#[tokio::test]
async fn an_older_row_that_is_put_back_is_found_although_its_seal_is_good_and_it_is_read_again() {
    let house = House::new().await;
    let first = house.make().await;
    let id = first.object.id();
    let maker = &house.fixture.maker;
    maker
        .by_hand(
            "CREATE TABLE kept AS SELECT * FROM managed_object WHERE 0; INSERT INTO kept SELECT * FROM managed_object",
        )
        .await;
    house.write(first).await;
    maker
        .by_hand("INSERT OR REPLACE INTO managed_object SELECT * FROM kept")
        .await;
    // A release of it: its record has the digest of the row that was put back.
    let read = house.row(id).await;
    let mut event = house.event(EventName::KmipGet, id);
    event.object.as_mut().unwrap().row_sha256 = read.digest;
    house.recorder.commit(Vec::new(), event).await.unwrap();
    let compared = house.compare().await;
    let (found, recorded, sequence) = (1, 2, 1);
    let expected = RowFault::Older {
        found,
        recorded,
        sequence,
    };
    assert_eq!(faults(&compared), [(id, expected)]);
}

#[tokio::test]
async fn a_row_that_was_deleted_and_one_that_was_put_there_are_found() {
    let house = House::new().await;
    let deleted = house.make().await.object.id();
    house.fixture.maker.by_hand("DELETE FROM managed_object").await;
    let put_there = house.fixture.key(&[]).await.object.id();
    let compared = house.compare().await;
    let mut found = faults(&compared);
    found.sort_by_key(|(_, fault)| fault.to_string());
    let missing = RowFault::Missing { sequence: 0 };
    assert_eq!(found, [(deleted, missing), (put_there, RowFault::Unrecorded)]);
}

#[tokio::test]
async fn the_keys_of_an_adapter_that_was_deleted_are_not_missed() {
    let house = House::new().await;
    let mut row = house.make().await;
    row.wrapped = None;
    house.write(row).await;
    let Adapter { id, name, .. } = house.fixture.east.clone();
    let mut event = Event::new(EventName::AdapterDelete, Actor::Server);
    event.adapter = Some(AdapterFacts { id: id.uuid(), name });
    house
        .recorder
        .commit(vec![Change::DeleteAdapter(id)], event)
        .await
        .unwrap();
    let compared = house.compare().await;
    assert_eq!((compared.rows, compared.wrong), (0, 0));
}

#[tokio::test]
async fn keys_that_are_written_while_rows_are_compared_are_no_findings() {
    let house = Arc::new(House::new().await);
    let writer = tokio::spawn({
        let house = Arc::clone(&house);
        async move {
            for _ in 0..150 {
                let row = house.make().await;
                house.write(row).await;
            }
        }
    });
    while !writer.is_finished() {
        assert_eq!(house.compare().await.wrong, 0);
    }
    writer.await.unwrap();
    let compared = house.compare().await;
    assert_eq!((compared.rows, compared.wrong), (150, 0));
}

#[tokio::test]
async fn a_log_that_was_changed_proves_no_row() {
    let house = House::new().await;
    house.make().await;
    house
        .fixture
        .maker
        .by_hand("UPDATE custody_record SET record = CAST(replace(CAST(record AS TEXT), 'node-1', 'node-2') AS BLOB)")
        .await;
    let refused = house.comparison.compare().await;
    assert!(matches!(refused, Err(LedgerError::Log(_))), "{refused:?}");
    assert!(
        house
            .comparison
            .failure()
            .unwrap()
            .contains("record 0 was changed")
    );
}

#[tokio::test]
async fn a_revoked_token_and_a_removed_certificate_whose_rows_are_put_back_are_found() {
    let house = House::new().await;
    house.record_identities().await;
    let (east, recorder) = (&house.fixture.east, &house.recorder);
    let token = AccessToken {
        id: Uuid::now_v7(),
        name: "terraform".to_owned(),
        secret: SecretDigest::of("secret"),
        role: Role::Operator,
        adapters: None,
        created_at: THEN,
        created_by: "root".to_owned(),
        expires_at: THEN + time::Duration::days(1),
        sealed_by: east.root_key,
    };
    let certificate = certificate(east.id, "vcenter");
    let of_token = |name| Event::new(name, Actor::Server).detail("id", token.id.to_string());
    let of_certificate = |name| {
        let mut event = Event::new(name, Actor::Server);
        event.adapter = Some(adapter_facts(east));
        event.certificate = Some(CertificateFacts {
            fingerprint: certificate.fingerprint.to_string(),
            name: Some(certificate.name.clone()),
            subject: String::new(),
            issuer: String::new(),
            serial: String::new(),
        });
        event
    };
    for (change, event) in [
        (
            Change::CreateAccessToken(token.clone()),
            of_token(EventName::TokenCreate),
        ),
        (
            Change::AddCertificate(certificate.clone()),
            of_certificate(EventName::CertificateAdd),
        ),
    ] {
        recorder.commit(vec![change], event).await.unwrap();
    }
    assert_eq!(house.compare().await.identities, []);

    for (change, event) in [
        (
            Change::DeleteAccessToken(token.id),
            of_token(EventName::TokenRevoke),
        ),
        (
            Change::RemoveCertificate(certificate.fingerprint),
            of_certificate(EventName::CertificateRemove),
        ),
    ] {
        recorder.commit(vec![change], event).await.unwrap();
    }
    assert_eq!(house.compare().await.identities, []);
    // As somebody does who has kept the rows: their seals are good.
    let kept = [
        Change::CreateAccessToken(token.clone()),
        Change::AddCertificate(certificate.clone()),
    ];
    write(&*house.fixture.store, &kept).await.unwrap();
    let mut found = house.compare().await.identities.clone();
    found.sort_by(|one, other| one.row.cmp(&other.row));
    let rows: Vec<_> = found.iter().map(|finding| finding.row.clone()).collect();
    let (token, certificate) = (token.id, certificate.fingerprint);
    assert_eq!(
        rows,
        [
            format!("access token {token}"),
            format!("certificate {certificate}")
        ]
    );
    let is_put_back = |finding: &IdentityFinding| matches!(finding.fault, IdentityFault::PutBack { .. });
    assert!(found.iter().all(is_put_back), "{found:?}");
}
