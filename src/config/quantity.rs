//! Times and sizes as people write them: `15m`, `1 MiB`.

use std::time::Duration;

const TIMES: &[(&str, u64)] = &[
    ("ms", 1),
    ("s", 1000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];
const SIZES: &[(&str, u64)] = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// A time with its unit: `ms`, `s`, `m`, `h` or `d`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    scaled(text, TIMES).map(Duration::from_millis)
}

/// A number of bytes with its unit: `B`, `KiB`, `MiB` or `GiB`.
pub(super) fn size(text: &str) -> Option<u64> {
    scaled(text, SIZES)
}

fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, scale) = units.iter().find(|(name, _)| *name == unit.trim_start())?;
    number.parse::<u64>().ok()?.checked_mul(*scale)
}

/// A time in the largest unit that says it exactly.
pub(super) fn show_duration(duration: Duration) -> String {
    show(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), TIMES, "")
}

/// A size in the largest unit that says it exactly.
pub(super) fn show_size(bytes: u64) -> String {
    show(bytes, SIZES, " ")
}

fn show(value: u64, units: &[(&str, u64)], between: &str) -> String {
    let exact = units
        .iter()
        .rev()
        .find(|(_, scale)| value.is_multiple_of(*scale) && value >= *scale);
    let (unit, scale) = exact.unwrap_or(&units[0]);
    format!("{}{between}{unit}", value / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_its_unit_and_refused_without() {
        assert_eq!(duration("15m"), Some(Duration::from_mins(15)));
        assert_eq!(duration("250 ms"), Some(Duration::from_millis(250)));
        for wrong in [
            "15",
            "",
            "m",
            "-1s",
            "1.5s",
            "15 minutes",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for text in ["15m", "90s", "1d", "1500ms", "0ms"] {
            let value = duration(text).expect("a time");
            assert_eq!(show_duration(value), text);
        }
        for text in ["1 MiB", "1025 B", "64 KiB"] {
            assert_eq!(show_size(size(text).expect("a size")), text);
        }
    }
}
