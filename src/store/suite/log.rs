//! The custody log as a store keeps it.

use super::fixture::{Fixture, Maker};
use crate::custody::{CompactRange, StoredRecord, leaf_hash};
use crate::store::{Appended, CustodyHead, Error, RecordTerms, WriteStore};

fn records(from: u64, number: u64) -> Vec<StoredRecord> {
    let record = |sequence: u64| {
        let bytes = format!("record {sequence}").into_bytes();
        StoredRecord {
            sequence,
            leaf: leaf_hash(&bytes),
            bytes,
        }
    };
    (from..from + number).map(record).collect()
}

fn grown(head: &CustodyHead, records: &[StoredRecord]) -> CustodyHead {
    let mut grown = head.clone();
    for record in records {
        grown.tree.append(record.leaf);
    }
    grown
}

async fn append(
    store: &dyn WriteStore,
    records: &[StoredRecord],
    from: &CustodyHead,
    to: &CustodyHead,
) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    let records = records
        .iter()
        .map(|record| (record.clone(), RecordTerms::default()));
    let appended = Appended {
        records: records.collect(),
        hashes: Vec::new(),
    };
    transaction.append(&appended, from, to).await?;
    transaction.commit().await
}

pub(crate) async fn the_log_begins_empty_and_grows_by_what_is_appended<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let empty = fixture.store.custody_head().await.unwrap();
    assert_eq!(
        empty,
        CustodyHead {
            tree: CompactRange::new(),
            anchor: CompactRange::new()
        }
    );
    let (first, second) = (records(0, 3), records(3, 61));
    let after_first = grown(&empty, &first);
    append(&*fixture.store, &first, &empty, &after_first)
        .await
        .unwrap();
    let mut after_second = grown(&after_first, &second);
    after_second.anchor = after_first.tree.clone();
    append(&*fixture.store, &second, &after_first, &after_second)
        .await
        .unwrap();
    let store = fixture.reopened().await;
    assert_eq!(store.custody_head().await.unwrap(), after_second);
    assert_eq!(
        store.custody_records(0, 100).await.unwrap(),
        [first, second].concat()
    );
    assert_eq!(store.custody_records(10, 2).await.unwrap(), records(10, 2));
    assert_eq!(store.custody_records(64, 2).await.unwrap(), []);
}

pub(crate) async fn a_log_that_was_advanced_by_another_is_not_written_over<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let empty = fixture.store.custody_head().await.unwrap();
    let head = grown(&empty, &records(0, 1));
    append(&*fixture.store, &records(0, 1), &empty, &head)
        .await
        .unwrap();
    // Another server appends a record of its own, from the head that it knew.
    let theirs = records(1, 1);
    let error = append(&*fixture.store, &theirs, &empty, &grown(&empty, &theirs))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::HeadMoved), "{error}");
    assert_eq!(fixture.store.custody_head().await.unwrap(), head);
    assert_eq!(fixture.store.custody_records(0, 9).await.unwrap().len(), 1);
}
