//! Feeds by syslog over TLS: to a real rsyslog, and to receivers that misbehave.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{House, Receiver, sequences, until};
use crate::job::feed::SyslogConfig;

/// An rsyslog with a certificate of its own, which writes each message to a file.
struct Rsyslog {
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Rsyslog {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.path().join("server.pem"), made.cert.pem()).unwrap();
        fs::write(folder.path().join("server.key"), made.signing_key.serialize_pem()).unwrap();
        // Free a moment ago: rsyslog can't be handed a socket.
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let config = format!(
            r#"global(workDirectory="{}" maxMessageSize="64k" defaultNetstreamDriverCAFile="{pem}"
                defaultNetstreamDriverCertFile="{pem}" defaultNetstreamDriverKeyFile="{}")
            module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
            input(type="imtcp" address="127.0.0.1" port="{port}")
            template(name="message" type="string" string="%syslogfacility% %hostname% %app-name% %msgid% %msg%\n")
            *.* action(type="omfile" file="{}" template="message")
            "#,
            folder.path().display(),
            at("server.key"),
            at("received"),
            pem = at("server.pem"),
        );
        fs::write(folder.path().join("rsyslog.conf"), config).unwrap();
        Self {
            folder,
            port,
            process: None,
        }
    }

    fn start(&mut self) {
        let at = |name: &str| self.folder.path().join(name);
        let _ = fs::remove_file(at("pid"));
        let process = Command::new("rsyslogd")
            .args(["-n", "-f"])
            .arg(at("rsyslog.conf"))
            .arg("-i")
            .arg(at("pid"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.process = Some(process.expect("rsyslogd is installed: see scripts/install-needs"));
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    fn config(&self) -> SyslogConfig {
        SyslogConfig {
            address: format!("127.0.0.1:{}", self.port),
            server_name: "localhost".to_owned(),
            ca_file: self.folder.path().join("server.pem"),
            identity: None,
            deadline: Duration::from_secs(5),
            session: Duration::from_millis(200),
        }
    }

    /// What came, a line a message.
    fn received(&self) -> String {
        fs::read_to_string(self.folder.path().join("received")).unwrap_or_default()
    }

    /// The records among it, in order.
    fn records(&self) -> Vec<u64> {
        let received = self.received();
        let records = received.lines().filter_map(|line| Some(&line[line.find('{')?..]));
        sequences(records)
    }
}

impl Drop for Rsyslog {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test]
async fn a_real_rsyslog_receives_every_record_word_for_word() {
    let house = House::new().await;
    let mut rsyslog = Rsyslog::new();
    rsyslog.start();
    house.record(40).await;
    let feed = house.feed(Receiver::Syslog(rsyslog.config()));
    feed.is_at(40).await;
    house.record(3).await;
    feed.is_at(43).await;
    until(|| rsyslog.received().lines().count() >= 43).await;
    let received = rsyslog.received();
    let log = house.log().await;
    for (line, record) in received.lines().zip(&log) {
        assert_eq!(line, format!("13 node-1 claviger kmip.get {record}"));
    }
    assert_eq!(received.lines().count(), log.len());
}

#[tokio::test]
async fn a_real_rsyslog_that_is_killed_and_comes_back_has_every_record() {
    let house = House::new().await;
    let mut rsyslog = Rsyslog::new();
    let feed = house.feed(Receiver::Syslog(rsyslog.config()));
    house.record(10).await;
    // It is away from the beginning.
    assert!(feed.trouble().await.contains("can't be sent records"));
    for round in 1..=3 {
        rsyslog.start();
        house.record(200).await;
        until(|| !rsyslog.received().is_empty() && feed.status().next > 200 * (round - 1)).await;
        rsyslog.kill();
        house.record(10).await;
    }
    rsyslog.start();
    feed.is_at(640).await;
    let expected: BTreeSet<u64> = (0..640).collect();
    until(|| rsyslog.records().into_iter().collect::<BTreeSet<_>>() == expected).await;
}

#[tokio::test]
async fn a_receiver_that_reads_nothing_holds_up_no_record() {
    let house = House::new().await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let rsyslog = Rsyslog::new();
    let config = SyslogConfig {
        address: silent.local_addr().unwrap().to_string(),
        deadline: Duration::from_millis(200),
        ..rsyslog.config()
    };
    let feed = house.feed(Receiver::Syslog(config));
    house.record(100).await;
    assert!(feed.trouble().await.contains("nothing happened for 200ms"));
    house.record(100).await;
    assert_eq!((feed.status().next, house.log().await.len()), (0, 200));
}

#[tokio::test]
async fn a_receiver_that_another_authority_vouches_for_is_sent_nothing() {
    let house = House::new().await;
    let (mut rsyslog, other) = (Rsyslog::new(), Rsyslog::new());
    rsyslog.start();
    let config = SyslogConfig {
        ca_file: other.config().ca_file,
        ..rsyslog.config()
    };
    let feed = house.feed(Receiver::Syslog(config));
    house.record(1).await;
    until(|| {
        let trouble = feed.status().trouble;
        trouble.is_some_and(|(why, _)| why.contains("certificate"))
    })
    .await;
    assert!(rsyslog.records().is_empty());
}

#[tokio::test]
async fn a_feed_without_a_usable_certificate_is_refused_at_the_start() {
    let house = House::new().await;
    let config = SyslogConfig {
        ca_file: PathBuf::from("/no/such/file"),
        ..Rsyslog::new().config()
    };
    let refused = house.try_feed(Receiver::Syslog(config));
    assert!(refused.err().unwrap().to_string().contains("/no/such/file"));
}
