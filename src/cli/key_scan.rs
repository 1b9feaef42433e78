//! `claviger key scan`: the wrapped keys in key managers that no key here has, and the keys that were deleted there.

use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, counted, printable, time};
use crate::admin::api::KeyScan;

/// Has the server scan, or tells what its last scan found. A scan with a gap is unhealthy.
pub(super) async fn run(client: &Client, last: bool, output: Output) -> Result<Exit, Failure> {
    let resource = path(["key-scan"]);
    let found: KeyScan = if last {
        client.get(resource).await?
    } else {
        client.post(resource, &()).await?
    };
    output.data(&found, table)?;
    Ok(if found.troubles.is_empty() {
        Exit::Done
    } else {
        Exit::Unhealthy
    })
}

fn table(found: &KeyScan) -> String {
    let mut columns = Columns::new(["FOUND", "KEY MANAGER", "ID", "NAME OR KEY", "ADAPTER", "SINCE"]);
    for kept in &found.only_there {
        columns.row([
            "only there".to_owned(),
            kept.backend.clone(),
            kept.id.clone(),
            kept.name.clone(),
            kept.adapter
                .map(|adapter| adapter.to_string())
                .unwrap_or_default(),
            kept.created_at.map(time).unwrap_or_default(),
        ]);
    }
    for deleted in &found.destroyed {
        columns.row([
            "deleted there".to_owned(),
            deleted.backend.clone(),
            deleted.id.clone(),
            deleted.key.to_string(),
            deleted.adapter.to_string(),
            String::new(),
        ]);
    }
    let there: u64 = found.there.values().sum();
    let mut text = columns.or_say("both sides have the same");
    let (lie_there, here) = (counted(there, "wrapped key"), counted(found.keys, "key"));
    let ended = time(found.ended_at);
    text += &[
        "\n",
        &lie_there,
        " in key managers, ",
        &here,
        " here that lie there; ",
        &ended,
        "\n",
    ]
    .concat();
    for trouble in &found.troubles {
        text.push_str("not known: ");
        text.push_str(&printable(trouble));
        text.push('\n');
    }
    text
}
