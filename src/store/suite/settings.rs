//! What is set for all objects of an adapter.

use super::column_names;
use super::fixture::{Fixture, Maker, write};
use crate::adapter::AdapterId;
use crate::store::{Change, Error, SettingKind, Settings};

fn set(adapter: AdapterId, kind: SettingKind, document: Option<&[u8]>) -> Change {
    Change::SetForAdapter {
        adapter,
        kind,
        document: document.map(<[u8]>::to_vec),
    }
}

pub(crate) async fn a_setting_is_read_back_as_it_was_written_last_and_goes_with_its_adapter<M: Maker>() {
    use SettingKind::{Constraints, Defaults};
    let fixture = Fixture::<M>::new().await;
    let east = fixture.east.id;
    let changes = [
        set(east, Constraints, Some(b"first")),
        set(east, Constraints, Some(b"second")),
        set(east, Defaults, Some(b"third")),
    ];
    write(&*fixture.store, &changes).await.unwrap();
    let store = fixture.reopened().await;
    let expected = Settings {
        constraints: Some(b"second".to_vec()),
        defaults: Some(b"third".to_vec()),
        ..Settings::default()
    };
    assert_eq!(store.settings(east).await.unwrap(), expected);
    let told = store.settings_of(Defaults).await.unwrap().rows;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].adapter, &told[0].document[..]), (east, &b"third"[..]));
    assert_eq!(
        store.settings(fixture.west.id).await.unwrap(),
        Settings::default()
    );
    write(&*store, &[set(east, Constraints, None)]).await.unwrap();
    assert_eq!(store.settings(east).await.unwrap().constraints, None);
    write(&*store, &[Change::DeleteAdapter(east)]).await.unwrap();
    assert_eq!(store.settings(east).await.unwrap(), Settings::default());
    let refused = write(&*store, &[set(AdapterId::new(), Defaults, Some(b"x"))]).await;
    assert!(matches!(refused, Err(Error::NotFound { .. })), "{refused:?}");
}

pub(crate) async fn the_settings_of_an_adapter_follow_it_under_another_root_key<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let (east, from, to) = (fixture.east.id, fixture.east.root_key, fixture.west.root_key);
    let changes = [
        set(east, SettingKind::Constraints, Some(b"kept")),
        Change::MoveAdapter { adapter: east, to },
    ];
    write(&*fixture.store, &changes).await.unwrap();
    fixture.keys.remove(from);
    let settings = fixture.reopened().await.settings(east).await.unwrap();
    assert_eq!(settings.constraints.as_deref(), Some(&b"kept"[..]));
}

pub(crate) async fn of_two_changes_of_a_setting_from_one_reading_the_second_is_refused<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let replace = |from: Option<&[u8]>, to: Option<&[u8]>| {
        [Change::ReplaceForAdapter {
            adapter: fixture.east.id,
            kind: SettingKind::Credentials,
            from: from.map(<[u8]>::to_vec),
            to: to.map(<[u8]>::to_vec),
        }]
    };
    let write = async |changes: [Change; 1]| write(&*fixture.store, &changes).await;
    write(replace(None, Some(b"one"))).await.unwrap();
    for from in [None, Some(&b"other"[..])] {
        let refused = write(replace(from, Some(b"two"))).await;
        assert!(
            matches!(refused, Err(Error::SettingMoved { .. })),
            "{from:?}: {refused:?}"
        );
    }
    write(replace(Some(b"one"), Some(b"two"))).await.unwrap();
    let settings = fixture.store.settings(fixture.east.id).await.unwrap();
    assert_eq!(settings.document(SettingKind::Credentials), Some(&b"two"[..]));
    write(replace(Some(b"two"), None)).await.unwrap();
    write(replace(None, Some(b"three"))).await.unwrap();
}

pub(crate) async fn a_setting_changed_in_any_column_is_refused<M: Maker>() {
    for column in column_names::<M>("adapter_setting").await {
        let fixture = Fixture::<M>::new().await;
        let east = fixture.east.id;
        let change = set(east, SettingKind::Constraints, Some(b"AES alone"));
        write(&*fixture.store, &[change]).await.unwrap();
        fixture
            .maker
            .change_column("adapter_setting", &column, "id", east.uuid().as_bytes())
            .await;
        let read = fixture.store.settings(east).await;
        if column == "id" {
            // It is another adapter's now, and refused there.
            assert_eq!(read.unwrap(), Settings::default());
        } else {
            assert!(
                matches!(read, Err(Error::Tampered { .. } | Error::SealKeyMissing { .. })),
                "{column}: {read:?}"
            );
        }
    }
}
