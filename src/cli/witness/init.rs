//! `claviger witness init`: everything that a witness has, made once.

use std::fmt::Write as _;
use std::fs::DirBuilder;
use std::net::{Ipv6Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Exit, Failure, Memory, Output, WitnessKey, configuration_file, log_key};
use crate::cli::init::files::write_file;
use crate::cli::output::{Properties, say};
use crate::config::{WITNESS_PORT, Witness};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The name of its key, as policies will have it: a host and a path without a scheme, such as witness.example.com/w1
    name: String,
    /// The key of a log to witness, as `claviger custody key show` prints it; may be repeated
    #[arg(long, value_name = "NAME+HASH+KEY", value_parser = log_key_text)]
    log: Vec<String>,
    /// An address and port to listen on; may be repeated [default: port 8446 of every address]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Vec<SocketAddr>,
    /// The certificate to speak HTTPS with, PEM, its chain after it
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// The private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

/// What was made.
#[derive(Serialize)]
struct Made {
    configuration: String,
    key: String,
}

pub(super) async fn run(arguments: &Arguments, directory: &Path, output: Output) -> Result<Exit, Failure> {
    let file = configuration_file(directory);
    let text = configuration(arguments);
    // What would not be read later is refused before anything is made.
    let config = Witness::parse(&file, &text).map_err(|problems| Failure::new(problems.to_string()))?;
    for path in [&file, &config.signing_key, &config.memory] {
        if path.exists() {
            return Err(Failure::new(format!("{} is there already", path.display()))
                .remedy("a witness is made once; name another folder with --directory"));
        }
    }
    if !directory.exists() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| {
            Failure::new(format!("cannot make the folder {}: {error}", directory.display()))
        })?;
    }
    let key = WitnessKey::make(&config.name, &config.signing_key)
        .map_err(|error| Failure::new(error.to_string()))?;
    let memory = Memory::make(&config.memory)
        .await
        .map_err(|error| Failure::new(error.to_string()))?;
    memory.close().await;
    write_file(&file, text.as_bytes(), 0o600)?;
    let made = Made {
        configuration: file.display().to_string(),
        key: key.public().to_string(),
    };
    output.data(&made, |made| {
        let mut properties = Properties::new();
        properties
            .line("configuration", &made.configuration)
            .line("key", &made.key);
        properties.text()
    })?;
    if config.logs.is_empty() {
        say("It witnesses no log yet: add a section [[witnessed]] to its configuration for each.");
    }
    if config.tls.is_none() {
        say("It speaks HTTP: put a proxy with HTTPS before it, or give it a certificate.");
    }
    Ok(Exit::Done)
}

fn log_key_text(text: &str) -> Result<String, String> {
    log_key(text).map(|key| key.to_string())
}

fn configuration(arguments: &Arguments) -> String {
    let listen = if arguments.listen.is_empty() {
        vec![SocketAddr::from((Ipv6Addr::UNSPECIFIED, WITNESS_PORT))]
    } else {
        arguments.listen.clone()
    };
    let listen: Vec<String> = listen
        .iter()
        .map(|address| quoted(&address.to_string()))
        .collect();
    let mut text = format!(
        "# A witness of custody logs; docs/witness.md.\n\
         version = \"v1\"\n\n\
         # The name of its key. It is in each of its signatures: another name is another witness.\n\
         name = {}\n\
         listen = [{}]\n\n\
         # The certificate and its key for HTTPS, PEM. Without them, HTTP is spoken.\n",
        quoted(&arguments.name),
        listen.join(", ")
    );
    match (&arguments.certificate, &arguments.key) {
        (Some(certificate), Some(key)) => {
            let path = |path: &Path| {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
                quoted(&path.to_string_lossy())
            };
            let _ = writeln!(text, "certificate = {}\nkey = {}", path(certificate), path(key));
        }
        _ => text.push_str("# certificate = \"server.pem\"\n# key = \"server.key\"\n"),
    }
    text.push_str(
        "\n# Each log that is witnessed: its key, as `claviger custody key show` prints it where the log is.\n",
    );
    for key in &arguments.log {
        let _ = writeln!(text, "[[witnessed]]\nkey = {}\n", quoted(key));
    }
    if arguments.log.is_empty() {
        text.push_str("# [[witnessed]]\n# key = \"node-1/claviger+1a2b3c4d+AbCd…\"\n");
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
