//! `claviger certificate …`: who may reach an adapter's keys.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::client::{Client, path};
use super::client_certificate::{self, Admission};
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, Properties, say, time};
use crate::admin::api::{Certificate, List, NewCertificate};

/// No certificate is longer; what is, is another file.
const FILE_LIMIT: u64 = 64 << 10;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Admit the client that has this certificate, at once
    Add {
        /// The adapter whose keys it may reach
        adapter: String,
        /// One certificate as PEM
        file: PathBuf,
        /// What to call it [default: its common name]
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
    },
    /// Make a client's key and certificate, and admit the client
    Make(client_certificate::Make),
    /// Sign a client's request for a certificate, as vCenter makes one, and admit the client
    Sign(client_certificate::Sign),
    /// List the certificates of an adapter, or of all
    List {
        /// The adapter [default: all]
        adapter: Option<String>,
    },
    /// Shut out the client that has this certificate, at once
    Remove {
        /// The adapter
        adapter: String,
        /// Its fingerprint, the beginning of it where no other has the same, or its name
        certificate: String,
    },
}

pub(crate) async fn run(command: Command, client: &Client, output: Output) -> Result<Exit, Failure> {
    match command {
        Command::Add { file, adapter, name } => {
            let certificate_pem = read(&file)?;
            let admission = Admission {
                adapter,
                name,
                certificate_pem,
            };
            admit(client, admission, output).await?;
        }
        Command::Make(make) => made(client, make.carry_out()?, output).await?,
        Command::Sign(sign) => made(client, sign.carry_out()?, output).await?,
        Command::List { adapter } => {
            let list = match adapter {
                Some(adapter) => of_adapter(client, &adapter).await?,
                None => client.get(path(["certificates"])).await?,
            };
            return output.list(&list, columns);
        }
        Command::Remove { certificate, adapter } => {
            let list = of_adapter(client, &adapter).await?;
            let chosen = choose(&list.items, &certificate, &adapter)?;
            client
                .delete(path(["adapters", &adapter, "certificates", &chosen.fingerprint]))
                .await?;
            say(format_args!(
                "certificate {} ({}) removed; its clients are refused from now on",
                chosen.fingerprint,
                super::output::printable(&chosen.name)
            ));
        }
    }
    Ok(Exit::Done)
}

/// Admits a client whose certificate was made here.
async fn made(
    client: &Client,
    (admission, files): (Admission, Vec<PathBuf>),
    output: Output,
) -> Result<(), Failure> {
    for file in &files {
        say(format_args!("{} is written", file.display()));
    }
    admit(client, admission, output).await
}

async fn admit(client: &Client, admission: Admission, output: Output) -> Result<(), Failure> {
    let new = NewCertificate {
        name: admission.name,
        pem: admission.certificate_pem,
    };
    let added: Certificate = client
        .post(path(["adapters", &admission.adapter, "certificates"]), &new)
        .await?;
    output.data(&added, properties)?;
    if added.not_after < OffsetDateTime::now_utc() {
        say(format_args!(
            "WARNING: it expired on {}, and the server refuses expired certificates unless its configuration allows them",
            time(added.not_after)
        ));
    }
    say(format_args!(
        "clients with this certificate are admitted to adapter {} now",
        added.adapter
    ));
    Ok(())
}

async fn of_adapter(client: &Client, adapter: &str) -> Result<List<Certificate>, Failure> {
    client.get(path(["adapters", adapter, "certificates"])).await
}

