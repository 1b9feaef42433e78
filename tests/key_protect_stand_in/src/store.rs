//! The state in memory, and its journal on the disk: one line of JSON a change. A change that was answered is on the disk.
//!
//! The journal is read from its beginning at the start; the last line about a thing says how it is. It is then written anew
//! without what has been overtaken.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::model::{ImportToken, InstancePolicy, Key, KeyRing};
use crate::refusal::Refusal;
use crate::{Error, files};

/// The state, and the thread that writes its journal.
pub(crate) struct Store {
    state: RwLock<State>,
    journal: Option<mpsc::Sender<Group>>,
    writer: Option<JoinHandle<()>>,
}

/// What there is.
#[derive(Default)]
pub(crate) struct State {
    keys: HashMap<Uuid, Arc<Key>>,
    aliases: HashMap<String, Uuid>,
    key_rings: BTreeMap<String, KeyRing>,
    policies: BTreeMap<String, InstancePolicy>,
    import_token: Option<ImportToken>,
    /// What has changed and is not yet on its way to the journal.
    pending: Vec<u8>,
}

/// Lines for the journal, and who waits for them.
struct Group {
    lines: Vec<u8>,
    written: oneshot::Sender<bool>,
}

/// A line of the journal.
#[derive(Serialize, Deserialize)]
enum Entry {
    Key(Box<Key>),
    KeyGone(Uuid),
    KeyRing(KeyRing),
    KeyRingGone(String),
    Policy(InstancePolicy),
    ImportToken(ImportToken),
}

impl Store {
    /// Reads the journal, writes it anew and goes on with it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let state = State::read(path)?;
        files::write(path, &state.snapshot())?;
        let file = OpenOptions::new()
            .append(true)
            .open(path)
            .map_err(Error::file(path))?;
        let (journal, groups) = mpsc::channel();
        let writer = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || write(file, &groups))
            .map_err(|error| Error::Thread(error.to_string()))?;
        Ok(Self {
            state: RwLock::new(state),
            journal: Some(journal),
            writer: Some(writer),
        })
    }

    /// Looks at the state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the state. `change` must look at everything that can make it fail before it changes anything. Returns when
    /// the change is on the disk.
    pub(crate) async fn change<T>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (outcome, written) = {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            let outcome = change(&mut state)?;
            let (written, wait) = oneshot::channel();
            let lines = std::mem::take(&mut state.pending);
            // Sent under the lock, so that the journal has the changes in their order.
            if let Some(journal) = &self.journal {
                let _ = journal.send(Group { lines, written });
            }
            (outcome, wait)
        };
        match written.await {
            Ok(true) => Ok(outcome),
            _ => Err(Refusal::internal("the journal can't be written")),
        }
    }
}

