//! A worker's life, from its first message to its last.

use std::fmt;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Signal, getpid, kill_process};

use super::frame::{self, Decoder};
use super::host::{Ended, Host, Seat};
use super::login::Logins;
use super::protocol::{Begin, Begun, Message, Operation, Request, Start};
use super::queue::{Outbox, Popped, Queue};
use crate::configuration::SlotSelector;
use crate::device::{Module, read_pin};
use crate::{Error, doctor, memory};

/// How long a process that gives up waits until it has said why.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves a device on the socket that this process has as its standard input. The body of the hidden command
/// `device-worker`; returns when the socket is closed or the other end asks for it.
///
/// What the process has to say for a person goes to standard error, a line each.
pub fn serve_inherited() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("{error}"));
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Error> {
    memory::forbid_dumps()?;
    let inherited = std::io::stdin().as_fd().try_clone_to_owned();
    let stream = UnixStream::from(inherited.map_err(Error::protocol)?);
    if stream.peer_addr().is_err() {
        return Err(Error::protocol(
            "standard input is no socket: claviger starts this command itself",
        ));
    }
    let logins = Logins::inherited()?;
    let mut decoder = Decoder::default();
    match decoder.read(&mut &stream)? {
        Some(Begin::Serve(start)) => {
            end_when_orphaned(&stream, start.deadline)?;
            serve_device(&stream, decoder, start, logins)
        }
        Some(Begin::Examine(examination)) => {
            end_when_orphaned(&stream, examination.start.deadline)?;
            begin(&stream, &Begun::Examined(doctor::examine_here(&examination)))
        }
        Some(Begin::MakeToken(start)) => {
            end_when_orphaned(&stream, start.deadline)?;
            let begun = match make_token(&start) {
                Ok(()) => Begun::TokenMade,
                Err(error) => Begun::Failed(error),
            };
            begin(&stream, &begun)
        }
        None => Ok(()),
    }
}

fn make_token(start: &Start) -> Result<(), Error> {
    let SlotSelector::TokenLabel(label) = &start.slot else {
        return Err(Error::Unsupported {
            what: "make a token that has no label".to_owned(),
        });
    };
    Module::load(&start.module)?.make_token(label, &read_pin(&start.pin_file)?)
}

/// Ends this process some time after the other end of the socket is gone, whatever its threads are held up by.
///
/// Not at once, as the kernel's signal for the death of a parent would: a module that is killed while it writes can
/// leave a broken token behind (SoftHSM writes its token anew at each login). In the ordinary case the process has
/// finished what it did, and ended, long before.
fn end_when_orphaned(stream: &UnixStream, patience: Duration) -> Result<(), Error> {
    let stream = stream.try_clone().map_err(Error::protocol)?;
    let wait = move || {
        // No event is asked for: the hang-up is told of always.
        let mut gone = [PollFd::new(&stream, PollFlags::empty())];
        while poll(&mut gone, None).is_err() {}
        thread::sleep(patience);
        say(format_args!(
            "the server is gone, and the device does not answer; the process ends"
        ));
        end_now()
    };
    let thread = thread::Builder::new().name("orphan".to_owned()).spawn(wait);
    thread.map(|_| ()).map_err(|error| Error::Launch {
        reason: error.to_string(),
    })
}

fn begin(stream: &UnixStream, begun: &Begun) -> Result<(), Error> {
    let mut bytes = Vec::new();
    frame::append(&mut bytes, begun)?;
    (&mut &*stream).write_all(&bytes).map_err(Error::protocol)
}

fn serve_device(
    stream: &UnixStream,
    mut decoder: Decoder,
    start: Start,
    logins: Logins,
) -> Result<(), Error> {
    let (sessions, deadline) = (start.sessions, start.deadline);
    let queue = Arc::new(Queue::new(start.queue));
    let host = match Host::open(start, logins) {
        Ok((host, ready)) => {
            begin(stream, &Begun::Serving(Box::new(ready)))?;
            Arc::new(host)
        }
        Err(error) => return begin(stream, &Begun::Failed(error)),
    };
    let outbox = Arc::new(Outbox::new(stream.try_clone().map_err(Error::protocol)?));
    let clocks: Arc<[Clock]> = (0..=sessions).map(|_| Clock::default()).collect();
    watch(Arc::clone(&clocks), deadline)?;
    let mut threads = Vec::with_capacity(sessions);
    for index in 0..sessions {
        let (host, queue, outbox, clocks) = (
            Arc::clone(&host),
            Arc::clone(&queue),
            Arc::clone(&outbox),
            Arc::clone(&clocks),
        );
        let thread = thread::Builder::new()
            .name(format!("session-{index}"))
            .spawn(move || work(&host, &queue, &outbox, &clocks[index]))
            .map_err(|error| Error::Launch {
                reason: error.to_string(),
            })?;
        threads.push(thread);
    }

    let outcome = read(stream, &mut decoder, &queue, &outbox);
    // Where the other end is gone, nobody wants what waits.
    queue.close(!matches!(outcome, Ok(true)));
    for thread in threads {
        let _ = thread.join();
    }
    clocks[sessions].start();
    host.close();
    clocks[sessions].stop();
    outcome.map(|_| ())
}

