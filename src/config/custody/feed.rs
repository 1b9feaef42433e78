//! `[[custody.feed]]`: a live feed of the custody log.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::super::reader::Section;
use super::super::sections::{own_name, required_path};

/// The port of syslog over TLS (RFC 5425).
const SYSLOG_PORT: u16 = 6514;

/// `[[custody.feed]]`: where each record of the custody log goes at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// What it is called.
    pub name: String,
    /// Where its records go.
    pub receiver: FeedReceiver,
}

/// Where the records of a feed go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedReceiver {
    /// `file`: to the end of a file.
    File(PathBuf),
    /// `syslog`: by syslog over TLS.
    Syslog(SyslogReceiver),
}

/// A receiver of syslog over TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyslogReceiver {
    /// Host and port.
    pub address: String,
    /// The name that its certificate is for.
    pub server_name: String,
    /// PEM certificates of the authorities that it is trusted by.
    pub ca_file: PathBuf,
    /// The certificate to show to it and its private key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

pub(super) fn feeds(custody: &mut Section<'_>) -> Vec<Feed> {
    let mut names = BTreeSet::new();
    let sections = custody.sections("feed").into_iter();
    sections.filter_map(|section| feed(section, &mut names)).collect()
}

fn feed(mut section: Section<'_>, names: &mut BTreeSet<String>) -> Option<Feed> {
    let name = own_name(
        &mut section,
        names,
        "name the feed; its position is kept under this name",
        ("a feed", "give it a name of its own"),
    );
    let file = section.path("file");
    let syslog = section.string("syslog");
    let receiver = match (file, syslog) {
        (Some(path), None) => Some(FeedReceiver::File(path)),
        (None, Some(address)) => Some(FeedReceiver::Syslog(receiver(&mut section, &address))),
        (None, None) => {
            section.missing(
                "file",
                format!("say where records go: `file = \"PATH\"`, or `syslog = \"HOST:{SYSLOG_PORT}\"`"),
            );
            None
        }
        (Some(_), Some(_)) => {
            section.wrong(
                "file",
                "stands beside syslog",
                "keep one of file and syslog; two feeds do both",
            );
            None
        }
    };
    section.finish();
    receiver.map(|receiver| Feed { name, receiver })
}

fn receiver(section: &mut Section<'_>, address: &str) -> SyslogReceiver {
    let host = host(address);
    if host.is_none() {
        section.wrong(
            "syslog",
            format!("is {address:?}, which is no host and port"),
            format!("write an address such as \"siem.example.com:{SYSLOG_PORT}\" or \"[2001:db8::1]:{SYSLOG_PORT}\""),
        );
    }
    let server_name = section.string("server_name");
    let ca_file = required_path(
        section,
        "ca_file",
        "name the PEM file with the authority's certificate that the receiver's own is verified by",
    );
    let identity = match (section.path("certificate"), section.path("key")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (certificate, _) => {
            let missing = if certificate.is_some() {
                "key"
            } else {
                "certificate"
            };
            section.missing(
                missing,
                "name both: the certificate to show to the receiver, and its private key",
            );
            None
        }
    };
    SyslogReceiver {
        address: address.to_owned(),
        server_name: server_name.unwrap_or_else(|| host.unwrap_or_default().to_owned()),
        ca_file,
        identity,
    }
}

/// The host of an address with a port.
fn host(address: &str) -> Option<&str> {
    let (host, port) = address.rsplit_once(':')?;
    port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None => host,
    };
    (!host.is_empty() && !host.contains(['/', ' '])).then_some(host)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn parse(section: &str) -> Result<Config, String> {
        let text = format!(
            "version = \"v1\"\n[kmip]\ncertificate = \"c\"\nkey = \"k\"\n\
             [[device]]\nname = \"hsm\"\nmodule = \"m.so\"\ntoken_serial = \"1\"\npin_file = \"pin\"\n{section}"
        );
        Config::parse(Path::new("/etc/claviger.toml"), &text).map_err(|problems| problems.to_string())
    }

    #[test]
    fn records_go_to_a_file_and_to_a_siem() {
        let config = parse(
            "[[custody.feed]]\nname = \"records\"\nfile = \"/var/log/records.jsonl\"\n\
             [[custody.feed]]\nname = \"siem\"\nsyslog = \"[2001:db8::1]:6514\"\nca_file = \"siem.pem\"\n",
        );
        let feeds = config.unwrap().custody.feeds;
        assert_eq!(
            feeds[0].receiver,
            FeedReceiver::File("/var/log/records.jsonl".into())
        );
        let FeedReceiver::Syslog(receiver) = &feeds[1].receiver else {
            panic!("{feeds:?}");
        };
        assert_eq!(receiver.server_name, "2001:db8::1");
        assert_eq!(receiver.ca_file, Path::new("/etc/siem.pem"));
    }

    #[test]
    fn a_feed_that_goes_nowhere_is_refused_with_what_to_write() {
        for (section, what) in [
            ("[[custody.feed]]\nname = \"a\"\n", "say where records go"),
            (
                "[[custody.feed]]\nfile = \"f\"\n",
                "`custody.feed[0].name` is missing",
            ),
            (
                "[[custody.feed]]\nname = \"a\"\nfile = \"f\"\nsyslog = \"h:1\"\n",
                "stands beside syslog",
            ),
            (
                "[[custody.feed]]\nname = \"a\"\nsyslog = \"h\"\nca_file = \"c\"\n",
                "no host and port",
            ),
            (
                "[[custody.feed]]\nname = \"a\"\nsyslog = \"h:1\"\n",
                "`custody.feed[0].ca_file` is missing",
            ),
            (
                "[[custody.feed]]\nname = \"a\"\nsyslog = \"h:1\"\nca_file = \"c\"\nkey = \"k\"\n",
                "`custody.feed[0].certificate` is missing",
            ),
            (
                "[[custody.feed]]\nname = \"a\"\nfile = \"f\"\n[[custody.feed]]\nname = \"a\"\nfile = \"g\"\n",
                "as of a feed above",
            ),
        ] {
            let problems = parse(section).expect_err(section);
            assert!(problems.contains(what), "{what}: {problems}");
        }
    }
}
