//! The doctor: what it finds on a good device, and that it says what is wrong with a bad one.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use claviger_hsm::doctor::{Group, Report, Verdict, examine};
use claviger_hsm::{DeviceConfig, RootKeyLocator, SlotSelector};

use super::{device_with_root_key, token};
use crate::support::{command, counted_command, starts};

fn verdict(report: &Report, name: &str) -> Option<Verdict> {
    report
        .checks
        .iter()
        .find(|check| check.name == name)
        .map(|check| check.verdict)
}

#[tokio::test]
async fn a_good_device_has_nothing_wrong_but_what_is_known_of_it() {
    let Some(token) = token() else { return };
    let report = examine(&token.device_config("test"), &command(), &[])
        .await
        .unwrap();
    let wrong = report.checks.iter().filter(|check| check.verdict != Verdict::Ok);
    let wrong: Vec<_> = wrong
        .inspect(|check| assert_eq!(check.verdict, Verdict::Warning, "{check:?}"))
        .map(|check| check.name.as_str())
        .collect();
    assert_eq!(wrong, token.expectations().doctor_warns_of, "{report:#?}");
    for check in &report.checks {
        assert_eq!(check.verdict == Verdict::Ok, check.remedy.is_empty(), "{check:?}");
    }
    let groups: Vec<_> = report.checks.iter().map(|check| check.group).collect();
    assert!(groups.is_sorted(), "each group is in one place: {groups:?}");
    for group in Group::ALL {
        assert!(groups.contains(&group), "nothing was looked at of {group}");
    }
}

/// The tables of docs/hsm.md, which say what each token does.
#[tokio::test]
async fn what_the_documentation_says_of_this_token_is_true() {
    let Some(token) = token() else { return };
    let report = examine(&token.device_config("test"), &command(), &[])
        .await
        .unwrap();
    let documented = documented(&token.kind().to_string());
    let mut compared = 0;
    for check in &report.checks {
        let found = match (check.group, check.finding.as_str()) {
            (Group::Attributes, finding) => ["refused", "allowed", "not tried"]
                .into_iter()
                .find(|word| finding.starts_with(word)),
            (Group::Profiles, finding) if finding.starts_with("wrapped") => {
                Some(if finding.contains("accepts a changed blob") {
                    "passes, takes a changed blob"
                } else {
                    "passes"
                })
            }
            (Group::Profiles, finding) if finding.starts_with("not to be had") => Some("no"),
            (Group::Cryptography, finding) if check.name == "use of keys" => {
                for part in finding.split("; ") {
                    let (found, names) = part.split_once(": ").expect("what it is, and of which uses");
                    let found = if found == "not" { "no" } else { found };
                    for name in names.split(", ") {
                        compared += 1;
                        assert_eq!(documented.get(name).map(String::as_str), Some(found), "{name}");
                    }
                }
                None
            }
            (Group::Cryptography, finding) => Some(if finding.starts_with("the generator takes a seed") {
                "taken"
            } else {
                "not taken"
            }),
            _ => None,
        };
        if let Some(found) = found {
            compared += 1;
            let said = documented.get(&check.name).map(String::as_str);
            assert_eq!(said, Some(found), "{}: {}", check.name, check.finding);
        }
    }
    assert!(
        compared > 25,
        "profiles, attacks and uses of keys are in the report"
    );
}

/// The column of a token in the tables of docs/hsm.md, by the first cell of each row.
fn documented(token: &str) -> BTreeMap<String, String> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/hsm.md");
    let text = std::fs::read_to_string(file).expect("docs/hsm.md is there");
    let mut column = None;
    let mut rows = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        if cells.len() < 3 {
            column = None;
        } else if let Some(heading) = cells.iter().position(|cell| *cell == token) {
            column = Some(heading);
        } else if let Some(cell) = column.and_then(|column: usize| cells.get(column)) {
            rows.insert(cells[1].to_owned(), (*cell).to_owned());
        }
    }
    rows
}

