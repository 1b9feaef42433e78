//! OASIS' own cases for 1.1 and 1.4, in the symmetric scope, against a real server over TLS.
//!
//! Every file is in the table that this prints and leaves in `target/conformance.md`: run and passed, or skipped
//! with the reason.

#[path = "support/comparison.rs"]
mod comparison;
#[path = "support/oasis.rs"]
mod oasis;
mod support;

use std::fmt::Write;
use std::path::Path;

use comparison::Comparison;
use support::client::Client;
use support::server::Server;
use support::ttlv::Item;
use time::OffsetDateTime;

/// Families of cases that are not run, by the beginning of their names, and why.
const SKIPPED: &[(&str, &str)] = &[
    ("AKLC", "asymmetric keys are outside the mission"),
    ("CS-AC", "asymmetric keys are outside the mission"),
    ("CS-BC", "Encrypt and Decrypt are not served"),
    ("CS-RNG", "RNG Retrieve and RNG Seed are not served"),
    ("AX-M", "Encrypt and Decrypt are not served"),
    ("MSGENC-HTTPS", "KMIP over HTTPS is not served"),
    ("MSGENC-JSON", "the JSON encoding is not served"),
    ("MSGENC-XML", "the XML encoding is not served"),
    ("OMOS", "opaque objects are not served"),
    ("SASED", "opaque and secret data objects are not served"),
    ("SKLC-O", "Archive and Recover are not served"),
    ("SUITEB", "asymmetric keys are outside the mission"),
    ("TL-M", "Obtain Lease and Re-key are not served"),
    ("TC_101", "Archive and Recover are not served"),
    ("TC_111", "asymmetric keys are outside the mission"),
    ("TC_112", "asymmetric keys are outside the mission"),
    ("TC_13", "asymmetric keys are outside the mission"),
    ("TC_14", "Get with a Key Wrapping Specification is not served"),
    ("TC_15", "default object groups are not served"),
    ("TC_182", "asymmetric keys are outside the mission"),
    ("TC_315", "secret data objects are not served"),
    ("TC_32", "asynchronous operations are not served"),
    ("TC_51", "Get Usage Allocation is not served"),
    ("TC_61", "Create Key Pair is outside the mission"),
    ("TC_8", "asymmetric keys are outside the mission"),
    ("TC_9", "Re-key and Obtain Lease are not served"),
    ("TC_ECC", "asymmetric keys are outside the mission"),
    ("TC_NP", "Notify and Put are not served"),
    ("TC-CERTATTR", "certificates are outside the mission"),
    ("TC-CREATE-SD", "secret data objects are not served"),
    ("TC-CREG", "client registration is not served"),
    ("TC-DERIVEKEY", "Derive Key is not served"),
    ("TC-ECC", "asymmetric keys are outside the mission"),
    ("TC-ECDSA", "asymmetric keys are outside the mission"),
    ("TC-I18N-2", "certificates are outside the mission"),
    ("TC-MDO", "key value locations are not served"),
    ("TC-NP", "Notify and Put are not served"),
    ("TC-OFFSET", "Re-key is not served"),
    ("TC-OTP", "one-time passwords are outside the mission"),
    ("TC-PGP", "PGP keys are outside the mission"),
    ("TC-PKCS12", "asymmetric keys are outside the mission"),
    ("TC-Q-CREG", "client registration is not served"),
    (
        "TC-Q-RNGS",
        "the case expects another server's random number generators",
    ),
    ("TC-Q-S2C", "Notify and Put are not served"),
    ("TC-Q-VAL", "the case expects another server's validations"),
    ("TC-REKEY", "Re-key is not served"),
    (
        "TC-RNG-ATTR",
        "the case expects another server's random number generator",
    ),
    ("TC-RSA", "asymmetric keys are outside the mission"),
    (
        "TC-SENSITIVE",
        "Get with a Key Wrapping Specification is not served",
    ),
    (
        "TC-SJ",
        "Join Split Key and Create Split Key are outside the mission",
    ),
    ("TC-STREAM", "streams of Encrypt, MAC and Hash are not served"),
    ("TC-WRAP", "Get with a Key Wrapping Specification is not served"),
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
    let mut table = String::from("| version | case | outcome | reason |\n|---|---|---|---|\n");
    let (mut passed, mut skipped, mut failures) = (0, 0, String::new());
    for version in ["1.1", "1.4"] {
        for file in oasis::files(&folder, version) {
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            let (outcome, reason) = match outcome(&server, version, &name, &file) {
                Outcome::Passed => {
                    passed += 1;
                    ("passed", String::new())
                }
                Outcome::Skipped(reason) => {
                    skipped += 1;
                    ("skipped", reason.to_owned())
                }
                Outcome::Failed(differences) => {
                    writeln!(failures, "{version} {name}:\n  {}", differences.join("\n  ")).expect("text");
                    ("FAILED", differences[0].clone())
                }
            };
            writeln!(table, "| {version} | {name} | {outcome} | {reason} |").expect("text");
        }
    }
    let summary = format!("{passed} passed, {skipped} skipped\n");
    println!("{table}\n{summary}");
    std::fs::write(
        concat!(env!("CARGO_MANIFEST_DIR"), "/target/conformance.md"),
        format!("{table}\n{summary}"),
    )
    .ok();
    assert!(failures.is_empty(), "{failures}");
    assert!(passed > 30, "{passed} cases passed");
    server.verify_custody_log();
}

fn outcome(server: &Server, version: &str, name: &str, file: &Path) -> Outcome {
    // The longest beginning counts: a case may be an exception of its family.
    let reason = SKIPPED
        .iter()
        .filter(|(start, _)| is_of(name, start))
        .max_by_key(|(start, _)| start.len());
    if let Some((_, reason)) = reason {
        return Outcome::Skipped(reason);
    }
    // Cases share names of objects, so each has an adapter of its own.
    let adapter = format!("case-{version}-{name}")
        .replace(['.', '_'], "-")
        .chars()
        .take(40)
        .collect::<String>();
    server.adapter(&adapter);
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
