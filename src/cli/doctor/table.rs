//! The findings for a person: under the heading of their subject and group, in 80 columns.

use std::fmt::Write;

use claviger_hsm::doctor::Verdict;

use super::findings::{Entry, Findings};
use crate::cli::output::{counted, printable};

const WIDTH: usize = 80;

pub(super) fn of(findings: &Findings) -> String {
    let mut text = String::new();
    let mut before: Option<&Entry> = None;
    for finding in &findings.findings {
        let same_subject = before.is_some_and(|before| before.subject == finding.subject);
        if !same_subject {
            let gap = if before.is_some() { "\n" } else { "" };
            let _ = writeln!(text, "{gap}{}", printable(&finding.subject));
        }
        if !same_subject || before.is_some_and(|before| before.group != finding.group) {
            let _ = writeln!(text, "  {}", printable(&finding.group));
        }
        let mark = match finding.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "WARNING",
            Verdict::Failure => "FAILURE",
        };
        let line = format!("{}: {}", finding.name, finding.finding);
        wrap(&mut text, &format!("    {mark:<7}  "), &line);
        if !finding.remedy.is_empty() {
            wrap(&mut text, "             ", &format!("remedy: {}", finding.remedy));
        }
        before = Some(finding);
    }
    let counts = [
        (Verdict::Ok, "ok"),
        (Verdict::Warning, "warning"),
        (Verdict::Failure, "failure"),
    ];
    let [ok, warnings, failures] = counts.map(|(verdict, noun)| (findings.count(verdict) as u64, noun));
    let _ = writeln!(
        text,
        "\n{}: {} ok, {}, {}",
        counted(findings.findings.len() as u64, "check"),
        ok.0,
        counted(warnings.0, warnings.1),
        counted(failures.0, failures.1),
    );
    text
}

/// Adds `words` in lines that fit; the first begins with `first`, the others with as many blanks. A word that does not
/// fit on any line, as a path, has one for itself.
fn wrap(text: &mut String, first: &str, words: &str) {
    let blanks = " ".repeat(first.len());
    text.push_str(first);
    let mut column = first.len();
    for word in printable(words).split_whitespace() {
        let length = word.chars().count();
        if column > first.len() && column + 1 + length > WIDTH {
            text.push('\n');
            text.push_str(&blanks);
            column = first.len();
        }
        if column > first.len() {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_that_is_long_is_read_in_a_terminal_of_80_columns() {
        let mut findings = Findings::default();
        findings
            .about("host", "store")
            .ok("database", "/var/lib/claviger/claviger.db");
        findings
            .about("device hsm", "PIN")
            .ok("login", "the token takes the PIN");
        findings.about("device hsm", "attributes").warning(
            "let a root key decrypt",
            "allowed: who has the PIN and the database decrypts every key, away from the records of the custody log",
            "Guard the PIN as you guard the keys; docs/hsm.md has what each device enforces.",
        );
        let expected = "\
host
  store
    ok       database: /var/lib/claviger/claviger.db

device hsm
  PIN
    ok       login: the token takes the PIN
  attributes
    WARNING  let a root key decrypt: allowed: who has the PIN and the database
             decrypts every key, away from the records of the custody log
             remedy: Guard the PIN as you guard the keys; docs/hsm.md has what
             each device enforces.

3 checks: 2 ok, 1 warning, 0 failures
";
        assert_eq!(of(&findings), expected);
    }

    #[test]
    fn a_label_on_a_token_cannot_drive_the_terminal() {
        let mut findings = Findings::default();
        findings.about("host", "store").ok("a\u{1b}[2J", "b\u{1b}[2J");
        assert!(!of(&findings).contains('\u{1b}'));
    }
}