#[tokio::test]
async fn a_root_key_that_is_recorded_is_looked_for_and_used() {
    let Some((token, device, root)) = device_with_root_key().await else {
        return;
    };
    let facts = device.find_root_key(&root).await.unwrap();
    device.shutdown().await;
    let recorded = RootKeyLocator {
        check_value: Some(facts.check_value.clone()),
        ..root.clone()
    };
    let other = RootKeyLocator {
        check_value: Some(vec![0; facts.check_value.len()]),
        ..root.clone()
    };
    let lost = RootKeyLocator {
        label: "lost".to_owned(),
        id: vec![9; 16],
        check_value: None,
    };
    let config = token.device_config("test");
    for (expected, of_it, said) in [
        (&recorded, Verdict::Ok, "as it is recorded"),
        (&other, Verdict::Failure, "check value"),
        (&lost, Verdict::Failure, "no root key"),
    ] {
        let report = examine(&config, &command(), std::slice::from_ref(expected))
            .await
            .unwrap();
        let check = report.checks.iter().find(|check| check.name == expected.label);
        let check = check.expect("the recorded key is in the report");
        assert_eq!(
            (check.group, check.verdict),
            (Group::RootKeys, of_it),
            "{check:?}"
        );
        assert!(check.finding.contains(said), "{check:?}");
    }
    let report = examine(&config, &command(), &[]).await.unwrap();
    let check = report
        .checks
        .iter()
        .find(|check| check.name == root.label)
        .unwrap();
    assert_eq!(check.verdict, Verdict::Ok, "{check:?}");
    assert!(check.finding.contains("not in the database"), "{check:?}");
    assert!(check.finding.contains("made on the device"), "{check:?}");
}

#[tokio::test]
async fn the_doctor_tries_a_wrong_pin_once_and_says_what_to_do() {
    let Some(token) = token() else { return };
    token.write_pin("wrong-17");
    let log = token.directory().join("starts");
    let report = examine(&token.device_config("test"), &counted_command(&log), &[])
        .await
        .unwrap();
    assert_eq!(verdict(&report, "login"), Some(Verdict::Failure));
    assert_eq!(report.verdict(), Verdict::Failure);
    assert!(
        report
            .checks
            .iter()
            .all(|check| (check.verdict == Verdict::Ok) == check.remedy.is_empty())
    );
    assert_eq!(starts(&log), 1);
}

#[tokio::test]
async fn a_pin_that_others_may_read_is_a_warning() {
    let Some(token) = token() else { return };
    std::fs::set_permissions(token.pin_file(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let report = examine(&token.device_config("test"), &command(), &[])
        .await
        .unwrap();
    assert_eq!(verdict(&report, "PIN file"), Some(Verdict::Warning));
    assert_eq!(report.verdict(), Verdict::Warning);
}

#[tokio::test]
async fn a_slot_that_is_not_there_is_answered_with_those_that_are() {
    let Some(token) = token() else { return };
    let slot = SlotSelector::TokenSerial("0000".to_owned());
    let config = DeviceConfig {
        slot,
        ..token.device_config("test")
    };
    let report = examine(&config, &command(), &[]).await.unwrap();
    let slot = report.checks.iter().find(|check| check.name == "slot").unwrap();
    assert_eq!(slot.verdict, Verdict::Failure);
    assert!(slot.finding.contains(token.label()), "{}", slot.finding);
    assert_eq!(verdict(&report, "login"), None);
}

#[tokio::test]
async fn a_module_that_ends_its_process_is_a_finding_and_no_end_of_ours() {
    let Some(token) = token() else { return };
    let command = claviger_hsm::WorkerCommand {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), "kill -SEGV $$".into()],
    };
    let report = examine(&token.device_config("test"), &command, &[])
        .await
        .unwrap();
    assert_eq!(verdict(&report, "module"), Some(Verdict::Failure));
}
