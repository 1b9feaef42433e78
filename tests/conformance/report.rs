//! The report: every case, by version and family.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use crate::run::{Outcome, Run};

/// The two forms of the report.
pub struct Report {
    plain: String,
    markdown: String,
}

#[derive(Default)]
struct Row {
    passed: usize,
    failed: Vec<String>,
    skipped: BTreeMap<String, Vec<String>>,
}

impl Report {
    pub fn new(runs: &[Run]) -> Self {
        let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
        let mut total = Row::default();
        for run in runs {
            let family = (format!("{} {}", run.version, run.encoding), run.family.clone());
            for row in [rows.entry(family).or_default(), &mut total] {
                row.count(run);
            }
        }
        let (mut plain, mut markdown) = (String::new(), String::new());
        let summary = total.summary();
        write!(
            markdown,
            "{summary}\n\n| version | family | run | passed | failed | skipped |\n|---|---|---|---|---|---|\n"
        )
        .expect("text");
        writeln!(
            plain,
            "{:<12} {:<18} {:>4} {:>6} {:>6} {:>7}",
            "version", "family", "run", "passed", "failed", "skipped"
        )
        .expect("text");
        for ((version, family), row) in &rows {
            let (run, passed, failed, skipped) = row.numbers();
            let (reasons, failures) = (row.reasons(), row.failed.join(", "));
            writeln!(
                markdown,
                "| {version} | {family} | {run} | {passed} | {failed}{} | {} |",
                if failed == 0 {
                    String::new()
                } else {
                    format!(": {failures}")
                },
                reasons.join("; ")
            )
            .expect("text");
            writeln!(
                plain,
                "{version:<12} {family:<18} {run:>4} {passed:>6} {failed:>6} {skipped:>7}  {}",
                reasons.join("; ")
            )
            .expect("text");
        }
        for run in runs {
            if let Some(prepared) = &run.prepared {
                writeln!(plain, "before {} {}: {prepared}", run.version, run.name).expect("text");
                writeln!(markdown, "\nBefore {} {}: {prepared}.", run.version, run.name).expect("text");
            }
        }
        writeln!(plain, "\n{summary}").expect("text");
        Self { plain, markdown }
    }

    /// Writes both forms to `target/`.
    pub fn write(&self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        std::fs::write(folder.join("conformance.md"), &self.markdown).expect("target can be written to");
        std::fs::write(folder.join("conformance.txt"), &self.plain).expect("target can be written to");
        if std::env::var_os("CLAVIGER_CONFORMANCE_FOLDER").is_none() {
            let _ = writeln!(std::io::stdout(), "{}", self.plain);
        }
    }
}

impl Row {
    fn count(&mut self, run: &Run) {
        match &run.outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed(_) => self.failed.push(run.name.clone()),
            Outcome::Skipped(reason) => {
                self.skipped
                    .entry(reason.clone())
                    .or_default()
                    .push(run.name.clone());
            }
        }
    }

    fn numbers(&self) -> (usize, usize, usize, usize) {
        let skipped = self.skipped.values().map(Vec::len).sum();
        (
            self.passed + self.failed.len(),
            self.passed,
            self.failed.len(),
            skipped,
        )
    }

    fn reasons(&self) -> Vec<String> {
        let skipped = self.skipped.iter();
        skipped
            .map(|(reason, cases)| format!("{reason}: {}", cases.join(", ")))
            .collect()
    }

    fn summary(&self) -> String {
        let (run, passed, failed, skipped) = self.numbers();
        format!("{run} run, {passed} passed, {failed} failed, {skipped} skipped")
    }
}
