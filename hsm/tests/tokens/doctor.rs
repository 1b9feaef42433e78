//! The doctor: what it finds on a good device, and that it says what is wrong with a bad one.

use std::os::unix::fs::PermissionsExt;

use claviger_hsm::doctor::{Report, Verdict, examine};
use claviger_hsm::{DeviceConfig, SlotSelector};

use super::token;
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
    let report = examine(&token.device_config("test"), &command()).await.unwrap();
    let wrong = report.checks.iter().filter(|check| check.verdict != Verdict::Ok);
    let wrong: Vec<_> = wrong
        .inspect(|check| assert_eq!(check.verdict, Verdict::Warning, "{check:?}"))
        .map(|check| check.name.as_str())
        .collect();
    assert_eq!(wrong, token.expectations().doctor_warns_of, "{report:#?}");
    for check in &report.checks {
        assert_eq!(check.verdict == Verdict::Ok, check.remedy.is_empty(), "{check:?}");
    }
    let names: Vec<_> = report.checks.iter().map(|check| check.name.as_str()).collect();
    let expected = [
        "module",
        "slot",
        "PIN file",
        "login",
        "mechanisms",
        "wrap profile aes-kwp",
        "wrap profile aes-kw",
        "wrap profile aes-gcm",
        "wrap profile aes-cbc-pad",
        "wrap profile",
        "read a root key",
        "wrap a root key under another key",
        "wrap a root key under itself",
        "decrypt with a root key what it wrapped",
        "let a root key decrypt",
        "copy a root key to one that decrypts",
        "wrap with a root key by another mechanism",
        "unwrap a key as a readable one",
        "unwrap a key as one that decrypts",
        "read a sensitive key",
        "release profile",
        "digest",
        "random",
        "memory locking",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn the_doctor_tries_a_wrong_pin_once_and_says_what_to_do() {
    let Some(token) = token() else { return };
    token.write_pin("wrong-17");
    let log = token.directory().join("starts");
    let report = examine(&token.device_config("test"), &counted_command(&log))
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
    let report = examine(&token.device_config("test"), &command()).await.unwrap();
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
    let report = examine(&config, &command()).await.unwrap();
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
    let report = examine(&token.device_config("test"), &command).await.unwrap();
    assert_eq!(verdict(&report, "module"), Some(Verdict::Failure));
}
