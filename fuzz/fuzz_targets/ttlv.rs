//! Items of any meaning: what the decoder takes is written back to the byte, and every text of it can be made.
#![no_main]

use claviger::kmip::output::ZeroizingOutput;
use claviger::kmip::text::{self, Secrets};
use claviger::kmip::ttlv::{self, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let _ = ttlv::message_size(bytes, &limits);
    text::write(bytes, Secrets::Hidden, &mut String::new()).expect("a string can be written to");
    if let Ok(item) = ttlv::decode(bytes, &limits) {
        let mut written = ZeroizingOutput::new();
        ttlv::encode(&item, &mut written);
        assert_eq!(written.as_slice(), bytes);
    }
});
