//! `claviger adapter trust …`: authorities whose certificates an adapter lets in.

use std::path::PathBuf;

use super::certificate::read;
use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, Properties, printable, say, time};
use crate::admin::api::{Authority, List, NewAuthority};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Let in the clients whose certificates an authority issued, at once
    Add {
        /// The adapter whose keys they may reach
        adapter: String,
        /// The authority's certificate as PEM
        file: PathBuf,
        /// What to call it: 2 to 40 letters, digits, - and _
        #[arg(long, value_name = "NAME")]
        name: String,
        /// A part that a client's subject must have, such as O=Example; may be given more than once
        #[arg(long = "subject", value_name = "PART")]
        subject: Vec<String>,
        /// A DNS name of which a client's certificate must have one, such as *.example.com; may be given more than once
        #[arg(long = "dns-name", value_name = "NAME")]
        dns_names: Vec<String>,
    },
    /// List the authorities that an adapter trusts
    List {
        /// The adapter
        adapter: String,
    },
    /// Shut out the clients that came in by an authority, at once
    Remove {
        /// The adapter
        adapter: String,
        /// The authority's name
        authority: String,
    },
}

pub(crate) async fn run(command: Command, client: &Client, output: Output) -> Result<Exit, Failure> {
    match command {
        Command::Add {
            adapter,
            file,
            name,
            subject,
            dns_names,
        } => {
            let new = NewAuthority {
                name,
                pem: read(&file)?,
                subject_parts: subject,
                dns_names,
            };
            let route = path(["adapters", &adapter, "authorities"]);
            let added: Authority = client.post(route, &new).await?;
            output.data(&added, properties)?;
            say(format_args!(
                "clients with a certificate of this authority are admitted to adapter {} now",
                added.adapter
            ));
        }
        Command::List { adapter } => {
            let list: List<Authority> = client.get(path(["adapters", &adapter, "authorities"])).await?;
            return output.list(&list, columns);
        }
        Command::Remove { adapter, authority } => {
            client
                .delete(path(["adapters", &adapter, "authorities", &authority]))
                .await?;
            say(format_args!(
                "authority {} is no longer trusted; clients that came in by it are refused from now on",
                printable(&authority)
            ));
        }
    }
    Ok(Exit::Done)
}

/// For whom it is trusted.
fn only(item: &Authority) -> String {
    let named: Vec<_> = item
        .subject_parts
        .iter()
        .chain(&item.dns_names)
        .cloned()
        .collect();
    if named.is_empty() {
        "any".to_owned()
    } else {
        named.join(" ")
    }
}

fn columns(items: &[Authority]) -> String {
    let mut columns = Columns::new(["NAME", "SUBJECT", "CLIENTS", "VALID UNTIL", "FINGERPRINT"]);
    for item in items {
        columns.row([
            item.name.clone(),
            item.subject.clone(),
            only(item),
            time(item.not_after),
            item.fingerprint.clone(),
        ]);
    }
    columns.or_say("no authorities; trust one with `claviger adapter trust add ADAPTER FILE --name NAME`")
}

fn properties(item: &Authority) -> String {
    Properties::new()
        .line("name", &item.name)
        .line("adapter", &item.adapter)
        .line("fingerprint", &item.fingerprint)
        .line("subject", &item.subject)
        .line("clients", only(item))
        .line("valid from", time(item.not_before))
        .line("valid until", time(item.not_after))
        .line("added", format!("{} by {}", time(item.added_at), item.added_by))
        .text()
}
