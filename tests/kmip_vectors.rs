//! The requests and responses of the OASIS test cases, through the codec alone.

#[path = "support/oasis.rs"]
mod oasis;

use claviger::kmip::message::{RequestMessage, ResponseMessage};
use claviger::kmip::output::ZeroizingOutput;
use claviger::kmip::tag::Tag;
use claviger::kmip::text::{self, Secrets};
use claviger::kmip::ttlv::Limits;
use oasis::{Element, Placeholders};

/// Files that cannot be read as what they are meant to be, each with what is wrong in it.
const MALFORMED: &[(&str, &str)] = &[("TC-ECDSA-SIGN-1-14", "not well-formed XML")];

/// Every message of a version's test cases, with a name to tell it by.
fn messages(version: &str) -> Vec<(String, Element)> {
    let mut messages = Vec::new();
    let Some(folder) = oasis::folder() else {
        return Vec::new();
    };
    for file in oasis::files(&folder, version) {
        match oasis::read(&file) {
            Ok(case) => {
                for (position, message) in case.messages.into_iter().enumerate() {
                    messages.push((format!("{} message {position}", case.name), message));
                }
            }
            Err(error) => {
                let name = file.file_stem().unwrap_or_default().to_string_lossy();
                assert!(
                    MALFORMED.iter().any(|(known, _)| *known == name),
                    "{name}: {error}"
                );
            }
        }
    }
    messages
}

fn bytes_of(name: &str, message: &Element) -> Vec<u8> {
    let placeholders = Placeholders {
        now: 1_700_000_000,
        ..Placeholders::default()
    };
    message
        .to_bytes(&placeholders)
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn show(bytes: &[u8]) -> String {
    let mut shown = String::new();
    text::write(bytes, Secrets::Revealed, &mut shown).expect("a string can be written to");
    shown
}

fn every_request_is_read_and_written_back(version: &str) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, message) in messages(version) {
        if message.tag != Tag::REQUEST_MESSAGE {
            continue;
        }
        let bytes = bytes_of(&name, &message);
        count += 1;
        let request = match RequestMessage::decode(&bytes, &Limits::default()) {
            Ok(request) => request,
            Err(error) => {
                wrong.push(format!("{name}: {error}\n{}", show(&bytes)));
                continue;
            }
        };
        assert_eq!(
            RequestMessage::sniff_version(&bytes),
            Some(request.header.protocol_version),
            "{name}"
        );
        for item in &request.items {
            match &item.payload {
                Ok(payload) => assert_eq!(payload.operation(), item.operation, "{name}"),
                Err(error) => wrong.push(format!("{name}: {error}\n{}", show(&bytes))),
            }
        }
        let mut out = ZeroizingOutput::new();
        if request.encode(&mut out).is_ok() && out.as_slice() != bytes {
            wrong.push(format!(
                "{name} is written back differently:\n{}\n{}",
                show(&bytes),
                show(out.as_slice())
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} requests:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn every_response_is_read_and_written_back(version: &str) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, message) in messages(version) {
        if message.tag != Tag::RESPONSE_MESSAGE {
            continue;
        }
        let bytes = bytes_of(&name, &message);
        count += 1;
        match ResponseMessage::decode(&bytes, &Limits::default()) {
            Ok(response) => {
                let mut out = ZeroizingOutput::new();
                response
                    .encode(&mut out)
                    .expect("a response that was read can be written");
                if out.as_slice() != bytes {
                    let written = show(out.as_slice());
                    wrong.push(format!(
                        "{name} is written back differently:\n{}\n{written}",
                        show(&bytes)
                    ));
                }
            }
            Err(error) => wrong.push(format!("{name}: {error}\n{}", show(&bytes))),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count} responses:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn requests_of_1_1_are_read_and_written_back_to_the_byte() {
    every_request_is_read_and_written_back("1.1");
}

#[test]
fn requests_of_1_4_are_read_and_written_back_to_the_byte() {
    every_request_is_read_and_written_back("1.4");
}

#[test]
fn requests_of_2_1_are_read_and_written_back_to_the_byte() {
    every_request_is_read_and_written_back("2.1");
}

#[test]
fn responses_of_1_1_are_read_and_written_back_to_the_byte() {
    every_response_is_read_and_written_back("1.1");
}

#[test]
fn responses_of_1_4_are_read_and_written_back_to_the_byte() {
    every_response_is_read_and_written_back("1.4");
}

#[test]
fn responses_of_2_1_are_read_and_written_back_to_the_byte() {
    every_response_is_read_and_written_back("2.1");
}
