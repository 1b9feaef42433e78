//! A real server: the built binary, a SoftHSMv2 token, a database, all in a temporary folder.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use claviger_hsm::testkit::SoftHsm;
use claviger_hsm::{DeviceConfig, SlotSelector};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use super::client::Client;
use super::identity;
use super::key_protect::KeyProtect;
use super::log::Log;

/// The adapter that every server has from the start.
pub const ADAPTER: &str = "vcenter";
/// Device workers, and sessions of each, where a test does not care.
const WORKERS: usize = 2;
const SESSIONS: usize = 2;
/// What the server says when it takes requests.
const READY: &str = "ready";

/// Exit codes of `claviger status`.
pub const HEALTHY: i32 = 0;
pub const UNHEALTHY: i32 = 2;

/// Ends when it is dropped; where the test failed, its log is printed.
pub struct Server {
    node: &'static str,
    tokens: Vec<SoftHsm>,
    key_protect: Option<KeyProtect>,
    directory: tempfile::TempDir,
    address: SocketAddr,
    /// Of the server's process, where it is not that of the test.
    group: Option<u32>,
    /// Whether a file that may not grow is an error to the server, and not its end.
    limited: bool,
    process: Option<Child>,
    /// What its processes have in their environment beside that of the test, from the next start on.
    pub environment: Vec<(&'static str, String)>,
    pub log: Log,
}

impl Server {
    /// A server with a root key and the adapter [`ADAPTER`].
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same, with this group as the one of its processes.
    pub fn start_in_group(group: u32) -> Self {
        let token = SoftHsm::new();
        let device = device("hsm", &token.device_config("hsm"), WORKERS, SESSIONS);
        let mut server = Self::prepare(vec![token], &device);
        server.group = Some(group);
        server.start_again();
        server.with_an_adapter()
    }

    /// The same, whose files can be kept from growing: see [`limit_files`](Self::limit_files).
    pub fn start_with_a_limit_on_files() -> Self {
        let token = SoftHsm::new();
        let device = device("hsm", &token.device_config("hsm"), WORKERS, SESSIONS);
        let mut server = Self::prepare(vec![token], &device);
        server.limited = true;
        server.start_again();
        server.with_an_adapter()
    }

    /// Keeps the server's files at this size at most, or lets them grow again. The device workers write without a bound.
    pub fn limit_files(&self, size: Option<u64>) {
        let limit = Rlimit {
            current: size,
            maximum: None,
        };
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        prlimit(pid, Resource::Fsize, limit).expect("the limit of a process of one's own can be set");
    }

    /// The same, with more lines in `[kmip.limits]`.
    pub fn start_with(limits: &str) -> Self {
        Self::start_on(SoftHsm::new(), WORKERS, SESSIONS, limits)
    }

    /// The same, with more sections in its configuration.
    pub fn start_with_sections(sections: &str) -> Self {
        let token = SoftHsm::new();
        let device = device("hsm", &token.device_config("hsm"), WORKERS, SESSIONS);
        Self::start_configured(vec![token], &format!("{sections}\n{device}")).with_an_adapter()
    }

    /// The same, with so many device workers with so many sessions each.
    pub fn start_on(token: SoftHsm, workers: usize, sessions: usize, limits: &str) -> Self {
        let device = device("hsm", &token.device_config("hsm"), workers, sessions);
        let sections = format!("[kmip.limits]\n{limits}\n{device}");
        Self::start_configured(vec![token], &sections).with_an_adapter()
    }

    /// The same, with this device of the token.
    pub fn start_on_device(token: SoftHsm, config: &DeviceConfig) -> Self {
        let section = device("hsm", config, config.workers, config.sessions);
        let (deadline, queue) = (config.deadline.as_secs(), config.queue);
        let deadline = format!("deadline = \"{deadline}s\"\nqueue = {queue}\ntoken_label");
        let section = section.replacen("token_label", &deadline, 1);
        Self::start_configured(vec![token], &section).with_an_adapter()
    }

    /// A server whose root keys are in Key Protect, with these lines in the section of it, and these sections besides: with a
    /// root key and the adapter [`ADAPTER`].
    pub fn start_on_key_protect(key_protect: KeyProtect, lines: &str, sections: &str) -> Self {
        let sections = format!("{sections}\n{}", key_protect.section(lines));
        let mut server = Self::prepare(Vec::new(), &sections);
        server.key_protect = Some(key_protect);
        server.start_again();
        server.with_an_adapter()
    }

    /// A server with this section for what holds its root keys, a root key and the adapter [`ADAPTER`].
    pub fn start_on_section(section: &str) -> Self {
        Self::start_configured(Vec::new(), section).with_an_adapter()
    }

    fn with_an_adapter(self) -> Self {
        self.must(&["root-key", "create", "root"]);
        self.adapter(ADAPTER);
        self
    }

    /// A server without a root key, on these tokens, with these sections after `[kmip]` in its configuration.
    pub fn start_configured(tokens: Vec<SoftHsm>, sections: &str) -> Self {
        let mut server = Self::prepare(tokens, sections);
        server.start_again();
        server
    }

