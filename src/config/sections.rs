//! What may stand in the file, and what its absence means.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::backup::backup;
use super::custody::custody;
use super::key_protect;
use super::metrics::metrics;
use super::mirror::mirrors;
use super::reader::{Document, NumberOrWord, Section};
use super::server_certificate::{previous, renewal};
use super::tracing::tracing;
use super::web::web;
use super::{
    Admin, Config, Device, Https, KMIP_PORT, Kmip, Limits, Log, LogFormat, LogLevel, PostgresStore, Problems,
    ReleaseProfile, RngSeed, Store, TokenSelector, VERSION, WrapProfile,
};

const DEFAULT_STATE_DIRECTORY: &str = "/var/lib/claviger";
/// The port of HTTPS.
const HTTPS_PORT: u16 = 443;
/// The greatest `rng_seed`, in bytes: what a device takes in one request.
const MOST_OF_A_SEED: u64 = 1 << 20;
/// The longest name that root keys refer to, in letters.
const LONGEST_NAME: usize = 40;
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

pub(super) fn read(file: &Path, text: &str) -> Result<Config, Problems> {
    let document = Document::new(file, text);
    let config = document.top().map(|top| whole(file, top));
    let (problems, lines) = document.into_found();
    Problems::none_of(problems)?;
    let config = config.expect("a text without a table at its top has at least one problem");
    Ok(Config {
        sha256: Sha256::digest(text).into(),
        lines,
        ..config
    })
}

fn whole(file: &Path, mut top: Section<'_>) -> Config {
    require_version(&mut top);
    let node = top.string("node").unwrap_or_else(host_name);
    if !is_name(&node, 64) {
        top.wrong(
            "node",
            format!("is {node:?}"),
            "write 1 to 64 letters, digits, `-`, `_` and `.`",
        );
    }
    let state_directory = top
        .path("state_directory")
        .unwrap_or_else(|| DEFAULT_STATE_DIRECTORY.into());
    let kmip = kmip(top.section("kmip"));
    let https = https(top.section("https"), &kmip.listen);
    let admin = admin(top.section("admin"), file, &state_directory, &kmip);
    let store = store(top.section("store"), &state_directory);
    let devices = devices(&mut top);
    let mirrors = mirrors(&mut top, &devices);
    let key_protect = key_protect::instances(&mut top, &devices, &mirrors);
    if devices.is_empty() && !top.was_given("device") && !top.was_given("key_protect") {
        top.missing(
            "device",
            "say what holds the root keys: add a section [[device]] with name, module, token_label and pin_file, or a \
             section [[key_protect]] with name, url, instance_id and api_key_file",
        );
    }
    let custody = custody(
        top.section("custody"),
        &node,
        (file.parent().unwrap_or(Path::new("")), &state_directory),
        &devices,
        &mirrors,
    );
    let web = admin.web.iter().flat_map(|web| &web.listen);
    let taken: Vec<_> = kmip
        .listen
        .iter()
        .chain(&https.listen)
        .chain(web)
        .copied()
        .collect();
    let backup = backup(top.section("backup"));
    let metrics = metrics(top.section("metrics"), &taken);
    let tracing = tracing(top.section("tracing"));
    let log = log(top.section("log"));
    top.finish();
    Config {
        file: file.to_owned(),
        node,
        state_directory,
        kmip,
        https,
        admin,
        store,
        devices,
        mirrors,
        key_protect,
        custody,
        backup,
        metrics,
        tracing,
        log,
        sha256: [0; 32],
        lines: BTreeMap::default(),
    }
}

pub(super) fn require_version(top: &mut Section<'_>) {
    match top.string("version") {
        Some(version) if version == VERSION => {}
        Some(version) => top.wrong(
            "version",
            format!("is {version:?}"),
            format!("this program reads {VERSION:?}"),
        ),
        None => top.missing(
            "version",
            format!("write `version = {VERSION:?}` as the first line"),
        ),
    }
}

