//! A PostgreSQL of its own for a test, in a temporary folder; it ends with the process that started it.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Starts the server, and stops it and takes its folder away once nobody holds the other end of the pipe any more: also when
/// that process was killed.
const KEEPER: &str = r#"
"$@" & server=$!
cat
kill -QUIT "$server" 2>/dev/null
wait "$server"
rm -rf "$FOLDER"
"#;

/// A server that runs.
pub struct PostgresServer {
    folder: PathBuf,
    settings: Vec<String>,
    keeper: Child,
}

impl PostgresServer {
    /// A server without databases of its own yet, reached by a Unix socket.
    ///
    /// Panics where PostgreSQL is not installed: `scripts/install-needs postgresql`.
    pub fn start() -> Self {
        Self::start_with(&[], &[])
    }

    /// The same, with these settings (`name=value`), and with these files in the folder that is its present one.
    ///
    /// Whoever comes over TCP is asked for a password.
    pub fn start_with(settings: &[&str], files: &[(&str, String)]) -> Self {
        let folder = TempDir::with_prefix("claviger-postgres-")
            .expect("a temporary folder can be made")
            .keep();
        give(&folder);
        let data = folder.join("data");
        for (name, text) in files {
            let file = folder.join(name);
            std::fs::write(&file, text).expect("a file can be written");
            std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("the file is ours");
            give(&file);
        }
        let made = unprivileged(&program("initdb"))
            .args([
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--username=claviger",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
            ])
            .arg("--pgdata")
            .arg(&data)
            .output()
            .expect("initdb can be run");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        let mut server = Self {
            keeper: keeper(&folder, &settings),
            folder,
            settings,
        };
        server.wait_for_socket();
        server
    }

    /// The address of a new database, for `store.url`.
    pub fn new_database(&self) -> String {
        let name = format!("claviger_{}", uuid::Uuid::new_v4().simple());
        self.run_sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The address of a database of this name.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://claviger@localhost/{database}?host={}",
            self.folder.display()
        )
    }

    /// What this statement gives in that database, as `psql` prints it without headings.
    pub fn run_sql(&self, database: &str, statement: &str) -> String {
        let output = Command::new(program("psql"))
            .args([
                "--no-psqlrc",
                "--tuples-only",
                "--no-align",
                "--quiet",
                "--username=claviger",
            ])
            .args([
                "--set",
                "ON_ERROR_STOP=1",
                "--dbname",
                database,
                "--command",
                statement,
            ])
            .arg("--host")
            .arg(&self.folder)
            .output()
            .expect("psql can be run");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout)
            .expect("psql prints UTF-8")
            .trim()
            .to_owned()
    }

    /// Another server that has all that this one has, and without which nothing is acknowledged by this one from now on.
    pub fn synchronous_standby(&self) -> Self {
        let folder = TempDir::with_prefix("claviger-postgres-")
            .expect("a temporary folder can be made")
            .keep();
        give(&folder);
        let copied = unprivileged(&program("pg_basebackup"))
            .args([
                "--write-recovery-conf",
                "--no-sync",
                "--checkpoint=fast",
                "--username=claviger",
            ])
            .arg("--host")
            .arg(&self.folder)
            .arg("--pgdata")
            .arg(folder.join("data"))
            .output()
            .expect("pg_basebackup can be run");
        assert!(
            copied.status.success(),
            "{}",
            String::from_utf8_lossy(&copied.stderr)
        );
        let mut standby = Self {
            keeper: keeper(&folder, &self.settings),
            folder,
            settings: self.settings.clone(),
        };
        standby.wait_for_socket();
        self.run_sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.run_sql("postgres", "SELECT pg_reload_conf()");
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.run_sql("postgres", "SELECT sync_state FROM pg_stat_replication") != "sync" {
            assert!(Instant::now() < deadline, "{}", standby.log());
        }
        standby
    }

    /// Makes a standby the server that is written to.
    pub fn promote(&self) {
        // Nobody stands by for it.
        self.run_sql("postgres", "SELECT pg_promote()");
        self.run_sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
        self.run_sql("postgres", "SELECT pg_reload_conf()");
    }

    /// The folder of its socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ends the server at once, as a crash would.
    pub fn kill(&mut self) {
        // Its keeper would take the folder away.
        self.keeper.kill().expect("the keeper runs");
        self.keeper.wait().expect("the keeper ends");
        let file = std::fs::read_to_string(self.folder.join("data/postmaster.pid"));
        let pid = file.expect("the server runs").lines().next().map(str::to_owned);
        let pid = pid.expect("a process number");
        let told = Command::new("kill").args(["-QUIT", &pid]).status();
        assert!(told.expect("kill can be run").success());
        while Path::new("/proc").join(&pid).exists() {
            std::thread::yield_now();
        }
    }

    /// Starts it after it was killed.
    pub fn start_again(&mut self) {
        self.keeper = keeper(&self.folder, &self.settings);
        self.wait_for_socket();
    }

    /// What the server has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn wait_for_socket(&mut self) {
        let socket = self.folder.join(".s.PGSQL.5432");
        let deadline = Instant::now() + Duration::from_secs(30);
        while UnixStream::connect(&socket).is_err() || !self.answers() {
            let ended = self.keeper.try_wait().expect("the keeper can be asked");
            assert!(ended.is_none() && Instant::now() < deadline, "{}", self.log());
            std::thread::yield_now();
        }
    }

    fn answers(&self) -> bool {
        let ready = Command::new(program("pg_isready"))
            .args(["--quiet", "--dbname=postgres", "--host"])
            .arg(&self.folder)
            .status();
        ready.is_ok_and(|status| status.success())
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
        // That of a server that was killed, and not started again, nobody has taken away.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn keeper(folder: &Path, settings: &[String]) -> Child {
    let log = std::fs::File::create(folder.join("log")).expect("a file can be made");
    let mut command = unprivileged(Path::new("/bin/sh"));
    command
        .args(["-c", KEEPER, "keeper"])
        .arg(program("postgres"))
        .arg("-D")
        .arg(folder.join("data"));
    command.arg("-k").arg(folder);
    // What is killed is the process, not the machine.
    let usual = ["listen_addresses=", "fsync=off", "max_connections=100"].map(String::from);
    for setting in usual.iter().chain(settings) {
        command.args(["-c", setting]);
    }
    command
        .env("FOLDER", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("a shell can be started")
}

/// This program, of the newest version that is installed.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = versions
        .map(|version| version.path().join("bin").join(name))
        .filter(|program| program.is_file())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}

/// A command that does not run as root, as which PostgreSQL does not start.
fn unprivileged(program: &Path) -> Command {
    let Some(user) = other_user() else {
        return Command::new(program);
    };
    let mut command = Command::new("setpriv");
    command
        .arg(format!("--reuid={}", user.uid))
        .arg(format!("--regid={}", user.gid))
        .args(["--clear-groups", "--"])
        .arg(program)
        .current_dir("/");
    command
}

fn give(folder: &Path) {
    if let Some(user) = other_user() {
        chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("root gives a folder away");
    }
}

/// The user that PostgreSQL runs as where this is root.
fn other_user() -> Option<nix::unistd::User> {
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let named = |name| nix::unistd::User::from_name(name).ok().flatten();
    Some(
        named("postgres")
            .or_else(|| named("nobody"))
            .expect("there is a user nobody"),
    )
}
