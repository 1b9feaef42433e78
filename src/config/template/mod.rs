//! The commented configuration that `claviger init` writes.

mod backend;
mod custody;

use std::fmt::Write;
use std::path::PathBuf;

use super::quantity::{show_duration, show_size};
use super::{Limits, TokenSelector, VERSION};

/// What `claviger init` found out; everything else keeps its default, which the file shows in a comment.
#[derive(Debug, Clone)]
pub struct InitAnswers {
    /// The name of the server in its records; the host's name where there is none.
    pub node: Option<String>,
    /// `state_directory`
    pub state_directory: PathBuf,
    /// `kmip.listen`; empty for the default, every address.
    pub listen: Vec<String>,
    /// `kmip.certificate`
    pub certificate: PathBuf,
    /// `kmip.key`
    pub key: PathBuf,
    /// What holds the root keys.
    pub backend: InitBackend,
    /// The module of a software token that signs the custody log; none where a device does, or nothing.
    pub custody_software: Option<PathBuf>,
}

/// What holds the root keys of a new configuration. More can be added by hand.
#[derive(Debug, Clone)]
pub enum InitBackend {
    /// `[[device]]`
    Device(DeviceAnswers),
    /// `[[key_protect]]`
    KeyProtect(KeyProtectAnswers),
}

/// What is asked of a device.
#[derive(Debug, Clone)]
pub struct DeviceAnswers {
    /// `device.name`
    pub name: String,
    /// `device.module`
    pub module: PathBuf,
    /// How the device finds its token.
    pub token: TokenSelector,
    /// `device.pin_file`
    pub pin_file: PathBuf,
    /// `device.environment`; empty for none.
    pub environment: Vec<(String, String)>,
}

/// What is asked of an instance of Key Protect or of Hyper Protect Crypto Services.
#[derive(Debug, Clone)]
pub struct KeyProtectAnswers {
    /// `key_protect.name`
    pub name: String,
    /// `key_protect.url`
    pub url: String,
    /// `key_protect.instance_id`
    pub instance_id: String,
    /// `key_protect.key_ring`
    pub key_ring: Option<String>,
    /// `key_protect.api_key_file`
    pub api_key_file: PathBuf,
    /// `key_protect.iam_url`; IBM Cloud's where there is none.
    pub iam_url: Option<String>,
    /// `key_protect.ca_file`
    pub ca_file: Option<PathBuf>,
}

/// The text of a configuration file with these answers, read back by [`Config::parse`](super::Config::parse).
pub fn template(answers: &InitAnswers) -> String {
    let mut text = String::new();
    write_top(&mut text, answers);
    write_kmip(&mut text, answers);
    write_kmip_limits(&mut text);
    write_admin_and_store(&mut text, answers);
    write_https(&mut text);
    backend::write(&mut text, &answers.backend);
    custody::write(&mut text, answers);
    text.push_str(
        "# Backups: docs/disaster-recovery.md. `claviger backup key create` makes the key under which they are, once, and\n\
         # writes down here which it is. Private keys of the server's certificates are in a backup only where this says so.\n\
         #[backup]\n#key = \"backup-key.json\"\n#private_keys = false\n\n",
    );
    text.push_str(
        "# Health and metrics for Prometheus, over plain HTTP: docs/operations.md.\n\
         #[metrics]\n#listen = [\"127.0.0.1:9464\"]\n\n",
    );
    text.push_str(
        "# Traces of requests for a collector of OpenTelemetry's, by OTLP over HTTP; one_in = 100 traces one of a hundred.\n\
         #[tracing]\n#endpoint = \"http://127.0.0.1:4318\"\n#one_in = 1\n#ca_file = \"collector-ca.pem\"\n\n",
    );
    text.push_str(
        "[log]\n# Lines on stderr: \"text\" or \"json\"; error, warn, info, debug or trace.\n\
         #format = \"text\"\n#level = \"info\"\n",
    );
    text
}

