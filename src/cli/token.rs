//! `claviger token …`: who comes in over HTTPS without a certificate.

use std::time::Duration;

use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, Properties, say, time};
use crate::admin::api::{List, NewToken, Token, TokenMade};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a token, and print its secret, this once
    Create {
        /// What to call it: 2 to 40 letters, digits, - and _
        name: String,
        /// What its bearer may do
        #[arg(long, value_parser = ["auditor", "operator", "administrator"])]
        role: String,
        /// An adapter that it is for; may be given more than once [default: all, and what is of no adapter]
        #[arg(long = "adapter", value_name = "ADAPTER")]
        adapters: Vec<String>,
        /// How long it is to let in, at most 366d
        #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = lifetime)]
        valid_for: Duration,
    },
    /// List the tokens, without their secrets
    List,
    /// Shut out the bearers of a token, at once
    Revoke {
        /// Its name or identifier
        token: String,
    },
}

fn lifetime(text: &str) -> Result<Duration, String> {
    crate::config::duration(text).ok_or_else(|| "write a time such as 36h or 90d".to_owned())
}

pub(crate) async fn run(command: Command, client: &Client, output: Output) -> Result<Exit, Failure> {
    match command {
        Command::Create {
            name,
            role,
            adapters,
            valid_for,
        } => {
            let new = NewToken {
                name,
                role,
                adapters: Some(adapters).filter(|adapters| !adapters.is_empty()),
                valid_for_seconds: valid_for.as_secs(),
            };
            let made: TokenMade = client.post(path(["tokens"]), &new).await?;
            output.data(&made, |made| {
                let mut shown = properties(&made.token);
                shown.line("secret", &made.secret);
                shown.text()
            })?;
            say(
                "the secret is shown this once; keep it as a password is kept. Clients show it as `Authorization: Bearer …`, and \
                 those of IBM Cloud take it for an API key",
            );
        }
        Command::List => {
            let list: List<Token> = client.get(path(["tokens"])).await?;
            return output.list(&list, columns);
        }
        Command::Revoke { token } => {
            client.delete(path(["tokens", &token])).await?;
            say(format_args!(
                "token {token} is revoked; its bearers are refused from now on"
            ));
        }
    }
    Ok(Exit::Done)
}

fn scope(token: &Token) -> String {
    match &token.adapters {
        Some(adapters) => adapters.join(" "),
        None => "all".to_owned(),
    }
}

fn properties(token: &Token) -> Properties {
    let mut properties = Properties::new();
    properties
        .line("name", &token.name)
        .line("id", token.id)
        .line("role", &token.role)
        .line("adapters", scope(token))
        .line(
            "created",
            format!("{} by {}", time(token.created_at), token.created_by),
        )
        .line("expires", time(token.expires_at));
    properties
}

fn columns(tokens: &[Token]) -> String {
    let mut columns = Columns::new(["NAME", "ROLE", "ADAPTERS", "CREATED BY", "EXPIRES"]);
    for token in tokens {
        let expires = if token.expired {
            format!("{} (expired)", time(token.expires_at))
        } else {
            time(token.expires_at)
        };
        columns.row([
            token.name.clone(),
            token.role.clone(),
            scope(token),
            token.created_by.clone(),
            expires,
        ]);
    }
    columns.or_say("no tokens; make one with `claviger token create NAME --role ROLE`")
}
