//! How often the codec asks for memory on the way of a key to its client.

use claviger::kmip::message::{RequestMessage, ResponseMessage};
use claviger::kmip::output::ZeroizingOutput;
use claviger::kmip::ttlv::Limits;
use claviger::kmip::version::{V1_1, V2_1};
use claviger_hsm::testkit::{CountingAllocator, allocations};

#[path = "support/vcenter_messages.rs"]
mod messages;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn a_get_request_is_read_without_asking_for_memory() {
    for version in [V1_1, V2_1] {
        let bytes = messages::get_request(version);
        let limits = Limits::default();
        // The tables that are filled when they are first used are filled here.
        RequestMessage::decode(&bytes, &limits).expect("it was just written");
        let (request, count) = allocations(|| RequestMessage::decode(&bytes, &limits));
        assert!(request.expect("it was just written").items[0].payload.is_ok());
        assert_eq!(count, 0, "in {version}");
    }
}

#[test]
fn a_get_response_is_written_into_its_one_buffer_and_nowhere_else() {
    for version in [V1_1, V2_1] {
        let response = messages::get_response(version);
        let mut out = ZeroizingOutput::with_capacity(1024);
        response.encode(&mut out).expect("the key can be opened");
        out.clear();
        let (written, count) = allocations(|| response.encode(&mut out));
        written.expect("the key can be opened");
        assert_eq!(count, 0, "in {version}");

        // As the server does it: the header, then each item.
        let whole = out.as_slice().to_vec();
        out.clear();
        let ((), count) = allocations(|| {
            let open = ResponseMessage::encode_header(&response.header, 1, &mut out)
                .expect("a header can be written");
            response.items[0]
                .encode(version, &mut out)
                .expect("the key can be opened");
            open.close(&mut out);
        });
        assert_eq!(count, 0, "in {version}");
        assert_eq!(out.as_slice(), whole);
    }
}

#[test]
fn the_count_is_of_what_is_asked_for() {
    let (text, count) = allocations(|| String::from("key"));
    assert_eq!((text.as_str(), count), ("key", 1));
}
