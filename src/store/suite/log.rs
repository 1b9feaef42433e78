//! The custody log as a store keeps it.

use uuid::Uuid;

use super::fixture::{Fixture, Maker};
use crate::custody::{CompactRange, Hash, StoredRecord, TileHash, leaf_hash, verify_inclusion};
use crate::store::{
    self, Appended, Change, CustodyHead, CustodyKept, Error, RecordFilter, RecordTerms, SearchFrom,
    StoredCheckpoint, WriteStore,
};

pub(crate) fn records(from: u64, number: u64) -> Vec<StoredRecord> {
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

pub(crate) fn grown(head: &CustodyHead, records: &[StoredRecord]) -> CustodyHead {
    let mut grown = head.clone();
    for record in records {
        grown.tree.append(record.leaf);
    }
    grown
}

pub(crate) async fn append(
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

pub(crate) async fn the_last_record_about_each_of_many_objects_is_found_within_bounds<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let empty = fixture.store.custody_head().await.unwrap();
    // More than one statement asks for; the last has no record.
    let objects: Vec<Uuid> = (0..300).map(|_| Uuid::now_v7()).collect();
    let about = |sequence: u64| usize::try_from(sequence % 299).unwrap();
    let all = records(0, 900);
    let to = grown(&empty, &all);
    let terms = |record: &StoredRecord| RecordTerms {
        object: Some(objects[about(record.sequence)].hyphenated().to_string()),
        client: None,
    };
    let appended = Appended {
        records: all.iter().map(|record| (record.clone(), terms(record))).collect(),
        hashes: Vec::new(),
    };
    let mut transaction = fixture.store.begin().await.unwrap();
    transaction.append(&appended, &empty, &to).await.unwrap();
    transaction.commit().await.unwrap();
    for (from, before) in [(0, u64::MAX), (0, 600), (450, 600), (899, 900), (600, 600)] {
        let mut expected: Vec<u64> = (0..299)
            .filter_map(|object| {
                (from..before.min(900))
                    .rev()
                    .find(|sequence| about(*sequence) == object)
            })
            .collect();
        expected.sort_unstable();
        let found = fixture.store.custody_latest(&objects, from, before).await;
        let mut found: Vec<u64> = found.unwrap().iter().map(|record| record.sequence).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "from {from} before {before}");
    }
    assert!(
        fixture
            .store
            .custody_latest(&[], 0, u64::MAX)
            .await
            .unwrap()
            .is_empty()
    );
}

pub(crate) async fn a_record_is_found_by_its_object_and_its_client<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let empty = fixture.store.custody_head().await.unwrap();
    let terms = |sequence: u64| RecordTerms {
        object: (!sequence.is_multiple_of(5)).then(|| format!("object {}", sequence % 3)),
        client: (!sequence.is_multiple_of(7)).then(|| Hash([u8::try_from(sequence % 2).unwrap(); 32])),
    };
    let all = records(0, 60);
    let to = grown(&empty, &all);
    let appended = Appended {
        records: all
            .into_iter()
            .map(|record| (record.clone(), terms(record.sequence)))
            .collect(),
        hashes: Vec::new(),
    };
    let mut transaction = fixture.store.begin().await.unwrap();
    transaction.append(&appended, &empty, &to).await.unwrap();
    transaction.commit().await.unwrap();
    for (object, client) in [(Some(2), None), (None, Some(1)), (Some(1), Some(0)), (None, None)] {
        let filter = RecordFilter {
            object: object.map(|number: u64| format!("object {number}")),
            client: client.map(|byte: u8| Hash([byte; 32]).to_string()),
        };
        let expected: Vec<u64> = (0..60)
            .filter(|sequence| {
                let terms = terms(*sequence);
                (filter.object.is_none() || filter.object == terms.object)
                    && (client.is_none() || terms.client == client.map(|byte| Hash([byte; 32])))
            })
            .collect();
        let found = async |from, limit| {
            let found = fixture.store.custody_search(&filter, from, limit).await.unwrap();
            found.iter().map(|record| record.sequence).collect::<Vec<_>>()
        };
        assert_eq!(found(SearchFrom::Number(0), 100).await, expected, "{filter:?}");
        let backwards: Vec<u64> = expected.iter().rev().copied().collect();
        assert_eq!(found(SearchFrom::Before(u64::MAX), 100).await, backwards);
        let middle = expected[expected.len() / 2];
        let after: Vec<u64> = expected
            .iter()
            .copied()
            .filter(|each| *each >= middle)
            .take(3)
            .collect();
        assert_eq!(found(SearchFrom::Number(middle), 3).await, after);
        let before: Vec<u64> = backwards
            .iter()
            .copied()
            .filter(|each| *each < middle)
            .take(3)
            .collect();
        assert_eq!(found(SearchFrom::Before(middle), 3).await, before);
    }
    for nobody in ["object 4", "object", "", "object 1\0"] {
        let filter = RecordFilter {
            object: Some(nobody.to_owned()),
            client: None,
        };
        let found = fixture
            .store
            .custody_search(&filter, SearchFrom::Number(0), 9)
            .await;
        assert_eq!(found.unwrap(), [], "{nobody}");
    }
    let filter = RecordFilter {
        client: Some("no fingerprint".to_owned()),
        ..RecordFilter::default()
    };
    let found = fixture
        .store
        .custody_search(&filter, SearchFrom::Number(0), 9)
        .await;
    assert_eq!(found.unwrap(), []);
}

