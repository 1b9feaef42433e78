//! The configuration file: versioned, unknown keys refused. Imports nothing else of the house.
//!
//! A file is read in three steps, each in a file of its own: [`reader`] walks the TOML and keeps the line of
//! everything; [`sections`] says what may stand in the file and what its absence means; [`check()`] looks at the
//! world that the file names (files, modes, the certificate and its key). Each step tells everything that it
//! finds wrong, not the first thing, and each [`Problem`] has the file, the line and the remedy.
//!
//! [`template()`] writes the commented file that `claviger init` leaves behind. What the values are used for is
//! said where they are used; nothing here opens a socket or a device.

mod backup;
mod check;
mod custody;
mod key_protect;
mod metrics;
mod mirror;
mod problem;
mod quantity;
mod reader;
mod sections;
mod server_certificate;
mod template;
#[cfg(test)]
mod tests;
mod tracing;
mod web;
mod witness;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use backup::Backup;
pub use check::check;
pub use custody::{
    Custody, CustodyRetention, CustodySigner, CustodyWitness, Feed, FeedReceiver, SyslogReceiver, WhenAbsent,
};
pub use key_protect::{KeyProtect, WrappedKeys, key_protect_url};
pub use metrics::Metrics;
pub use problem::{Problem, Problems, Severity};
pub(crate) use quantity::duration;
pub use template::{DeviceAnswers, InitAnswers, InitBackend, KeyProtectAnswers, template};
pub use tracing::Tracing;
pub use web::Web;
pub use witness::{WITNESS_PORT, Witness, WitnessedLog};

/// Where the commands look for the configuration when they are not told.
pub const DEFAULT_FILE: &str = "/etc/claviger/claviger.toml";

/// The version of the file's form that this program reads; the file says it in `version`.
pub const VERSION: &str = "v1";

/// The port that is registered for KMIP.
pub const KMIP_PORT: u16 = 5696;

/// A whole configuration, every default filled in and every path absolute or relative to the working folder.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file that it came from.
    pub file: PathBuf,
    /// SHA-256 of the text that was read.
    pub sha256: [u8; 32],
    /// The name of this server, in each record that it writes.
    pub node: String,
    /// Where the server keeps its lock, its refused certificates and, by default, its store and admin socket.
    pub state_directory: PathBuf,
    /// The endpoint that vCenter and ESXi talk to.
    pub kmip: Kmip,
    /// `[https]`
    pub https: Https,
    /// The administration interface.
    pub admin: Admin,
    /// The database.
    pub store: Store,
    /// The devices, names unique. There is one at least, or an instance of `key_protect`.
    pub devices: Vec<Device>,
    /// Which of the devices serve as one; names unique among these and the devices.
    pub mirrors: Vec<Mirror>,
    /// The instances of Key Protect and of Hyper Protect Crypto Services; names unique among these, devices and mirrors.
    pub key_protect: Vec<KeyProtect>,
    /// The custody log.
    pub custody: Custody,
    /// `[backup]`
    pub backup: Backup,
    /// `[metrics]`
    pub metrics: Metrics,
    /// `[tracing]`; none where nothing is traced.
    pub tracing: Option<Tracing>,
    /// What the server says on stderr.
    pub log: Log,
    lines: BTreeMap<String, usize>,
}

/// `[kmip]`: the KMIP endpoint.
#[derive(Debug, Clone)]
pub struct Kmip {
    /// The addresses to listen on; an IPv6 address serves IPv6 alone.
    pub listen: Vec<SocketAddr>,
    /// Whether `listen` stands in the file. Where it does not, a host without IPv6 is no reason to stop.
    pub listen_is_given: bool,
    /// The server's certificate, PEM, its chain after it.
    pub certificate: PathBuf,
    /// The private key of that certificate, PEM (PKCS#8, PKCS#1 or SEC 1), not encrypted.
    pub key: PathBuf,
    /// Admits a known client whose certificate has expired.
    pub allow_expired_client_certificates: bool,
    /// How long before a client certificate expires its use is warned of.
    pub warn_before_expiry: Duration,
    /// Whether keys may be used in the server for what their device can't do.
    pub cryptography_in_server: bool,
    /// What becomes of seeds that clients bring for the device's generator of random numbers.
    pub rng_seed: RngSeed,
    /// `[kmip.previous]`: another certificate, at addresses of its own.
    pub previous: Option<Previous>,
    /// `[kmip.renewal]`: how the certificate is renewed.
    pub renewal: Option<Renewal>,
    /// `[kmip.limits]`
    pub limits: Limits,
}

/// `[kmip.previous]`: addresses at which another certificate is shown, while clients are brought from one to the other.
#[derive(Debug, Clone)]
pub struct Previous {
    /// The addresses to listen on.
    pub listen: Vec<SocketAddr>,
    /// The certificate that is shown there, PEM, its chain after it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// `[kmip.renewal]`: a command that has the server's certificate renewed.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// The program, by its whole path, and its arguments.
    pub command: Vec<String>,
    /// How long before the certificate expires it is run.
    pub before: Duration,
}

/// `kmip.rng_seed`: what becomes of a seed for the device's generator of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RngSeed {
    /// The device is given all of it.
    #[default]
    All,
    /// The device is given at most so many bytes of it.
    AtMost(usize),
    /// `"refuse"`
    Refuse,
}

