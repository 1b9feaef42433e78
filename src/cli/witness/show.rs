//! `claviger witness show`: what others need to know of the witness, and what it has seen.

use serde::Serialize;
use time::OffsetDateTime;

use super::{Exit, Failure, Output, key, logs, memory};
use crate::cli::output::{Columns, Properties, say, time};
use crate::config;
use crate::witness::{Cosigned, Fork};

#[derive(Serialize)]
struct Shown {
    key: String,
    logs: Vec<ShownLog>,
    forks: Vec<ShownFork>,
}

#[derive(Serialize)]
struct ShownLog {
    origin: String,
    /// Of the checkpoint that was cosigned last; none where nothing was.
    size: Option<u64>,
    root: Option<String>,
    time: Option<String>,
    checkpoint: Option<String>,
}

#[derive(Serialize)]
struct ShownFork {
    origin: String,
    time: String,
    cosigned: String,
    refused: String,
}

pub(super) async fn run(config: &config::Witness, output: Output) -> Result<Exit, Failure> {
    let failed = |error: crate::witness::MemoryError| Failure::new(error.to_string());
    let (key, witnessed, memory) = (key(config)?, logs(config)?, memory(config).await?);
    let cosigned = memory.all().await.map_err(failed)?;
    let forks = memory.forks().await.map_err(failed)?;
    memory.close().await;
    let never = witnessed.into_iter().map(|log| log.origin).filter(|origin| {
        cosigned
            .iter()
            .all(|cosigned| cosigned.checkpoint.origin != *origin)
    });
    let shown = Shown {
        key: key.public().to_string(),
        logs: never.map(unseen).chain(cosigned.iter().map(seen)).collect(),
        forks: forks.into_iter().map(fork).collect(),
    };
    output.data(&shown, table)?;
    if shown.forks.is_empty() {
        return Ok(Exit::Done);
    }
    for fork in &shown.forks {
        say(format_args!(
            "TWO LOGS have the name {:?}: since {}, both signed by its key; see --output json for the two checkpoints",
            fork.origin, fork.time
        ));
    }
    Ok(Exit::Unhealthy)
}

fn table(shown: &Shown) -> String {
    let mut properties = Properties::new();
    properties.line("key", &shown.key);
    let mut columns = Columns::new(["LOG", "RECORDS", "COSIGNED", "ROOT"]);
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    for log in &shown.logs {
        let size = log.size.map_or_else(|| "-".into(), |size| size.to_string());
        columns.row([log.origin.clone(), size, or_dash(&log.time), or_dash(&log.root)]);
    }
    format!("{}\n{}", properties.text(), columns.or_say("it witnesses no log"))
}

fn unseen(origin: String) -> ShownLog {
    ShownLog {
        origin,
        size: None,
        root: None,
        time: None,
        checkpoint: None,
    }
}

fn seen(cosigned: &Cosigned) -> ShownLog {
    let head = cosigned.checkpoint.head;
    ShownLog {
        origin: cosigned.checkpoint.origin.clone(),
        size: Some(head.size),
        root: Some(head.root.to_string()),
        time: Some(at(cosigned.time)),
        checkpoint: Some(cosigned.note.clone()),
    }
}

fn fork(fork: Fork) -> ShownFork {
    ShownFork {
        time: at(fork.time),
        origin: fork.origin,
        cosigned: fork.cosigned,
        refused: fork.refused,
    }
}

fn at(seconds: u64) -> String {
    let moment = i64::try_from(seconds)
        .ok()
        .map(OffsetDateTime::from_unix_timestamp);
    moment
        .and_then(Result::ok)
        .map_or_else(|| seconds.to_string(), time)
}