fn kmip(mut section: Section<'_>) -> Kmip {
    let given = section.strings("listen");
    let listen_is_given = given.is_some();
    let listen = match given {
        None => vec![
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, KMIP_PORT)),
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, KMIP_PORT)),
        ],
        Some(texts) => {
            if texts.is_empty() {
                section.wrong(
                    "listen",
                    "names no address",
                    "remove the line to listen on every address",
                );
            }
            addresses(&mut section, texts, KMIP_PORT)
        }
    };
    let certificate = required_path(
        &mut section,
        "certificate",
        "name the PEM file with the certificate that vCenter shall trust; `claviger init` makes one",
    );
    let key = required_path(
        &mut section,
        "key",
        "name the PEM file with the private key of `kmip.certificate`",
    );
    let allow_expired_client_certificates = section
        .boolean("allow_expired_client_certificates")
        .unwrap_or(false);
    let warn_before_expiry = section
        .duration("warn_before_expiry", &(Duration::ZERO..=3650 * DAY))
        .unwrap_or(30 * DAY);
    let cryptography_in_server = section.boolean("cryptography_in_server").unwrap_or(false);
    let rng_seed = rng_seed(&mut section);
    let previous = previous(section.section("previous"), &listen);
    let renewal = renewal(section.section("renewal"));
    let limits = limits(section.section("limits"));
    section.finish();
    Kmip {
        listen,
        listen_is_given,
        certificate,
        key,
        allow_expired_client_certificates,
        warn_before_expiry,
        cryptography_in_server,
        rng_seed,
        previous,
        renewal,
        limits,
    }
}

fn rng_seed(section: &mut Section<'_>) -> RngSeed {
    match section.number_or_word("rng_seed", &(0..=MOST_OF_A_SEED), "refuse") {
        None => RngSeed::All,
        Some(NumberOrWord::Word) => RngSeed::Refuse,
        Some(NumberOrWord::Number(bytes)) => RngSeed::AtMost(usize::try_from(bytes).unwrap_or(usize::MAX)),
    }
}

/// The addresses of `listen`, of which `port` is the usual one.
pub(super) fn addresses(section: &mut Section<'_>, texts: Vec<String>, port: u16) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for text in texts {
        match text.parse() {
            Ok(address) if addresses.contains(&address) => {
                section.wrong("listen", format!("has {text} twice"), "name each address once");
            }
            Ok(address) => addresses.push(address),
            Err(_) => section.wrong(
                "listen",
                format!("has {text:?}, which is no address and port"),
                format!("write addresses such as \"192.0.2.10:{port}\" or \"[::]:{port}\""),
            ),
        }
    }
    addresses
}

fn https(mut section: Section<'_>, kmip: &[SocketAddr]) -> Https {
    let texts = section.strings("listen").unwrap_or_default();
    let listen = addresses(&mut section, texts, HTTPS_PORT);
    if let Some(taken) = listen
        .iter()
        .find(|address| address.port() != 0 && kmip.contains(address))
    {
        section.wrong(
            "listen",
            format!("has {taken}, which `kmip.listen` has too"),
            "give HTTPS a port of its own",
        );
    }
    section.finish();
    Https { listen }
}

fn limits(mut section: Section<'_>) -> Limits {
    let usual = Limits::default();
    let moment = Duration::from_millis(10);
    let count = 1..=1_000_000;
    let limits = Limits {
        connections: number(section.integer("connections", &count), usual.connections),
        connections_per_client: number(
            section.integer("connections_per_client", &count),
            usual.connections_per_client,
        ),
        handshake: section
            .duration("handshake", &(moment..=600 * SECOND))
            .unwrap_or(usual.handshake),
        request: section
            .duration("request", &(moment..=600 * SECOND))
            .unwrap_or(usual.request),
        idle: section
            .duration("idle", &(moment..=7 * DAY))
            .unwrap_or(usual.idle),
        request_bytes: number(
            section.size("request_size", &(1024..=64 << 20)),
            usual.request_bytes,
        ),
        shutdown: section
            .duration("shutdown", &(Duration::ZERO..=600 * SECOND))
            .unwrap_or(usual.shutdown),
    };
    section.finish();
    limits
}