pub(crate) async fn the_hashes_of_the_log_are_given_in_order_up_to_one_that_is_missing<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let empty = fixture.store.custody_head().await.unwrap();
    let all = records(0, 40);
    append(&*fixture.store, &all, &empty, &grown(&empty, &all))
        .await
        .unwrap();
    let leaves: Vec<Hash> = all.iter().map(|record| record.leaf).collect();
    let hashes = async |level, first, count| fixture.store.custody_hashes(level, first, count).await.unwrap();
    assert_eq!(hashes(0, 10, 20).await, leaves[10..30]);
    assert_eq!(hashes(0, 30, 20).await, leaves[30..]);
    assert_eq!(hashes(0, 40, 20).await, []);
    let kept = |index| TileHash {
        level: 2,
        index,
        hash: Hash([u8::try_from(index).unwrap(); 32]),
    };
    let mut transaction = fixture.store.begin().await.unwrap();
    transaction
        .put_hashes(&[kept(0), kept(1), kept(2), kept(4)])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(hashes(2, 1, 9).await, [kept(1).hash, kept(2).hash]);
    assert_eq!(hashes(2, 3, 9).await, []);
    assert_eq!(hashes(1, 0, 9).await, []);
    assert_eq!(fixture.store.custody_hash_count(2).await.unwrap(), 5);
    assert_eq!(fixture.store.custody_hash_count(1).await.unwrap(), 0);
}

pub(crate) async fn a_checkpoint_follows_the_one_before_it_and_gains_signatures<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let checkpoint = |size| StoredCheckpoint {
        size,
        time: super::fixture::THEN,
        note: format!("checkpoint over {size}\n"),
    };
    let put = async |size, before| {
        let mut transaction = fixture.store.begin().await?;
        transaction.put_checkpoint(&checkpoint(size), before).await?;
        transaction.commit().await
    };
    assert_eq!(fixture.store.custody_checkpoint().await.unwrap(), None);
    put(3, None).await.unwrap();
    put(8, Some(3)).await.unwrap();
    // Another server, which did not hear of the second.
    for before in [None, Some(3)] {
        let error = put(9, before).await.unwrap_err();
        assert!(matches!(error, Error::HeadMoved), "{error}");
    }
    let all = [checkpoint(3), checkpoint(8)];
    let read = async |from, limit| fixture.store.custody_checkpoints(from, limit).await.unwrap();
    assert_eq!(read(0, 9).await, all);
    assert_eq!(read(0, 1).await, all[..1]);
    assert_eq!(read(4, 9).await, all[1..]);
    let mut transaction = fixture.store.begin().await.unwrap();
    transaction.replace_checkpoint(&all[0], "cosigned").await.unwrap();
    let error = transaction
        .replace_checkpoint(&all[0], "cosigned otherwise")
        .await
        .unwrap_err();
    assert!(matches!(error, Error::HeadMoved), "{error}");
    transaction.commit().await.unwrap();
    assert_eq!(read(0, 1).await[0].note, "cosigned");
    assert_eq!(
        fixture.store.custody_checkpoint().await.unwrap(),
        Some(all[1].clone())
    );
}

/// A log of 700 records with its hashes, whose start reads from record 600 on.
async fn long_log<M: Maker>() -> (Fixture<M>, CustodyHead, Vec<StoredRecord>) {
    let fixture = Fixture::<M>::new().await;
    let empty = fixture.store.custody_head().await.unwrap();
    let all = records(0, 700);
    let mut appended = Appended::default();
    let mut head = empty.clone();
    for record in &all {
        if head.tree.size() == 600 {
            head.anchor = head.tree.clone();
        }
        head.tree.append_telling(record.leaf, |node, hash| {
            appended.hashes.extend(TileHash::of(node, hash));
        });
        let terms = RecordTerms {
            object: Some("key".to_owned()),
            client: None,
        };
        appended.records.push((record.clone(), terms));
    }
    let mut transaction = fixture.store.begin().await.unwrap();
    transaction.append(&appended, &empty, &head).await.unwrap();
    transaction.commit().await.unwrap();
    (fixture, head, all)
}

