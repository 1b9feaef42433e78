//! What waits in a worker: requests for its threads, and messages for the socket.

use std::collections::VecDeque;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::frame;
use super::lock;
use super::protocol::{Message, Request};

/// Requests that no thread has taken yet.
pub(super) struct Queue {
    capacity: usize,
    state: Mutex<State>,
    changed: Condvar,
}

/// What came of waiting for a request.
#[allow(clippy::large_enum_variant)] // It is taken apart where it is returned; a box would be an allocation a request.
pub(super) enum Popped {
    /// One, and when it came.
    Request(Request, Instant),
    /// None for so long.
    Nothing,
    /// None any more: the queue is closed and empty.
    Closed,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Request, Instant)>,
    closed: bool,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Says `false` and drops the request where the queue is full.
    pub(super) fn push(&self, request: Request) -> bool {
        let mut state = lock(&self.state);
        if state.waiting.len() >= self.capacity {
            return false;
        }
        state.waiting.push_back((request, Instant::now()));
        drop(state);
        self.changed.notify_one();
        true
    }

    /// The next request and when it came; waits for one, but where there is a `patience` not longer than that.
    pub(super) fn pop(&self, patience: Option<Duration>) -> Popped {
        let until = patience.map(|patience| Instant::now() + patience);
        let mut state = lock(&self.state);
        loop {
            if let Some((request, came)) = state.waiting.pop_front() {
                return Popped::Request(request, came);
            }
            if state.closed {
                return Popped::Closed;
            }
            state = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return Popped::Nothing,
                Some(rest) => {
                    let waited = self.changed.wait_timeout(state, rest);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Takes no more requests; those that wait are still given out, unless `discard` says that nobody wants them.
    pub(super) fn close(&self, discard: bool) {
        let mut state = lock(&self.state);
        state.closed = true;
        if discard {
            state.waiting.clear();
        }
        drop(state);
        self.changed.notify_all();
    }
}

/// The worker's side of the socket for what it says.
///
/// There is no writing thread. Who has a message and finds nobody writing writes, and goes on for as long as others
/// have put theirs behind it meanwhile: these go out together, in one call.
pub(super) struct Outbox {
    stream: UnixStream,
    state: Mutex<Outgoing>,
    /// Told when nothing is left to send.
    sent: Condvar,
}

#[derive(Default)]
struct Outgoing {
    bytes: Vec<u8>,
    writing: bool,
}

impl Outbox {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            state: Mutex::default(),
            sent: Condvar::new(),
        }
    }

    /// Sends messages, in the order of the calls.
    pub(super) fn send(&self, messages: &[Message]) {
        let mut state = lock(&self.state);
        for message in messages {
            if let Err(error) = frame::append(&mut state.bytes, message)
                && let Message::Answer { id, .. } = message
            {
                let refusal = Message::Answer {
                    id: *id,
                    outcome: Err(error),
                };
                // An error's text is far below the bound.
                let _ = frame::append(&mut state.bytes, &refusal);
            }
        }
        if state.writing {
            return;
        }
        state.writing = true;
        while !state.bytes.is_empty() {
            let bytes = std::mem::take(&mut state.bytes);
            drop(state);
            // Where this fails the other end is gone; the thread that reads sees that too and ends the process.
            let _ = (&self.stream).write_all(&bytes);
            state = lock(&self.state);
        }
        state.writing = false;
        drop(state);
        self.sent.notify_all();
    }

    /// Waits until everything is sent, by whichever thread, but not longer than `patience`.
    pub(super) fn wait_until_sent(&self, patience: Duration) {
        let state = lock(&self.state);
        let _ = self
            .sent
            .wait_timeout_while(state, patience, |state| state.writing);
    }
}
