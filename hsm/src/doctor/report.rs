//! What an examination found.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Error;

/// What a check is about, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// The PKCS#11 module: the vendor's library.
    Module,
    /// The slot, and the token in it.
    Slot,
    /// The PIN and its file.
    Pin,
    /// What the token says that it can do.
    Mechanisms,
    /// By what keys are wrapped and released, found by trial.
    Profiles,
    /// What the device enforces, found by attacks.
    Attributes,
    /// The root keys on the token, and those that are recorded.
    RootKeys,
    /// Signatures, by trial.
    Signing,
    /// The generator of random numbers.
    Random,
    /// What is done with clients' keys, found by trial.
    Cryptography,
    /// How fast the device is.
    Speed,
    /// The token's clock and the host's.
    Clock,
    /// Memory for keys in this process.
    Memory,
}

impl Group {
    /// All of them, in order.
    pub const ALL: [Self; 13] = [
        Self::Module,
        Self::Slot,
        Self::Pin,
        Self::Mechanisms,
        Self::Profiles,
        Self::Attributes,
        Self::RootKeys,
        Self::Signing,
        Self::Random,
        Self::Cryptography,
        Self::Speed,
        Self::Clock,
        Self::Memory,
    ];
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Module => "module",
            Self::Slot => "slot",
            Self::Pin => "PIN",
            Self::Mechanisms => "mechanisms",
            Self::Profiles => "profiles",
            Self::Attributes => "attributes",
            Self::RootKeys => "root keys",
            Self::Signing => "signing",
            Self::Random => "random",
            Self::Cryptography => "cryptography",
            Self::Speed => "speed",
            Self::Clock => "clock",
            Self::Memory => "memory",
        })
    }
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and something should be changed.
    Warning,
    /// The device can't be used like that.
    Failure,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What it is about.
    pub group: Group,
    /// What was looked at, such as `login`.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found.
    pub finding: String,
    /// What to do about it; empty where there is nothing to do.
    pub remedy: String,
}

/// The checks of a device, in the order in which they were made. After a failure that the others build on, they are
/// left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The checks.
    pub checks: Vec<Check>,
}

impl Report {
    /// The worst verdict of all.
    pub fn verdict(&self) -> Verdict {
        self.checks
            .iter()
            .map(|check| check.verdict)
            .max()
            .unwrap_or(Verdict::Ok)
    }

    /// Where the checks of a group are said.
    pub(super) fn section(&mut self, group: Group) -> Section<'_> {
        Section { report: self, group }
    }
}

/// The checks of one group.
pub(super) struct Section<'a> {
    report: &'a mut Report,
    group: Group,
}

impl Section<'_> {
    pub(super) fn ok(&mut self, name: &str, finding: impl Into<String>) {
        self.push(name, Verdict::Ok, finding.into(), "");
    }

    pub(super) fn warning(&mut self, name: &str, finding: impl Into<String>, remedy: &str) {
        self.push(name, Verdict::Warning, finding.into(), remedy);
    }

    pub(super) fn failure(&mut self, name: &str, finding: impl Into<String>, remedy: &str) {
        self.push(name, Verdict::Failure, finding.into(), remedy);
    }

    /// A failure that is an error of the device's.
    pub(super) fn failed(&mut self, name: &str, error: &Error, remedy: &str) {
        self.failure(name, error.to_string(), remedy);
    }

    /// What the device does not have and need not have.
    pub(super) fn not_offered(&mut self, name: &str, error: &Error) {
        self.ok(name, format!("not to be had on this device ({error})"));
    }

    fn push(&mut self, name: &str, verdict: Verdict, finding: String, remedy: &str) {
        self.report.checks.push(Check {
            group: self.group,
            name: name.to_owned(),
            verdict,
            finding,
            remedy: remedy.to_owned(),
        });
    }
}