    /// The same, under this name in its records.
    pub fn start_node(node: &'static str, tokens: Vec<SoftHsm>, sections: &str) -> Self {
        let mut server = Self::prepare_node(node, tokens, sections);
        server.start_again();
        server
    }

    fn prepare(tokens: Vec<SoftHsm>, sections: &str) -> Self {
        Self::prepare_node("test", tokens, sections)
    }

    /// A server that was not started yet: its configuration and its certificate are there, and nothing else.
    pub fn prepare_node(node: &'static str, tokens: Vec<SoftHsm>, sections: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        let address = own_address();
        identity::write(&identity::server(address.ip()), directory.path(), "server");
        let server = Self {
            node,
            tokens,
            key_protect: None,
            directory,
            address,
            group: None,
            limited: false,
            process: None,
            environment: Vec::new(),
            log: Log::default(),
        };
        server.configure(sections);
        server
    }

    /// Writes the configuration anew, for the next start.
    pub fn configure(&self, sections: &str) {
        let folder = self.directory.path().display();
        let text = format!(
            "version = \"v1\"\nnode = \"{}\"\nstate_directory = \"{folder}/state\"\n\
             [kmip]\nlisten = [\"{}\"]\ncertificate = \"{folder}/server.pem\"\nkey = \"{folder}/server.key\"\n\
             {sections}",
            self.node, self.address
        );
        std::fs::write(self.config(), text).expect("the configuration can be written");
    }

    /// Adds sections to the configuration, and starts the server again with them.
    pub fn add_sections(&mut self, sections: &str) {
        assert!(self.stop().success());
        let before = std::fs::read_to_string(self.config()).expect("the configuration");
        std::fs::write(self.config(), format!("{before}\n{sections}"))
            .expect("the configuration can be written");
        self.start_again();
    }

    pub fn config(&self) -> PathBuf {
        self.directory.path().join("claviger.toml")
    }

    pub fn state_directory(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    pub fn database(&self) -> PathBuf {
        self.state_directory().join("claviger.db")
    }

    pub fn server_certificate(&self) -> PathBuf {
        self.directory.path().join("server.pem")
    }

    pub fn server_key(&self) -> PathBuf {
        self.directory.path().join("server.key")
    }

    /// The first token.
    pub fn token(&self) -> &SoftHsm {
        &self.tokens[0]
    }

    /// The tokens, in the order in which they were given.
    pub fn tokens(&self) -> &[SoftHsm] {
        &self.tokens
    }

    /// Key Protect's stand-in, where the root keys are there.
    pub fn key_protect(&self) -> &KeyProtect {
        self.key_protect.as_ref().expect("the server is on Key Protect")
    }

    /// The same, to stop it and start it again.
    pub fn key_protect_mut(&mut self) -> &mut KeyProtect {
        self.key_protect.as_mut().expect("the server is on Key Protect")
    }

    /// Waits until the server has said these words, and returns the line.
    pub fn wait_for_log(&self, words: &str) -> String {
        self.log.wait_for(0, words)
    }

    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("the server runs").id()
    }

    /// The device workers: the server's children.
    pub fn worker_pids(&self) -> Vec<u32> {
        let pid = self.pid();
        let children = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the server runs");
        children
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok())
            .flat_map(|pids| {
                pids.split_whitespace()
                    .map(|pid| pid.parse().expect("a pid"))
                    .collect::<Vec<u32>>()
            })
            .collect()
    }

    /// Starts the server after it was killed or stopped.
    pub fn start_again(&mut self) {
        let position = self.log.position();
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        if self.limited {
            // Without this the system ends a process that writes beyond the limit.
            command = Command::new("sh");
            command.args([
                "-c",
                "trap '' XFSZ; exec \"$0\" \"$@\"",
                env!("CARGO_BIN_EXE_claviger"),
            ]);
        }
        if let Some(group) = self.group {
            command.gid(group);
        }
        let mut process = command
            .args(["--config", self.config().to_str().expect("a path"), "serve"])
            .current_dir(self.directory.path())
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the built binary starts");
        self.log.follow(process.stderr.take().expect("a pipe"));
        self.process = Some(process);
        self.log.wait_for(position, READY);
    }

    /// Ends the server at once, as a power cut would.
    pub fn kill(&mut self) {
        let mut process = self.process.take().expect("the server runs");
        process.kill().expect("the server runs");
        process.wait().expect("the server ends");
    }

