//! `[backup]`: what backups are made with.

use std::path::PathBuf;

use super::reader::Section;

/// `[backup]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// The file with what is known of the key under which backups are; nothing of it is secret.
    pub key: PathBuf,
    /// Whether the private keys of the server's certificates are in a backup too.
    pub private_keys: bool,
}

impl Backup {
    /// The file's usual name, beside the configuration.
    pub const USUAL_KEY: &str = "backup-key.json";
}

pub(super) fn backup(mut section: Section<'_>) -> Backup {
    let key = section.path("key");
    let backup = Backup {
        key: key.unwrap_or_else(|| section.beside(Backup::USUAL_KEY)),
        private_keys: section.boolean("private_keys").unwrap_or_default(),
    };
    section.finish();
    backup
}
