//! A worker's process: started with one end of a socket pair as its standard input, waited for, killed.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::TransportPair;
use super::frame::{self, Decoder};
use super::lock;
use super::login::Logins;
use super::protocol::{Begin, Begun, Start};
use crate::Error;
use crate::configuration::{DeviceConfig, WorkerCommand};

/// How long a worker that has closed its socket may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// What the start of a worker is given at the least, however short the deadline of a call is.
const SHORTEST_START: Duration = Duration::from_secs(5);

/// A worker's process. It is killed when this is dropped.
pub(crate) struct Process {
    pid: u32,
    child: Arc<Mutex<Child>>,
    /// How it ended, once it has.
    ended: watch::Receiver<Option<String>>,
}

impl Process {
    /// Starts the program with `socket` as its standard input and `logins` as its standard output.
    ///
    /// Each process is started and waited for by a thread of its own.
    async fn launch(
        command: &WorkerCommand,
        environment: &[(String, String)],
        socket: OwnedFd,
        logins: OwnedFd,
    ) -> Result<Self, Error> {
        let mut program = Command::new(&command.program);
        program
            .args(&command.arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::from(socket))
            .stdout(Stdio::from(logins))
            // A signal from the terminal is for the starting process, which ends its workers in good order.
            .process_group(0);
        let name = command.program.display().to_string();
        let refused = move |error| Error::Launch {
            reason: format!("{name}: {error}"),
        };

        let (started, starting) = oneshot::channel();
        let (end, ended) = watch::channel(None);
        thread::Builder::new()
            .name("device-worker".to_owned())
            .spawn(move || match program.spawn() {
                Ok(child) => {
                    // Closes this process's copy of the worker's socket end.
                    drop(program);
                    let pid = child.id();
                    let child = Arc::new(Mutex::new(child));
                    if started.send(Ok((pid, Arc::clone(&child)))).is_err() {
                        // Whoever wanted it is gone.
                        let _ = lock(&child).kill();
                    }
                    wait_without_reaping(pid);
                    let status = lock(&child).wait();
                    end.send_replace(Some(
                        status.map_or_else(|error| error.to_string(), |status| status.to_string()),
                    ));
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            })
            .map_err(refused.clone())?;
        let (pid, child) = starting
            .await
            .map_err(|_| Error::Launch {
                reason: "the starting thread ended".to_owned(),
            })?
            .map_err(refused)?;
        Ok(Self { pid, child, ended })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Kills the process if it still runs. Its number can't have passed to another: it is reaped under the same lock.
    pub(crate) fn kill(&self) {
        let _ = lock(&self.child).kill();
    }

    /// Waits until the process has ended and says how; kills it where it takes longer than `patience`.
    pub(crate) async fn end(&self, patience: Duration) -> String {
        let mut ended = self.ended.clone();
        if timeout(patience, ended.wait_for(Option::is_some)).await.is_err() {
            self.kill();
        }
        match ended.wait_for(Option::is_some).await {
            Ok(status) => status.clone().unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    pub(crate) async fn end_within_grace(&self) -> String {
        self.end(GRACE).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits for the end of the process and leaves its number taken.
fn wait_without_reaping(pid: u32) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    while let Err(rustix::io::Errno::INTR) =
        waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
    {}
}

/// A worker that has answered its first message.
pub(crate) struct Connection {
    pub(crate) process: Process,
    pub(crate) stream: UnixStream,
    pub(crate) decoder: Decoder,
    pub(crate) begun: Begun,
}

/// Starts a worker, sends it its first message and waits for the answer.
pub(crate) async fn connect(
    config: &DeviceConfig,
    command: &WorkerCommand,
    pair: &TransportPair,
    logins: &Logins,
    first_message: impl FnOnce(Start) -> Begin,
) -> Result<Connection, Error> {
    let launch = |error: std::io::Error| Error::Launch {
        reason: error.to_string(),
    };
    let (ours, theirs) = StdStream::pair().map_err(launch)?;
    ours.set_nonblocking(true).map_err(launch)?;
    let mut stream = UnixStream::from_std(ours).map_err(launch)?;
    let process = Process::launch(
        command,
        &config.environment,
        theirs.into(),
        logins.for_a_worker()?,
    )
    .await?;

    let mut first = Vec::new();
    frame::append(
        &mut first,
        &first_message(Start {
            module: config.module.clone(),
            slot: config.slot.clone(),
            pin_file: config.pin_file.clone(),
            sessions: config.sessions.max(1),
            queue: config.queue.max(1),
            deadline: config.deadline,
            renewal: config.transport_renewal,
            wrap_profile: config.wrap_profile,
            release_profile: config.release_profile,
            kept_keys: config.kept_keys,
            transport_recipient: pair.recipient(),
        }),
    )?;
    let mut decoder = Decoder::default();
    let conversation = async {
        // Where it can't be written or read the process has ended; how, is said below.
        if stream.write_all(&first).await.is_err() {
            return Ok(None);
        }
        loop {
            if let Some(begun) = decoder.next::<Begun>()? {
                return Ok::<_, Error>(Some(begun));
            }
            let read = tokio::io::AsyncReadExt::read_buf(&mut stream, decoder.buffer()).await;
            if matches!(read, Ok(0) | Err(_)) {
                return Ok(None);
            }
        }
    };
    // Opening the token, logging in and making the first transport key together may take several calls' time.
    let patience = SHORTEST_START.max(config.deadline * 3);
    let Ok(answer) = timeout(patience, conversation).await else {
        return Err(Error::unavailable("the device worker did not get ready in time"));
    };
    let Some(begun) = answer? else {
        let status = process.end_within_grace().await;
        return Err(Error::unavailable(format!(
            "the device worker ended before it was ready ({status})"
        )));
    };
    Ok(Connection {
        process,
        stream,
        decoder,
        begun,
    })
}
