//! `claviger doctor`: what is wrong, found by trial, each with a remedy. It needs no running server, leaves
//! nothing behind on a token, makes no key in a key manager without being told to, and changes no file.

mod custody;
mod devices;
mod findings;
mod host;
mod key_protect;
mod mirror;
mod recorded;
mod table;

use super::client::Client;
use super::exit::{Exit, Failure};
use super::output::Output;
use crate::config::Config;
use findings::Findings;

/// Unhealthy where a check failed; a warning is not.
pub(crate) async fn run(
    config: &Config,
    client: &Client,
    new_key: bool,
    output: Output,
) -> Result<Exit, Failure> {
    let mut findings = Findings::default();
    host::check(config, client, &mut findings).await;
    let recorded = recorded::root_keys(config, &mut findings).await;
    let sound = devices::check(config, &recorded, &mut findings).await;
    custody::check(config, &sound, &mut findings).await;
    mirror::compare(config, &sound, &mut findings).await;
    key_protect::check(config, &recorded, new_key, &mut findings).await;
    output.data(&findings, table::of)?;
    Ok(if findings.has_failed() {
        Exit::Unhealthy
    } else {
        Exit::Done
    })
}
