//! Fills `corpus/` with arbitrary messages that are well-formed, for the targets to start from: `cargo run --bin seeds`.
//! The same messages each time.

use std::path::Path;

use claviger::kmip::output::ZeroizingOutput;
use claviger::kmip::version::ProtocolVersion;
use claviger::kmip::{json, ttlv, xml};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};

#[path = "../../tests/support/kmip_generators/mod.rs"]
mod generators;

/// How many inputs each target gets.
const COUNT: usize = 200;

fn write(target: &str, number: usize, bytes: &[u8]) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(format!("seed-{number:03}")), bytes)
}

/// The same message in XML and in JSON.
fn write_texts(number: usize, bytes: &[u8]) -> std::io::Result<()> {
    let mut text = ZeroizingOutput::new();
    xml::write(bytes, &mut text).expect("a generated request has no control characters");
    write("xml", number, text.as_slice())?;
    text.clear();
    json::write(bytes, &mut text).expect("JSON can say every message");
    write("json", number, text.as_slice())
}

fn main() -> std::io::Result<()> {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    for number in 0..COUNT {
        let version = ProtocolVersion::SUPPORTED[number % ProtocolVersion::SUPPORTED.len()];
        let mut out = ZeroizingOutput::new();
        let request = generators::request(version)
            .new_tree(&mut runner)
            .expect("there is a request")
            .current();
        request
            .encode(&mut out)
            .expect("a generated request can be written");
        write("request", number, out.as_slice())?;
        write_texts(number, out.as_slice())?;
        out.clear();
        let response = generators::response(version)
            .new_tree(&mut runner)
            .expect("there is a response")
            .current();
        response
            .encode(&mut out)
            .expect("a generated response can be written");
        write("response", number, out.as_slice())?;
        out.clear();
        let item = generators::item()
            .new_tree(&mut runner)
            .expect("there is an item")
            .current();
        ttlv::encode(&item, &mut out);
        write("ttlv", number, out.as_slice())?;
    }
    Ok(())
}
