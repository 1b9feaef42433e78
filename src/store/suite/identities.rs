//! Root keys, adapters and client certificates.

use super::fixture::{Fixture, Maker, THEN, certificate, root_key, row, seal_key, write};
use crate::adapter::Adapter;
use crate::kmip::ttlv::DateTime;
use crate::store::{Change, Error, SealKeys};

pub(crate) async fn identities_are_read_back_as_they_were_written<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let certificate = fixture.certificate("vcenter").await;
    let store = fixture.reopened().await;
    assert_eq!(
        store.adapters().await.unwrap().rows,
        [fixture.east.clone(), fixture.west.clone()]
    );
    assert_eq!(
        store.adapter(fixture.east.id).await.unwrap(),
        Some(fixture.east.clone())
    );
    assert_eq!(
        store.adapter_named("west").await.unwrap(),
        Some(fixture.west.clone())
    );
    let roots = store.root_keys().await.unwrap().rows;
    assert_eq!(
        roots.iter().map(|root| root.name.as_str()).collect::<Vec<_>>(),
        ["east", "west"]
    );
    assert_eq!(
        store.root_key(roots[0].id).await.unwrap().as_ref(),
        Some(&roots[0])
    );
    assert_eq!(
        store.root_key_named("west").await.unwrap().as_ref(),
        Some(&roots[1])
    );
    assert_eq!(
        store.certificate(certificate.fingerprint).await.unwrap().as_ref(),
        Some(&certificate)
    );
    assert_eq!(
        store.certificates(None).await.unwrap().rows,
        std::slice::from_ref(&certificate)
    );
    assert_eq!(
        store.certificates(Some(fixture.east.id)).await.unwrap().rows,
        [certificate]
    );
    assert_eq!(store.certificates(Some(fixture.west.id)).await.unwrap().rows, []);
}

pub(crate) async fn a_name_is_given_once<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    fixture.certificate("vcenter").await;
    let again = root_key("east");
    fixture.keys.insert(again.id, seal_key(3));
    for change in [
        Change::CreateRootKey(again),
        Change::CreateAdapter(Adapter::new("east", "", fixture.west.root_key, THEN).unwrap()),
        Change::AddCertificate(certificate(fixture.east.id, "vcenter")),
    ] {
        let error = write(&*fixture.store, &[change]).await.unwrap_err();
        assert!(matches!(error, Error::Exists { .. }), "{error}");
    }
    // In another adapter the same name is another certificate.
    write(
        &*fixture.store,
        &[Change::AddCertificate(certificate(fixture.west.id, "vcenter"))],
    )
    .await
    .unwrap();
}

pub(crate) async fn a_certificate_opens_one_adapter<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let mut certificate = fixture.certificate("vcenter").await;
    certificate.adapter = fixture.west.id;
    certificate.name = "another-name".to_owned();
    let error = write(&*fixture.store, &[Change::AddCertificate(certificate)])
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Exists {
                what: "client certificate",
                ..
            }
        ),
        "{error}"
    );
}

pub(crate) async fn an_adapter_with_keys_is_not_deleted<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let mut key = fixture.key(&[("x-Name", "vm-1")]).await;
    let delete = [Change::DeleteAdapter(fixture.east.id)];
    let error = write(&*fixture.store, &delete).await.unwrap_err();
    assert!(
        matches!(&error, Error::InUse { by, .. } if by == "one key"),
        "{error}"
    );
    key.object.destroy(DateTime(1_764_000_001)).unwrap();
    key.wrapped = None;
    write(&*fixture.store, &[Change::update_key(key)]).await.unwrap();
    write(&*fixture.store, &delete).await.unwrap();
    assert_eq!(fixture.store.adapter(fixture.east.id).await.unwrap(), None);
    assert!(fixture.store.key_counts().await.unwrap().is_empty());
}

pub(crate) async fn a_deleted_adapter_takes_its_certificates_with_it<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let certificate = fixture.certificate("vcenter").await;
    write(&*fixture.store, &[Change::DeleteAdapter(fixture.east.id)])
        .await
        .unwrap();
    assert_eq!(
        fixture.store.certificate(certificate.fingerprint).await.unwrap(),
        None
    );
}

