//! `claviger custody epoch …`: what is done about a custody log that is not the one that was written last.

use super::asker;
use crate::admin::api::{Epoch, OpenEpoch};
use crate::cli::client::{Client, path};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Output, Properties, say, time};

#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show whether the server refuses to go on with its log, and why
    Show,
    /// Ask for a new epoch: the log goes on from what the database has, and its next record says what was known before
    Open {
        /// Why: where the database came from, and what was done with the one before it
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Approve of the new epoch, as another administrator than the one who asked for it: the server serves again
    Approve,
}

pub(super) async fn run(command: Command, client: &Client, output: Output) -> Result<Exit, Failure> {
    let epoch = path(["custody", "epoch"]);
    match command {
        Command::Show => {
            let shown: Epoch = client.get(epoch).await?;
            output.data(&shown, table)?;
            Ok(if shown.held { Exit::Unhealthy } else { Exit::Done })
        }
        Command::Open { reason } => {
            let shown: Epoch = client.post(epoch, &OpenEpoch { reason }).await?;
            output.data(&shown, table)?;
            say("another administrator must approve of it: `claviger custody epoch approve`");
            Ok(Exit::Done)
        }
        Command::Approve => {
            let route = path(["custody", "epoch", "approve"]);
            let shown: Epoch = client.post(route, &serde_json::json!({})).await?;
            output.data(&shown, table)?;
            say(
                "the new epoch is open, and the server serves: `claviger custody list` shows its first record",
            );
            Ok(Exit::Done)
        }
    }
}

fn table(shown: &Epoch) -> String {
    let mut properties = Properties::new();
    properties.line("custody log", if shown.held { "HELD" } else { "goes on" });
    if let Some(why) = &shown.why {
        properties.line("why", why);
    }
    for (name, size, root) in [
        ("known", shown.known_size, &shown.known_root),
        ("found", shown.found_size, &shown.found_root),
    ] {
        if let (Some(size), Some(root)) = (size, root) {
            properties.line(name, format!("{size}:{root}"));
        }
    }
    if let Some(asked) = &shown.asked {
        properties
            .line("asked for by", asker(&asked.by, asked.uid))
            .line("at", time(asked.at))
            .line("reason", &asked.reason);
    }
    properties.text()
}
