//! `claviger status`: how the running server is.

use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, Properties, time};
use crate::admin::api::Status;

/// Prints the server's own account of itself. Unhealthy is also a server that does not answer.
pub(crate) async fn run(client: &Client, output: Output) -> Result<Exit, Failure> {
    let status: Status = client.get(path(["status"])).await.map_err(Failure::unhealthy)?;
    output.data(&status, table)?;
    Ok(if status.healthy {
        Exit::Done
    } else {
        Exit::Unhealthy
    })
}

fn table(status: &Status) -> String {
    let mut properties = Properties::new();
    properties
        .line("health", if status.healthy { "healthy" } else { "UNHEALTHY" })
        .line("version", &status.version)
        .line("process", status.process)
        .line("started", time(status.started_at))
        .line("KMIP", status.kmip_addresses.join(", "))
        .line("root keys", status.root_keys)
        .line("adapters", status.adapters)
        .line("certificates", status.certificates)
        .line("keys", status.keys)
        .line("custody records", status.custody.size)
        .line("custody root", &status.custody.root);
    let mut backends = Columns::new(["BACKEND", "HEALTH", "FACTS"]);
    for backend in &status.backends {
        let facts: Vec<_> = backend
            .facts
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        let health = if backend.healthy { "healthy" } else { "UNHEALTHY" };
        backends.row([backend.name.clone(), health.to_owned(), facts.join(", ")]);
    }
    let mut text = format!("{}\n{}", properties.text(), backends.or("no root-key backend\n"));
    for problem in &status.problems {
        text.push_str("\nproblem: ");
        text.push_str(&super::output::printable(problem));
    }
    text
}
