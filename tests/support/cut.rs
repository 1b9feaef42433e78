//! A way to the database that can be cut without a word: nothing is closed, and nothing comes through any more.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use tempfile::TempDir;

use super::postgres::PostgresServer;

/// The name that PostgreSQL's clients look for in the folder of its socket.
const SOCKET: &str = ".s.PGSQL.5432";

/// A way that is open, or cut.
pub struct Cut {
    folder: TempDir,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_cut: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    fn set(&self, is_cut: bool) {
        *self.is_cut.lock().expect("the gate") = is_cut;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let is_cut = self.is_cut.lock().expect("the gate");
        drop(
            self.changed
                .wait_while(is_cut, |is_cut| *is_cut)
                .expect("the gate"),
        );
    }
}

impl Cut {
    /// An open way to this server.
    pub fn to(postgres: &PostgresServer) -> Self {
        let folder = TempDir::with_prefix("claviger-cut-").expect("a temporary folder");
        let listener = UnixListener::bind(folder.path().join(SOCKET)).expect("a socket");
        let gate = Arc::new(Gate::default());
        let (behind, passing) = (postgres.folder().join(SOCKET), Arc::clone(&gate));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                join(client, &behind, &passing);
            }
        });
        Self { folder, gate }
    }

    /// The address of the database with this name, by this way.
    pub fn url(&self, direct: &str) -> String {
        let (address, _) = direct.split_once("?host=").expect("the folder of a socket");
        format!("{address}?host={}", self.folder.path().display())
    }

    /// From now on nothing comes through.
    pub fn cut(&self) {
        self.gate.set(true);
    }

    /// From now on all comes through, also what was held back.
    pub fn mend(&self) {
        self.gate.set(false);
    }
}

fn join(client: UnixStream, behind: &Path, gate: &Arc<Gate>) {
    let Ok(server) = UnixStream::connect(behind) else {
        return;
    };
    let clone = |stream: &UnixStream| stream.try_clone().expect("a socket can be shared");
    let ways = [(clone(&client), clone(&server)), (server, client)];
    for (from, to) in ways {
        let gate = Arc::clone(gate);
        thread::spawn(move || carry(from, to, &gate));
    }
}

fn carry(mut from: UnixStream, mut to: UnixStream, gate: &Gate) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut bytes).unwrap_or(0);
        gate.pass();
        if read == 0 || to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