async fn let_go(store: &dyn WriteStore, below: u64) -> Result<(), Error> {
    let mut transaction = store.begin().await?;
    transaction.apply(&[Change::PruneRecords { below }]).await?;
    transaction.commit().await
}

pub(crate) async fn of_records_that_are_pruned_the_hashes_stay_and_prove_them<M: Maker>() {
    let (fixture, head, all) = long_log::<M>().await;
    let store = &*fixture.store;
    let prune = async |limit| {
        let mut transaction = store.begin().await.unwrap();
        let from = transaction.prune_records(limit).await.unwrap();
        transaction.commit().await.unwrap();
        from
    };
    // What nobody let go stays.
    assert_eq!(prune(100).await, 0);
    assert_eq!(
        store.custody_kept().await.unwrap(),
        CustodyKept {
            from: 0,
            prune_below: 0
        }
    );
    let_go(store, 512).await.unwrap();
    assert_eq!(
        (prune(300).await, prune(300).await, prune(300).await),
        (300, 512, 512)
    );
    let kept = CustodyKept {
        from: 512,
        prune_below: 512,
    };
    assert_eq!(store.custody_kept().await.unwrap(), kept);
    assert_eq!(store.custody_records(0, 1000).await.unwrap(), all[512..]);
    let filter = RecordFilter {
        object: Some("key".to_owned()),
        client: None,
    };
    let found = store
        .custody_search(&filter, SearchFrom::Before(1000), 1000)
        .await;
    assert_eq!(found.unwrap().len(), 188);
    let leaves: Vec<Hash> = all.iter().map(|record| record.leaf).collect();
    assert_eq!(store.custody_hashes(0, 0, 1000).await.unwrap(), leaves);
    assert_eq!(store.custody_hashes(0, 500, 20).await.unwrap(), leaves[500..520]);
    for size in [1, 300, 512, 513, 700] {
        let mut tree = CompactRange::new();
        leaves[..size].iter().for_each(|leaf| tree.append(*leaf));
        let size = u64::try_from(size).unwrap();
        assert_eq!(store::custody_root(store, size).await.unwrap(), tree.root());
        assert_eq!(store::custody_tree(store, size).await.unwrap(), tree);
        for index in [0, size / 2, size - 1] {
            let proof = store::custody_inclusion(store, index, size).await.unwrap();
            let leaf = leaves[usize::try_from(index).unwrap()];
            assert_eq!(verify_inclusion(leaf, index, (size, tree.root()), &proof), Ok(()));
        }
    }
    let store = fixture.reopened().await;
    let (found, tail) = store.custody_tail(1000).await.unwrap();
    assert_eq!((found, tail.as_slice()), (head, &all[600..]));
}

pub(crate) async fn what_a_start_reads_is_not_pruned<M: Maker>() {
    let (fixture, ..) = long_log::<M>().await;
    let store = &*fixture.store;
    let_go(store, 256).await.unwrap();
    for below in [100, 511, 0, 768] {
        let error = let_go(store, below).await.unwrap_err();
        assert!(matches!(error, Error::NotPrunable { .. }), "{below}: {error}");
    }
    assert_eq!(store.custody_kept().await.unwrap().prune_below, 256);
}

pub(crate) async fn a_checkpoint_that_is_thinned_out_is_gone_and_the_others_are_not<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let mut before = None;
    for size in [1, 2, 3] {
        let checkpoint = StoredCheckpoint {
            size,
            time: super::fixture::THEN,
            note: format!("checkpoint over {size}\n"),
        };
        let mut transaction = fixture.store.begin().await.unwrap();
        transaction.put_checkpoint(&checkpoint, before).await.unwrap();
        transaction.commit().await.unwrap();
        before = Some(size);
    }
    let mut transaction = fixture.store.begin().await.unwrap();
    transaction.remove_checkpoints(&[2, 7]).await.unwrap();
    transaction.commit().await.unwrap();
    let left = fixture.store.custody_checkpoints(0, 9).await.unwrap();
    assert_eq!(left.iter().map(|each| each.size).collect::<Vec<_>>(), [1, 3]);
}
