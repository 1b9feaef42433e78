//! What another hand did to the database.

use super::column_names;
use super::fixture::{Fixture, Maker, row, write};
use crate::key::IndexTerm;
use crate::store::{Change, Error};

pub(crate) async fn a_key_row_changed_in_any_column_is_refused_and_its_neighbours_are_not<M: Maker>() {
    for column in column_names::<M>("managed_object").await {
        let fixture = Fixture::<M>::new().await;
        let (changed, neighbour) = (
            fixture.key(&[("x-Name", "vm")]).await,
            fixture.key(&[("x-Name", "vm")]).await,
        );
        let id = changed.object.id();
        fixture
            .maker
            .change_column("managed_object", &column, "id", id.as_bytes())
            .await;
        let read = fixture.store.key(fixture.east.id, id).await;
        if column == "id" {
            // It answers to another identifier now, and is refused under that.
            assert!(matches!(read, Ok(None)), "{column}: {read:?}");
        } else {
            assert!(
                matches!(&read, Err(Error::Tampered { .. } | Error::SealKeyMissing { .. })),
                "{column}: {read:?}"
            );
        }
        let term = IndexTerm {
            name: "x-Name".to_owned(),
            value: "vm".to_owned(),
        };
        for terms in [vec![], vec![term]] {
            let located = fixture
                .store
                .locate(fixture.east.id, &terms, None, 10)
                .await
                .unwrap();
            let found: Vec<_> = located.rows.iter().map(|row| row.object.id()).collect();
            assert_eq!(found, [neighbour.object.id()], "{column}");
            // What is moved out of the index is not met on the way.
            let met = match (column.as_str(), terms.len()) {
                ("adapter", 0) | ("ordinal", 1) => 0,
                _ => 1,
            };
            assert_eq!(located.refused.len(), met, "{column}: {:?}", located.refused);
        }
        let read = fixture.store.key(fixture.east.id, neighbour.object.id()).await;
        assert_eq!(read.unwrap(), Some(neighbour), "{column}");
    }
}

pub(crate) async fn an_identity_changed_in_any_column_is_refused_and_its_neighbours_are_not<M: Maker>() {
    for column in column_names::<M>("root_key").await {
        let fixture = Fixture::<M>::new().await;
        let id = fixture.east.root_key;
        fixture
            .maker
            .change_column("root_key", &column, "id", id.uuid().as_bytes())
            .await;
        let read = fixture.store.root_key(id).await;
        assert!(
            matches!(read, Err(Error::Tampered { .. }) | Ok(None)),
            "{column}: {read:?}"
        );
        let listing = fixture.store.root_keys().await.unwrap();
        assert_eq!((listing.rows.len(), listing.refused.len()), (1, 1), "{column}");
    }
    for column in column_names::<M>("adapter").await {
        let fixture = Fixture::<M>::new().await;
        let id = fixture.east.id;
        fixture
            .maker
            .change_column("adapter", &column, "id", id.uuid().as_bytes())
            .await;
        let read = fixture.store.adapter(id).await;
        assert!(!matches!(read, Ok(Some(_))), "{column}: {read:?}");
        let listing = fixture.store.adapters().await.unwrap();
        assert_eq!((listing.rows.len(), listing.refused.len()), (1, 1), "{column}");
        assert_eq!(listing.rows[0], fixture.west);
    }
    for column in column_names::<M>("client_certificate").await {
        let fixture = Fixture::<M>::new().await;
        let (changed, neighbour) = (
            fixture.certificate("vcenter-1").await,
            fixture.certificate("vcenter-2").await,
        );
        fixture
            .maker
            .change_column(
                "client_certificate",
                &column,
                "fingerprint",
                &changed.fingerprint.0,
            )
            .await;
        let read = fixture.store.certificate(changed.fingerprint).await;
        assert!(!matches!(read, Ok(Some(_))), "{column}: {read:?}");
        let listing = fixture.store.certificates(None).await.unwrap();
        assert_eq!(
            (listing.rows, listing.refused.len()),
            (vec![neighbour], 1),
            "{column}"
        );
    }
}

