//! What holds for the whole process: no core dump, locked memory, one server for a state directory.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use claviger_hsm::memory;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::{MissedTickBehavior, interval};

use super::Error;

/// Locked memory that is set aside before the first client comes: some hundred requests under way.
const LOCKED_MEMORY: usize = 2 << 20;

/// Takes care that no memory of this process reaches a disk: no core dump, no reading by other processes of the same
/// user, and enough locked memory for what is secret.
pub(super) fn protect_memory() -> Result<(), Error> {
    memory::forbid_dumps().map_err(Error::Memory)?;
    let allowed = getrlimit(Resource::Memlock);
    // As much as may be had without asking. Where that is not enough, the reserve says so.
    let _ = setrlimit(
        Resource::Memlock,
        Rlimit {
            current: allowed.maximum,
            maximum: allowed.maximum,
        },
    );
    memory::reserve(LOCKED_MEMORY).map_err(Error::Memory)
}

/// Holds a state directory against other servers until it is dropped, or the process ends however it ends.
#[derive(Debug)]
pub(in crate::cli) struct StateLock(
    #[expect(dead_code, reason = "the lock goes when the file is closed")] File,
);

/// Makes the state directory where it is missing, for its owner alone, and locks it.
pub(in crate::cli) fn lock_state_directory(folder: &Path) -> Result<StateLock, Error> {
    let failed = |source| Error::StateDirectory {
        path: folder.to_owned(),
        source,
    };
    if !folder.exists() {
        DirBuilder::new().mode(0o700).create(folder).map_err(failed)?;
    }
    let path = folder.join("lock");
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            return Err(Error::Locked {
                path: folder.to_owned(),
                holder: holder.trim().to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(failed)?;
    Ok(StateLock(file))
}

/// Tells systemd how the server is doing, where systemd started it (`sd_notify`(3)).
pub(in crate::cli) fn notify_systemd(state: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    if let Err(error) = send(socket.as_encoded_bytes(), state) {
        tracing::warn!(%error, state, "systemd can't be told how the server is doing");
    }
}

/// Tells systemd again and again that the tasks of this process run, where the unit asks for it (`WatchdogSec=`); a process
/// that does not is started again. It ends only with its task.
pub(in crate::cli) async fn answer_watchdog() {
    let variable = |name| std::env::var(name).ok();
    let Some(patience) = watchdog(
        variable("WATCHDOG_USEC"),
        variable("WATCHDOG_PID"),
        std::process::id(),
    ) else {
        return;
    };
    let mut due = interval(patience / 3);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        notify_systemd("WATCHDOG=1");
    }
}

/// How long systemd waits for a word of the process `own`; none where it does not, or waits for another
/// (`sd_watchdog_enabled`(3)).
fn watchdog(microseconds: Option<String>, process: Option<String>, own: u32) -> Option<Duration> {
    if process.is_some_and(|process| process != own.to_string()) {
        return None;
    }
    let microseconds = microseconds?
        .parse()
        .ok()
        .filter(|microseconds| *microseconds > 0)?;
    Some(Duration::from_micros(microseconds))
}

fn send(socket: &[u8], state: &str) -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::SocketAddr;
    let address = match socket.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(socket))?,
    };
    UnixDatagram::unbound()?
        .send_to_addr(state.as_bytes(), &address)
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_directory_has_one_server() {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        let lock = lock_state_directory(&state).expect("it is free");
        let error = lock_state_directory(&state).expect_err("it is held");
        assert!(
            error.to_string().contains(&std::process::id().to_string()),
            "{error}"
        );
        drop(lock);
        lock_state_directory(&state).expect("it is free again");
    }

    #[test]
    fn systemd_hears_that_the_server_is_ready() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("it is bound");
        send(path.as_os_str().as_encoded_bytes(), "READY=1").expect("it is sent");
        let mut told = [0; 16];
        let length = socket.recv(&mut told).expect("it came");
        assert_eq!(&told[..length], b"READY=1");
    }
    #[test]
    fn the_watchdog_is_answered_by_the_process_that_it_watches() {
        let asked = || Some("30000000".to_owned());
        assert_eq!(watchdog(asked(), None, 7), Some(Duration::from_secs(30)));
        assert_eq!(
            watchdog(asked(), Some("7".into()), 7),
            Some(Duration::from_secs(30))
        );
        assert_eq!(watchdog(asked(), Some("8".into()), 7), None);
        assert_eq!(watchdog(None, None, 7), None);
        assert_eq!(watchdog(Some("0".into()), None, 7), None);
    }
}
