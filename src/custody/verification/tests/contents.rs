//! What the records of a log say together, where all of them were signed.

use time::Duration;
use uuid::Uuid;

use super::super::super::{Actor, Approver, Event, EventName};
use super::log::Log;
use super::{codes, found};

fn log_with(add: impl FnOnce(&mut Log)) -> Vec<&'static str> {
    let mut log = Log::of_keys(4);
    add(&mut log);
    codes(&found(&log.bundle(0), None))
}

const NEW: Uuid = Uuid::from_u128(500);
const ACTIVE: Uuid = Uuid::from_u128(2);
const DESTROYED: Uuid = Uuid::from_u128(1);

#[test]
fn a_life_that_the_life_cycle_does_not_have_is_found() {
    assert_eq!(log_with(|_| {}), [""; 0]);
    assert_eq!(
        log_with(|log| log.key(EventName::KmipGet, NEW, Some("Active"), None)),
        ["key.unmade"]
    );
    assert_eq!(
        log_with(|log| log.key(EventName::KmipCreate, ACTIVE, None, Some("PreActive"))),
        ["key.made-twice"]
    );
    assert_eq!(
        log_with(|log| log.key(EventName::KmipDestroy, ACTIVE, Some("Active"), Some("Destroyed"))),
        ["key.transition"]
    );
    assert_eq!(
        log_with(|log| log.key(
            EventName::KmipActivate,
            DESTROYED,
            Some("Destroyed"),
            Some("Active")
        )),
        ["key.transition"]
    );
    assert_eq!(
        log_with(|log| log.key(
            EventName::KmipRevoke,
            ACTIVE,
            Some("Compromised"),
            Some("Compromised")
        )),
        ["key.state"]
    );
    assert_eq!(
        log_with(|log| log.key(EventName::KmipGet, DESTROYED, Some("Destroyed"), None)),
        ["key.released-after-end"]
    );
}

#[test]
fn what_a_date_or_a_race_explains_is_no_fault() {
    assert_eq!(
        log_with(|log| log.key(EventName::KmipGet, DESTROYED, Some("Active"), None)),
        ["key.released-meanwhile"]
    );
    assert_eq!(
        log_with(|log| log.key(EventName::KmipGet, ACTIVE, Some("Deactivated"), None)),
        [""; 0]
    );
    assert_eq!(
        log_with(|log| log.key(EventName::KmipGetAttributes, ACTIVE, Some("PreActive"), None)),
        [""; 0]
    );
    assert_eq!(
        log_with(|log| {
            let refused = Event::new(EventName::KmipGet, Actor::Unknown).refused("not found");
            log.append(refused);
        }),
        [""; 0]
    );
}

#[test]
fn a_record_at_a_wrong_place_or_of_a_wrong_time_is_found_though_it_was_signed() {
    let again = |log: &mut Log| log.push(log.records[0].clone());
    assert_eq!(log_with(again), ["record.misnumbered", "record.time"]);
    assert_eq!(log_with(|log| log.push(b"{}".to_vec())), ["record.unreadable"]);
}

#[test]
fn silence_of_a_server_that_had_not_stopped_is_noted() {
    let silence = Duration::seconds(3600);
    let ping = || Event::new(EventName::KmipPing, Actor::Server);
    assert_eq!(
        log_with(|log| {
            log.wait(silence);
            log.append(ping());
        }),
        [""; 0],
        "a log that had no heartbeats yet"
    );
    assert_eq!(
        log_with(|log| {
            log.append(Event::new(EventName::CustodyHeartbeat, Actor::Server));
            log.wait(silence);
            log.append(ping());
            log.append(Event::new(EventName::ServerStop, Actor::Server));
            log.wait(silence);
            log.append(Event::new(EventName::ServerStart, Actor::Server));
        }),
        ["heartbeat.gap"]
    );
}

#[test]
fn a_log_that_was_taken_back_is_explained_by_an_epoch_that_two_opened_and_by_no_other() {
    let lost = Log::of_keys(30);
    let state = lost.checkpoint(lost.size()).to_string();
    let restored = |approver: u32| {
        let mut log = Log::of_keys(4);
        let asked = Actor::Administrator {
            uid: 1,
            user: "one".into(),
        };
        let mut event = Event::new(EventName::CustodyEpoch, asked)
            .detail("known_size", lost.size().to_string())
            .detail("found_size", log.size().to_string());
        event.approvers.push(Approver {
            uid: Some(approver),
            certificate: None,
            user: "two".into(),
        });
        log.append(event);
        found(&log.bundle(0), Some(&state))
    };
    let explained = restored(2);
    assert_eq!(codes(&explained), ["log.epoch", "log.epoch-explains"]);
    assert!(explained.verified);
    let alone = restored(1);
    assert_eq!(codes(&alone), ["log.epoch", "log.epoch-alone", "log.rolled-back"]);
    assert!(!alone.verified);
}
