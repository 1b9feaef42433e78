//! Requests: whatever comes, the decoder returns; what it takes, it can write, and takes again unchanged.
#![no_main]

use claviger::kmip::message::RequestMessage;
use claviger::kmip::output::ZeroizingOutput;
use claviger::kmip::ttlv::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = RequestMessage::sniff_version(bytes);
    let Ok(request) = RequestMessage::decode(bytes, &Limits::default()) else {
        return;
    };
    let mut written = ZeroizingOutput::new();
    if request.encode(&mut written).is_err() {
        return;
    }
    let again =
        RequestMessage::decode(written.as_slice(), &Limits::default()).expect("what was written can be read");
    let mut twice = ZeroizingOutput::new();
    again.encode(&mut twice).expect("what was read can be written");
    assert_eq!(written.as_slice(), twice.as_slice());
});