pub(crate) async fn the_key_bytes_of_another_row_are_refused<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let (first, second) = (fixture.key(&[]).await, fixture.key(&[]).await);
    let (to, from) = (
        first.object.id().simple().to_string(),
        second.object.id().simple().to_string(),
    );
    fixture
        .maker
        .by_hand(&format!(
            "UPDATE managed_object SET wrapped = (SELECT wrapped FROM managed_object WHERE id = x'{from}') \
             WHERE id = x'{to}'"
        ))
        .await;
    let read = fixture.store.key(fixture.east.id, first.object.id()).await;
    assert!(matches!(&read, Err(Error::Tampered { .. })), "{read:?}");
    assert!(
        fixture
            .store
            .key(fixture.east.id, second.object.id())
            .await
            .unwrap()
            .is_some()
    );
}

pub(crate) async fn a_row_moved_to_another_adapter_opens_nothing<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = fixture.key(&[]).await;
    let certificate = fixture.certificate("vcenter").await;
    let west = fixture.west.id.uuid().simple();
    for table in ["managed_object", "client_certificate"] {
        fixture
            .maker
            .by_hand(&format!("UPDATE {table} SET adapter = x'{west}'"))
            .await;
    }
    for adapter in [fixture.west.id, fixture.east.id] {
        let read = fixture.store.key(adapter, key.object.id()).await;
        assert!(matches!(&read, Err(Error::Tampered { .. })), "{read:?}");
    }
    let located = fixture
        .store
        .locate(fixture.west.id, &[], None, 10)
        .await
        .unwrap();
    assert_eq!((located.rows.len(), located.refused.len()), (0, 1));
    let read = fixture.store.certificate(certificate.fingerprint).await;
    assert!(matches!(&read, Err(Error::Tampered { .. })), "{read:?}");
}

pub(crate) async fn an_index_that_points_at_the_wrong_key_is_reported<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    fixture.key(&[("x-Name", "vm-1")]).await;
    let honest = fixture.key(&[("x-Name", "vm-2")]).await;
    // The term of the second key now leads to the first as well.
    fixture
        .maker
        .by_hand("INSERT INTO index_term (term, ordinal) SELECT term, 1 FROM index_term WHERE ordinal = 2")
        .await;
    let term = IndexTerm {
        name: "x-Name".to_owned(),
        value: "vm-2".to_owned(),
    };
    let located = fixture
        .store
        .locate(fixture.east.id, &[term], None, 10)
        .await
        .unwrap();
    assert_eq!(located.rows, [honest]);
    assert!(
        matches!(
            &located.refused[..],
            [Error::Tampered {
                table: "index_term",
                ..
            }]
        ),
        "{:?}",
        located.refused
    );
}

pub(crate) async fn a_changed_adapter_takes_no_new_keys<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    // Its keys would be sealed under the other adapter's root key.
    let west = fixture.west.root_key.uuid().simple();
    fixture
        .maker
        .by_hand(&format!(
            "UPDATE adapter SET root_key = x'{west}' WHERE name = 'east'"
        ))
        .await;
    let error = write(&*fixture.store, &[Change::create_key(row(&fixture.east, &[]))])
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Tampered { table: "adapter", .. }),
        "{error}"
    );
}

pub(crate) async fn an_earlier_version_changed_in_any_column_is_refused<M: Maker>() {
    for column in column_names::<M>("root_key_version").await {
        let fixture = Fixture::<M>::new().await;
        fixture.rotate().await.unwrap();
        let id = fixture.east.root_key;
        fixture
            .maker
            .change_column("root_key_version", &column, "id", id.uuid().as_bytes())
            .await;
        let listing = fixture.store.earlier_versions(id).await.unwrap();
        assert!(listing.rows.is_empty(), "{column}");
        // A row that was moved to another root key is not met under this one.
        assert_eq!(listing.refused.len(), usize::from(column != "id"), "{column}");
    }
}
