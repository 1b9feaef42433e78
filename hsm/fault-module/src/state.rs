//! What the processes that load the module have in common: the script, and how often each function was called.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cryptoki_sys::CK_MECHANISM_TYPE;

use crate::script::{Action, Script};

/// Where it is counted how often a script was written: behind all functions.
const WRITTEN: usize = 255;

/// A number of eight bytes for each function, in a file.
pub(crate) struct Counts(File);

/// The numbers, which no other process and no other thread reads or changes as long as this lives; a process that is killed
/// lets go of them.
pub(crate) struct Locked<'a>(&'a File);

impl Counts {
    /// Those beside the script of this name.
    pub(crate) fn open(script: &Path) -> io::Result<Self> {
        let mut options = File::options();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(script.with_added_extension("calls"))?;
        Ok(Self(file))
    }

    pub(crate) fn lock(&self) -> io::Result<Locked<'_>> {
        self.0.lock()?;
        Ok(Locked(&self.0))
    }
}

impl Locked<'_> {
    /// Sets all to 0 after `change`, which no process sees half done.
    pub(crate) fn start_again(&self, change: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let written = self.of(WRITTEN)?;
        change()?;
        self.0.set_len(0)?;
        self.0.write_all_at(&(written + 1).to_le_bytes(), place(WRITTEN))
    }

    pub(crate) fn of(&self, function: usize) -> io::Result<u64> {
        let mut bytes = [0; 8];
        match self.0.read_exact_at(&mut bytes, place(function)) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            // What is not in the file was not called.
            Err(_) => Ok(0),
            Ok(()) => Ok(u64::from_le_bytes(bytes)),
        }
    }

    fn count(&self, function: usize) -> io::Result<u64> {
        let number = self.of(function)? + 1;
        self.0.write_all_at(&number.to_le_bytes(), place(function))?;
        Ok(number)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

fn place(function: usize) -> u64 {
    8 * function as u64
}

/// What a thread keeps open from one call to the next: whoever measures a slow device is not to measure the reading of its
/// script.
struct Kept {
    path: PathBuf,
    counts: Counts,
    read: Option<(Version, Script)>,
}

/// Another with each writing of the script, by [`crate::write`] or by hand.
type Version = (u64, SystemTime, u64);

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// Counts a call of the function and says what is to become of it, given the mechanism that it is for.
pub(crate) fn next(
    path: &Path,
    function: usize,
    mechanism: Option<CK_MECHANISM_TYPE>,
) -> Result<Option<Action>, String> {
    let failed = |error: io::Error| format!("{}: {error}", path.display());
    KEPT.with_borrow_mut(|kept| {
        let kept = match kept {
            Some(kept) if kept.path == path => kept,
            other => other.insert(Kept {
                path: path.to_owned(),
                counts: Counts::open(path).map_err(failed)?,
                read: None,
            }),
        };
        let locked = kept.counts.lock().map_err(failed)?;
        let version = version(&locked, path).map_err(failed)?;
        let script = match &mut kept.read {
            Some((of, script)) if *of == version => script,
            other => {
                let text = std::fs::read_to_string(path).map_err(failed)?;
                &mut other.insert((version, Script::parse(&text)?)).1
            }
        };
        let number = locked.count(function).map_err(failed)?;
        let of_all = locked.count(0).map_err(failed)?;
        drop(locked);
        let refusal = script.refusal(mechanism);
        Ok(refusal.or_else(|| script.action(function, number, of_all)))
    })
}

fn version(counts: &Locked<'_>, script: &Path) -> io::Result<Version> {
    let file = std::fs::metadata(script)?;
    Ok((counts.of(WRITTEN)?, file.modified()?, file.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::number_of;

    #[test]
    fn calls_are_counted_from_the_writing_of_the_script() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("script");
        let script = Script::parse("C_Login 2 hang").unwrap();
        for _ in 0..2 {
            crate::write(&file, &script).unwrap();
            let login = number_of("C_Login").unwrap();
            assert_eq!(next(&file, login, None).unwrap(), None);
            assert!(next(&file, login, None).unwrap().is_some());
            assert_eq!(next(&file, number_of("C_Logout").unwrap(), None).unwrap(), None);
            let calls =
                ["C_Login", "C_Logout", "C_Finalize", "any"].map(|name| crate::calls(&file, name).unwrap());
            assert_eq!(calls, [2, 1, 0, 3]);
        }
    }
}
