//! `claviger adapter credential …`: users whose passwords an adapter's clients show beside their certificates.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::client::{Client, path};
use super::exit::{Exit, Failure};
use super::output::{Columns, Output, Properties, say, time};
use crate::admin::api::{Credential, CredentialMade, CredentialPolicy, Credentials, NewCredential};

/// No password is longer; what is, is another file.
const FILE_LIMIT: u64 = 4 << 10;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Add a user; print the password where the server makes it, this once
    Add {
        /// The adapter
        adapter: String,
        /// The user's name, as the client shows it
        username: String,
        /// A file that has the password in its first line, or - for standard input [default: the server makes one]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// List the users of an adapter, without their passwords
    List {
        /// The adapter
        adapter: String,
    },
    /// Remove a user: requests that show it are refused, at once
    Remove {
        /// The adapter
        adapter: String,
        /// The user's name
        username: String,
    },
    /// Say whether a request that shows no user is refused
    Policy {
        /// The adapter
        adapter: String,
        /// What is to be
        #[arg(value_parser = ["required", "optional"])]
        policy: String,
    },
}

pub(crate) async fn run(command: Command, client: &Client, output: Output) -> Result<Exit, Failure> {
    match command {
        Command::Add {
            adapter,
            username,
            password_file,
        } => {
            let password = password_file.as_deref().map(read).transpose()?;
            let new = NewCredential {
                username,
                password: password.map(|password| password.to_string()),
            };
            let route = path(["adapters", &adapter, "credentials"]);
            let made: CredentialMade = client.post(route, &new).await?;
            output.data(&made, |made| {
                let mut shown = properties(&made.credential);
                if let Some(password) = &made.password {
                    shown.line("password", password);
                }
                shown.text()
            })?;
            if made.password.is_some() {
                say("the password is shown this once; enter it in the client's key provider");
            }
            say(format_args!(
                "a request to adapter {adapter} that shows a user with another password is refused from now on; one that shows \
                 no user is, after `claviger adapter credential policy {adapter} required`"
            ));
        }
        Command::List { adapter } => {
            let found: Credentials = client.get(path(["adapters", &adapter, "credentials"])).await?;
            output.data(&found, columns)?;
        }
        Command::Remove { adapter, username } => {
            client
                .delete(path(["adapters", &adapter, "credentials", &username]))
                .await?;
            say(format_args!(
                "user {} is removed from adapter {adapter}",
                super::output::printable(&username)
            ));
        }
        Command::Policy { adapter, policy } => {
            let policy = CredentialPolicy {
                required: policy == "required",
            };
            let route = path(["adapters", &adapter, "credential-policy"]);
            let found: Credentials = client.post(route, &policy).await?;
            output.data(&found, columns)?;
        }
    }
    Ok(Exit::Done)
}

/// The first line of a file, or of standard input.
fn read(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let cannot = |error: std::io::Error| {
        Failure::new(format!(
            "cannot read the password from {}: {error}",
            file.display()
        ))
        .remedy("give the path of a file with the password in its first line, or - for standard input")
    };
    let mut text = Zeroizing::new(String::new());
    if file == Path::new("-") {
        std::io::stdin()
            .take(FILE_LIMIT)
            .read_to_string(&mut text)
            .map_err(cannot)?;
    } else {
        std::fs::File::open(file)
            .and_then(|file| file.take(FILE_LIMIT).read_to_string(&mut text))
            .map_err(cannot)?;
    }
    let line = text.split('\n').next().unwrap_or_default();
    Ok(Zeroizing::new(line.trim_end_matches('\r').to_owned()))
}

fn properties(user: &Credential) -> Properties {
    let mut properties = Properties::new();
    properties
        .line("username", &user.username)
        .line("added", format!("{} by {}", time(user.added_at), user.added_by));
    properties
}

fn columns(found: &Credentials) -> String {
    let mut columns = Columns::new(["USER", "ADDED", "BY"]);
    for user in &found.users {
        columns.row([user.username.clone(), time(user.added_at), user.added_by.clone()]);
    }
    let policy = if found.required {
        "a request that shows no user is refused"
    } else {
        "a request need not show a user"
    };
    let listed = columns.or_say("no users; add one with `claviger adapter credential add ADAPTER USER`");
    format!("{}\n{policy}\n", listed.trim_end())
}
