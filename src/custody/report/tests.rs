use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Kind, Question, Reading, Report, WorkingHours};
use crate::custody::{
    Actor, CompactRange, Event, EventName, Head, ObjectFacts, Origin, Record, RootKeyFacts, leaf_hash,
};

/// A Tuesday, in working hours.
const MORNING: OffsetDateTime = datetime!(2026-11-24 08:00:00 UTC);

struct Log {
    records: Vec<Record>,
    time: OffsetDateTime,
}

impl Log {
    fn new() -> Self {
        Self {
            records: Vec::new(),
            time: MORNING,
        }
    }

    fn after(&mut self, pause: Duration) -> &mut Self {
        self.time += pause;
        self
    }

    fn write(&mut self, event: Event) -> &mut Self {
        let sequence = self.records.len() as u64;
        let id = Uuid::from_u128(u128::from(sequence));
        self.records
            .push(Record::new(sequence, id, self.time, "node-1", "0.1.0", event));
        self.after(Duration::SECOND)
    }

    fn by(&mut self, client: &str, name: EventName, key: &str) -> &mut Self {
        self.write(event(client, name, key))
    }

    fn report(&self, question: Question) -> Report {
        let mut reading = Reading::new(question, 0);
        let mut tree = CompactRange::new();
        for record in &self.records {
            reading.push(record);
            tree.append(leaf_hash(&record.to_bytes()));
        }
        reading.finish(Head {
            size: tree.size(),
            root: tree.root(),
        })
    }
}

fn event(client: &str, name: EventName, key: &str) -> Event {
    let mut event = Event::new(
        name,
        Actor::Client {
            certificate: format!("{client:0<64}"),
            subject: format!("CN={client}"),
            issuer: format!("CN={client}"),
            serial: "01".into(),
            user: None,
        },
    );
    event.origin = Some(Origin {
        address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
        port: 40000,
        tls_version: None,
    });
    event.object = Some(ObjectFacts {
        identifier: key.into(),
        algorithm: Some("AES".into()),
        length: Some(256),
        state_after: Some("Active".into()),
        attributes: BTreeMap::from([("x-Name".into(), "<vm> & 1".into())]),
        ..ObjectFacts::default()
    });
    event.root_key = Some(RootKeyFacts {
        id: Uuid::from_u128(1),
        backend: "hsm".into(),
        token_serial: "0123".into(),
        label: "claviger.east".into(),
        version: 2,
        wrap_profile: None,
        release_profile: Some("transport".into()),
    });
    event
}

fn question() -> Question {
    Question {
        key: None,
        since: None,
        until: None,
        hours: WorkingHours::default(),
        silence: Duration::minutes(10),
    }
}

fn kinds(report: &Report) -> Vec<Kind> {
    report.anomalies.iter().map(|anomaly| anomaly.kind).collect()
}

#[test]
fn a_usual_day_has_nothing_out_of_the_ordinary() {
    let mut log = Log::new();
    log.write(Event::new(EventName::ServerStart, Actor::Server))
        .by("vcenter", EventName::KmipCreate, "k1")
        .by("vcenter", EventName::KmipGet, "k1")
        .by("vcenter", EventName::KmipGet, "k1")
        .write(Event::new(EventName::ServerStop, Actor::Server));
    let report = log.report(question());
    assert_eq!(kinds(&report), []);
    assert_eq!((report.releases, report.records), (2, 5));
    let holder = &report.holders[0];
    assert_eq!((holder.who.as_str(), holder.releases), ("CN=vcenter", 2));
    assert!(holder.root_keys.contains("claviger.east version 2, transport"));
    assert_eq!(report.keys[0].made.as_ref().unwrap().1, "CN=vcenter");
}

#[test]
fn a_client_that_never_had_the_key_stands_first_and_only_once() {
    let mut log = Log::new();
    log.by("vcenter", EventName::KmipCreate, "k1")
        .by("stranger", EventName::KmipGet, "k1")
        .by("stranger", EventName::KmipGet, "k1")
        .write(event("stranger", EventName::KmipDestroy, "k1").refused("Permission Denied"));
    let report = log.report(question());
    assert_eq!(kinds(&report), [Kind::NewHolder, Kind::Refusal]);
    assert_eq!(
        (report.anomalies[0].count, report.anomalies[0].first.sequence),
        (1, 1)
    );
    // In a later period it is a client that had the key.
    let later = Question {
        since: Some(MORNING + Duration::seconds(2)),
        ..question()
    };
    let report = log.report(later);
    assert_eq!(kinds(&report), [Kind::Refusal]);
    assert_eq!(report.releases, 1);
}

