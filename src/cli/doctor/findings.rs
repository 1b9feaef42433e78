//! What was found: each thing of a subject, in a group.

use claviger_hsm::doctor::{Check, Verdict};
use serde::{Serialize, Serializer};

/// Something that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    /// What it is of: the host, or a device by its name.
    pub(super) subject: String,
    /// What it is about, as a heading; in JSON in small letters with hyphens, as `root-keys`.
    #[serde(serialize_with = "hyphenated")]
    pub(super) group: String,
    /// What was looked at.
    pub(super) name: String,
    pub(super) verdict: Verdict,
    /// What was found.
    pub(super) finding: String,
    /// What to do; empty where there is nothing to do.
    pub(super) remedy: String,
}

/// Everything that was found, in the order in which it was looked at.
#[derive(Debug, Default, Serialize)]
pub(super) struct Findings {
    pub(super) findings: Vec<Entry>,
}

impl Findings {
    /// The findings about one group of a subject.
    pub(super) fn about<'a>(&'a mut self, subject: &'a str, group: &'a str) -> About<'a> {
        About {
            findings: &mut self.findings,
            subject,
            group,
        }
    }

    /// Takes a check of a device's.
    pub(super) fn take(&mut self, subject: &str, check: Check) {
        self.findings.push(Entry {
            subject: subject.to_owned(),
            group: check.group.to_string(),
            name: check.name,
            verdict: check.verdict,
            finding: check.finding,
            remedy: check.remedy,
        });
    }

    pub(super) fn has_failed(&self) -> bool {
        self.count(Verdict::Failure) > 0
    }

    pub(super) fn count(&self, verdict: Verdict) -> usize {
        let of_it = |finding: &&Entry| finding.verdict == verdict;
        self.findings.iter().filter(of_it).count()
    }
}

/// The findings about one group of a subject.
pub(super) struct About<'a> {
    findings: &'a mut Vec<Entry>,
    subject: &'a str,
    group: &'a str,
}

impl About<'_> {
    pub(super) fn ok(&mut self, name: &str, finding: impl Into<String>) {
        self.add(name, Verdict::Ok, finding.into(), String::new());
    }

    pub(super) fn warning(&mut self, name: &str, finding: impl Into<String>, remedy: impl Into<String>) {
        self.add(name, Verdict::Warning, finding.into(), remedy.into());
    }

    pub(super) fn failure(&mut self, name: &str, finding: impl Into<String>, remedy: impl Into<String>) {
        self.add(name, Verdict::Failure, finding.into(), remedy.into());
    }

    fn add(&mut self, name: &str, verdict: Verdict, finding: String, remedy: String) {
        self.findings.push(Entry {
            subject: self.subject.to_owned(),
            group: self.group.to_owned(),
            name: name.to_owned(),
            verdict,
            finding,
            remedy,
        });
    }
}

fn hyphenated<S: Serializer>(group: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&group.to_lowercase().replace(' ', "-"))
}
