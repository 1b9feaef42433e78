//! The stand-in in a process of its own, so that its time can be told from that of the load and of the server.

use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use claviger_hsm::WorkerCommand;
use claviger_key_protect_stand_in::{Options, StandIn};
use serde_json::Value;

use crate::accounting::cpu_time;
use crate::support::key_protect;

const DIRECTORY: &str = "CLAVIGER_BENCH_STAND_IN";

/// Ends when it is dropped.
pub struct Process {
    child: Child,
    /// What it says of itself.
    pub facts: Value,
    _directory: tempfile::TempDir,
}

impl Process {
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        let mut child = Command::new(std::env::current_exe().expect("this program's path"))
            .env(DIRECTORY, directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().expect("a pipe"))
            .read_line(&mut line)
            .expect("the stand-in says where it is");
        Self {
            child,
            facts: serde_json::from_str(&line).expect("JSON"),
            _directory: directory,
        }
    }

    /// A section `[[key_protect]]`.
    pub fn section(&self) -> String {
        let fact = |name: &str| self.facts[name].as_str().expect("a fact");
        format!(
            "[[key_protect]]\nname = {:?}\nurl = {:?}\niam_url = {:?}\nca_file = {:?}\napi_key_file = {:?}\n\
             instance_id = {:?}\n",
            key_protect::NAME,
            fact("url"),
            fact("iam_url"),
            fact("ca_file"),
            fact("api_key_file"),
            fact("instance_id"),
        )
    }

    /// Of the process and of its token's workers.
    pub fn cpu_time(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs");
        let children = tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok())
            .collect::<String>();
        let workers = children.split_whitespace();
        let workers = workers.map(|pid| cpu_time(pid.parse().expect("a process number")));
        workers.sum::<Duration>() + cpu_time(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It ends where nobody holds its input any more, and its workers with it.
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}

/// Where the environment asks for it, is the stand-in, until its input ends.
pub fn run_if_asked() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    let worker = WorkerCommand {
        program: env!("CARGO_BIN_EXE_claviger").into(),
        arguments: vec!["device-worker".into()],
    };
    let mut stand_in = StandIn::start(Options::new(directory, worker)).expect("the stand-in serves");
    println!("{}", serde_json::to_string(stand_in.facts()).expect("JSON"));
    std::io::stdin().lines().for_each(drop);
    stand_in.stop();
    std::process::exit(0);
}
