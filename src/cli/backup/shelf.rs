//! Where a backup is put: a file that appears whole or not at all, and a folder that keeps so many.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::cli::exit::Failure;

/// The end of the name of a backup that is being written.
const UNFINISHED: &str = ".unfinished";

/// A backup that is being written, beside its place. One that a kill left behind is written over.
pub(super) struct Unfinished {
    path: PathBuf,
    /// What is written to.
    pub(super) file: File,
}

impl Unfinished {
    /// A file of this name for now; `name` is the backup's, or anything else of its own.
    pub(super) fn beside(folder: &Path, name: &str) -> Result<Self, Failure> {
        let path = folder.join(format!(".{name}{UNFINISHED}"));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed(&path, &error))?;
        Ok(Self { path, file })
    }

    /// Puts it into its place, where nothing may be: when this returns it is on the disk.
    pub(super) fn finish(self, place: &Path) -> Result<(), Failure> {
        let finished = (|| {
            self.file.sync_all()?;
            renameat_with(CWD, &self.path, CWD, place, RenameFlags::NOREPLACE)?;
            File::open(folder_of(place))?.sync_all()
        })();
        finished.map_err(|error| failed(place, &error))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Where it was finished it is not there any more.
        let _ = fs::remove_file(&self.path);
    }
}

/// The folder that a file is in.
pub(super) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Takes the oldest backups of this server away, so that so many are left; gives those that went.
pub(super) fn thin(folder: &Path, node: &str, keep: usize) -> Result<Vec<PathBuf>, Failure> {
    let mut backups = backups(folder, node).map_err(|error| failed(folder, &error))?;
    backups.sort();
    let surplus = backups.len().saturating_sub(keep);
    backups.truncate(surplus);
    for backup in &backups {
        fs::remove_file(backup).map_err(|error| failed(backup, &error))?;
    }
    Ok(backups)
}

fn backups(folder: &Path, node: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let time = name
            .strip_prefix(&format!("claviger-{node}-"))
            .and_then(|rest| rest.strip_suffix("Z.backup"));
        let is_time = |time: &str| {
            time.len() == 18
                && time.bytes().enumerate().all(|(place, byte)| {
                    if place == 8 {
                        byte == b'T'
                    } else {
                        byte.is_ascii_digit()
                    }
                })
        };
        if time.is_some_and(is_time) {
            found.push(path);
        }
    }
    Ok(found)
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::new(format!("{}: {error}", path.display()));
    match error.kind() {
        io::ErrorKind::AlreadyExists => failure.remedy("name a file that is not there yet"),
        _ => failure.remedy("name a place that this user may write to, with room for it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_backups_of_this_server_alone_are_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "claviger-a-20260101T000000000Z.backup",
            "claviger-a-20260102T000000000Z.backup",
            "claviger-a-20260103T000000000Z.backup",
            "claviger-a-b-20260101T000000000Z.backup",
            "claviger-a-kept.backup",
            "other",
        ];
        for name in names {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let gone = thin(folder.path(), "a", 2).unwrap();
        assert_eq!(gone, [folder.path().join(names[0])]);
        assert!(names[1..].iter().all(|name| folder.path().join(name).exists()));
    }

    #[test]
    fn a_backup_does_not_take_the_place_of_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("taken");
        fs::write(&place, "here").unwrap();
        let unfinished = Unfinished::beside(folder.path(), "new").unwrap();
        assert!(unfinished.finish(&place).is_err());
        assert_eq!(fs::read_to_string(&place).unwrap(), "here");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing half is left"
        );
    }
}
