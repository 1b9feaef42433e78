//! What the server is known not to do yet. The list only shrinks: an entry that nothing fails by any more is an error.

use crate::run::{Outcome, Run};

/// Cases of a version (`*`: of any) fail in an exchange whose request has all of these words in it.
struct Expected {
    version: &'static str,
    words: &'static [&'static str],
}

const EXPECTED: &[Expected] = &[
    Expected {
        version: "2.1",
        words: &[],
    },
    Expected {
        version: "*",
        words: &["Encrypt"],
    },
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
        let expected = EXPECTED.iter().position(|expected| {
            let of_version = expected.version == "*" || expected.version == run.version;
            of_version && expected.words.iter().all(|word| failure.about.contains(*word))
        });
        match expected {
            Some(place) if whole => met[place] = true,
            _ => wrong.push(format!("{} {} ({}) failed", run.version, run.name, run.encoding)),
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
