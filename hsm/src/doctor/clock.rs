//! The clocks. Claviger's times are the host's; the token's clock, where it has one, is a second opinion.

use std::time::SystemTime;

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;

use super::examination::Patient;
use super::report::Section;

/// A token's clock that differs by less, in seconds, is not worth a word.
const TOLERANCE: i64 = 60;

pub(super) fn check(patient: Option<&Patient<'_>>, section: &mut Section<'_>) {
    const NAME: &str = "token";
    check_host(section);
    let Some(patient) = patient else { return };
    match patient.module.clock(patient.token.slot) {
        Ok(None) => section.ok(NAME, "it has no clock; Claviger uses the host's"),
        Ok(Some(written)) => match ahead(&written) {
            Ok(seconds) if seconds.abs() <= TOLERANCE => {
                section.ok(NAME, format!("{written}, as the host's"));
            }
            Ok(seconds) => section.warning(
                NAME,
                format!(
                    "{written}, {} seconds {} the host's",
                    seconds.abs(),
                    if seconds > 0 { "ahead of" } else { "behind" }
                ),
                "Set the one that is wrong. The times of keys and records are the host's.",
            ),
            Err(_) => section.ok(
                NAME,
                format!("its clock is not written as PKCS#11 says (\"{written}\"); Claviger uses the host's"),
            ),
        },
        Err(error) => section.ok(
            NAME,
            format!("its clock can't be read ({error}); Claviger uses the host's"),
        ),
    }
}

/// A host's clock that was never set is before this program was made.
fn check_host(section: &mut Section<'_>) {
    const NAME: &str = "host";
    const REMEDY: &str = "Set it, and keep it set by NTP or PTP: keys and records bear its time.";
    let made = std::env::current_exe()
        .and_then(std::fs::metadata)
        .and_then(|metadata| metadata.modified());
    let Ok(now) = Asn1Time::days_from_now(0) else {
        return section.warning(NAME, "it can't be read", REMEDY);
    };
    if made.is_ok_and(|made| made > SystemTime::now()) {
        let finding = format!("{}, which is before this program was written to its file", &*now);
        section.warning(NAME, finding, REMEDY);
    } else {
        section.ok(NAME, now.to_string());
    }
}

/// How many seconds a token's clock, `YYYYMMDDhhmmss00` (PKCS#11 2.40, section 3.2), is ahead of the host's.
fn ahead(written: &str) -> Result<i64, ErrorStack> {
    let digits = written.get(..14).unwrap_or_default();
    let token = Asn1Time::from_str(&format!("{digits}Z"))?;
    let now = Asn1Time::days_from_now(0)?;
    between(&now, &token)
}

fn between(earlier: &Asn1TimeRef, later: &Asn1TimeRef) -> Result<i64, ErrorStack> {
    let difference = earlier.diff(later)?;
    Ok(i64::from(difference.days) * 86_400 + i64::from(difference.secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_a_day_behind_is_seen_as_that() {
        let earlier = Asn1Time::from_str("20261123115900Z").unwrap();
        let later = Asn1Time::from_str("20261124120000Z").unwrap();
        assert_eq!(between(&later, &earlier).unwrap(), -86_460);
    }

    #[test]
    fn a_clock_that_is_not_written_as_the_standard_says_is_no_time() {
        for written in ["", "11:34:32", "20261399999999", "2026112411343"] {
            assert!(ahead(written).is_err(), "{written}");
        }
    }
}
