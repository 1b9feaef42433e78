//! `claviger key unused`: keys that no client has fetched for a time.

use std::time::Duration;

use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, print, printable, say, time};
use crate::admin::api::{List, UnusedKey};
use crate::custody::export::csv_cell;

/// The columns of the list. The first three are what `key revoke` and `key destroy` read of it.
pub(super) const HEADING: &str =
    "adapter,key,as_of,state,created_at,fetched_at,fetched_by,known_since,root_key,root_key_version";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Keys that were made before this time and not fetched since: a time such as 180d
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    time: Duration,
    /// Only those of this adapter
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// As comma-separated values, which `key revoke` and `key destroy` take as a list
    #[arg(long)]
    csv: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    crate::config::duration(text).ok_or_else(|| "write a time such as 36h or 180d".to_owned())
}

pub(super) async fn run(arguments: &Arguments, client: &Client, output: Output) -> Result<Exit, Failure> {
    let is_csv = arguments.csv && !output.is_json();
    if is_csv {
        print(HEADING)?;
    }
    let mut all = List::from(Vec::new());
    loop {
        let mut page = path(["unused-keys"]).query("for_seconds", &arguments.time.as_secs().to_string());
        for (name, value) in [("adapter", &arguments.adapter), ("after", &all.next)] {
            if let Some(value) = value {
                page = page.query(name, value);
            }
        }
        let found: List<UnusedKey> = client.get(page).await?;
        if is_csv {
            for key in &found.items {
                print(&line(key))?;
            }
        } else {
            all.items.extend(found.items);
        }
        all.tampered.extend(found.tampered);
        all.next = found.next;
        if all.next.is_none() {
            break;
        }
    }
    if !is_csv {
        return output.list(&all, table);
    }
    for what in &all.tampered {
        say(format_args!("LEFT OUT: {}", printable(what)));
    }
    Ok(if all.tampered.is_empty() {
        Exit::Done
    } else {
        Exit::Unhealthy
    })
}

fn table(keys: &[UnusedKey]) -> String {
    let mut columns = Columns::new(["ADAPTER", "KEY", "STATE", "CREATED", "FETCHED", "BY", "ROOT KEY"]);
    for key in keys {
        columns.row([
            key.adapter.clone(),
            key.key.to_string(),
            key.state.clone(),
            time(key.created_at),
            fetched(key),
            key.fetched_by.clone().unwrap_or_default(),
            format!("{} version {}", key.root_key, key.root_key_version),
        ]);
    }
    columns.or_say("every key of that age was fetched in that time")
}

/// When a key was fetched, in words.
fn fetched(key: &UnusedKey) -> String {
    match (key.fetched_at, key.known_since) {
        (Some(fetched_at), _) => time(fetched_at),
        (None, Some(known_since)) => format!("not known before {}", time(known_since)),
        (None, None) => "never".to_owned(),
    }
}

fn line(key: &UnusedKey) -> String {
    let given = |moment: Option<time::OffsetDateTime>| moment.map(time).unwrap_or_default();
    let cells = [
        key.adapter.clone(),
        key.key.to_string(),
        key.as_of.to_string(),
        key.state.clone(),
        time(key.created_at),
        given(key.fetched_at),
        key.fetched_by.clone().unwrap_or_default(),
        given(key.known_since),
        key.root_key.clone(),
        key.root_key_version.to_string(),
    ];
    cells.map(|cell| csv_cell(&cell)).join(",")
}
