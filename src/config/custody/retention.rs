//! `[custody.retention]`: how long records of the custody log are kept. Without the section, all of them for ever.

use std::time::Duration;

use super::super::quantity;
use super::super::reader::Section;
use super::super::sections::DAY;

/// A year, so long that it is none too short.
const YEAR: u32 = 366;

/// `[custody.retention]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CustodyRetention {
    /// `keep`: what is younger is never pruned.
    pub keep: Duration,
    /// `without_archive`: whether records may be pruned that no bundle has.
    pub without_archive: bool,
}

/// None where the file does not have the section.
pub(super) fn retention(custody: &mut Section<'_>) -> Option<CustodyRetention> {
    let mut section = custody.section("retention");
    if !custody.was_given("retention") {
        return None;
    }
    let keep = keep(&mut section);
    let without_archive = section.boolean("without_archive").unwrap_or_default();
    section.finish();
    Some(CustodyRetention {
        keep: keep?,
        without_archive,
    })
}

fn keep(section: &mut Section<'_>) -> Option<Duration> {
    let how = "write how old a record has to be before it may be pruned, a day at least: in years, such as \"7y\", or in days, \
               such as \"400d\"";
    let Some(text) = section.string("keep") else {
        if !section.was_given("keep") {
            section.missing("keep", how);
        }
        return None;
    };
    let read = match text.strip_suffix('y') {
        Some(years) => years
            .trim_end()
            .parse::<u32>()
            .ok()
            .and_then(|years| DAY.checked_mul(years.checked_mul(YEAR)?)),
        None => quantity::duration(&text),
    };
    // The log's times go no further back.
    let keep = read.filter(|keep| (DAY..=DAY * YEAR * 1000).contains(keep));
    if keep.is_none() {
        section.wrong("keep", format!("is {text:?}"), how);
    }
    keep
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn parse(section: &str) -> Result<Option<CustodyRetention>, String> {
        let text = format!(
            "version = \"v1\"\n[kmip]\ncertificate = \"c\"\nkey = \"k\"\n\
             [[device]]\nname = \"hsm\"\nmodule = \"m.so\"\ntoken_serial = \"1\"\npin_file = \"pin\"\n{section}"
        );
        let config = Config::parse(Path::new("/etc/claviger.toml"), &text);
        config
            .map(|config| config.custody.retention)
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn without_a_stated_time_nothing_is_ever_pruned() {
        assert_eq!(parse(""), Ok(None));
        let problems = parse("[custody.retention]\nwithout_archive = true\n").expect_err("no time");
        assert!(
            problems.contains("`custody.retention.keep` is missing"),
            "{problems}"
        );
    }

    #[test]
    fn records_are_kept_for_years_or_days_and_no_archive_is_waived_unless_it_is_said() {
        let read = parse("[custody.retention]\nkeep = \"7y\"\n").unwrap().unwrap();
        assert_eq!((read.keep, read.without_archive), (DAY * 366 * 7, false));
        let read = parse("[custody.retention]\nkeep = \"400d\"\nwithout_archive = true\n");
        let read = read.unwrap().unwrap();
        assert_eq!((read.keep, read.without_archive), (DAY * 400, true));
    }

    #[test]
    fn a_time_that_is_none_is_refused_with_what_to_write() {
        for keep in ["7", "1h", "y", "-1y", "seven years", "99999999999y", "1001y"] {
            let problems = parse(&format!("[custody.retention]\nkeep = \"{keep}\"\n")).expect_err(keep);
            assert!(problems.contains("\"7y\""), "{keep}: {problems}");
        }
    }
}
