//! Keys are written and read.

use super::fixture::{Fixture, Maker, row, write};
use crate::adapter::{Adapter, RootKeyId};
use crate::custody::RowFacts;
use crate::kmip::attribute::{Attribute, AttributeValue, Name};
use crate::kmip::ttlv::DateTime;
use crate::store::{Applied, Change, Error, KeyRow};

pub(crate) async fn a_key_is_read_back_as_it_was_written<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let written = row(&fixture.east, &[("x-Name", "ein Schlüssel \u{1f511}")]);
    let applied = write(&*fixture.store, &[Change::create_key(written.clone())])
        .await
        .unwrap();
    let read = fixture
        .reopened()
        .await
        .key(fixture.east.id, written.object.id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((&read.object, &read.wrapped), (&written.object, &written.wrapped));
    assert_eq!(read.revision, 1);
    let expected = RowFacts {
        identifier: written.object.id(),
        revision: read.revision,
        sha256: read.digest.unwrap(),
    };
    assert_eq!(applied.rows, [expected]);
}

pub(crate) async fn a_key_of_another_adapter_is_not_there<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = fixture.key(&[]).await;
    let seen = fixture.store.key(fixture.west.id, key.object.id()).await.unwrap();
    assert_eq!(seen, None);
}

pub(crate) async fn an_identifier_is_taken_whoever_has_it<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = fixture.key(&[]).await;
    assert!(fixture.store.is_taken(key.object.id()).await.unwrap());
    let free = row(&fixture.west, &[]).object.id();
    assert!(!fixture.store.is_taken(free).await.unwrap());
}

pub(crate) async fn of_two_changes_from_one_revision_the_second_is_refused<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let mut key = fixture.key(&[]).await;
    key.object.activate(DateTime(1_764_000_001)).unwrap();
    write(&*fixture.store, &[Change::update_key(key.clone())])
        .await
        .unwrap();
    let error = write(&*fixture.store, &[Change::update_key(key.clone())])
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Conflict {
                expected: 1,
                found: 2,
                ..
            }
        ),
        "{error}"
    );
    let read = fixture
        .store
        .key(fixture.east.id, key.object.id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((read.revision, &read.object), (2, &key.object));
    assert_ne!(read.digest, key.digest);
}

pub(crate) async fn a_key_that_is_there_is_not_created_over<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = fixture.key(&[]).await;
    let error = write(&*fixture.store, &[Change::create_key(key)])
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Conflict {
                expected: 0,
                found: 1,
                ..
            }
        ),
        "{error}"
    );
}

pub(crate) async fn a_change_of_a_key_that_is_not_there_is_refused<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let change = Change::PutKey {
        row: row(&fixture.east, &[]),
        expected_revision: Some(3),
    };
    let error = write(&*fixture.store, &[change]).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Conflict {
                expected: 3,
                found: 0,
                ..
            }
        ),
        "{error}"
    );
}

pub(crate) async fn a_refused_change_leaves_nothing_of_its_commit<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let (first, second, third) = (
        row(&fixture.east, &[]),
        row(&fixture.east, &[]),
        row(&fixture.east, &[]),
    );
    let adapter = Adapter::new("north", "", fixture.east.root_key, super::fixture::THEN).unwrap();
    let of_the_new_adapter = row(&adapter, &[]);
    let mut transaction = fixture.store.begin().await.unwrap();
    let refused = [
        Change::create_key(first.clone()),
        Change::CreateAdapter(adapter),
        Change::create_key(of_the_new_adapter.clone()),
        Change::PutKey {
            row: second,
            expected_revision: Some(1),
        },
    ];
    assert!(transaction.apply(&refused).await.unwrap_err().is_of_one_change());
    // What was looked up under the changes that were taken back is not believed.
    let late = [Change::create_key(of_the_new_adapter)];
    let error = transaction.apply(&late).await.unwrap_err();
    assert!(
        matches!(error, Error::NotFound { what: "adapter", .. }),
        "{error}"
    );
    transaction
        .apply(&[Change::create_key(third.clone())])
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let east = fixture.east.id;
    assert_eq!(fixture.store.key(east, first.object.id()).await.unwrap(), None);
    assert!(
        fixture
            .store
            .key(east, third.object.id())
            .await
            .unwrap()
            .is_some()
    );
    assert!(fixture.store.adapter_named("north").await.unwrap().is_none());
}