/// `[https]`: KMIP over HTTPS, with the certificates and limits of `[kmip]`.
#[derive(Debug, Clone, Default)]
pub struct Https {
    /// The addresses to listen on; none where it is not wanted.
    pub listen: Vec<SocketAddr>,
}

/// `[kmip.limits]`: what one client, and all of them, may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at one time, handshakes included.
    pub connections: usize,
    /// Connections at one time with the same client certificate.
    pub connections_per_client: usize,
    /// From the accepted connection to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the first byte of a request to its last, and as long again for the client to take the answer.
    pub request: Duration,
    /// Between an answer and the first byte of the next request.
    pub idle: Duration,
    /// The longest request, in bytes.
    pub request_bytes: usize,
    /// How long a stop waits for the requests that are under way.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_client: 2048,
            handshake: Duration::from_secs(10),
            request: Duration::from_secs(30),
            idle: Duration::from_mins(15),
            request_bytes: 1024 * 1024,
            shutdown: Duration::from_secs(30),
        }
    }
}

/// `[admin]`: the administration interface.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The Unix socket.
    pub socket: PathBuf,
    /// Users of this machine, by name or number, that may administer the server beside its own user and root.
    pub administrators: Vec<String>,
    /// The shortest time between the request for a root key's destruction and the destruction.
    pub destruction_waiting_time: Duration,
    /// `[admin.web]`: the interface and the auditor's pages over HTTPS; none where that is not wanted.
    pub web: Option<Web>,
}

/// `[store]`: the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// SQLite in this file, for one server.
    Sqlite(PathBuf),
    /// PostgreSQL, for several servers at once.
    Postgres(PostgresStore),
}

/// `[store]` with a `url`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresStore {
    /// Where the database is: `postgres://USER@HOST:PORT/DATABASE`, without a password.
    pub url: String,
    /// The file with the password; none where the server is let in without one, as by a client certificate.
    pub password_file: Option<PathBuf>,
    /// The most connections at a time.
    pub connections: u32,
}

/// `[[device]]`: one slot of an HSM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What root keys call it.
    pub name: String,
    /// The vendor's PKCS#11 module.
    pub module: PathBuf,
    /// Which token of the module.
    pub token: TokenSelector,
    /// The file with the user PIN; `pin_credential` is one in the folder that systemd names.
    pub pin_file: PathBuf,
    /// Worker processes.
    pub workers: usize,
    /// Sessions of each worker.
    pub sessions: usize,
    /// How long the device may take for one request.
    pub deadline: Duration,
    /// Requests that may be under way at each worker; the next is refused at once.
    pub queue: usize,
    /// How new keys are wrapped; without it, the best that the device is found to do.
    pub wrap_profile: Option<WrapProfile>,
    /// How keys leave the device.
    pub release_profile: ReleaseProfile,
    /// How many keys each worker keeps unwrapped on the device after a release; 0: none.
    pub kept_keys: usize,
    /// How long it keeps them.
    pub kept_keys_time: Duration,
    /// Environment variables for the module, such as `SOFTHSM2_CONF`.
    pub environment: Vec<(String, String)>,
}

/// `[[mirror]]`: devices that hold the same root keys, as the members of an HSM cluster do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// What root keys call it. They call its devices nothing.
    pub name: String,
    /// The names of its devices, at least two, each in no other mirror.
    pub devices: Vec<String>,
    /// How long a root key that was made on one of them may take to appear on the others.
    pub replication: Duration,
}

impl Mirror {
    /// Longer than clusters take that copy keys by themselves.
    pub const USUAL_REPLICATION: Duration = Duration::from_secs(30);
}

/// How a device finds its token; a label outlives what the module numbers its slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSelector {
    /// `token_label`
    Label(String),
    /// `token_serial`
    Serial(String),
    /// `slot_id`
    Slot(u64),
}

/// How a device wraps new keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrapProfile {
    /// `aes-kwp`
    AesKwp,
    /// `aes-kw`
    AesKw,
    /// `aes-gcm`
    AesGcm,
    /// `aes-cbc-pad`
    AesCbcPad,
}

/// How keys leave a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReleaseProfile {
    /// `transport`
    #[default]
    Transport,
    /// `read`
    Read,
}

/// `[log]`: what the server says on stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Text for people or JSON for machines.
    pub format: LogFormat,
    /// The least severe level that is written.
    pub level: LogLevel,
}

/// The form of a line of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// `text`
    #[default]
    Text,
    /// `json`
    Json,
}

/// How much the log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogLevel {
    /// `error`
    Error,
    /// `warn`
    Warn,
    /// `info`
    #[default]
    Info,
    /// `debug`
    Debug,
    /// `trace`
    Trace,
}

impl Config {
    /// Reads a file. Paths in it that are not absolute start at its folder.
    ///
    /// # Errors
    /// Everything that is wrong with the file's text; [`check()`] looks at what the text names.
    pub fn load(file: &Path) -> Result<Self, Problems> {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(file, &text),
            Err(error) => Err(Problems::from(Problem {
                file: file.to_owned(),
                line: None,
                severity: Severity::Error,
                what: format!("it can't be read: {error}"),
                remedy: "write one with `claviger init`, or name another with --config".into(),
            })),
        }
    }

    /// Reads a text as if it stood in `file`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Problems> {
        sections::read(file, text)
    }

    /// The line of a key, such as `kmip.certificate` or `device[0].pin_file`; none where a default is used.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        self.lines.get(key).copied()
    }
}
