//! `claviger key revoke` and `claviger key destroy`: many keys by a list.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use uuid::Uuid;

use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::{Output, Properties, say};
use crate::admin::api::{KeyEnd, KeyList, KeyListResult, List, ListedKey, NewKeyList};
use crate::custody::export::csv_cell;

/// How often it is looked how far a list is.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The list, as `key unused` prints it with --csv or as JSON; `-` for stdin
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Say of each key what would happen, and why not; do nothing
    #[arg(long)]
    dry_run: bool,
    /// Also keys that were fetched since the list was made, and for `destroy` keys that are active
    #[arg(long)]
    force: bool,
    /// Write what became of each key to this file [default: stdout]
    #[arg(long, value_name = "FILE")]
    result: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Destroying {
    #[command(flatten)]
    list: Arguments,
    /// Approve of exactly this list, as another administrator than the one who asked: its keys are destroyed
    #[arg(long, conflicts_with = "dry_run")]
    approve: bool,
}

/// What is read of a line of JSON; the rest is for people.
#[derive(Deserialize)]
struct Listed {
    adapter: String,
    key: Uuid,
    #[serde(default)]
    as_of: Option<u64>,
}

pub(super) async fn revoke(arguments: &Arguments, client: &Client, output: Output) -> Result<Exit, Failure> {
    let list = order(KeyEnd::Revoke, arguments)?;
    let begun: KeyList = client.post(path(["key-lists"]), &list).await?;
    follow(begun, arguments, client, output).await
}

pub(super) async fn destroy(
    arguments: &Destroying,
    client: &Client,
    output: Output,
) -> Result<Exit, Failure> {
    let list = order(KeyEnd::Destroy, &arguments.list)?;
    if arguments.approve {
        let digest = list.digest().to_string();
        let begun: KeyList = client
            .post(path(["key-lists", &digest, "approve"]), &serde_json::json!({}))
            .await?;
        return follow(begun, &arguments.list, client, output).await;
    }
    let asked: KeyList = client.post(path(["key-lists"]), &list).await?;
    if !asked.waits_for_approval {
        return follow(asked, &arguments.list, client, output).await;
    }
    output.data(&asked, properties)?;
    say(format_args!(
        "another administrator must approve of exactly this list, SHA-256 {}: `claviger key destroy --from FILE{} --approve`",
        asked.sha256,
        if arguments.list.force { " --force" } else { "" }
    ));
    Ok(Exit::Done)
}

/// Waits until the list is at its end, and writes what became of its lines.
async fn follow(
    mut list: KeyList,
    arguments: &Arguments,
    client: &Client,
    output: Output,
) -> Result<Exit, Failure> {
    let digest = list.sha256.to_string();
    let mut told = 0;
    while list.ended_at.is_none() {
        tokio::time::sleep(LOOK).await;
        list = client.get(path(["key-lists", &digest])).await?;
        let at = list.done + list.refused + list.failed;
        if at >= told + 1000 {
            told = at;
            say(format_args!("{at} of {} keys", list.keys));
        }
    }
    let mut out: Box<dyn Write + Send> = match &arguments.result {
        Some(file) => Box::new(BufWriter::new(
            File::create(file).map_err(|error| cannot_write(file, &error))?,
        )),
        None if output.is_json() => Box::new(io::sink()),
        None => Box::new(io::stdout()),
    };
    let shown = arguments.result.as_deref().unwrap_or(Path::new("-"));
    write_results(&digest, client, &mut *out)
        .await
        .map_err(|why| match why {
            NotWritten::Asking(failure) => failure,
            NotWritten::Writing(error) => cannot_write(shown, &error),
        })?;
    if output.is_json() {
        output.data(&list, properties)?;
    } else {
        say(properties(&list).trim_end());
    }
    if let Some(why) = &list.failure {
        return Err(Failure::new(format!("the list is not at its end: {why}"))
            .remedy("give the same list again: what is done by now is left alone")
            .unhealthy());
    }
    Ok(if list.failed == 0 {
        Exit::Done
    } else {
        Exit::Unhealthy
    })
}

/// Why the results are not where they should be.
enum NotWritten {
    Asking(Failure),
    Writing(io::Error),
}

async fn write_results(
    digest: &str,
    client: &Client,
    out: &mut (dyn Write + Send),
) -> Result<(), NotWritten> {
    writeln!(out, "adapter,key,result,why").map_err(NotWritten::Writing)?;
    let mut from = Some("0".to_owned());
    while let Some(first) = from {
        let page = path(["key-lists", digest, "lines"]).query("from", &first);
        let lines: List<KeyListResult> = client.get(page).await.map_err(NotWritten::Asking)?;
        for line in &lines.items {
            let cells = [
                line.adapter.clone(),
                line.key.to_string(),
                line.result.clone(),
                line.why.clone().unwrap_or_default(),
            ];
            writeln!(out, "{}", cells.map(|cell| csv_cell(&cell)).join(",")).map_err(NotWritten::Writing)?;
        }
        from = lines.next;
    }
    out.flush().map_err(NotWritten::Writing)
}

