//! Policies: what is taken can be written, and is taken again as the same.
#![no_main]

use claviger::custody::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(policy) = Policy::from_bytes(bytes) else {
        return;
    };
    let again: Policy = policy.to_string().parse().expect("what was written can be read");
    assert_eq!(again, policy);
    let all: Vec<_> = policy.witnesses().map(|witness| witness.name.as_str()).collect();
    assert!(policy.is_quorum(&all), "all of the witnesses are enough");
    assert_eq!(policy.is_quorum(&[]), !policy.asks_for_witnesses());
});
