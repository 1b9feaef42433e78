//! Root keys that were rotated in the key manager, with each step broken twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{FAULTS, House, KEYS, LOOKS};
use crate::custody::{Actor, EventName, Record};
use crate::job::Versions;

impl House {
    fn versions(&self) -> Versions {
        Versions::new(Arc::clone(&self.store), self.recorder.clone(), self.root_keys())
    }

    async fn rotations(&self) -> Vec<Record> {
        let stored = self.store.custody_records(0, 1_000_000).await.unwrap();
        let records = stored
            .iter()
            .map(|stored| Record::from_bytes(&stored.bytes).unwrap());
        records
            .filter(|record| record.event == EventName::RootKeyRotate)
            .collect()
    }
}

#[tokio::test]
async fn a_rotation_in_the_key_manager_that_breaks_at_any_step_is_entered_once_and_every_key_follows() {
    for fault in FAULTS {
        let case = format!("{fault:?}");
        let house = House::new().await;
        let east = house.fixture.east.root_key;
        *house.device.present.lock().unwrap() = Some(b"rotated there".to_vec());
        house.break_by(fault);
        for _ in 0..LOOKS {
            house.versions().pass().await.unwrap();
            house.rotation().pass().await.unwrap();
            house.places(&case).await;
        }
        let now = house.store.root_key(east).await.unwrap().unwrap();
        assert_eq!(
            (now.version, &now.check_value[..]),
            (2, &b"rotated there"[..]),
            "{case}"
        );
        house
            .is_done(&case, ("east", 2), EventName::KeyRewrap, east.uuid())
            .await;
        let rotations = house.rotations().await;
        let of_east: Vec<_> = rotations
            .iter()
            .filter(|record| {
                record
                    .root_key
                    .as_ref()
                    .is_some_and(|facts| facts.id == east.uuid())
            })
            .collect();
        assert_eq!(of_east.len(), 1, "{case}");
        assert_eq!(of_east[0].actor, Actor::Server);
        assert_eq!(of_east[0].details["rotated_in"], "key-manager");
    }
}

#[tokio::test]
async fn a_rotation_of_ours_that_is_under_way_is_not_entered_twice() {
    let house = House::new().await;
    let versions = house.versions();
    let ours = versions.hold().await;
    *house.device.present.lock().unwrap() = Some(vec![4, 5, 6]);
    let looks = tokio::spawn({
        let versions = versions.clone();
        async move { versions.pass().await }
    });
    house.fixture.rotate().await.unwrap();
    drop(ours);
    looks.await.unwrap().unwrap();
    let now = house
        .store
        .root_key(house.fixture.east.root_key)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((now.version, now.check_value), (2, vec![4, 5, 6]));
}

#[tokio::test]
async fn a_key_manager_that_is_away_or_goes_back_changes_no_version() {
    let house = House::new().await;
    house.device.is_away.store(true, Ordering::SeqCst);
    *house.device.present.lock().unwrap() = Some(b"rotated there".to_vec());
    house.versions().pass().await.unwrap();
    house.device.is_away.store(false, Ordering::SeqCst);
    house.fixture.rotate().await.unwrap();
    // The check value of the first version.
    *house.device.present.lock().unwrap() = Some(vec![1, 2, 3]);
    house.versions().pass().await.unwrap();
    let now = house
        .store
        .root_key(house.fixture.east.root_key)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(now.version, 2);
    assert!(house.rotations().await.is_empty());
    assert_eq!(
        house.places("").await,
        BTreeMap::from([(("east".to_owned(), 1), KEYS)])
    );
}