pub(crate) async fn a_dropped_transaction_leaves_nothing<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let row = row(&fixture.east, &[]);
    let mut transaction = fixture.store.begin().await.unwrap();
    transaction
        .apply(&[Change::create_key(row.clone())])
        .await
        .unwrap();
    drop(transaction);
    let seen = fixture.store.key(fixture.east.id, row.object.id()).await.unwrap();
    assert_eq!(seen, None);
    write(&*fixture.store, &[Change::create_key(row)]).await.unwrap();
}

pub(crate) async fn a_key_of_an_adapter_that_is_not_there_is_refused<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let nowhere = Adapter::new("nowhere", "", RootKeyId::new(), super::fixture::THEN).unwrap();
    let error = write(&*fixture.store, &[Change::create_key(row(&nowhere, &[]))])
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::NotFound { what: "adapter", .. }),
        "{error}"
    );
}

pub(crate) async fn a_destroyed_key_keeps_what_was_known_of_it<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let mut key = fixture.key(&[("x-Name", "vm-1")]).await;
    key.object.destroy(DateTime(1_764_000_009)).unwrap();
    key.wrapped = None;
    write(&*fixture.store, &[Change::update_key(key.clone())])
        .await
        .unwrap();
    let read = fixture
        .store
        .key(fixture.east.id, key.object.id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((&read.object, &read.wrapped), (&key.object, &None));
    let counts = fixture.store.key_counts().await.unwrap();
    assert_eq!(
        (
            counts[&fixture.east.id].objects,
            counts[&fixture.east.id].with_key
        ),
        (1, 0)
    );
}

/// A new row of the adapter with this name.
fn named(adapter: &Adapter, name: &str) -> KeyRow {
    let mut row = row(adapter, &[]);
    row.object
        .add_attribute(
            Attribute::new(AttributeValue::Name(Name::text(name))),
            DateTime(1_764_000_000),
        )
        .unwrap();
    row
}

pub(crate) async fn a_name_is_one_objects_of_its_adapter<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let create = async |row: KeyRow| write(&*fixture.store, &[Change::create_key(row)]).await;
    let is_taken = |result: Result<Applied, Error>| {
        let error = result.unwrap_err();
        assert!(
            matches!(&error, Error::NameTaken { name } if name.value == "disk"),
            "{error}"
        );
    };
    let first = named(&fixture.east, "disk");
    let id = first.object.id();
    create(first).await.unwrap();
    is_taken(create(named(&fixture.east, "disk")).await);
    create(named(&fixture.west, "disk")).await.unwrap();

    // A change that gives it is refused as well, and one that takes it from the other at once is not.
    let mut other = named(&fixture.east, "tape");
    let other_id = other.object.id();
    create(other).await.unwrap();
    let read = async |id| fixture.store.key(fixture.east.id, id).await.unwrap().unwrap();
    other = read(other_id).await;
    let name = Attribute::new(AttributeValue::Name(Name::text("disk")));
    other.object.add_attribute(name, DateTime(1_764_000_001)).unwrap();
    is_taken(write(&*fixture.store, &[Change::update_key(other.clone())]).await);
    let mut first = read(id).await;
    first.object.destroy(DateTime(1_764_000_002)).unwrap();
    first.wrapped = None;
    let changes = [Change::update_key(other), Change::update_key(first)];
    write(&*fixture.store, &changes).await.unwrap();
    is_taken(create(named(&fixture.east, "disk")).await);
    create(named(&fixture.east, "free")).await.unwrap();
}
