//! `claviger init`: writes a configuration, and a server certificate where there is none, and has the device make the key
//! that signs the custody log. It starts no server.

mod answers;
pub(super) mod files;
mod key_protect;
mod questions;
mod server_certificate;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::exit::{Exit, Failure};
use super::output::{Output, Properties, say};
use super::{block_on, custody, signing_key};
use crate::config::{Config, CustodySigner, InitBackend, template};
use answers::answers;
use files::{make_folder, write_file};
use server_certificate::Algorithm;

/// What `init` can be told beforehand. What it is not told, it asks for at a terminal.
#[derive(Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct Arguments {
    /// The PKCS#11 module of the HSM's vendor
    #[arg(long, value_name = "PATH")]
    module: Option<PathBuf>,
    /// The label of the token
    #[arg(long, value_name = "LABEL", group = "token")]
    token_label: Option<String>,
    /// The serial number of the token
    #[arg(long, value_name = "SERIAL", group = "token")]
    token_serial: Option<String>,
    /// The number of the slot; a label is better, since modules renumber slots
    #[arg(long, value_name = "NUMBER", group = "token")]
    slot: Option<u64>,
    /// The file with the user PIN of the token, readable by the server alone
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// What to call the device, or the instance of Key Protect [default: hsm, or ibm]
    #[arg(long, value_name = "NAME", visible_alias = "backend")]
    device: Option<String>,
    /// An environment variable that the module needs; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = environment)]
    environment: Vec<(String, String)>,
    #[command(flatten)]
    key_protect: key_protect::Arguments,
    /// The module of SoftHSM, to sign the custody log by a software token [default with Key Protect: where it is installed]
    #[arg(long, value_name = "PATH")]
    custody_software: Option<PathBuf>,
    /// An address and port to speak KMIP on; may be repeated [default: port 5696 of every address]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Vec<SocketAddr>,
    /// The name of this server in its records [default: the host's name]
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Where the server keeps its store and its socket
    #[arg(long, value_name = "DIR", default_value = "/var/lib/claviger")]
    state_directory: PathBuf,
    /// A host name or address that clients use; may be repeated [default: this host's names]
    #[arg(long, value_name = "NAME", value_parser = server_name)]
    server_name: Vec<String>,
    /// Make an RSA key (3072 bits) instead of ECDSA P-256
    #[arg(long)]
    rsa: bool,
    /// How many days the server certificate is valid
    #[arg(long, value_name = "N", default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36500))]
    days: u32,
    /// Replace the configuration that is there
    #[arg(long)]
    overwrite: bool,
    /// Replace the server certificate and key that are there; clients have to trust the new one
    #[arg(long)]
    new_certificate: bool,
    /// Ask nothing: fail where an answer is missing
    #[arg(long)]
    non_interactive: bool,
}

/// What was written.
#[derive(Debug, Serialize)]
struct Made {
    configuration: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    /// SHA-256 of the server certificate, where a new one was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
}

/// Writes the configuration to `config`, with the certificate `server.pem` and `server.key` beside it.
pub(crate) fn run(arguments: &Arguments, config: &Path, output: Output) -> Result<Exit, Failure> {
    let folder = match config.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let certificate = folder.join("server.pem");
    let key = folder.join("server.key");
    if config.exists() && !arguments.overwrite {
        return Err(
            Failure::new(format!("there is a configuration already: {}", config.display()))
                .remedy("keep it, name another with --config, or replace it with --overwrite"),
        );
    }
    let keep = keeps_certificate(&certificate, &key, arguments.new_certificate)?;
    let answers = answers(arguments, &folder)?;
    let text = template(&answers);
    // What was answered may be wrong; then the file is not written.
    Config::parse(config, &text).map_err(|problems| {
        Failure::usage(format!("what was answered makes no configuration:\n{problems}"))
    })?;

    make_folder(&folder)?;
    let fingerprint = if keep {
        say(format_args!(
            "the server certificate {} stays as it is",
            certificate.display()
        ));
        None
    } else {
        Some(make_certificate(arguments, &certificate, &key)?)
    };
    write_file(config, text.as_bytes(), 0o640)?;
    let made = Made {
        configuration: config.to_owned(),
        certificate,
        key,
        fingerprint,
    };
    output.data(&made, table)?;
    let (secret, file) = match &answers.backend {
        InitBackend::Device(device) => ("PIN", &device.pin_file),
        InitBackend::KeyProtect(instance) => ("API key", &instance.api_key_file),
    };
    if !file.exists() {
        say(format_args!(
            "write the {secret} into {0} before you go on: (umask 077; cat > {0})",
            file.display()
        ));
    }
    make_custody_key(config);
    let shown = config.display();
    say(format_args!(
        "next: claviger --config {shown} doctor, then claviger --config {shown} serve"
    ));
    Ok(Exit::Done)
}

