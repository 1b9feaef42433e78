//! Messages in JSON: whatever comes is survived, and what is taken is the same message once it is written and read again.
//! The bytes are tried as a message in the binary form too.
#![no_main]

use claviger::kmip::json;
use claviger::kmip::output::ZeroizingOutput;
use claviger::kmip::ttlv::Limits;
use libfuzzer_sys::fuzz_target;

/// What is written can be longer than what was read.
const ROOM: usize = 64 << 20;

fuzz_target!(|bytes: &[u8]| {
    let mut text = ZeroizingOutput::new();
    let _ = json::write(bytes, &mut text);
    let limits = Limits::default();
    let mut message = ZeroizingOutput::new();
    if json::read(bytes, &limits, &mut message).is_err() {
        return;
    }
    let mut text = ZeroizingOutput::new();
    json::write(message.as_slice(), &mut text).expect("what was read can be written");
    let limits = Limits {
        message_size: ROOM,
        ..limits
    };
    let mut again = ZeroizingOutput::new();
    json::read(text.as_slice(), &limits, &mut again).expect("what was written can be read");
    assert_eq!(again.as_slice(), message.as_slice());
});