fn write_top(text: &mut String, answers: &InitAnswers) {
    line(
        text,
        "# The configuration of Claviger. `claviger config check` tells everything that is wrong with it.",
    );
    line(
        text,
        "# Paths that are not absolute start at the folder of this file.",
    );
    setting(text, "version", VERSION);
    text.push('\n');
    line(
        text,
        "# The name of this server in each custody record that it writes. Default: the host's name.",
    );
    match &answers.node {
        Some(node) => setting(text, "node", node),
        None => line(text, "#node = \"kms-1\""),
    }
    line(
        text,
        "# Where the server keeps its store, its lock, its admin socket and refused certificates.",
    );
    setting(
        text,
        "state_directory",
        &answers.state_directory.to_string_lossy(),
    );
    text.push('\n');
}

fn write_https(text: &mut String) {
    line(text, "[https]");
    line(
        text,
        "# KMIP over HTTPS, as POST to /kmip in TTLV, XML or JSON, for the same clients. Default: not served.",
    );
    line(text, "#listen = [\"0.0.0.0:443\", \"[::]:443\"]");
    text.push('\n');
}

fn write_kmip(text: &mut String, answers: &InitAnswers) {
    line(text, "[kmip]");
    line(
        text,
        "# The addresses that vCenter and ESXi connect to. Default: port 5696 of every address.",
    );
    if answers.listen.is_empty() {
        line(text, "#listen = [\"0.0.0.0:5696\", \"[::]:5696\"]");
    } else {
        let addresses: Vec<_> = answers.listen.iter().map(|address| quoted(address)).collect();
        line(text, &format!("listen = [{}]", addresses.join(", ")));
    }
    line(
        text,
        "# The server's certificate with its chain, and its private key, in PEM.",
    );
    setting(text, "certificate", &answers.certificate.to_string_lossy());
    setting(text, "key", &answers.key.to_string_lossy());
    line(
        text,
        "# A client certificate is warned of this long before it expires, and refused once it has expired.",
    );
    line(text, "#warn_before_expiry = \"30d\"");
    line(text, "#allow_expired_client_certificates = false");
    line(
        text,
        "# Whether a key may leave the device for this server's locked memory when a client wants done with it what the",
    );
    line(
        text,
        "# device can't do, as ChaCha20 or PBKDF2. Without it, such a request is refused.",
    );
    default(text, "cryptography_in_server", "false");
    line(
        text,
        "# The most bytes of a client's seed that the device's generator of random numbers is given, or \"refuse\".",
    );
    line(text, "# Default: all that come.");
    line(text, "#rng_seed = 32");
    line(
        text,
        "# A program that is given a request for a certificate and prints the chain: docs/administration.md.",
    );
    line(text, "#[kmip.renewal]");
    line(text, "#command = [\"/usr/local/bin/renew-certificate\"]");
    line(text, "#before = \"30d\"");
    line(
        text,
        "# Another certificate at other addresses, while clients are brought from one to the other.",
    );
    line(text, "#[kmip.previous]");
    line(text, "#listen = [\"0.0.0.0:5697\"]");
    line(text, "#certificate = \"previous.pem\"");
    line(text, "#key = \"previous.key\"");
    text.push('\n');
}

fn write_kmip_limits(text: &mut String) {
    let usual = Limits::default();
    line(text, "[kmip.limits]");
    line(
        text,
        "# Connections at one time: of all clients, and with the same client certificate. The hosts of a",
    );
    line(text, "# vSAN cluster share the certificate of their vCenter.");
    default(text, "connections", &usual.connections.to_string());
    default(
        text,
        "connections_per_client",
        &usual.connections_per_client.to_string(),
    );
    line(
        text,
        "# How long a TLS handshake, a half-sent request and an idle connection may last.",
    );
    default(text, "handshake", &quoted(&show_duration(usual.handshake)));
    default(text, "request", &quoted(&show_duration(usual.request)));
    default(text, "idle", &quoted(&show_duration(usual.idle)));
    line(text, "# The longest request.");
    default(
        text,
        "request_size",
        &quoted(&show_size(usual.request_bytes as u64)),
    );
    line(
        text,
        "# How long a stop waits for the requests that are under way.",
    );
    default(text, "shutdown", &quoted(&show_duration(usual.shutdown)));
    text.push('\n');
}