#[test]
fn a_release_at_night_or_by_reading_the_value_is_told() {
    let mut log = Log::new();
    log.by("vcenter", EventName::KmipCreate, "k1")
        .after(Duration::hours(15));
    log.by("vcenter", EventName::KmipGet, "k1")
        .after(Duration::hours(10));
    let mut read = event("vcenter", EventName::KmipGet, "k1");
    read.root_key.as_mut().unwrap().release_profile = Some("read".into());
    log.write(read);
    assert_eq!(kinds(&log.report(question())), [Kind::ReadProfile, Kind::OddHour]);
    let always = Question {
        hours: "00:00-24:00".parse().unwrap_or(WorkingHours {
            from: time::Time::MIDNIGHT,
            until: time::Time::MAX,
            weekends: true,
            ..WorkingHours::default()
        }),
        ..question()
    };
    assert_eq!(kinds(&log.report(always)), [Kind::ReadProfile]);
}

#[test]
fn hours_may_go_over_midnight_and_know_weekends() {
    let hours: WorkingHours = "22:00-06:00".parse().unwrap();
    assert!(!hours.are_over(datetime!(2026-11-24 23:00 UTC)));
    assert!(!hours.are_over(datetime!(2026-11-24 05:59 UTC)));
    assert!(hours.are_over(datetime!(2026-11-24 06:00 UTC)));
    assert!(hours.are_over(datetime!(2026-11-28 23:00 UTC)), "a Saturday");
    let east = WorkingHours {
        zone: time::UtcOffset::from_hms(9, 0, 0).unwrap(),
        ..hours
    };
    assert!(east.are_over(datetime!(2026-11-24 23:00 UTC)));
    assert_eq!(east.to_string(), "22:00 to 06:00 (UTC+09:00), Monday to Friday");
    for wrong in ["", "22-6", "22:00", "25:00-06:00"] {
        assert!(wrong.parse::<WorkingHours>().is_err(), "{wrong}");
    }
}

#[test]
fn a_crash_is_told_from_a_stop() {
    let mut log = Log::new();
    log.write(Event::new(EventName::ServerStart, Actor::Server))
        .write(Event::new(EventName::ServerStop, Actor::Server))
        .after(Duration::hours(1))
        .write(Event::new(EventName::ServerStart, Actor::Server))
        .after(Duration::hours(1))
        .write(Event::new(EventName::ServerStart, Actor::Server));
    let report = log.report(question());
    assert_eq!(kinds(&report), [Kind::Disorder]);
    assert_eq!(report.anomalies[0].first.sequence, 3);
    assert_eq!(report.steps.len(), 3, "two starts in a row are one line");
}

#[test]
fn a_silence_is_told_once_the_log_has_had_a_heartbeat() {
    let heartbeat = || Event::new(EventName::CustodyHeartbeat, Actor::Server);
    let mut log = Log::new();
    log.write(Event::new(EventName::ServerStart, Actor::Server))
        .after(Duration::minutes(30))
        .write(heartbeat())
        .after(Duration::minutes(5))
        .write(heartbeat())
        .after(Duration::minutes(11))
        .write(heartbeat());
    let report = log.report(question());
    assert_eq!(kinds(&report), [Kind::Silence]);
    assert_eq!(report.anomalies[0].first.sequence, 3);
    assert!(
        report.anomalies[0].sentence.contains("11 min 1 s"),
        "{:?}",
        report.anomalies
    );
}

#[test]
fn a_report_on_one_key_tells_of_no_other() {
    let mut log = Log::new();
    log.by("vcenter", EventName::KmipCreate, "k1")
        .by("vcenter", EventName::KmipCreate, "k2")
        .by("stranger", EventName::KmipGet, "k2")
        .by("vcenter", EventName::KmipGet, "K1");
    let report = log.report(Question {
        key: Some("k1".into()),
        ..question()
    });
    assert_eq!(report.records, 2);
    assert!(
        report
            .keys
            .iter()
            .all(|key| key.identifier.eq_ignore_ascii_case("k1"))
    );
    assert!(report.holders.iter().all(|holder| holder.who == "CN=vcenter"));
}

#[cfg(feature = "server")]
#[test]
fn a_name_of_a_client_is_text_and_no_part_of_the_page() {
    let mut log = Log::new();
    log.by("<script>alert(1)</script>", EventName::KmipCreate, "k1")
        .by("stranger", EventName::KmipGet, "k1");
    let report = log.report(Question {
        key: Some("k1".into()),
        ..question()
    });
    let page = report
        .page(&super::Provenance {
            source: "a test".into(),
            read_at: MORNING,
            program: "0.1.0".into(),
        })
        .unwrap();
    assert!(!page.contains("<script"), "{page}");
    assert!(
        page.contains("&#60;vm&#62;") || page.contains("&lt;vm&gt;"),
        "{page}"
    );
    let [anomalies, holders, life] = ["Out of the ordinary", "Who was given the key", "Its life"]
        .map(|heading| page.find(heading).unwrap());
    assert!(
        anomalies < holders && holders < life,
        "what is unusual stands first"
    );
    assert!(page.contains("Released to a client that never had the key"));
    assert!(page.contains(&report.head.root.to_string()));
}
