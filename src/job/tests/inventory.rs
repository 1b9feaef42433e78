//! The scan: what only one side has.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use uuid::Uuid;

use super::House;
use crate::custody::EventName;
use crate::job::Inventory;
use crate::key::{WrapProfile, WrappedKek};
use crate::kmip::enumeration::State;
use crate::kmip::ttlv::DateTime;
use crate::store::suite::fixture::{row, write};
use crate::store::{Change, KeyRow};

impl House {
    fn inventory(&self) -> Inventory {
        Inventory::new(Arc::clone(&self.store), self.recorder.clone(), self.root_keys())
    }

    /// A key whose wrapped form lies in the key manager by that name.
    async fn kept_there(&self, id: &str) -> Uuid {
        let mut row = row(&self.fixture.east, &[]);
        row.wrapped.as_mut().unwrap().kek = WrappedKek {
            profile: WrapProfile::KeyProtect,
            bytes: id.as_bytes().to_vec(),
        };
        let key = row.object.id();
        write(&*self.fixture.store, &[Change::create_key(row)])
            .await
            .unwrap();
        key
    }

    async fn row(&self, key: Uuid) -> KeyRow {
        self.store.key(self.fixture.east.id, key).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn what_only_the_key_manager_has_is_told_and_stays() {
    let house = House::new().await;
    house.device.put("one");
    house.device.put("left");
    let key = house.kept_there("one").await;
    let inventory = house.inventory();
    assert!(inventory.last().is_none());
    let found = inventory.scan().await.unwrap();
    assert_eq!((found.rows, found.there["hsm"]), (1, 2));
    let only_there: Vec<_> = found
        .only_there
        .iter()
        .map(|(_, kept)| kept.id.as_str())
        .collect();
    assert_eq!(only_there, ["left"]);
    assert!(found.destroyed.is_empty() && found.troubles.is_empty());
    assert!(house.row(key).await.wrapped.is_some());
    assert!(Arc::ptr_eq(&inventory.last().unwrap(), &found));
}

#[tokio::test]
async fn what_was_put_there_moments_ago_is_not_said_to_be_left_over() {
    let house = House::new().await;
    house.device.put("on its way");
    house
        .device
        .there
        .lock()
        .unwrap()
        .get_mut("on its way")
        .unwrap()
        .is_new = true;
    let found = house.inventory().scan().await.unwrap();
    assert!(found.only_there.is_empty());
}

#[tokio::test]
async fn a_key_that_was_deleted_in_the_key_manager_is_destroyed_by_the_scan() {
    let house = House::new().await;
    house.device.put("one");
    let (kept, deleted) = (house.kept_there("one").await, house.kept_there("two").await);
    let found = house.inventory().scan().await.unwrap();
    let destroyed: Vec<_> = found
        .destroyed
        .iter()
        .map(|one| (one.id.as_str(), one.binding.object))
        .collect();
    assert_eq!(destroyed, [("two", deleted)]);
    assert!(house.row(kept).await.wrapped.is_some());
    let row = house.row(deleted).await;
    assert_eq!(row.wrapped, None);
    assert_eq!(row.object.state(DateTime(i64::MAX)), Some(State::Destroyed));
    let recorded = house.recorded(EventName::KeyDestroy).await;
    assert_eq!(
        recorded.into_iter().collect::<Vec<_>>(),
        [(deleted.hyphenated().to_string(), 1)]
    );
    // Once.
    assert!(house.inventory().scan().await.unwrap().destroyed.is_empty());
}

#[tokio::test]
async fn a_key_manager_that_is_away_loses_nobody_a_key() {
    let house = House::new().await;
    let key = house.kept_there("one").await;
    house.device.is_away.store(true, Ordering::SeqCst);
    let found = house.inventory().scan().await.unwrap();
    assert!(found.destroyed.is_empty() && !found.troubles.is_empty());
    assert!(house.row(key).await.wrapped.is_some());
    assert!(house.recorded(EventName::KeyDestroy).await.is_empty());
}

#[tokio::test]
async fn keys_in_the_store_and_keys_on_more_pages_than_one_are_no_findings() {
    let house = House::new().await;
    for number in 0..300 {
        house.device.put(&number.to_string());
        house.kept_there(&number.to_string()).await;
    }
    let found = house.inventory().scan().await.unwrap();
    assert_eq!((found.rows, found.there["hsm"]), (300, 300));
    assert!(found.only_there.is_empty() && found.destroyed.is_empty() && found.troubles.is_empty());
}