fn cannot_write(file: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", file.display()))
}

fn properties(list: &KeyList) -> String {
    let mut properties = Properties::new();
    let (done, to_be) = if list.dry_run {
        ("would be done", "a dry run")
    } else {
        ("done", "for good")
    };
    let end = match list.end {
        KeyEnd::Revoke => "revoke",
        KeyEnd::Destroy => "destroy",
    };
    properties
        .line("list", list.sha256)
        .line("order", format_args!("{end}, {to_be}"))
        .line("keys", list.keys)
        .line(done, list.done)
        .line("refused", list.refused)
        .line("failed", list.failed);
    properties.text()
}

/// The order that the arguments give.
fn order(end: KeyEnd, arguments: &Arguments) -> Result<NewKeyList, Failure> {
    let file = &arguments.from;
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        io::stdin().lock().read_to_string(&mut text).map(drop)
    } else {
        fs::read_to_string(file).map(|read| text = read)
    };
    read.map_err(|error| Failure::new(format!("cannot read the list {}: {error}", file.display())))?;
    Ok(NewKeyList {
        end,
        dry_run: arguments.dry_run,
        force: arguments.force,
        keys: listed(&text).map_err(|why| {
            Failure::new(format!("the list {} can't be read: {why}", file.display()))
                .remedy("`claviger key unused --for 180d --csv` prints one")
        })?,
    })
}

/// The keys of a list: JSON, or comma-separated values with a heading, of which the first three columns are read.
fn listed(text: &str) -> Result<Vec<ListedKey>, String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('[') {
        let listed: Vec<Listed> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let keys = listed.into_iter().map(|listed| ListedKey {
            adapter: listed.adapter,
            key: listed.key,
            as_of: listed.as_of,
        });
        return Ok(keys.collect());
    }
    let mut lines = text.lines().zip(1..);
    let heading = lines.next().map_or("", |(heading, _)| heading);
    if !heading.starts_with("adapter,key,as_of") {
        return Err(format!(
            "its first line has to begin with `adapter,key,as_of`, and is {heading:?}"
        ));
    }
    let rest = lines.filter(|(line, _)| !line.trim().is_empty());
    rest.map(|(line, number)| listed_key(line).map_err(|why| format!("line {number}: {why}")))
        .collect()
}

fn listed_key(line: &str) -> Result<ListedKey, String> {
    let mut cells = line.split(',').map(str::trim);
    let mut cell = || cells.next().unwrap_or_default();
    let (adapter, key, as_of) = (cell(), cell(), cell());
    if adapter.is_empty() {
        return Err("it names no adapter".to_owned());
    }
    let as_of = Some(as_of).filter(|as_of| !as_of.is_empty());
    Ok(ListedKey {
        adapter: adapter.to_owned(),
        key: key
            .parse()
            .map_err(|_| format!("expected the Unique Identifier of a key, a UUID, and {key:?} came"))?,
        as_of: as_of
            .map(|as_of| {
                as_of
                    .parse()
                    .map_err(|_| format!("expected a number of records, and {as_of:?} came"))
            })
            .transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "01234567-89ab-7def-8123-456789abcdef";

    #[test]
    fn a_list_is_read_as_it_was_printed_and_as_a_spreadsheet_leaves_it() {
        let csv = format!(
            "\u{feff}{}\r\neast,{KEY},7,Active,,,\"O=ACME, CN=x\",,root,1\r\n\r\nwest,{KEY},\r\n",
            crate::cli::key_unused::HEADING
        );
        let json = format!(
            "[{{\"adapter\":\"east\",\"key\":\"{KEY}\",\"as_of\":7,\"state\":\"Active\"}},{{\"adapter\":\"west\",\"key\":\"{KEY}\"}}]"
        );
        for text in [csv, json] {
            let keys = listed(&text).unwrap();
            let read: Vec<_> = keys
                .iter()
                .map(|key| (key.adapter.as_str(), key.key.to_string(), key.as_of))
                .collect();
            assert_eq!(
                read,
                [("east", KEY.to_owned(), Some(7)), ("west", KEY.to_owned(), None)]
            );
        }
    }

    #[test]
    fn what_is_no_list_destroys_nothing() {
        for (text, why) in [
            ("", "first line"),
            ("key,adapter\n", "first line"),
            (
                "adapter,key,as_of\neast,none,1\n",
                "line 2: expected the Unique Identifier",
            ),
            ("adapter,key,as_of\n,x,1\n", "line 2: it names no adapter"),
            ("[{\"adapter\": 1}]", "invalid type"),
        ] {
            let error = listed(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        let as_of = format!("adapter,key,as_of\neast,{KEY},soon\n");
        assert!(listed(&as_of).unwrap_err().contains("number of records"));
    }
}
