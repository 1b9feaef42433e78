//! OASIS' own cases for 1.1 and 1.4, in the symmetric scope, against a real server over TLS.
//!
//! Every file is in the table that this prints and leaves in `target/conformance.md` (and that `docs/kmip.md` has): run
//! and passed, or skipped with the reason.

#[path = "support/comparison.rs"]
mod comparison;
#[path = "support/oasis.rs"]
mod oasis;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use comparison::Comparison;
use support::client::Client;
use support::server::Server;
use support::ttlv::Item;
use time::OffsetDateTime;

/// Families of cases that are not run, by the beginning of their names, and why.
const SKIPPED: &[(&str, &str)] = &[
    (
        "TC-SJ",
        "Join Split Key and Create Split Key are outside the mission",
    ),
    ("AKLC", "asymmetric keys are outside the mission"),
    ("AX-M", "Encrypt and Decrypt are not served"),
    ("CS-AC", "asymmetric keys are outside the mission"),
    ("CS-BC", "Encrypt and Decrypt are not served"),
    ("CS-RNG", "RNG Retrieve and RNG Seed are not served"),
    ("MSGENC-HTTPS", "KMIP over HTTPS is not served"),
    ("MSGENC-JSON", "the JSON encoding is not served"),
    ("MSGENC-XML", "the XML encoding is not served"),
    ("OMOS", "opaque objects are not served"),
    ("SASED-M-2", "secret data objects are not served"),
    ("SASED-M-3", "secret data objects are not served"),
    ("TC-CERTATTR", "certificates are outside the mission"),
    ("TC-CREATE-SD", "secret data objects are not served"),
    ("TC-CREG", "client registration is not served"),
    ("TC-DERIVEKEY", "Derive Key is not served"),
    ("TC-ECC", "asymmetric keys are outside the mission"),
    ("TC-ECDSA", "asymmetric keys are outside the mission"),
    ("TC-MDO", "key value locations are not served"),
    ("TC-NP", "Notify and Put are not served"),
    ("TC-OTP", "one-time passwords are outside the mission"),
    ("TC-PGP", "PGP keys are outside the mission"),
    ("TC-PKCS12", "asymmetric keys are outside the mission"),
    ("TC-Q-CREG", "client registration is not served"),
    ("TC-Q-S2C-PROF-2", "Notify and Put are not served"),
    ("TC-REKEY", "Re-key is not served"),
    ("TC-RSA", "asymmetric keys are outside the mission"),
    ("TC-STREAM", "streams of Encrypt, MAC and Hash are not served"),
    ("TC_101", "Archive and Recover are not served"),
    ("TC_111", "asymmetric keys are outside the mission"),
    ("TC_112", "asymmetric keys are outside the mission"),
    ("TC_13", "asymmetric keys are outside the mission"),
    (
        "TC_151",
        "the case starts from keys that its server has made beforehand",
    ),
    ("TC_153", "the members of a default group are not given in turn"),
    ("TC_182", "asymmetric keys are outside the mission"),
    ("TC_315", "secret data objects are not served"),
    ("TC_32", "asynchronous operations are not served"),
    ("TC_51", "Get Usage Allocation is not served"),
    ("TC_8", "asymmetric keys are outside the mission"),
    ("TC_9", "Re-key and Obtain Lease are not served"),
    ("TC_ECC", "asymmetric keys are outside the mission"),
    ("TC_NP", "Notify and Put are not served"),
    ("TC-WRAP", "keys that are registered wrapped are not taken"),
    (
        "TC_142",
        "TTLV Encoding: the key would be in the clear outside the device",
    ),
];

