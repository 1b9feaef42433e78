//! Which checkpoints can be done without, of those that are old: while there is much to record, one is signed each second.
//!
//! Nothing is lost with one of them: whoever kept it verifies it by the hashes of the log, as any other.

use std::collections::BTreeSet;

/// Of the checkpoints of an hour, the sizes of those that are spare. What stays is the last one, and the last of those with
/// the most signatures, so that each hour keeps what its witnesses have seen.
///
/// Each is given by the number of its records and the number of its signatures.
pub fn spare_checkpoints(of_an_hour: &[(u64, usize)]) -> Vec<u64> {
    let last = of_an_hour.iter().map(|(size, _)| *size).max();
    let most_signed = of_an_hour
        .iter()
        .max_by_key(|(size, signatures)| (*signatures, *size))
        .map(|(size, _)| *size);
    let stay: BTreeSet<u64> = last.into_iter().chain(most_signed).collect();
    let sizes = of_an_hour.iter().map(|(size, _)| *size);
    sizes.filter(|size| !stay.contains(size)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_keeps_its_end_and_what_most_witnesses_have_seen() {
        assert_eq!(
            spare_checkpoints(&[(1, 1), (2, 3), (3, 3), (4, 1), (5, 2)]),
            [1, 2, 4]
        );
        assert_eq!(spare_checkpoints(&[(1, 1), (2, 1), (3, 1)]), [1, 2]);
        assert!(spare_checkpoints(&[(7, 1)]).is_empty());
        assert!(spare_checkpoints(&[]).is_empty());
    }
}
