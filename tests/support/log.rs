//! What a process says on stderr: kept, waited for, and printed where a test fails.

use std::io::{BufRead, BufReader};
use std::process::ChildStderr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The lines so far, shared with the thread that reads them.
#[derive(Clone, Default)]
pub struct Log(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Default)]
struct Lines {
    text: String,
    /// Processes that were followed, less those that have ended.
    running: usize,
}

impl Log {
    /// Reads until the process ends, in a thread of its own.
    pub fn follow(&self, stderr: ChildStderr) {
        let log = self.clone();
        log.lock().running += 1;
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut lines = log.lock();
                lines.text.push_str(&line);
                lines.text.push('\n');
                log.0.1.notify_all();
            }
            log.lock().running -= 1;
            log.0.1.notify_all();
        });
    }

    pub fn text(&self) -> String {
        self.lock().text.clone()
    }

    /// Where the log ends now; what comes behind it is new.
    pub fn position(&self) -> usize {
        self.lock().text.len()
    }

    /// Waits for the first line behind `position` with these words in it, and returns it.
    pub fn wait_for(&self, position: usize, words: &str) -> String {
        self.wait_for_number(position, words, 1)
    }

    /// Waits for so many lines behind `position` with these words, and returns the last.
    pub fn wait_for_number(&self, position: usize, words: &str, number: usize) -> String {
        let missing = |lines: &mut Lines| {
            lines.running > 0
                && lines.text[position..]
                    .lines()
                    .filter(|line| line.contains(words))
                    .count()
                    < number
        };
        let limit = Duration::from_mins(1);
        let waited = self.0.1.wait_timeout_while(self.lock(), limit, missing);
        let text = waited.unwrap_or_else(PoisonError::into_inner).0.text.clone();
        let line = text[position..]
            .lines()
            .filter(|line| line.contains(words))
            .nth(number - 1);
        line.unwrap_or_else(|| panic!("the server did not say {words:?} {number} times; it said:\n{text}"))
            .to_owned()
    }

    /// A test that failed still wants to read what was said.
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
