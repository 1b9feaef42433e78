//! The host: the configuration, the server's certificate, the database and the server itself.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use openssl::asn1::Asn1Time;
use openssl::x509::X509;

use super::findings::{About, Findings};
use crate::admin::api::Status;
use crate::cli::client::{Client, path};
use crate::config::{self, Config, Severity, Store};

const SUBJECT: &str = "host";
/// Less room for the database is warned of.
const LEAST_ROOM: u64 = 256 << 20;

pub(super) async fn check(config: &Config, client: &Client, findings: &mut Findings) {
    configuration(config, &mut findings.about(SUBJECT, "configuration"));
    certificate(
        &config.kmip.certificate,
        config.kmip.warn_before_expiry,
        &mut findings.about(SUBJECT, "server certificate"),
    );
    server(client, &mut findings.about(SUBJECT, "server")).await;
    if let Store::Sqlite(file) = &config.store {
        store(file, &mut findings.about(SUBJECT, "store"));
    }
}

fn configuration(config: &Config, about: &mut About<'_>) {
    let problems = config::check(config);
    if problems.is_empty() {
        about.ok(
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
        match problem.severity {
            Severity::Error => about.failure("files", what, problem.remedy),
            Severity::Warning => about.warning("files", what, problem.remedy),
        }
    }
}

fn certificate(file: &Path, warning: Duration, about: &mut About<'_>) {
    const VALIDITY: &str = "validity";
    // A file that cannot be read or parsed is told of by the check of the configuration.
    let Some(certificate) = std::fs::read(file).ok().and_then(|pem| X509::from_pem(&pem).ok()) else {
        return;
    };
    let until = certificate.not_after().to_string();
    let left = Asn1Time::days_from_now(0).and_then(|now| now.diff(certificate.not_after()));
    let warning_days = i32::try_from(warning.as_secs() / 86400).unwrap_or(i32::MAX);
    match left {
        Ok(left) if left.days < 0 || left.secs < 0 => about.failure(
            VALIDITY,
            format!("it expired on {until}"),
            "make another with `claviger init --overwrite --new-certificate`, and trust it in vCenter",
        ),
        Ok(left) if left.days < warning_days => about.warning(
            VALIDITY,
            format!("it expires in {} days, on {until}", left.days),
            "make another in time, and trust it in vCenter",
        ),
        Ok(_) => about.ok(VALIDITY, format!("valid until {until}")),
        Err(error) => {
            let finding = format!("its dates cannot be read: {error}");
            about.failure(VALIDITY, finding, "make another certificate");
        }
    }
    if certificate
        .subject_alt_names()
        .is_none_or(|names| names.is_empty())
    {
        about.warning(
            "names",
            "it has no Subject Alternative Name, and most clients look for the server's name there alone",
            "make one that has the names which clients use",
        );
    }
}

fn store(file: &Path, about: &mut About<'_>) {
    const DATABASE: &str = "database";
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let mut start = [0; MAGIC.len()];
    match File::open(file).and_then(|mut file| file.read_exact(&mut start)) {
        Ok(()) if &start == MAGIC => about.ok(DATABASE, format!("{}", file.display())),
        Ok(()) => about.failure(
            DATABASE,
            format!("{} is not an SQLite database", file.display()),
            "name another path as `store.path`, or put the database back from its backup",
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            about.ok(
                DATABASE,
                format!("{} is not there yet; the server makes it", file.display()),
            );
        }
        Err(error) => about.failure(
            DATABASE,
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
            about.warning("room", finding, remedy);
        } else {
            about.ok("room", finding);
        }
    }
}

async fn server(client: &Client, about: &mut About<'_>) {
    const RUNNING: &str = "running";
    if !client.socket().exists() {
        about.ok(RUNNING, "not running; start it with `claviger serve`");
        return;
    }
    match client.get::<Status>(path(["status"])).await {
        Err(failure) => {
            let remedy = failure.remedy_text().unwrap_or_default().to_owned();
            about.warning(RUNNING, failure.to_string(), remedy);
        }
        Ok(status) => {
            about.ok(
                RUNNING,
                format!("version {}, process {}", status.version, status.process),
            );
            for sentence in status.expiring {
                about.warning(
                    "expiry",
                    sentence,
                    "make another in time, and have it trusted and admitted",
                );
            }
            for problem in status.problems {
                about.failure("health", problem, "`claviger status` shows all of it");
            }
        }
    }
}