fn admin(mut section: Section<'_>, file: &Path, state_directory: &Path, kmip: &Kmip) -> Admin {
    let socket = section
        .path("socket")
        .unwrap_or_else(|| state_directory.join("admin.sock"));
    // The kernel's limit, `sun_path` of unix(7), with its closing zero.
    if socket.as_os_str().len() > 107 {
        section.wrong(
            "socket",
            format!("is {} bytes long", socket.as_os_str().len()),
            "a Unix socket's path has at most 107 bytes: choose a shorter `admin.socket`",
        );
    }
    let administrators = section.strings("administrators").unwrap_or_default();
    let destruction_waiting_time = section
        .duration("destruction_waiting_time", &(SECOND..=365 * DAY))
        .unwrap_or(7 * DAY);
    let web = web(&mut section, file, kmip);
    section.finish();
    Admin {
        socket,
        administrators,
        destruction_waiting_time,
        web,
    }
}

fn store(mut section: Section<'_>, state_directory: &Path) -> Store {
    let (path, url) = (section.path("path"), section.string("url"));
    let store = match url {
        None => Store::Sqlite(path.unwrap_or_else(|| state_directory.join("claviger.db"))),
        Some(url) => {
            if path.is_some() {
                section.wrong("path", "stands beside url", "keep one of path and url");
            }
            Store::Postgres(postgres_store(&mut section, url))
        }
    };
    section.finish();
    store
}

fn postgres_store(section: &mut Section<'_>, url: String) -> PostgresStore {
    const FORM: &str = "write it as \"postgres://USER@HOST:5432/DATABASE?sslrootcert=/path/to/ca.pem\"";
    let address = url
        .strip_prefix("postgres://")
        .or_else(|| url.strip_prefix("postgresql://"));
    match address.map(|address| address.split_once('@')) {
        None => section.wrong("url", "is no address of PostgreSQL", FORM),
        Some(user) => {
            let has_password = user.is_some_and(|(user, _)| user.contains(':'));
            if has_password || url.contains("password=") {
                section.wrong(
                    "url",
                    "has a password in it, and whoever reads the configuration would read it",
                    "put the password into a file, mode 0400, and name that as password_file",
                );
            }
        }
    }
    PostgresStore {
        url,
        password_file: optional_secret_file(section, ("password_file", "password_credential")),
        connections: section
            .integer("connections", &(4..=1000))
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(16),
    }
}

fn devices(top: &mut Section<'_>) -> Vec<Device> {
    let mut names = BTreeSet::new();
    top.sections("device")
        .into_iter()
        .map(|section| device(section, &mut names))
        .collect()
}

fn device(mut section: Section<'_>, names: &mut BTreeSet<String>) -> Device {
    let name = own_name(
        &mut section,
        names,
        "name the device; root keys refer to it by this name",
        ("a device", "give each device its own name"),
    );
    let module = required_path(
        &mut section,
        "module",
        "name the PKCS#11 module (.so) of the HSM's vendor",
    );
    let token = token(&mut section);
    let pin_file = secret_file(
        &mut section,
        ("pin_file", "pin_credential"),
        "name the file that holds the user PIN, mode 0400, or a pin_credential",
    );
    let workers = number(section.integer("workers", &(1..=64)), 2);
    let sessions = number(section.integer("sessions", &(1..=1024)), 8);
    let deadline = section
        .duration("deadline", &(Duration::from_millis(100)..=600 * SECOND))
        .unwrap_or(10 * SECOND);
    let queue = number(section.integer("queue", &(1..=1_000_000)), 1024);
    let wrap_profile = section.choice(
        "wrap_profile",
        &[
            ("aes-kwp", WrapProfile::AesKwp),
            ("aes-kw", WrapProfile::AesKw),
            ("aes-gcm", WrapProfile::AesGcm),
            ("aes-cbc-pad", WrapProfile::AesCbcPad),
        ],
    );
    let release_profile = section
        .choice(
            "release_profile",
            &[
                ("transport", ReleaseProfile::Transport),
                ("read", ReleaseProfile::Read),
            ],
        )
        .unwrap_or_default();
    let kept_keys = number(section.integer("kept_keys", &(0..=100_000)), 0);
    let kept_keys_time = section
        .duration("kept_keys_time", &(SECOND..=DAY))
        .unwrap_or(60 * SECOND);
    let environment = section.pairs("environment").unwrap_or_default();
    section.finish();
    Device {
        name,
        module,
        token,
        pin_file,
        workers,
        sessions,
        deadline,
        queue,
        wrap_profile,
        release_profile,
        kept_keys,
        kept_keys_time,
        environment,
    }
}

