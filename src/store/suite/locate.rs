//! Keys are found by their attributes.

use uuid::Uuid;

use super::fixture::{Fixture, Maker, object, row, write};
use crate::adapter::Adapter;
use crate::key::IndexTerm;
use crate::store::{Change, Store};

fn term(name: &str, value: &str) -> IndexTerm {
    IndexTerm {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// Everything that is found, page by page.
async fn all(store: &dyn Store, adapter: &Adapter, terms: &[IndexTerm], page: u32) -> Vec<Uuid> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let located = store.locate(adapter.id, terms, after, page).await.unwrap();
        assert!(located.refused.is_empty(), "{:?}", located.refused);
        assert!(located.rows.len() <= page as usize);
        found.extend(located.rows.iter().map(|row| row.object.id()));
        if located.next.is_none() {
            return found;
        }
        after = located.next;
    }
}

pub(crate) async fn keys_are_found_by_all_of_the_terms<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let wanted = fixture
        .key(&[("x-Product", "VMware vSphere"), ("x-Name", "vm-1")])
        .await;
    fixture
        .key(&[("x-Product", "VMware vSphere"), ("x-Name", "vm-2")])
        .await;
    fixture.key(&[("x-Product", "another"), ("x-Name", "vm-1")]).await;
    for terms in [
        [term("x-Product", "VMware vSphere"), term("x-Name", "vm-1")],
        [term("x-Name", "vm-1"), term("x-Product", "VMware vSphere")],
    ] {
        let found = all(&*fixture.store, &fixture.east, &terms, 10).await;
        assert_eq!(found, [wanted.object.id()]);
    }
    let by_one = all(&*fixture.store, &fixture.east, &[term("x-Name", "vm-1")], 10).await;
    assert_eq!(by_one.len(), 2);
    let none = all(&*fixture.store, &fixture.east, &[term("x-Name", "vm")], 10).await;
    assert_eq!(none, Vec::<Uuid>::new());
}

pub(crate) async fn pages_meet_every_key_once_the_last_created_first<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(
            fixture
                .key(&[("x-Group", if number % 2 == 0 { "even" } else { "odd" })])
                .await
                .object
                .id(),
        );
    }
    ids.reverse();
    let even: Vec<_> = ids.iter().copied().step_by(2).collect();
    for page in [1, 2, 3, 7, 50] {
        assert_eq!(all(&*fixture.store, &fixture.east, &[], page).await, ids);
        assert_eq!(
            all(&*fixture.store, &fixture.east, &[term("x-Group", "even")], page).await,
            even
        );
    }
}

pub(crate) async fn keys_are_found_by_what_they_have_now<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let mut key = fixture.key(&[("x-Name", "before"), ("x-Kept", "yes")]).await;
    // The same object with other attributes, as after Modify Attribute.
    let mut document = serde_json::to_value(&key.object).unwrap();
    let other = object(fixture.east.id, &[("x-Name", "after"), ("x-Kept", "yes")]);
    document["attributes"] = serde_json::to_value(&other).unwrap()["attributes"].clone();
    key.object = serde_json::from_value(document).unwrap();
    let id = key.object.id();
    write(&*fixture.store, &[Change::update_key(key)]).await.unwrap();
    let found = async |terms: &[IndexTerm]| all(&*fixture.store, &fixture.east, terms, 10).await;
    assert_eq!(found(&[term("x-Name", "before")]).await, Vec::<Uuid>::new());
    assert_eq!(found(&[term("x-Name", "after")]).await, [id]);
    assert_eq!(found(&[term("x-Kept", "yes")]).await, [id]);
}

pub(crate) async fn keys_of_another_adapter_are_not_found<M: Maker>() {
    let fixture = Fixture::<M>::new().await;
    let attributes = [("x-Name", "vm-1")];
    let ours = fixture.key(&attributes).await;
    write(
        &*fixture.store,
        &[Change::create_key(row(&fixture.west, &attributes))],
    )
    .await
    .unwrap();
    for terms in [vec![], vec![term("x-Name", "vm-1")]] {
        assert_eq!(
            all(&*fixture.store, &fixture.east, &terms, 10).await,
            [ours.object.id()]
        );
    }
}