impl Drop for Store {
    /// Waits until the journal has everything.
    fn drop(&mut self) {
        self.journal = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Writes what waits in one go, and says so to those who wait.
fn write(mut file: File, groups: &mpsc::Receiver<Group>) {
    let mut well = true;
    while let Ok(first) = groups.recv() {
        let mut lines = first.lines;
        let mut waiting = vec![first.written];
        while let Ok(next) = groups.try_recv() {
            lines.extend_from_slice(&next.lines);
            waiting.push(next.written);
        }
        // After a failure the end of the file is unknown, and nothing more is written behind it.
        well = well && file.write_all(&lines).is_ok() && file.sync_data().is_ok();
        for written in waiting {
            let _ = written.send(well);
        }
    }
}

impl State {
    fn read(path: &Path) -> Result<Self, Error> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::file(path)(error)),
        };
        let mut state = Self::default();
        // What stands behind the last line feed was being written when the stand-in ended, and nobody was told of it.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines().filter(|line| !line.is_empty()) {
            let entry = serde_json::from_str(line).map_err(|error| Error::content(path, error))?;
            state.apply(entry);
        }
        state.pending.clear();
        Ok(state)
    }

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Key(key) => self.put_key(*key),
            Entry::KeyGone(id) => self.remove_key(id),
            Entry::KeyRing(ring) => self.put_key_ring(ring),
            Entry::KeyRingGone(id) => self.remove_key_ring(&id),
            Entry::Policy(policy) => self.put_policy(policy),
            Entry::ImportToken(token) => self.put_import_token(token),
        }
    }

    fn snapshot(&self) -> Vec<u8> {
        let mut lines = Vec::new();
        let keys = self
            .keys
            .values()
            .map(|key| Entry::Key(Box::new(Key::clone(key))));
        let rings = self.key_rings.values().cloned().map(Entry::KeyRing);
        let policies = self.policies.values().cloned().map(Entry::Policy);
        let token = self.import_token.iter().cloned().map(Entry::ImportToken);
        for entry in keys.chain(rings).chain(policies).chain(token) {
            line(&mut lines, &entry);
        }
        lines
    }

    pub(crate) fn key(&self, id: Uuid) -> Option<&Arc<Key>> {
        self.keys.get(&id)
    }

    /// The key of this identifier or, where it is none, of this alias.
    pub(crate) fn find_key(&self, id_or_alias: &str) -> Option<&Arc<Key>> {
        match Uuid::parse_str(id_or_alias) {
            Ok(id) => self.keys.get(&id),
            Err(_) => self.keys.get(self.aliases.get(id_or_alias)?),
        }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.values()
    }

    pub(crate) fn alias_is_taken(&self, alias: &str) -> bool {
        self.aliases.contains_key(alias)
    }

    /// Puts a key in the place of what was under its identifier.
    pub(crate) fn put_key(&mut self, key: Key) {
        self.forget_aliases(key.id);
        for alias in &key.aliases {
            self.aliases.insert(alias.alias.clone(), key.id);
        }
        let key = Arc::new(key);
        line(&mut self.pending, &Entry::Key(Box::new(Key::clone(&key))));
        self.keys.insert(key.id, key);
    }

    pub(crate) fn remove_key(&mut self, id: Uuid) {
        self.forget_aliases(id);
        self.keys.remove(&id);
        line(&mut self.pending, &Entry::KeyGone(id));
    }

    fn forget_aliases(&mut self, id: Uuid) {
        if let Some(before) = self.keys.get(&id) {
            for alias in &before.aliases {
                self.aliases.remove(&alias.alias);
            }
        }
    }

    /// All but the one that is always there, `default`.
    pub(crate) fn key_rings(&self) -> impl Iterator<Item = &KeyRing> {
        self.key_rings.values()
    }

    pub(crate) fn has_key_ring(&self, id: &str) -> bool {
        id == crate::DEFAULT_KEY_RING || self.key_rings.contains_key(id)
    }

    pub(crate) fn put_key_ring(&mut self, ring: KeyRing) {
        line(&mut self.pending, &Entry::KeyRing(ring.clone()));
        self.key_rings.insert(ring.id.clone(), ring);
    }

    pub(crate) fn remove_key_ring(&mut self, id: &str) {
        self.key_rings.remove(id);
        line(&mut self.pending, &Entry::KeyRingGone(id.to_owned()));
    }

    pub(crate) fn policy(&self, kind: &str) -> Option<&InstancePolicy> {
        self.policies.get(kind)
    }

    pub(crate) fn policies(&self) -> impl Iterator<Item = &InstancePolicy> {
        self.policies.values()
    }

    pub(crate) fn put_policy(&mut self, policy: InstancePolicy) {
        line(&mut self.pending, &Entry::Policy(policy.clone()));
        self.policies.insert(policy.kind.clone(), policy);
    }

    pub(crate) fn import_token(&self) -> Option<&ImportToken> {
        self.import_token.as_ref()
    }

    pub(crate) fn put_import_token(&mut self, token: ImportToken) {
        line(&mut self.pending, &Entry::ImportToken(token.clone()));
        self.import_token = Some(token);
    }
}

fn line(lines: &mut Vec<u8>, entry: &Entry) {
    serde_json::to_writer(&mut *lines, entry).expect("an entry is plain data, written to memory");
    lines.push(b'\n');
}

/// Where the journal lies.
pub(crate) fn journal_path(directory: &Path) -> PathBuf {
    directory.join("journal.jsonl")
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::model::Touched;

    fn ring(id: &str) -> KeyRing {
        let created = Touched {
            at: OffsetDateTime::UNIX_EPOCH,
            by: "somebody".to_owned(),
        };
        KeyRing {
            id: id.to_owned(),
            created,
        }
    }

    #[tokio::test]
    async fn a_journal_whose_last_line_is_half_written_has_all_lines_before_it() {
        let directory = tempfile::tempdir().expect("a temporary folder");
        let path = journal_path(directory.path());
        let store = Store::open(&path).expect("it opens");
        for id in ["one", "two"] {
            let put = store.change(|state| {
                state.put_key_ring(ring(id));
                Ok(())
            });
            put.await.expect("it is written");
        }
        let gone = store.change(|state| {
            state.remove_key_ring("one");
            Ok(())
        });
        gone.await.expect("it is written");
        drop(store);
        let mut file = OpenOptions::new().append(true).open(&path).expect("it is there");
        file.write_all(br#"{"KeyRing":{"id":"three","#)
            .expect("it can be written");
        drop(file);
        for _ in 0..2 {
            let store = Store::open(&path).expect("it opens");
            let rings: Vec<_> = store.read(|state| state.key_rings().map(|ring| ring.id.clone()).collect());
            assert_eq!(rings, ["two"]);
        }
    }

    #[tokio::test]
    async fn what_is_refused_changes_nothing() {
        let directory = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&journal_path(directory.path())).expect("it opens");
        let refused: Result<(), _> = store.change(|_| Err(Refusal::key_ring_exists())).await;
        refused.expect_err("it was refused");
        assert_eq!(store.read(|state| state.key_rings().count()), 0);
    }
}
