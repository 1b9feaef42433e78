//! `[custody.witness]`: who cosigns the custody log, and what holds while too few do.

use std::path::PathBuf;
use std::time::Duration;

use super::super::reader::Section;
use super::super::sections::{SECOND, required_path};

/// `[custody.witness]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustodyWitness {
    /// The policy (C2SP tlog-policy): the witnesses, where each is, and how many are enough.
    pub policy: PathBuf,
    /// PEM certificates of authorities that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// How long a witness may take for one checkpoint.
    pub deadline: Duration,
    /// What becomes of requests while too few witnesses cosign.
    pub when_absent: WhenAbsent,
    /// With `refuse`: how long a request waits for its record to be cosigned.
    pub wait: Duration,
}

/// `when_absent`: what becomes of requests while too few witnesses cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenAbsent {
    /// They are served.
    #[default]
    Serve,
    /// Those of clients that record a success wait until enough witnesses cosigned the record, and are refused otherwise.
    Refuse,
}

impl CustodyWitness {
    /// The usual `deadline`.
    pub const USUAL_DEADLINE: Duration = Duration::from_secs(5);
    /// The usual `wait`.
    pub const USUAL_WAIT: Duration = Duration::from_secs(10);
}

/// None where the file does not have the section.
pub(super) fn witness(custody: &mut Section<'_>) -> Option<CustodyWitness> {
    let mut section = custody.section("witness");
    if !custody.was_given("witness") {
        return None;
    }
    let policy = required_path(
        &mut section,
        "policy",
        "name the file with the witnesses and the quorum (C2SP tlog-policy): docs/witness.md has an example",
    );
    let ca_file = section.path("ca_file");
    let moment = Duration::from_millis(100);
    let deadline = section
        .duration("deadline", &(moment..=60 * SECOND))
        .unwrap_or(CustodyWitness::USUAL_DEADLINE);
    let when_absent = section
        .choice(
            "when_absent",
            &[("serve", WhenAbsent::Serve), ("refuse", WhenAbsent::Refuse)],
        )
        .unwrap_or_default();
    let wait = section
        .duration("wait", &(moment..=60 * SECOND))
        .unwrap_or(CustodyWitness::USUAL_WAIT);
    section.finish();
    Some(CustodyWitness {
        policy,
        ca_file,
        deadline,
        when_absent,
        wait,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn parse(section: &str) -> Result<Option<CustodyWitness>, String> {
        let text = format!(
            "version = \"v1\"\n[kmip]\ncertificate = \"c\"\nkey = \"k\"\n\
             [[device]]\nname = \"hsm\"\nmodule = \"m.so\"\ntoken_serial = \"1\"\npin_file = \"pin\"\n{section}"
        );
        let config = Config::parse(Path::new("/etc/claviger.toml"), &text);
        config
            .map(|config| config.custody.witness)
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn a_log_has_no_witness_unless_the_file_says_so_and_serves_without_one_unless_it_says_otherwise() {
        assert_eq!(parse(""), Ok(None));
        let read = parse("[custody.witness]\npolicy = \"p\"\n").unwrap().unwrap();
        assert_eq!(read.policy, Path::new("/etc/p"));
        assert_eq!(read.when_absent, WhenAbsent::Serve);
        let read = parse("[custody.witness]\npolicy = \"p\"\nwhen_absent = \"refuse\"\nwait = \"3s\"\n");
        let read = read.unwrap().unwrap();
        assert_eq!((read.when_absent, read.wait), (WhenAbsent::Refuse, 3 * SECOND));
    }

    #[test]
    fn a_section_that_is_wrong_is_refused_with_what_to_write() {
        for (section, what) in [
            ("[custody.witness]\n", "`custody.witness.policy` is missing"),
            (
                "[custody.witness]\npolicy = \"p\"\nwhen_absent = \"wait\"\n",
                "write one of \"serve\", \"refuse\"",
            ),
            (
                "[custody.witness]\npolicy = \"p\"\nwait = \"2h\"\n",
                "`custody.witness.wait`",
            ),
        ] {
            let problems = parse(section).expect_err(section);
            assert!(problems.contains(what), "{what}: {problems}");
        }
    }
}
