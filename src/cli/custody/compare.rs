//! `claviger custody compare`: whether each key's row in the database is the one that the custody log says.

use crate::admin::api::RowComparison;
use crate::cli::client::{Client, path};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{Columns, Output, counted, time};

/// Has the server compare, or tells what its last comparison found. A row that is not as the log says is unhealthy.
pub(super) async fn run(client: &Client, last: bool, output: Output) -> Result<Exit, Failure> {
    let resource = path(["custody", "comparison"]);
    let found: RowComparison = if last {
        client.get(resource).await?
    } else {
        client.post_patiently(resource).await?
    };
    output.data(&found, table)?;
    Ok(if found.wrong == 0 && found.identities.is_empty() {
        Exit::Done
    } else {
        Exit::Unhealthy
    })
}

fn table(found: &RowComparison) -> String {
    let mut columns = Columns::new(["ROW", "ADAPTER", "WRONG"]);
    for wrong in &found.identities {
        columns.row([wrong.row.clone(), String::new(), wrong.what.clone()]);
    }
    for row in &found.findings {
        columns.row([
            format!("key {}", row.key),
            row.adapter.map(|adapter| adapter.to_string()).unwrap_or_default(),
            row.what.clone(),
        ]);
    }
    let text = columns.or_say("each row that could be judged is as the custody log says");
    let (rows, records) = (counted(found.rows, "row"), counted(found.records, "record"));
    let (not_judged, ended) = (found.not_judged, time(found.ended_at));
    format!("{text}{rows} compared with {records}, {not_judged} not judged; {ended}\n")
}
