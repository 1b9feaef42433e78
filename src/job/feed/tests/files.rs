//! Feeds to files.

use std::fs;

use super::{House, Receiver, sequences};

#[tokio::test]
async fn a_file_has_every_record_once_also_after_a_restart() {
    let house = House::new().await;
    let path = house.path("records.jsonl");
    house.record(300).await;
    let feed = house.feed(Receiver::File(path.clone()));
    feed.is_at(300).await;
    house.record(10).await;
    feed.is_at(310).await;
    feed.kill().await;
    house.record(5).await;
    let feed = house.feed(Receiver::File(path.clone()));
    feed.is_at(315).await;
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>(), house.log().await);
}

#[tokio::test]
async fn a_file_that_is_rotated_is_followed_by_a_new_one_and_no_record_is_lost_between_them() {
    let house = House::new().await;
    let (path, rotated) = (house.path("records.jsonl"), house.path("records.jsonl.1"));
    let feed = house.feed(Receiver::File(path.clone()));
    house.record(20).await;
    feed.is_at(20).await;
    fs::rename(&path, &rotated).unwrap();
    house.record(20).await;
    feed.is_at(40).await;
    let text = [rotated, path]
        .map(|path| fs::read_to_string(path).unwrap())
        .concat();
    assert_eq!(text.lines().collect::<Vec<_>>(), house.log().await);
}

#[tokio::test]
async fn a_full_disk_holds_up_the_file_alone_and_afterwards_it_has_every_record() {
    let house = House::new().await;
    let (path, real) = (house.path("records.jsonl"), house.path("real.jsonl"));
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let feed = house.feed(Receiver::File(path.clone()));
    // Each is answered, whatever becomes of the feed.
    house.record(20).await;
    let trouble = feed.trouble().await;
    assert!(trouble.contains("No space left on device"), "{trouble}");
    house.record(20).await;
    assert_eq!(feed.status().next, 0);
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&real, &path).unwrap();
    feed.is_at(40).await;
    let text = fs::read_to_string(&real).unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>(), house.log().await);
}

#[tokio::test]
async fn a_line_that_broke_off_does_not_spoil_the_record_after_it() {
    let house = House::new().await;
    let path = house.path("records.jsonl");
    fs::write(&path, "{\"version\":1,\"sequ").unwrap();
    let feed = house.feed(Receiver::File(path.clone()));
    house.record(3).await;
    feed.is_at(3).await;
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(sequences(text.lines().skip(1)), [0, 1, 2]);
}

#[tokio::test]
async fn a_log_that_is_shorter_than_what_was_delivered_is_told_of() {
    let house = House::new().await;
    house.record(3).await;
    fs::create_dir(house.path("feeds")).unwrap();
    fs::write(house.path("feeds/siem.position"), "7\n").unwrap();
    let feed = house.feed(Receiver::File(house.path("records.jsonl")));
    let trouble = feed.trouble().await;
    assert!(
        trouble.contains("has delivered 7 records, and the log has 3"),
        "{trouble}"
    );
    fs::write(house.path("feeds/siem.position"), "seven\n").unwrap();
    feed.kill().await;
    let feed = house.feed(Receiver::File(house.path("records.jsonl")));
    assert!(feed.trouble().await.contains("not the number of a record"));
}

/// The database was put back to its first three records, and the log went on otherwise: shorter than what was delivered of the
/// log that was lost, and longer.
#[tokio::test]
async fn what_a_new_epoch_begins_with_is_delivered_also_where_more_was_delivered_of_the_lost_log() {
    for delivered in [7, 20] {
        let house = House::new().await;
        house.record(8).await;
        let log = house.log().await;
        let record: crate::custody::Record = serde_json::from_str(&log[3]).unwrap();
        let lost = crate::custody::leaf_hash(b"a record of the log that was lost");
        fs::create_dir(house.path("feeds")).unwrap();
        fs::write(
            house.path("feeds/siem.position"),
            format!("{delivered} {lost} {}\n", record.time_as_written()),
        )
        .unwrap();
        let path = house.path("records.jsonl");
        let feed = house.feed(Receiver::File(path.clone()));
        feed.is_at(8).await;
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(sequences(text.lines()), [3, 4, 5, 6, 7], "{delivered}");
    }
}