fn token(section: &mut Section<'_>) -> TokenSelector {
    let label = section.string("token_label");
    let serial = section.string("token_serial");
    let slot = section.integer("slot_id", &(0..=u64::MAX));
    match (label, serial, slot) {
        (Some(label), None, None) => TokenSelector::Label(label),
        (None, Some(serial), None) => TokenSelector::Serial(serial),
        (None, None, Some(slot)) => TokenSelector::Slot(slot),
        (None, None, None) => {
            section.missing(
                "token_label",
                "say which token: one of token_label, token_serial and slot_id",
            );
            TokenSelector::Slot(0)
        }
        _ => {
            section.wrong(
                "token_label",
                "is not the only one that chooses the token",
                "keep one of token_label, token_serial and slot_id",
            );
            TokenSelector::Slot(0)
        }
    }
}

/// The file of a secret, which `keys` name: by its path, or as a credential of systemd's.
pub(super) fn secret_file(
    section: &mut Section<'_>,
    keys: (&'static str, &'static str),
    remedy: &str,
) -> PathBuf {
    optional_secret_file(section, keys).unwrap_or_else(|| {
        section.missing(keys.0, remedy);
        PathBuf::new()
    })
}

/// A file with a secret, or a credential of systemd's; none where neither is named.
fn optional_secret_file(section: &mut Section<'_>, keys: (&'static str, &'static str)) -> Option<PathBuf> {
    let (file_key, credential_key) = keys;
    let file = match (section.path(file_key), section.string(credential_key)) {
        (Some(file), None) => file,
        (None, Some(name)) => {
            if let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") {
                return Some(Path::new(&folder).join(name));
            }
            section.wrong(
                credential_key,
                format!("is {name:?}, but systemd handed over no credentials"),
                format!(
                    "start from a unit with `LoadCredential={name}:/path/to/the/file`, or use {file_key}"
                ),
            );
            PathBuf::new()
        }
        (None, None) => return None,
        (Some(_), Some(_)) => {
            section.wrong(
                file_key,
                format!("stands beside {credential_key}"),
                format!("keep one of {file_key} and {credential_key}"),
            );
            PathBuf::new()
        }
    };
    Some(file)
}

pub(super) fn log(mut section: Section<'_>) -> Log {
    let log = Log {
        format: section
            .choice("format", &[("text", LogFormat::Text), ("json", LogFormat::Json)])
            .unwrap_or_default(),
        level: section
            .choice(
                "level",
                &[
                    ("error", LogLevel::Error),
                    ("warn", LogLevel::Warn),
                    ("info", LogLevel::Info),
                    ("debug", LogLevel::Debug),
                    ("trace", LogLevel::Trace),
                ],
            )
            .unwrap_or_default(),
    };
    section.finish();
    log
}

pub(super) fn required_path(section: &mut Section<'_>, key: &'static str, remedy: &str) -> PathBuf {
    section.path(key).unwrap_or_else(|| {
        if !section.was_given(key) {
            section.missing(key, remedy);
        }
        PathBuf::new()
    })
}

/// The `name` by which root keys refer to what the section describes: none of `names`, and from now on one of them. What is
/// said where it is missing; and, where it is taken, by what it may be, and the remedy.
pub(super) fn own_name(
    section: &mut Section<'_>,
    names: &mut BTreeSet<String>,
    missing: &str,
    (takers, taken): (&str, &str),
) -> String {
    let Some(name) = section.string("name") else {
        if !section.was_given("name") {
            section.missing("name", missing);
        }
        return String::new();
    };
    if !is_name(&name, LONGEST_NAME) {
        section.wrong(
            "name",
            format!("is {name:?}"),
            format!("write 1 to {LONGEST_NAME} letters, digits, `-`, `_` and `.`"),
        );
    } else if !names.insert(name.clone()) {
        section.wrong("name", format!("is {name:?}, as of {takers} above"), taken);
    }
    name
}

pub(super) fn number(given: Option<u64>, usual: usize) -> usize {
    given.map_or(usual, |value| usize::try_from(value).unwrap_or(usize::MAX))
}

fn is_name(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

pub(super) fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if is_name(&name, 64) {
        name
    } else {
        "claviger".into()
    }
}