enum Outcome {
    Passed,
    Failed(Vec<String>),
    Skipped(&'static str),
}

#[test]
fn the_standards_cases_for_symmetric_keys_are_answered_as_the_standard_has_them() {
    let Some(folder) = oasis::folder() else { return };
    let server = Server::start();
    let (mut table, mut failures, mut adapters) = (BTreeMap::new(), String::new(), BTreeSet::new());
    for version in ["1.1", "1.4"] {
        for file in oasis::files(&folder, version) {
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            let row = match outcome(&server, &mut adapters, version, &name, &file) {
                Outcome::Passed => (version, "passed", ""),
                Outcome::Skipped(reason) => (version, "skipped", reason),
                Outcome::Failed(differences) => {
                    writeln!(failures, "{version} {name}:\n  {}", differences.join("\n  ")).expect("text");
                    (version, "FAILED", "see the test's output")
                }
            };
            table.entry(row).or_insert_with(Vec::new).push(name);
        }
    }
    let (table, passed) = show(&table);
    println!("{table}");
    std::fs::write(
        concat!(env!("CARGO_MANIFEST_DIR"), "/target/conformance.md"),
        &table,
    )
    .ok();
    assert!(failures.is_empty(), "{failures}");
    assert!(passed > 80, "{passed} cases passed");
    server.verify_custody_log();
}

/// The table for `docs/kmip.md`, and how many cases passed.
fn show(table: &BTreeMap<(&str, &str, &str), Vec<String>>) -> (String, usize) {
    let count = |wanted: &str| -> usize {
        table
            .iter()
            .filter(|((_, outcome, _), _)| *outcome == wanted)
            .map(|(_, cases)| cases.len())
            .sum()
    };
    let (passed, skipped, failed) = (count("passed"), count("skipped"), count("FAILED"));
    let mut text = format!("{passed} passed, {failed} failed, {skipped} skipped.\n\n");
    text.push_str("| version | outcome | why | number | cases |\n|---|---|---|---|---|\n");
    for ((version, outcome, reason), cases) in table {
        let number = cases.len();
        writeln!(
            text,
            "| {version} | {outcome} | {reason} | {number} | {} |",
            cases.join(", ")
        )
        .expect("text");
    }
    (text, passed)
}

fn outcome(
    server: &Server,
    adapters: &mut BTreeSet<String>,
    version: &str,
    name: &str,
    file: &Path,
) -> Outcome {
    // The longest beginning counts: a case may be an exception of its family.
    let reason = SKIPPED
        .iter()
        .filter(|(start, _)| is_of(name, start))
        .max_by_key(|(start, _)| start.len());
    if let Some((_, reason)) = reason {
        return Outcome::Skipped(reason);
    }
    // Cases share names of objects, so each has an adapter of its own; but the tape library's are one story.
    let story = if name.starts_with("TL-M") { "TL-M" } else { name };
    let adapter = format!("case-{version}-{story}")
        .replace(['.', '_'], "-")
        .chars()
        .take(40)
        .collect::<String>();
    if adapters.insert(adapter.clone()) {
        server.adapter(&adapter);
    }
    let client = server.client_of(&adapter, &format!("{version}-{name}"));
    match run(&client, file) {
        Ok(()) => Outcome::Passed,
        Err(differences) => Outcome::Failed(differences),
    }
}

/// Whether a case is of a family; `SKFF-M-1` is not the beginning of `SKFF-M-12`.
fn is_of(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| {
        !(family.ends_with(|c: char| c.is_ascii_digit())
            && family.contains('-')
            && rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

fn run(client: &Client, file: &Path) -> Result<(), Vec<String>> {
    let case = oasis::read(file).map_err(|error| vec![error])?;
    let mut comparison = Comparison::default();
    let mut connection = client.connect();
    for (number, exchange) in case.messages.chunks(2).enumerate() {
        let [request, response] = exchange else {
            return Err(vec!["a request without its response".to_owned()]);
        };
        comparison.placeholders.now = OffsetDateTime::now_utc().unix_timestamp();
        comparison.note_request(request);
        let request = request
            .to_bytes(&comparison.placeholders)
            .map_err(|error| vec![error])?;
        let answer = connection.exchange_bytes(&request).map_err(|error| vec![error])?;
        let mut differences = comparison.differences(response, &Item::decode(&answer));
        if !differences.is_empty() {
            for difference in &mut differences {
                *difference = format!("exchange {number}: {difference}");
            }
            return Err(differences);
        }
    }
    Ok(())
}