pub(crate) async fn what_is_not_there_is_not_removed<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let missing = certificate(fixture.east.id, "vcenter");
    let nowhere = Adapter::new("nowhere", "", root_key("nowhere").id, THEN).unwrap();
    for change in [
        Change::RemoveCertificate(missing.fingerprint),
        Change::DeleteAdapter(nowhere.id),
        Change::CreateAdapter(nowhere),
    ] {
        let error = write(&*fixture.store, &[change]).await.unwrap_err();
        assert!(
            matches!(error, Error::NotFound { .. } | Error::SealKeyMissing { .. }),
            "{error}"
        );
    }
    write(&*fixture.store, &[Change::AddCertificate(missing.clone())])
        .await
        .unwrap();
    write(&*fixture.store, &[Change::RemoveCertificate(missing.fingerprint)])
        .await
        .unwrap();
    assert_eq!(
        fixture.store.certificate(missing.fingerprint).await.unwrap(),
        None
    );
}

pub(crate) async fn root_keys_are_opened_again_after_a_restart<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = fixture.key(&[]).await;
    let keys = SealKeys::new();
    let store = fixture.maker.open(keys.clone()).await;
    let unverified = store.unverified_root_keys().await.unwrap();
    assert!(unverified.refused.is_empty());
    for (row, fill) in unverified.rows.into_iter().zip(1..) {
        assert_eq!(row.claimed().seal_key.bytes, [7; 40]);
        keys.admit(row, seal_key(fill)).unwrap();
    }
    assert!(
        store
            .key(fixture.east.id, key.object.id())
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(store.root_keys().await.unwrap().rows.len(), 2);
}

pub(crate) async fn another_seal_key_is_not_admitted<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let keys = SealKeys::new();
    for row in fixture.store.unverified_root_keys().await.unwrap().rows {
        let id = row.claimed().id;
        let error = keys.admit(row, seal_key(77)).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Tampered {
                    table: "root_key",
                    ..
                }
            ),
            "{error}"
        );
        assert!(!keys.contains(id));
    }
}

pub(crate) async fn without_its_seal_key_a_row_is_neither_read_nor_written<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let key = fixture.key(&[]).await;
    fixture.keys.remove(fixture.east.root_key);
    let missing = |error: &Error| matches!(error, Error::SealKeyMissing { root_key } if *root_key == fixture.east.root_key);
    let error = fixture
        .store
        .key(fixture.east.id, key.object.id())
        .await
        .unwrap_err();
    assert!(missing(&error), "{error}");
    let error = write(&*fixture.store, &[Change::create_key(row(&fixture.east, &[]))])
        .await
        .unwrap_err();
    assert!(missing(&error), "{error}");
    // The other root key's adapter is not harmed.
    write(&*fixture.store, &[Change::create_key(row(&fixture.west, &[]))])
        .await
        .unwrap();
    let adapters = fixture.store.adapters().await.unwrap();
    assert_eq!((adapters.rows.len(), adapters.refused.len()), (1, 1));
}

pub(crate) async fn a_rotated_root_key_keeps_its_earlier_version_and_its_keys<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let (first, second) = (fixture.key(&[]).await, fixture.key(&[]).await);
    let id = fixture.east.root_key;
    let superseded = fixture.rotate().await.unwrap();
    let store = fixture.reopened().await;
    let root_key = store.root_key(id).await.unwrap().unwrap();
    assert_eq!(
        (root_key.version, root_key.label.as_str()),
        (2, "claviger.east.v2")
    );
    assert_eq!(store.earlier_versions(id).await.unwrap().rows, [superseded]);
    let page = store.keys_under(id, 2, None, 1).await.unwrap();
    assert_eq!(page.rows, [first]);
    let rest = store.keys_under(id, 2, page.next, 10).await.unwrap();
    assert_eq!(rest.rows, std::slice::from_ref(&second));
    let mut moved = second;
    moved.wrapped.as_mut().unwrap().version = 2;
    write(&*fixture.store, &[Change::update_key(moved)])
        .await
        .unwrap();
    let counts: Vec<_> = store.keys_by_version(id).await.unwrap().into_iter().collect();
    assert_eq!(counts, [(1, 1), (2, 1)]);
}

pub(crate) async fn a_root_key_is_not_rotated_from_a_version_that_it_no_longer_has<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    fixture.rotate().await.unwrap();
    let again = fixture.rotate().await;
    assert!(matches!(again, Err(Error::RootKeyMoved { .. })), "{again:?}");
}
