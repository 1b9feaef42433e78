//! Responses: whatever comes, the decoder returns; what it takes, it can write, and takes again unchanged.
#![no_main]

use claviger::kmip::message::ResponseMessage;
use claviger::kmip::output::ZeroizingOutput;
use claviger::kmip::ttlv::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(response) = ResponseMessage::decode(bytes, &Limits::default()) else {
        return;
    };
    let mut written = ZeroizingOutput::new();
    response
        .encode(&mut written)
        .expect("what was read can be written");
    let again = ResponseMessage::decode(written.as_slice(), &Limits::default())
        .expect("what was written can be read");
    let mut twice = ZeroizingOutput::new();
    again.encode(&mut twice).expect("what was read can be written");
    assert_eq!(written.as_slice(), twice.as_slice());
});