pub(super) fn read(file: &Path) -> Result<String, Failure> {
    let cannot = |error: std::io::Error| {
        Failure::new(format!("cannot read the certificate {}: {error}", file.display()))
            .remedy("give the path of a PEM file with one certificate")
    };
    let length = std::fs::metadata(file).map_err(cannot)?.len();
    if length > FILE_LIMIT {
        return Err(Failure::new(format!(
            "{} is {length} bytes long; a certificate as PEM is at most {FILE_LIMIT}",
            file.display()
        )));
    }
    let bytes = std::fs::read(file).map_err(cannot)?;
    String::from_utf8(bytes).map_err(|_| {
        Failure::new(format!("{} is not PEM: it is not text", file.display()))
            .remedy("turn a DER certificate into PEM with `openssl x509 -inform DER -in FILE -out FILE.pem`")
    })
}

/// The one certificate that the operator means by a fingerprint, its beginning, or a name.
fn choose<'a>(items: &'a [Certificate], meant: &str, adapter: &str) -> Result<&'a Certificate, Failure> {
    let hex: String = meant
        .chars()
        .filter(|c| *c != ':')
        .collect::<String>()
        .to_lowercase();
    let is_hex = !hex.is_empty() && hex.chars().all(|c| c.is_ascii_hexdigit());
    let named: Vec<_> = items.iter().filter(|item| item.name == meant).collect();
    let found = if named.is_empty() && is_hex {
        items
            .iter()
            .filter(|item| item.fingerprint.starts_with(&hex))
            .collect()
    } else {
        named
    };
    match found[..] {
        [one] => Ok(one),
        [] => Err(
            Failure::new(format!("adapter {adapter} has no certificate {meant}")).remedy(format!(
                "`claviger certificate list {adapter}` shows those that it has"
            )),
        ),
        _ => Err(Failure::new(format!(
            "{meant} may mean {} certificates: {}",
            found.len(),
            found
                .iter()
                .map(|item| item.fingerprint.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        ))
        .remedy("give more of the fingerprint")),
    }
}

fn columns(items: &[Certificate]) -> String {
    let mut columns = Columns::new(["FINGERPRINT", "NAME", "ADAPTER", "SUBJECT", "VALID UNTIL"]);
    for item in items {
        columns.row([
            item.fingerprint.clone(),
            item.name.clone(),
            item.adapter.clone(),
            item.subject.clone(),
            time(item.not_after),
        ]);
    }
    columns.or_say("no certificates; admit a client with `claviger certificate add ADAPTER FILE`")
}

fn properties(item: &Certificate) -> String {
    Properties::new()
        .line("fingerprint", &item.fingerprint)
        .line("name", &item.name)
        .line("adapter", &item.adapter)
        .line("subject", &item.subject)
        .line("issuer", &item.issuer)
        .line("serial", &item.serial)
        .line("valid from", time(item.not_before))
        .line("valid until", time(item.not_after))
        .line("added", time(item.added_at))
        .text()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn certificate(fingerprint: &str, name: &str) -> Certificate {
        Certificate {
            fingerprint: fingerprint.into(),
            name: name.into(),
            adapter: "a".into(),
            subject: String::new(),
            issuer: String::new(),
            serial: String::new(),
            not_before: datetime!(2026-01-01 0:00 UTC),
            not_after: datetime!(2036-01-01 0:00 UTC),
            added_at: datetime!(2026-01-01 0:00 UTC),
        }
    }

    #[test]
    fn a_certificate_is_removed_only_when_one_alone_is_meant() {
        let items = [
            certificate("abcd01", "one"),
            certificate("abce02", "two"),
            certificate("ffff03", "two"),
        ];
        assert_eq!(choose(&items, "AB:CD", "a").unwrap().name, "one");
        assert_eq!(choose(&items, "one", "a").unwrap().fingerprint, "abcd01");
        assert!(
            choose(&items, "abc", "a")
                .unwrap_err()
                .text()
                .contains("2 certificates")
        );
        assert!(
            choose(&items, "two", "a")
                .unwrap_err()
                .text()
                .contains("2 certificates")
        );
        assert!(choose(&items, "", "a").is_err());
        assert!(
            choose(&items, "nothing", "a")
                .unwrap_err()
                .text()
                .contains("certificate list")
        );
    }
}
