//! How much an adapter may have.

use super::column_names;
use super::fixture::{Fixture, Maker, row, write};
use crate::adapter::{AdapterId, Quota};
use crate::kmip::ttlv::DateTime;
use crate::store::{Change, Error, QuotaUse};

fn set(adapter: AdapterId, keys: Option<u64>) -> Change {
    let quota = Quota::new(keys, Some(50), None).unwrap();
    Change::SetQuota { adapter, quota }
}

impl<M: Maker> Fixture<M> {
    async fn make(&self) -> Result<(), Error> {
        let made = write(&*self.store, &[Change::create_key(row(&self.east, &[]))]).await;
        made.map(drop)
    }

    async fn quota(&self) -> Option<QuotaUse> {
        self.store.quota(self.east.id).await.unwrap()
    }
}

fn is_full(made: &Result<(), Error>, most: u64) -> bool {
    matches!(made, Err(Error::QuotaReached { keys, .. }) if *keys == most)
}

pub(crate) async fn an_adapter_gets_no_more_keys_than_its_quota_whatever_it_had_before<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    for _ in 0..3 {
        fixture.make().await.unwrap();
    }
    write(&*fixture.store, &[set(fixture.east.id, Some(4))])
        .await
        .unwrap();
    fixture.make().await.unwrap();
    let refused = fixture.make().await;
    assert!(is_full(&refused, 4), "{refused:?}");
    // Less than there is takes nothing away.
    write(&*fixture.store, &[set(fixture.east.id, Some(2))])
        .await
        .unwrap();
    let found = fixture.quota().await.unwrap();
    assert_eq!(
        (found.quota.keys, found.keys, found.full()),
        (Some(2), Some(4), Some(2))
    );
    // The others are not bounded by it.
    write(&*fixture.store, &[Change::create_key(row(&fixture.west, &[]))])
        .await
        .unwrap();
    write(&*fixture.store, &[set(fixture.east.id, None)])
        .await
        .unwrap();
    fixture.make().await.unwrap();
    let found = fixture.quota().await.unwrap();
    assert_eq!((found.keys, found.full()), (None, None));
}

pub(crate) async fn a_destroyed_key_makes_room_for_another<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    write(&*fixture.store, &[set(fixture.east.id, Some(1))])
        .await
        .unwrap();
    let mut key = fixture.key(&[]).await;
    assert!(is_full(&fixture.make().await, 1));
    // A change that is no destruction counts nothing.
    key.object.activate(DateTime(1_764_000_001)).unwrap();
    write(&*fixture.store, &[Change::update_key(key.clone())])
        .await
        .unwrap();
    assert!(is_full(&fixture.make().await, 1));
    let mut key = fixture
        .store
        .key(fixture.east.id, key.object.id())
        .await
        .unwrap()
        .unwrap();
    key.object.lose(DateTime(1_764_000_002)).unwrap();
    key.wrapped = None;
    write(&*fixture.store, &[Change::update_key(key.clone())])
        .await
        .unwrap();
    let conflict = write(&*fixture.store, &[Change::update_key(key)]).await;
    assert!(matches!(conflict, Err(Error::Conflict { .. })), "{conflict:?}");
    assert_eq!(fixture.quota().await.unwrap().keys, Some(0));
    fixture.make().await.unwrap();
    assert!(is_full(&fixture.make().await, 1));
}

pub(crate) async fn what_was_taken_back_is_not_counted<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    write(&*fixture.store, &[set(fixture.east.id, Some(3))])
        .await
        .unwrap();
    let taken = row(&fixture.east, &[]);
    let mut transaction = fixture.store.begin().await.unwrap();
    transaction
        .apply(&[Change::create_key(taken.clone())])
        .await
        .unwrap();
    // Two keys and one that is there already: none of them is made, and the transaction goes on.
    let together = [
        Change::create_key(row(&fixture.east, &[])),
        Change::create_key(taken.clone()),
    ];
    let refused = transaction.apply(&together).await;
    assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
    let alone = transaction.apply(&[Change::create_key(taken)]).await;
    assert!(matches!(alone, Err(Error::Conflict { .. })), "{alone:?}");
    transaction
        .apply(&[Change::create_key(row(&fixture.east, &[]))])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(fixture.quota().await.unwrap().keys, Some(2));
    let mut dropped = fixture.store.begin().await.unwrap();
    dropped
        .apply(&[Change::create_key(row(&fixture.east, &[]))])
        .await
        .unwrap();
    drop(dropped);
    assert_eq!(fixture.quota().await.unwrap().keys, Some(2));
    // Of a commit that goes beyond it, nothing is made.
    let beyond = [
        Change::create_key(row(&fixture.east, &[])),
        Change::create_key(row(&fixture.east, &[])),
    ];
    let refused = write(&*fixture.store, &beyond).await.map(drop);
    assert!(is_full(&refused, 3), "{refused:?}");
    assert_eq!(fixture.quota().await.unwrap().keys, Some(2));
}

pub(crate) async fn a_quota_follows_its_adapter_and_goes_with_it<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let (east, from, to) = (fixture.east.id, fixture.east.root_key, fixture.west.root_key);
    let changes = [set(east, Some(7)), Change::MoveAdapter { adapter: east, to }];
    write(&*fixture.store, &changes).await.unwrap();
    fixture.keys.remove(from);
    let store = fixture.reopened().await;
    let quotas = store.quotas().await.unwrap();
    assert_eq!(
        quotas.rows,
        [(east, Quota::new(Some(7), Some(50), None).unwrap())]
    );
    write(&*store, &[Change::DeleteAdapter(east)]).await.unwrap();
    assert!(store.quotas().await.unwrap().rows.is_empty());
    let refused = write(&*store, &[set(AdapterId::new(), None)]).await;
    assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
}

pub(crate) async fn a_quota_changed_in_any_column_makes_no_room<M: Maker>() {
    for column in column_names::<M>("adapter_quota").await {
        if column == "id" {
            // It is another adapter's then, and refused there.
            continue;
        }
        let fixture = Fixture::<M>::new().await;
        let east = fixture.east.id;
        write(&*fixture.store, &[set(east, Some(0))]).await.unwrap();
        fixture
            .maker
            .change_column("adapter_quota", &column, "id", east.uuid().as_bytes())
            .await;
        let made = fixture.make().await;
        assert!(
            matches!(made, Err(Error::Tampered { .. } | Error::SealKeyMissing { .. })),
            "{column}: {made:?}"
        );
        assert!(fixture.store.quota(east).await.is_err(), "{column}");
        // Whoever sets it anew puts it right.
        write(&*fixture.store, &[set(east, Some(1))]).await.unwrap();
        fixture.make().await.unwrap();
    }
}
