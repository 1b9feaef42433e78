//! Test cases in OASIS' form against a real server over TLS, of any folder: what the standard expects is the judge.
//!
//! A case is read ([`case`]), judged to be in scope by what it holds ([`scope`]), put behind the cases whose state it
//! starts from ([`chain`]), run ([`run`]) with each encoding ([`wire`]) and compared answer by answer ([`comparison`]);
//! the report ([`report`]) names every file. Nothing depends on what a case is called.

// The runner is a tool as much as a test: it prints.
#![allow(clippy::print_stderr, reason = "the report is what it is for")]
#![allow(unreachable_pub, reason = "the modules of a test have no other users")]

mod case;
mod chain;
mod comparison;
#[path = "../support/oasis.rs"]
mod oasis;
mod options;
mod report;
mod run;
mod scope;
mod server;
#[path = "../support/mod.rs"]
mod support;
mod text;
mod wire;
mod wrapped;

use options::Options;

#[test]
fn the_standards_cases_are_answered_as_the_standard_has_them() {
    let Some(options) = Options::from_environment() else {
        return;
    };
    let results = run::run(&options);
    let report = report::Report::new(&results);
    report.write();
    let failed: Vec<_> = results.iter().filter_map(run::Run::failure).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
