//! `claviger doctor`: what is wrong, found by trial, each with a remedy. It needs no running server, leaves
//! nothing behind on a token and changes no file.

mod mirror;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use claviger_hsm::WorkerCommand;
use claviger_hsm::doctor::{Check, Verdict, examine};
use openssl::asn1::Asn1Time;
use openssl::x509::X509;
use serde::Serialize;

use super::client::{Client, path};
use super::device;
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, printable};
use crate::admin::api::Status;
use crate::config::{self, Config};

/// Less room for the database is warned of.
const LEAST_ROOM: u64 = 256 << 20;

/// A check and what it is of.
#[derive(Debug, Serialize)]
struct Finding {
    /// What was looked at: the configuration, a device, …
    subject: String,
    #[serde(flatten)]
    check: Check,
}

/// Everything that was found.
#[derive(Debug, Default, Serialize)]
struct Findings {
    findings: Vec<Finding>,
}

/// Unhealthy where a check failed; a warning is not.
pub(crate) async fn run(config: &Config, client: &Client, output: Output) -> Result<Exit, Failure> {
    let mut findings = Findings::default();
    configuration(config, &mut findings);
    certificate(
        &config.kmip.certificate,
        config.kmip.warn_before_expiry,
        &mut findings,
    );
    store(&config.store.path, &mut findings);
    let sound = devices(config, &mut findings).await;
    mirror::compare(config, &sound, &mut findings).await;
    server(client, &mut findings).await;
    output.data(&findings, table)?;
    let failed = findings
        .findings
        .iter()
        .any(|finding| finding.check.verdict == Verdict::Failure);
    Ok(if failed { Exit::Unhealthy } else { Exit::Done })
}

impl Findings {
    fn add(
        &mut self,
        subject: &str,
        name: &str,
        verdict: Verdict,
        finding: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let check = Check {
            name: name.to_owned(),
            verdict,
            finding: finding.into(),
            remedy: remedy.into(),
        };
        self.findings.push(Finding {
            subject: subject.to_owned(),
            check,
        });
    }

    fn ok(&mut self, subject: &str, name: &str, finding: impl Into<String>) {
        self.add(subject, name, Verdict::Ok, finding, "");
    }
}

fn configuration(config: &Config, findings: &mut Findings) {
    let problems = config::check(config);
    if problems.is_empty() {
        findings.ok(
            "configuration",
            "files",
            format!("{} and what it names are in order", config.file.display()),
        );
    }
    for problem in problems {
        let line = problem
            .line
            .map(|line| format!(" line {line}"))
            .unwrap_or_default();
        let what = format!("{}{line}: {}", problem.file.display(), problem.what);
        findings.add("configuration", "files", Verdict::Failure, what, problem.remedy);
    }
}

fn certificate(file: &Path, warning: std::time::Duration, findings: &mut Findings) {
    const SUBJECT: &str = "server certificate";
    // A file that cannot be read or parsed is told of by the check of the configuration.
    let Some(certificate) = std::fs::read(file).ok().and_then(|pem| X509::from_pem(&pem).ok()) else {
        return;
    };
    let until = certificate.not_after().to_string();
    let left = Asn1Time::days_from_now(0).and_then(|now| now.diff(certificate.not_after()));
    let warning_days = i32::try_from(warning.as_secs() / 86400).unwrap_or(i32::MAX);
    match left {
        Ok(left) if left.days < 0 || left.secs < 0 => findings.add(
            SUBJECT,
            "validity",
            Verdict::Failure,
            format!("it expired on {until}"),
            "make another with `claviger init --overwrite --new-certificate`, and trust it in vCenter",
        ),
        Ok(left) if left.days < warning_days => findings.add(
            SUBJECT,
            "validity",
            Verdict::Warning,
            format!("it expires in {} days, on {until}", left.days),
            "make another in time, and trust it in vCenter",
        ),
        Ok(_) => findings.ok(SUBJECT, "validity", format!("valid until {until}")),
        Err(error) => {
            let finding = format!("its dates cannot be read: {error}");
            findings.add(
                SUBJECT,
                "validity",
                Verdict::Failure,
                finding,
                "make another certificate",
            );
        }
    }
    if certificate
        .subject_alt_names()
        .is_none_or(|names| names.is_empty())
    {
        findings.add(
            SUBJECT,
            "names",
            Verdict::Warning,
            "it has no Subject Alternative Name, and most clients look for the server's name there alone",
            "make one that has the names which clients use",
        );
    }
}