/// Takes requests until the other end asks for the end (`true`) or is gone (`false`).
fn read(stream: &UnixStream, decoder: &mut Decoder, queue: &Queue, outbox: &Outbox) -> Result<bool, Error> {
    while let Some(request) = decoder.read::<Request>(&mut &*stream)? {
        if request.operation == Operation::Shutdown {
            return Ok(true);
        }
        let id = request.id;
        if !queue.push(request) {
            outbox.send(&[Message::Answer {
                id,
                outcome: Err(Error::Busy),
            }]);
        }
    }
    Ok(false)
}

/// What a session's thread does.
fn work(host: &Host, queue: &Queue, outbox: &Outbox, clock: &Clock) {
    let mut seat = Seat::default();
    loop {
        let (request, came) = match queue.pop(host.idle_time()) {
            Popped::Request(request, came) => (request, came),
            Popped::Nothing => {
                clock.start();
                host.tidy();
                clock.stop();
                continue;
            }
            Popped::Closed => break,
        };
        let Request {
            id,
            patience,
            operation,
        } = request;
        if came.elapsed() >= patience {
            outbox.send(&[Message::Answer {
                id,
                outcome: Err(Error::Deadline),
            }]);
            continue;
        }
        clock.start();
        let ended = host.answer(&mut seat, &operation, outbox);
        clock.stop();
        match ended {
            Ended::Answered(outcome) => {
                outbox.send(&[Message::Answer {
                    id,
                    outcome: Ok(outcome.reply),
                }]);
                // Only now may the transport key that the answer uses be retired.
                drop(outcome.held);
            }
            Ended::Refused(error) => {
                let hopeless = error.is_about_the_pin();
                outbox.send(&[Message::Answer {
                    id,
                    outcome: Err(error.clone()),
                }]);
                if hopeless {
                    give_up(error, outbox);
                }
            }
            Ended::GiveUp(error) => give_up(error, outbox),
        }
        clock.start();
        host.renew_transport_key_if_due(outbox);
        clock.stop();
    }
    host.leave(seat);
}

/// Says why, and ends the process.
fn give_up(error: Error, outbox: &Outbox) -> ! {
    say(format_args!("{error}; the process ends"));
    outbox.send(&[Message::LastWords(error)]);
    outbox.wait_until_sent(LAST_WORDS);
    end_now()
}

/// Since when a thread is inside of the module, in milliseconds of [`Clock::now`]; 0: it is not.
#[derive(Default)]
struct Clock(AtomicU64);

impl Clock {
    fn start(&self) {
        self.0.store(Self::now(), Ordering::Relaxed);
    }

    fn stop(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn now() -> u64 {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        let elapsed = START.get_or_init(Instant::now).elapsed();
        // Never 0, which means that nothing runs.
        u64::try_from(elapsed.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(1)
    }
}

/// Ends the process when a call into the module takes longer than the deadline.
fn watch(clocks: Arc<[Clock]>, deadline: Duration) -> Result<(), Error> {
    let limit = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
    let interval = (deadline / 4).clamp(Duration::from_millis(20), Duration::from_secs(5));
    let watch = move || loop {
        thread::sleep(interval);
        let now = Clock::now();
        for clock in &*clocks {
            let since = clock.0.load(Ordering::Relaxed);
            if since != 0 && now.saturating_sub(since) > limit {
                say(format_args!(
                    "a call into the module takes longer than {deadline:?}; the process ends"
                ));
                end_now();
            }
        }
    };
    let started = thread::Builder::new().name("watch".to_owned()).spawn(watch);
    started.map(|_| ()).map_err(|error| Error::Launch {
        reason: error.to_string(),
    })
}

/// Ends the process without running what the module registered for its end, which may hang as well.
fn end_now() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    std::process::abort()
}

/// Writes a line for a person.
pub(super) fn say(line: fmt::Arguments<'_>) {
    // Where standard error is closed nobody listens.
    let _ = writeln!(
        std::io::stderr(),
        "claviger device-worker[{}]: {line}",
        std::process::id()
    );
}
