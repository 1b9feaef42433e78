//! What reading and writing costs: the messages of a vCenter, in 1.1 and in 2.1, and a Locate response with many
//! identifiers. Tells the time, and how often memory is asked for.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::hint::black_box;

use claviger::kmip::message::{RequestMessage, ResponseMessage};
use claviger::kmip::output::{Output, ZeroizingOutput};
use claviger::kmip::payload::{LocateResponse, ResponsePayload};
use claviger::kmip::ttlv::Limits;
use claviger::kmip::version::{V1_1, V2_1};
use claviger_hsm::testkit::{CountingAllocator, allocations};
use criterion::{Criterion, criterion_group, criterion_main};

#[path = "../tests/support/vcenter_messages.rs"]
mod messages;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn decode(bytes: &[u8]) -> usize {
    let request =
        RequestMessage::decode(black_box(bytes), &Limits::default()).expect("the request is well-formed");
    request.items.iter().filter(|item| item.payload.is_ok()).count()
}

fn encode(message: &ResponseMessage<'_>, out: &mut ZeroizingOutput) -> usize {
    out.clear();
    black_box(message).encode(out).expect("the key can be opened");
    out.len()
}

/// Measures the time of `work`, and prints how often it asks for memory once it has been done before.
fn measure(criterion: &mut Criterion, name: &str, mut work: impl FnMut() -> usize) {
    work();
    let (_, count) = allocations(&mut work);
    criterion.bench_function(name, |bencher| bencher.iter(&mut work));
    println!("{name}: {count} allocations\n");
}

fn codec(criterion: &mut Criterion) {
    let mut out = ZeroizingOutput::with_capacity(1 << 20);
    for version in [V1_1, V2_1] {
        let get = messages::get_request(version);
        let create = messages::create_request(version);
        let get_response = messages::get_response(version);
        let create_response = messages::create_response(version);
        measure(criterion, &format!("{version}: decode a Get request"), || {
            decode(&get)
        });
        measure(criterion, &format!("{version}: encode a Get response"), || {
            encode(&get_response, &mut out)
        });
        measure(
            criterion,
            &format!("{version}: decode a Get request, build and encode its response"),
            || decode(&get) + encode(&messages::get_response(version), &mut out),
        );
        measure(criterion, &format!("{version}: decode a Create request"), || {
            decode(&create)
        });
        measure(criterion, &format!("{version}: encode a Create response"), || {
            encode(&create_response, &mut out)
        });
    }

    let located = messages::response(
        V1_1,
        ResponsePayload::Locate(LocateResponse {
            located_items: None,
            unique_identifiers: vec![messages::IDENTIFIER.to_owned(); 10_000],
        }),
    );
    measure(criterion, "encode a Locate response of 10,000", || {
        encode(&located, &mut out)
    });
    encode(&located, &mut out);
    let bytes = out.as_slice().to_vec();
    measure(criterion, "decode a Locate response of 10,000", || {
        let response =
            ResponseMessage::decode(black_box(&bytes), &Limits::default()).expect("it is well-formed");
        response.items.len()
    });
}

criterion_group!(benches, codec);
criterion_main!(benches);