fn store(file: &Path, findings: &mut Findings) {
    const SUBJECT: &str = "store";
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut start = [0; MAGIC.len()];
    match File::open(file).and_then(|mut file| file.read_exact(&mut start)) {
        Ok(()) if &start == MAGIC => findings.ok(SUBJECT, "database", format!("{}", file.display())),
        Ok(()) => findings.add(
            SUBJECT,
            "database",
            Verdict::Failure,
            format!("{} is not an SQLite database", file.display()),
            "name another path as `store.path`, or put the database back from its backup",
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            findings.ok(
                SUBJECT,
                "database",
                format!("{} is not there yet; the server makes it", file.display()),
            );
        }
        Err(error) => findings.add(
            SUBJECT,
            "database",
            Verdict::Failure,
            format!("{}: {error}", file.display()),
            "run as the user of the server; an empty file can be removed",
        ),
    }
    let folder = file
        .ancestors()
        .skip(1)
        .find(|folder| folder.is_dir())
        .unwrap_or(Path::new("/"));
    if let Ok(room) = rustix::fs::statvfs(folder) {
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        let finding = format!("{} MiB free for {}", free >> 20, folder.display());
        if free < LEAST_ROOM {
            let remedy = "make room: without it no key is released, since no release can be recorded";
            findings.add(SUBJECT, "room", Verdict::Warning, finding, remedy);
        } else {
            findings.ok(SUBJECT, "room", finding);
        }
    }
}

/// Examines each device; returns the names of those that nothing is wrong with.
async fn devices(config: &Config, findings: &mut Findings) -> BTreeSet<String> {
    let mut sound = BTreeSet::new();
    for device in &config.devices {
        let subject = format!("device {}", device.name);
        let command = match WorkerCommand::this_program() {
            Ok(command) => command,
            Err(error) => {
                let finding = format!("this program cannot find its own file: {error}");
                findings.add(
                    &subject,
                    "worker",
                    Verdict::Failure,
                    finding,
                    "start it by its full path",
                );
                continue;
            }
        };
        match examine(&device::device_config(device), &command).await {
            Ok(report) => {
                if report.verdict() != Verdict::Failure {
                    sound.insert(device.name.clone());
                }
                let checks = report.checks.into_iter().map(|check| Finding {
                    subject: subject.clone(),
                    check,
                });
                findings.findings.extend(checks);
            }
            Err(error) => {
                let remedy = "see what the module wrote to stderr above";
                findings.add(&subject, "worker", Verdict::Failure, error.to_string(), remedy);
            }
        }
    }
    sound
}

async fn server(client: &Client, findings: &mut Findings) {
    const SUBJECT: &str = "server";
    if !client.socket().exists() {
        findings.ok(SUBJECT, "running", "not running; start it with `claviger serve`");
        return;
    }
    match client.get::<Status>(path(["status"])).await {
        Err(failure) => {
            let remedy = failure.remedy_text().unwrap_or_default().to_owned();
            findings.add(SUBJECT, "running", Verdict::Warning, failure.to_string(), remedy);
        }
        Ok(status) => {
            findings.ok(
                SUBJECT,
                "running",
                format!("version {}, process {}", status.version, status.process),
            );
            for problem in status.problems {
                findings.add(
                    SUBJECT,
                    "health",
                    Verdict::Failure,
                    problem,
                    "`claviger status` shows all of it",
                );
            }
        }
    }
}

fn table(findings: &Findings) -> String {
    let mut columns = Columns::new(["", "OF", "CHECK", "FOUND"]);
    for Finding { subject, check } in &findings.findings {
        let mark = match check.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "WARNING",
            Verdict::Failure => "FAILURE",
        };
        columns.row([
            mark.to_owned(),
            subject.clone(),
            check.name.clone(),
            check.finding.clone(),
        ]);
    }
    let mut text = columns.or_say("nothing was looked at");
    for Finding { subject, check } in &findings.findings {
        if !check.remedy.is_empty() {
            text.push('\n');
            text.push_str(&printable(&format!(
                "{subject}, {}: {}",
                check.name, check.remedy
            )));
        }
    }
    text
}