fn write_admin_and_store(text: &mut String, answers: &InitAnswers) {
    line(text, "[admin]");
    line(
        text,
        "# The Unix socket of the administration interface. Default: admin.sock in the state directory.",
    );
    line(
        text,
        &format!(
            "#socket = {}",
            quoted(&answers.state_directory.join("admin.sock").to_string_lossy())
        ),
    );
    line(
        text,
        "# Users of this machine, by name or number, that may administer the server beside its own user and root. With any,",
    );
    line(
        text,
        "# the socket must lie where they can reach it. The destruction of a root key takes two different administrators.",
    );
    default(text, "administrators", "[]");
    line(
        text,
        "# The shortest time between the request for a root key's destruction and the destruction. At least 24h, except for",
    );
    line(text, "# trials.");
    default(text, "destruction_waiting_time", &quoted("7d"));
    text.push('\n');
    line(
        text,
        "# This interface and the auditor's pages over HTTPS, for the client certificates in these files and folders (see",
    );
    line(
        text,
        "# docs/administration.md). `tokens` lets in who shows an access token and no certificate.",
    );
    line(text, "#[admin.web]");
    line(text, "#listen = [\"192.0.2.10:8443\"]");
    line(text, "#auditors = [\"auditors\"]");
    line(text, "#operators = [\"operators\"]");
    line(text, "#administrators = [\"administrators\"]");
    line(text, "#tokens = false");
    text.push('\n');
    line(text, "[store]");
    line(
        text,
        "# The database: an SQLite file. Default: claviger.db in the state directory.",
    );
    line(
        text,
        &format!(
            "#path = {}",
            quoted(&answers.state_directory.join("claviger.db").to_string_lossy())
        ),
    );
    for each in [
        "# For several servers that work at once, PostgreSQL in its place (see docs/high-availability.md). It is spoken to by TLS,",
        "# and its certificate is verified, unless the address has an sslmode that says otherwise.",
        "#   url = \"postgres://claviger@db.example.org/claviger?sslrootcert=/etc/claviger/database-ca.pem\"",
        "#   password_file = \"database-password\"",
        "#   connections = 16",
    ] {
        line(text, each);
    }
    text.push('\n');
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn setting(text: &mut String, key: &str, value: &str) {
    writeln!(text, "{key} = {}", quoted(value)).expect("writing to a string never fails");
}

fn default(text: &mut String, key: &str, value: &str) {
    writeln!(text, "#{key} = {value}").expect("writing to a string never fails");
}

/// A setting, or in a comment an example of it.
fn optional(text: &mut String, key: &str, value: Option<&str>, example: &str) {
    match value {
        Some(value) => setting(text, key, value),
        None => default(text, key, &quoted(example)),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Config, LogFormat, Store};
    use super::*;

    fn answers() -> InitAnswers {
        InitAnswers {
            node: Some("kms-1".into()),
            state_directory: "/srv/state \"one\"".into(),
            listen: vec!["127.0.0.1:5697".into(), "[::1]:5697".into()],
            certificate: "server.pem".into(),
            key: "/etc/claviger/server.key".into(),
            backend: InitBackend::Device(device()),
            custody_software: None,
        }
    }

    fn device() -> DeviceAnswers {
        DeviceAnswers {
            name: "hsm-1".into(),
            module: "/usr/lib/softhsm/libsofthsm2.so".into(),
            token: TokenSelector::Label("a \\ label\tof its own".into()),
            pin_file: "pin".into(),
            environment: vec![("SOFTHSM2_CONF".into(), "/x/softhsm2.conf".into())],
        }
    }

    fn instance() -> KeyProtectAnswers {
        KeyProtectAnswers {
            name: "ibm".into(),
            url: "https://127.0.0.1:8443/".into(),
            instance_id: "c0ffee00-0000-4000-8000-000000000001".into(),
            key_ring: Some("kmip".into()),
            api_key_file: "ibm.apikey".into(),
            iam_url: Some("https://127.0.0.1:8444/identity/token".into()),
            ca_file: Some("ca.pem".into()),
        }
    }

    /// The text with each default in place.
    fn uncommented(text: &str) -> String {
        text.lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect()
    }

    #[test]
    fn what_init_writes_of_an_instance_is_read_back_as_it_was_answered() {
        let file = Path::new("/etc/claviger/claviger.toml");
        let of = |instance: KeyProtectAnswers| {
            let backend = InitBackend::KeyProtect(instance);
            let custody_software = Some("/usr/lib/softhsm/libsofthsm2.so".into());
            template(&InitAnswers {
                backend,
                custody_software,
                ..answers()
            })
        };
        let config = Config::parse(file, &of(instance())).expect("it parses");
        let found = &config.key_protect[0];
        assert!(config.devices.is_empty() && config.mirrors.is_empty());
        assert_eq!((found.name.as_str(), &found.url), ("ibm", &instance().url));
        assert_eq!(Some(&found.iam_url), instance().iam_url.as_ref());
        assert_eq!(found.key_ring.as_deref(), Some("kmip"));
        assert_eq!(found.ca_file.as_deref(), Some(Path::new("/etc/claviger/ca.pem")));

        let bare = of(KeyProtectAnswers {
            key_ring: None,
            iam_url: None,
            ca_file: None,
            ..instance()
        });
        let as_written = Config::parse(file, &bare).expect("it parses");
        let shown = Config::parse(file, &uncommented(&bare)).expect("the commented lines parse as well");
        assert_eq!(as_written.custody.origin, "kms-1/claviger/software");
        assert_eq!(shown.custody, as_written.custody);
        let [as_written, shown] = [as_written, shown].map(|config| {
            let instance = config.key_protect.into_iter().next().expect("an instance");
            (
                instance.iam_url,
                instance.deadline,
                instance.requests,
                instance.wrapped_keys,
            )
        });
        assert_eq!(shown, as_written);
    }

    #[test]
    fn what_init_writes_is_read_back_as_it_was_answered() {
        let text = template(&answers());
        let config = Config::parse(Path::new("/etc/claviger/claviger.toml"), &text).expect("it parses");
        assert_eq!(config.node, "kms-1");
        assert_eq!(config.state_directory, Path::new("/srv/state \"one\""));
        assert_eq!(
            config.store,
            Store::Sqlite("/srv/state \"one\"/claviger.db".into())
        );
        assert_eq!(config.kmip.listen.len(), 2);
        assert_eq!(config.kmip.certificate, Path::new("/etc/claviger/server.pem"));
        assert_eq!(config.kmip.limits, Limits::default());
        assert_eq!(config.devices[0].token, device().token);
        assert_eq!(config.devices[0].environment, device().environment);
        assert_eq!(config.log.format, LogFormat::Text);
    }

    #[test]
    fn each_default_in_a_comment_is_the_default() {
        let mut bare = answers();
        bare.listen.clear();
        bare.node = None;
        bare.backend = InitBackend::Device(DeviceAnswers {
            token: TokenSelector::Slot(7),
            environment: Vec::new(),
            ..device()
        });
        let file = Path::new("/etc/claviger/claviger.toml");
        let text = template(&bare);
        let as_written = Config::parse(file, &text).expect("it parses");
        let shown = Config::parse(file, &uncommented(&text)).expect("the commented lines parse as well");
        assert_eq!(shown.kmip.listen, as_written.kmip.listen);
        assert_eq!(shown.kmip.limits, as_written.kmip.limits);
        assert_eq!(shown.kmip.warn_before_expiry, as_written.kmip.warn_before_expiry);
        assert_eq!(shown.admin.socket, as_written.admin.socket);
        assert_eq!(shown.store, as_written.store);
        assert_eq!(shown.devices[0].workers, as_written.devices[0].workers);
        assert_eq!(shown.devices[0].sessions, as_written.devices[0].sessions);
        assert_eq!(shown.devices[0].deadline, as_written.devices[0].deadline);
        assert_eq!(shown.devices[0].queue, as_written.devices[0].queue);
        assert_eq!(shown.devices[0].kept_keys, as_written.devices[0].kept_keys);
        assert_eq!(
            shown.devices[0].kept_keys_time,
            as_written.devices[0].kept_keys_time
        );
        assert_eq!(
            shown.devices[0].release_profile,
            as_written.devices[0].release_profile
        );
        assert_eq!(shown.log, as_written.log);
        assert_eq!(shown.custody, as_written.custody);
    }
}
