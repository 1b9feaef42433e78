//! The life of root keys and of their versions, as it binds what is written.

use super::fixture::{Fixture, Maker, THEN, row, write};
use crate::adapter::{Adapter, RootKeyState, VersionState};
use crate::store::{Change, Error};

fn destroying(fixture: &Fixture<impl Maker>, version: u32) -> Change {
    Change::SetVersionState {
        root_key: fixture.east.root_key,
        version,
        from: VersionState::Kept,
        to: VersionState::Destroying,
    }
}

fn state(fixture: &Fixture<impl Maker>, from: RootKeyState, to: RootKeyState) -> Change {
    Change::SetRootKeyState {
        root_key: fixture.east.root_key,
        from,
        to,
    }
}

pub(crate) async fn a_version_that_a_key_is_under_is_not_destroyed<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = fixture.key(&[]).await;
    fixture.rotate().await.unwrap();
    let change = destroying(&fixture, 1);
    let refused = write(&*fixture.store, std::slice::from_ref(&change)).await;
    assert!(matches!(refused, Err(Error::InUse { .. })), "{refused:?}");
    let mut moved = key;
    moved.wrapped.as_mut().unwrap().version = 2;
    write(&*fixture.store, &[Change::update_key(moved)])
        .await
        .unwrap();
    write(&*fixture.store, &[change]).await.unwrap();
    let earlier = fixture
        .reopened()
        .await
        .earlier_versions(fixture.east.root_key)
        .await;
    assert_eq!(earlier.unwrap().rows[0].state, VersionState::Destroying);
}

pub(crate) async fn no_key_comes_under_a_version_that_is_gone<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    // As a Create that took the version before the rotation, and ends after the destruction.
    let late = row(&fixture.east, &[]);
    fixture.rotate().await.unwrap();
    write(&*fixture.store, &[destroying(&fixture, 1)]).await.unwrap();
    let refused = write(&*fixture.store, &[Change::create_key(late.clone())]).await;
    assert!(
        matches!(refused, Err(Error::VersionGone { version: 1, .. })),
        "{refused:?}"
    );
    let mut never = late;
    never.wrapped.as_mut().unwrap().version = 3;
    let refused = write(&*fixture.store, &[Change::create_key(never)]).await;
    assert!(
        matches!(refused, Err(Error::VersionGone { version: 3, .. })),
        "{refused:?}"
    );
}

pub(crate) async fn a_root_key_that_is_disabled_is_used_by_no_commit<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = fixture.key(&[]).await;
    let root_key = fixture.east.root_key;
    let (enabled, disabled) = (RootKeyState::Enabled, RootKeyState::Disabled);
    let change = state(&fixture, enabled.clone(), disabled.clone());
    write(&*fixture.store, std::slice::from_ref(&change))
        .await
        .unwrap();
    let again = write(&*fixture.store, &[change]).await;
    assert!(matches!(again, Err(Error::RootKeyMoved { .. })), "{again:?}");
    let uses = [
        vec![Change::UseRootKey(root_key)],
        vec![Change::UseRootKey(root_key), Change::update_key(key.clone())],
        vec![Change::CreateAdapter(
            Adapter::new("late", "", root_key, THEN).unwrap(),
        )],
        vec![Change::MoveAdapter {
            adapter: fixture.west.id,
            to: root_key,
        }],
    ];
    for changes in uses {
        let refused = write(&*fixture.reopened().await, &changes).await;
        assert!(
            matches!(refused, Err(Error::RootKeyUnusable { .. })),
            "{refused:?}"
        );
    }
    // What is known of a key can still be changed: it can be revoked, and destroyed.
    write(&*fixture.store, &[Change::update_key(key)]).await.unwrap();
    write(&*fixture.store, &[state(&fixture, disabled, enabled)])
        .await
        .unwrap();
    write(&*fixture.store, &[Change::UseRootKey(root_key)])
        .await
        .unwrap();
}

pub(crate) async fn a_root_key_is_not_enabled_by_another_hand<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let change = state(&fixture, RootKeyState::Enabled, RootKeyState::Disabled);
    write(&*fixture.store, &[change]).await.unwrap();
    let id = hex::encode(fixture.east.root_key.uuid().as_bytes());
    for statement in [
        format!("UPDATE root_key SET life = NULL WHERE id = x'{id}'"),
        format!("UPDATE root_key SET life = NULL, origin = 'imported' WHERE id = x'{id}'"),
    ] {
        fixture.maker.by_hand(&statement).await;
        let read = fixture.store.root_key(fixture.east.root_key).await;
        assert!(matches!(read, Err(Error::Tampered { .. })), "{read:?}");
    }
}

pub(crate) async fn an_adapter_that_is_moved_keeps_its_certificates_and_its_keys<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let certificate = fixture.certificate("client").await;
    let key = fixture.key(&[("x-Name", "vm")]).await;
    let (from, to) = (fixture.east.root_key, fixture.west.root_key);
    let change = Change::MoveAdapter {
        adapter: fixture.east.id,
        to,
    };
    write(&*fixture.store, &[change]).await.unwrap();
    let store = fixture.reopened().await;
    assert_eq!(
        store.adapter(fixture.east.id).await.unwrap().unwrap().root_key,
        to
    );
    let read = store.certificate(certificate.fingerprint).await.unwrap();
    assert_eq!(read, Some(certificate));
    let left = store
        .keys_to_move(fixture.east.id, to, None, 10)
        .await
        .unwrap()
        .rows;
    assert_eq!(
        left,
        std::slice::from_ref(&key),
        "it is as it was, until it is written"
    );
    let mut moved = key;
    let wrapped = moved.wrapped.as_mut().unwrap();
    (wrapped.root_key, wrapped.version) = (to, 1);
    write(&*store, &[Change::update_key(moved.clone())])
        .await
        .unwrap();
    let left = store.keys_to_move(fixture.east.id, to, None, 10).await.unwrap();
    assert!(left.rows.is_empty(), "{left:?}");
    // Nothing of the adapter depends on the first root key any more.
    fixture.keys.remove(from);
    let read = store
        .key(fixture.east.id, moved.object.id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.wrapped, moved.wrapped);
}
