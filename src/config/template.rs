//! The commented configuration that `claviger init` writes.

use std::fmt::Write;
use std::path::PathBuf;

use super::quantity::{show_duration, show_size};
use super::{Limits, Mirror, TokenSelector, VERSION};

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
    /// `device.name`
    pub device: String,
    /// `device.module`
    pub module: PathBuf,
    /// How the device finds its token.
    pub token: TokenSelector,
    /// `device.pin_file`
    pub pin_file: PathBuf,
    /// `device.environment`; empty for none.
    pub environment: Vec<(String, String)>,
}

/// The text of a configuration file with these answers, read back by [`Config::parse`](super::Config::parse).
pub fn template(answers: &InitAnswers) -> String {
    let mut text = String::new();
    write_top(&mut text, answers);
    write_kmip(&mut text, answers);
    write_kmip_limits(&mut text);
    write_admin_and_store(&mut text, answers);
    write_https(&mut text);
    write_device(&mut text, answers);
    write_mirror(&mut text);
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
    line(text, "[store]");
    line(
        text,
        "# The database. Default: claviger.db in the state directory.",
    );
    line(
        text,
        &format!(
            "#path = {}",
            quoted(&answers.state_directory.join("claviger.db").to_string_lossy())
        ),
    );
    text.push('\n');
}

fn write_device(text: &mut String, answers: &InitAnswers) {
    line(text, "# A slot of an HSM. Repeat the section for another one.");
    line(text, "[[device]]");
    line(
        text,
        "# Root keys refer to the device by this name: it has to stay.",
    );
    setting(text, "name", &answers.device);
    line(
        text,
        "# The PKCS#11 module of the HSM's vendor, and the token: token_label, token_serial or slot_id.",
    );
    setting(text, "module", &answers.module.to_string_lossy());
    match &answers.token {
        TokenSelector::Label(label) => setting(text, "token_label", label),
        TokenSelector::Serial(serial) => setting(text, "token_serial", serial),
        TokenSelector::Slot(slot) => line(text, &format!("slot_id = {slot}")),
    }
    line(
        text,
        "# The file with the user PIN, readable by the server alone; or pin_credential = \"name\" for a",
    );
    line(text, "# credential of the systemd unit (LoadCredential=).");
    setting(text, "pin_file", &answers.pin_file.to_string_lossy());
    line(
        text,
        "# Processes that load the module, the sessions of each, and how long the device may take to answer.",
    );
    line(text, "#workers = 2");
    line(text, "#sessions = 8");
    line(text, "#deadline = \"10s\"");
    line(
        text,
        "# Requests that may be under way at each process; clients are told at once to try the next again.",
    );
    line(text, "#queue = 1024");
    line(
        text,
        "# How new keys are wrapped: aes-kwp, aes-kw, aes-gcm or aes-cbc-pad; without it, the best that the device can do.",
    );
    line(text, "#wrap_profile = \"aes-kw\"");
    line(
        text,
        "# \"read\" only for a device that can't wrap a key under another: keys are then readable on it for a moment.",
    );
    line(text, "#release_profile = \"transport\"");
    line(
        text,
        "# For a storm of requests for the same keys: how many stay unwrapped on the device, for each worker, and how long.",
    );
    line(text, "#kept_keys = 0");
    line(text, "#kept_keys_time = \"1m\"");
    line(text, "# Environment variables that the module needs.");
    if answers.environment.is_empty() {
        line(
            text,
            "#environment = { SOFTHSM2_CONF = \"/etc/softhsm/softhsm2.conf\" }",
        );
    } else {
        let pairs: Vec<_> = answers
            .environment
            .iter()
            .map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)))
            .collect();
        line(text, &format!("environment = {{ {} }}", pairs.join(", ")));
    }
    text.push('\n');
}

/// All of it stands in comments that stay comments: there is one device yet.
fn write_mirror(text: &mut String) {
    text.push_str(
        "# Devices that hold the same root keys, as the members of an HSM cluster do, can serve as one: while\n\
         # one of them is away, the others do its work. Root keys refer to the mirror, not to its devices.\n\
         # [[mirror]]\n\
         # name = \"cluster\"\n\
         # devices = [\"hsm-a\", \"hsm-b\"]\n\
         # How long a new root key may take from the one that made it to all others:\n",
    );
    let replication = quoted(&show_duration(Mirror::USUAL_REPLICATION));
    line(text, &format!("# replication = {replication}"));
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

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Config, LogFormat};
    use super::*;

    fn answers() -> InitAnswers {
        InitAnswers {
            node: Some("kms-1".into()),
            state_directory: "/srv/state \"one\"".into(),
            listen: vec!["127.0.0.1:5697".into(), "[::1]:5697".into()],
            certificate: "server.pem".into(),
            key: "/etc/claviger/server.key".into(),
            device: "hsm-1".into(),
            module: "/usr/lib/softhsm/libsofthsm2.so".into(),
            token: TokenSelector::Label("a \\ label\tof its own".into()),
            pin_file: "pin".into(),
            environment: vec![("SOFTHSM2_CONF".into(), "/x/softhsm2.conf".into())],
        }
    }

    #[test]
    fn what_init_writes_is_read_back_as_it_was_answered() {
        let text = template(&answers());
        let config = Config::parse(Path::new("/etc/claviger/claviger.toml"), &text).expect("it parses");
        assert_eq!(config.node, "kms-1");
        assert_eq!(config.state_directory, Path::new("/srv/state \"one\""));
        assert_eq!(config.store.path, Path::new("/srv/state \"one\"/claviger.db"));
        assert_eq!(config.kmip.listen.len(), 2);
        assert_eq!(config.kmip.certificate, Path::new("/etc/claviger/server.pem"));
        assert_eq!(config.kmip.limits, Limits::default());
        assert_eq!(config.devices[0].token, answers().token);
        assert_eq!(config.devices[0].environment, answers().environment);
        assert_eq!(config.log.format, LogFormat::Text);
    }

    #[test]
    fn each_default_in_a_comment_is_the_default() {
        let mut bare = answers();
        bare.listen.clear();
        bare.environment.clear();
        bare.node = None;
        bare.token = TokenSelector::Slot(7);
        let file = Path::new("/etc/claviger/claviger.toml");
        let text = template(&bare);
        let as_written = Config::parse(file, &text).expect("it parses");
        let uncommented: String = text
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let shown = Config::parse(file, &uncommented).expect("the commented lines parse as well");
        assert_eq!(shown.kmip.listen, as_written.kmip.listen);
        assert_eq!(shown.kmip.limits, as_written.kmip.limits);
        assert_eq!(shown.kmip.warn_before_expiry, as_written.kmip.warn_before_expiry);
        assert_eq!(shown.admin.socket, as_written.admin.socket);
        assert_eq!(shown.store.path, as_written.store.path);
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
    }
}
