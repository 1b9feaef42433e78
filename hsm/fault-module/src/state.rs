//! What the processes that load the module have in common: the script, and how often each function was called.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use cryptoki_sys::CK_MECHANISM_TYPE;

use crate::script::{Action, Script};

/// A number of eight bytes for each function, in a file. Locked for as long as this lives; a process that is killed
/// lets go of it.
pub(crate) struct Counts {
    file: File,
}

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
        file.lock()?;
        Ok(Self { file })
    }

    /// Sets all to 0 after `change`, which no process sees half done.
    pub(crate) fn start_again(self, change: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        change()?;
        self.file.set_len(0)
    }

    pub(crate) fn of(&self, function: usize) -> io::Result<u64> {
        let mut bytes = [0; 8];
        match self.file.read_exact_at(&mut bytes, place(function)) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            // What is not in the file was not called.
            Err(_) => Ok(0),
            Ok(()) => Ok(u64::from_le_bytes(bytes)),
        }
    }

    fn count(&self, function: usize) -> io::Result<u64> {
        let number = self.of(function)? + 1;
        self.file.write_all_at(&number.to_le_bytes(), place(function))?;
        Ok(number)
    }
}

fn place(function: usize) -> u64 {
    8 * function as u64
}

/// Counts a call of the function and says what is to become of it, given the mechanism that it is for.
pub(crate) fn next(
    script: &Path,
    function: usize,
    mechanism: Option<CK_MECHANISM_TYPE>,
) -> Result<Option<Action>, String> {
    let counted = || {
        let counts = Counts::open(script)?;
        let text = std::fs::read_to_string(script)?;
        Ok::<_, io::Error>((text, counts.count(function)?, counts.count(0)?))
    };
    let (text, number, of_all) = counted().map_err(|error| format!("{}: {error}", script.display()))?;
    let script = Script::parse(&text)?;
    Ok(script
        .refusal(mechanism)
        .or_else(|| script.action(function, number, of_all)))
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
