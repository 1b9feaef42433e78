//! A report in words.

use std::fmt::Write as _;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::custody::verification::{Report, Severity};

/// The report, a line a fact; what is to be refused stands last, where it is read.
pub(super) fn of(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let mut line = |words: String| writeln!(text, "{}", printable(&words)).unwrap_or_default();
    if let (Some(origin), Some(root)) = (&report.origin, report.root) {
        line(format!(
            "log         {origin}, {} records, root {root}",
            report.size
        ));
    }
    for (witness, time) in &report.cosigned {
        let time = i64::try_from(*time)
            .ok()
            .and_then(|time| OffsetDateTime::from_unix_timestamp(time).ok());
        line(format!(
            "witness     {witness}, {}",
            time.map(told).unwrap_or_default()
        ));
    }
    if let (Some(first), Some(last)) = (report.first, report.last) {
        line(format!(
            "records     {} from number {}, {} to {}",
            report.records,
            report.from,
            told(first),
            told(last)
        ));
    }
    line(format!("checkpoints {} earlier ones agree", report.checkpoints));
    let keys = report.keys;
    line(format!(
        "keys        {} known, {} made, {} destroyed; {} releases",
        keys.known, keys.made, keys.destroyed, keys.releases
    ));
    if let Some(rows) = report.rows {
        let at = report.rows_at.unwrap_or_default();
        line(format!(
            "rows        {rows} of keys compared with the log of {at} records"
        ));
    }
    if let Some(identities) = report.identities {
        line(format!(
            "identities  {identities} adapters, certificates and root keys compared with the log"
        ));
    }
    for words in &report.not_verified {
        line(format!("not shown   {words}"));
    }
    for severity in [Severity::Noted, Severity::Refused] {
        let findings = report.findings.iter();
        for finding in findings.filter(|finding| finding.code.severity() == severity) {
            line(finding.to_string());
        }
    }
    if report.more_findings > 0 {
        line(format!("and {} findings more", report.more_findings));
    }
    line(if report.verified {
        "VERIFIED".to_owned()
    } else {
        "REFUSED: the bundle is not what it claims to be".to_owned()
    });
    text
}

/// The words, without what a terminal would take for a command: they may be those of a forger.
pub(super) fn printable(words: &str) -> String {
    let mut text = String::with_capacity(words.len());
    for character in words.chars() {
        if character.is_control() {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}

fn told(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;
    use crate::custody::verification::tests::log::{Log, policy};
    use crate::custody::verification::{Visit, verify_bundle};

    #[test]
    fn what_a_forger_wrote_is_no_command_to_the_auditors_terminal() {
        let mut parts = Log::of_keys(1).parts(0);
        parts.manifest.origin = "a log\u{1b}[2J\u{9b}2K\r\u{7}\nVERIFIED".to_owned();
        let policy = policy();
        let visit = Visit {
            policy: &policy,
            state: None,
            heartbeat: Duration::seconds(360),
        };
        let words = of(&verify_bundle(&parts.pack()[..], &visit));
        assert!(
            words.lines().all(|line| !line.contains(char::is_control)),
            "{words:?}"
        );
        assert!(words.lines().all(|line| line != "VERIFIED"), "{words:?}");
        assert!(
            words.contains(r"a log\u{1b}[2J\u{9b}2K\r\u{7}\nVERIFIED"),
            "{words:?}"
        );
    }
}