    /// Asks the server to stop, and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        self.end_by("TERM")
    }

    /// Sends the server a signal, and waits for its end.
    pub fn end_by(&mut self, name: &str) -> ExitStatus {
        let mut process = self.process.take().expect("the server runs");
        signal(process.id(), name);
        process.wait().expect("the server ends")
    }

    pub fn restart(&mut self) {
        assert!(self.stop().success());
        self.start_again();
    }

    /// The same; returns how long the start took, until it was ready.
    pub fn restart_timed(&mut self) -> Duration {
        assert!(self.stop().success());
        let start = Instant::now();
        self.start_again();
        start.elapsed()
    }

    /// Runs a command of the operator's.
    pub fn claviger(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_claviger"))
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the built binary starts")
    }

    /// Waits until `claviger status` ends with this code; returns what it printed.
    pub fn wait_for_status(&self, code: i32) -> Value {
        let start = Instant::now();
        loop {
            let output = self.claviger(&["--output", "json", "status"]);
            if output.status.code() == Some(code) {
                return serde_json::from_slice(&output.stdout).expect("JSON");
            }
            assert!(
                start.elapsed() < Duration::from_mins(2),
                "the status never ended with {code}: {}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
    }

    /// The same, which must succeed; returns what it printed.
    pub fn must(&self, arguments: &[&str]) -> String {
        let output = self.claviger(arguments);
        assert!(
            output.status.success(),
            "claviger {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.must(&[&["--output", "json"], arguments].concat());
        serde_json::from_str(&printed).expect("JSON")
    }

    pub fn adapter(&self, name: &str) {
        self.adapter_under(name, "root");
    }

    pub fn adapter_under(&self, name: &str, root_key: &str) {
        self.must(&["adapter", "create", name, "--root-key", root_key]);
    }

    /// A client of the adapter [`ADAPTER`], known from now on.
    pub fn client(&self, name: &str) -> Client {
        self.client_of(ADAPTER, name)
    }

    pub fn client_of(&self, adapter: &str, name: &str) -> Client {
        let client = self.unknown_client(name);
        self.must(&[
            "certificate",
            "add",
            adapter,
            client.certificate.to_str().expect("a path"),
        ]);
        client
    }

    /// The same client, come to this server.
    pub fn seen_by(&self, client: &Client) -> Client {
        Client {
            address: self.address,
            ca: self.server_certificate(),
            ..client.clone()
        }
    }

    /// A client with a certificate that nobody admitted.
    pub fn unknown_client(&self, name: &str) -> Client {
        identity::write(&identity::client(name), self.directory.path(), name);
        Client {
            address: self.address,
            certificate: self.directory.path().join(format!("{name}.pem")),
            key: self.directory.path().join(format!("{name}.key")),
            ca: self.server_certificate(),
            tls: None,
        }
    }

    pub fn custody_records(&self) -> Vec<Value> {
        match self.json(&["custody", "list", "--limit", "1000000"]) {
            Value::Array(records) => records,
            other => panic!("custody list prints an array, not {other}"),
        }
    }

    /// The log is whole, and each key's row is the one that it says.
    pub fn verify_custody_log(&self) {
        self.must(&["custody", "verify"]);
        self.must(&["custody", "compare"]);
    }

    /// Waits until an event of this name is in the custody log.
    pub fn wait_for_event(&self, event: &str) {
        for _ in 0..200 {
            if self
                .custody_records()
                .iter()
                .any(|record| record["event"] == event)
            {
                return;
            }
        }
        panic!("no {event} in the custody log");
    }

    /// The environment that the clients of the command line and of others are told of the server in.
    pub fn environment(client: &Client) -> Vec<(&'static str, String)> {
        let path = |path: &Path| path.to_str().expect("a path").to_owned();
        vec![
            ("CLAVIGER_KMIP", client.address.to_string()),
            ("CLAVIGER_CLIENT_CERT", path(&client.certificate)),
            ("CLAVIGER_CLIENT_KEY", path(&client.key)),
            ("CLAVIGER_CA", path(&client.ca)),
        ]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().ok();
            process.wait().ok();
        }
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "The server's log:\n{}", self.log.text());
        }
    }
}

/// A section `[[device]]`.
pub fn device(name: &str, device: &DeviceConfig, workers: usize, sessions: usize) -> String {
    let mut environment = String::new();
    for (name, value) in &device.environment {
        writeln!(environment, "{name} = {value:?}").expect("a string can be written to");
    }
    let SlotSelector::TokenLabel(label) = &device.slot else {
        panic!("the token is found by its label, not by {:?}", device.slot);
    };
    format!(
        "[[device]]\nname = {name:?}\nmodule = \"{}\"\ntoken_label = {label:?}\npin_file = \"{}\"\n\
         workers = {workers}\nsessions = {sessions}\n\
         [device.environment]\n{environment}",
        device.module.display(),
        device.pin_file.display(),
    )
}

/// Sends a signal to a process.
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(sent.expect("kill can be run").success(), "no process {pid}");
}

/// The same to one that may have ended meanwhile.
pub fn signal_if_there(pid: u32, name: &str) {
    let mut kill = Command::new("kill");
    kill.args([&format!("-{name}"), &pid.to_string()])
        .stderr(Stdio::null());
    kill.status().expect("kill can be run");
}

/// A loopback address that no other test of this machine has: made of the number of this process.
fn own_address() -> SocketAddr {
    static PORT: AtomicU16 = AtomicU16::new(5696);
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    SocketAddr::new(
        IpAddr::V4(Ipv4Addr::new(127, high, middle, low)),
        PORT.fetch_add(1, Ordering::SeqCst),
    )
}