/// Makes the key that signs the custody log, where what signs can be asked already. That it can't is no reason to fail: the
/// configuration is there, and the key can be made later.
fn make_custody_key(file: &Path) {
    let Ok(config) = Config::load(file) else { return };
    let create = format!("claviger --config {} custody key create", file.display());
    let is_ready = match &config.custody.signer {
        CustodySigner::Devices(_) => signing_key::devices(&config)
            .iter()
            .all(|device| device.module.is_file() && device.pin_file.is_file()),
        CustodySigner::Software(_) => true,
        CustodySigner::Nowhere => {
            say("the custody log is not signed: see [custody] in the configuration");
            return;
        }
    };
    if !is_ready {
        say(format_args!(
            "then have the device make the key that signs the custody log: {create}"
        ));
        return;
    }
    match block_on(custody::key::create(&config)) {
        Ok(key) => say(format_args!(
            "the custody log is signed{}; its key, for auditors, is in {}: {key}",
            if let CustodySigner::Software(_) = config.custody.signer {
                " BY SOFTWARE on this host"
            } else {
                ""
            },
            config.custody.public_key.display()
        )),
        Err(failure) => say(format_args!(
            "the key that signs the custody log is not made yet: {failure}; put that right, then: {create}"
        )),
    }
}

fn table(made: &Made) -> String {
    let mut properties = Properties::new();
    properties
        .line("configuration", made.configuration.display())
        .line("server certificate", made.certificate.display())
        .line("server key", made.key.display());
    if let Some(fingerprint) = &made.fingerprint {
        properties.line("SHA-256", fingerprint);
    }
    properties.text()
}

fn keeps_certificate(certificate: &Path, key: &Path, replace: bool) -> Result<bool, Failure> {
    match (certificate.exists(), key.exists()) {
        _ if replace => Ok(false),
        (false, false) => Ok(false),
        (true, true) => Ok(true),
        (there, _) => {
            let (there, missing) = if there {
                (certificate, key)
            } else {
                (key, certificate)
            };
            Err(Failure::new(format!(
                "there is {} but no {}",
                there.display(),
                missing.display()
            ))
            .remedy("put the missing file back, or make a new pair with --new-certificate"))
        }
    }
}

fn make_certificate(arguments: &Arguments, certificate: &Path, key: &Path) -> Result<String, Failure> {
    let names = if arguments.server_name.is_empty() {
        own_names()
    } else {
        arguments.server_name.clone()
    };
    let algorithm = if arguments.rsa {
        Algorithm::Rsa3072
    } else {
        Algorithm::EcdsaP256
    };
    let made = server_certificate::make(&names, arguments.days, algorithm)
        .map_err(|error| Failure::new(format!("the server certificate cannot be made: {error}")))?;
    write_file(key, &made.key_pem, 0o600)?;
    write_file(certificate, &made.certificate_pem, 0o644)?;
    Ok(made.fingerprint)
}

/// The host's name and those by which it reaches itself.
fn own_names() -> Vec<String> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if server_certificate::is_server_name(&host) && host != "localhost" {
        names.insert(0, host);
    }
    names
}

fn environment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

fn server_name(text: &str) -> Result<String, String> {
    if server_certificate::is_server_name(text) {
        Ok(text.to_owned())
    } else {
        Err("expected a host name or an IP address".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn half_a_key_pair_is_never_completed_by_guessing() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("server.pem"), folder.path().join("server.key"));
        assert!(!keeps_certificate(&certificate, &key, false).unwrap());
        fs::write(&key, "key").unwrap();
        let failure = keeps_certificate(&certificate, &key, false).unwrap_err();
        assert!(failure.text().contains("--new-certificate"));
        fs::write(&certificate, "certificate").unwrap();
        assert!(keeps_certificate(&certificate, &key, false).unwrap());
        assert!(!keeps_certificate(&certificate, &key, true).unwrap());
    }
}
