//! What the server is known not to do yet. The list only shrinks: an entry that nothing fails by any more is an error.

use std::io::Write as _;

use crate::run::{Outcome, Run};

/// Cases of a version (`*`: of any) fail in an exchange whose request, or whose case's name, has all of these words in
/// it.
struct Expected {
    version: &'static str,
    words: &'static [&'static str],
}

const fn all(words: &'static [&'static str]) -> Expected {
    Expected { version: "*", words }
}

const EXPECTED: &[Expected] = &[
    Expected {
        version: "2.1",
        words: &[],
    },
    all(&["AsynchronousIndicator"]),
    // Its second answer is of another version than its request.
    all(&["OMOS-O-1-14"]),
    // Attributes are asked for, and its answer has no room for them.
    all(&["TC_142"]),
    all(&["Undo"]),
    // Each user's objects are their own.
    all(&["Credential", "Get"]),
];

/// What is wrong with these runs: failures that are not expected and, where all cases were run, expectations that
/// did not come true.
pub fn judge(runs: &[Run], whole: bool) -> Vec<String> {
    let mut met = vec![false; EXPECTED.len()];
    let mut wrong = Vec::new();
    for run in runs {
        let Outcome::Failed(failure) = &run.outcome else {
            continue;
        };
        let mut expected = false;
        for (entry, met) in EXPECTED.iter().zip(&mut met) {
            let of_version = entry.version == "*" || entry.version == run.version;
            if whole
                && of_version
                && entry
                    .words
                    .iter()
                    .all(|word| run.name.contains(*word) || failure.about.contains(*word))
            {
                *met = true;
                expected = true;
            }
        }
        if expected {
            // Past the test harness, which keeps what passing tests print to itself.
            let words = format!("{} {} ({})", run.version, run.name, run.encoding);
            let _ = writeln!(std::io::stderr(), "**** EXPECTED FAILURE: {words} ****");
        } else {
            wrong.push(format!("{} {} ({}) failed", run.version, run.name, run.encoding));
        }
    }
    if whole {
        for (expected, met) in EXPECTED.iter().zip(met) {
            if !met {
                wrong.push(format!(
                    "{} {:?} was expected to fail, and nothing does",
                    expected.version, expected.words
                ));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Failure;
    use crate::wire::Encoding;

    #[test]
    fn a_failure_that_nobody_expects_fails_the_run() {
        let run = Run {
            name: "X-1".to_owned(),
            version: "1.4".to_owned(),
            family: "X".to_owned(),
            encoding: Encoding::Binary,
            outcome: Outcome::Failed(Failure::default()),
            prepared: None,
        };
        assert!(
            judge(&[run], true)
                .iter()
                .any(|wrong| wrong.contains("X-1 (binary) failed"))
        );
    }

    #[test]
    fn an_expectation_that_does_not_come_true_fails_the_run() {
        assert_eq!(judge(&[], true).len(), EXPECTED.len());
        assert!(judge(&[], false).is_empty(), "only some cases were run");
    }
}
