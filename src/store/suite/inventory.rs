//! The rows of a store as the custody log is compared with them.

use super::fixture::{Fixture, Maker, certificate, row, write};
use crate::custody::IdentityFacts;
use crate::store::{Change, SealKeys};

pub(crate) async fn the_rows_of_a_store_are_told_as_its_records_tell_them<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let (first, second) = (row(&fixture.east, &[]), row(&fixture.west, &[]));
    let first_id = first.object.id();
    let mut recorded = Vec::new();
    for change in [Change::create_key(first), Change::create_key(second)] {
        recorded.extend(write(&*fixture.store, &[change]).await.unwrap().rows);
    }
    let read = fixture.store.key(fixture.east.id, first_id).await.unwrap();
    let written = write(&*fixture.store, &[Change::update_key(read.unwrap())]).await;
    recorded[0] = written.unwrap().rows.remove(0);
    let let_in = certificate(fixture.east.id, "vcenter");
    write(&*fixture.store, &[Change::AddCertificate(let_in.clone())])
        .await
        .unwrap();
    // No seal key is needed.
    let store = fixture.maker.open(SealKeys::new()).await;
    let rows = store.rows_at().await.unwrap();
    assert_eq!(rows.keys, recorded);
    assert_eq!(rows.size, store.custody_head().await.unwrap().tree.size());
    for expected in [
        IdentityFacts::from(&fixture.east),
        IdentityFacts::from(&fixture.west),
        IdentityFacts::from(&let_in),
        IdentityFacts::from(
            &fixture
                .store
                .root_key(fixture.east.root_key)
                .await
                .unwrap()
                .unwrap(),
        ),
    ] {
        assert!(
            rows.identities.contains(&expected),
            "{expected:?} is not in {:?}",
            rows.identities
        );
    }
    assert_eq!(rows.identities.len(), 5);
}

pub(crate) async fn rows_that_were_changed_by_hand_are_told_as_they_are<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = fixture.key(&[]).await;
    let before = fixture.store.rows_at().await.unwrap();
    fixture
        .maker
        .change_column("managed_object", "document", "id", key.object.id().as_bytes())
        .await;
    fixture
        .maker
        .change_column("root_key", "label", "id", fixture.east.root_key.uuid().as_bytes())
        .await;
    let after = fixture.store.rows_at().await.unwrap();
    assert_eq!(after.keys.len(), 1);
    assert_eq!(after.keys[0].identifier, before.keys[0].identifier);
    assert_ne!(after.keys[0].sha256, before.keys[0].sha256);
    let changed = before.identities.iter().zip(&after.identities);
    assert_eq!(changed.filter(|(before, after)| before != after).count(), 1);
}
