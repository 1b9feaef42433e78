//! Tokens that come and go, and more than one of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use claviger_hsm::testkit::SoftHsm;
use claviger_hsm::{DeviceConfig, SlotSelector};

/// A folder of a token, or of all tokens of a configuration, that can be moved away: then the token is gone.
pub struct Slot {
    folder: PathBuf,
    /// Where it is meanwhile: not among the tokens, where SoftHSM would find it.
    away: PathBuf,
}

impl Slot {
    fn new(token: &SoftHsm, folder: PathBuf) -> Self {
        let away = token.directory().join("away");
        Self { folder, away }
    }

    /// All tokens of this configuration.
    pub fn of(token: &SoftHsm) -> Self {
        Self::new(token, token.token_directory())
    }

    pub fn take_away(&self) {
        std::fs::rename(&self.folder, &self.away).expect("the token is there");
    }

    pub fn bring_back(&self) {
        std::fs::rename(&self.away, &self.folder).expect("the token was taken away");
    }
}

/// One more token beside the one of this configuration, in a slot of its own: how it is driven, and its slot.
pub fn another(token: &SoftHsm, label: &str) -> (DeviceConfig, Slot) {
    let before = folders(&token.token_directory());
    let output = Command::new("softhsm2-util")
        .args([
            "--init-token",
            "--free",
            "--label",
            label,
            "--so-pin",
            "officer-4712",
        ])
        .args(["--pin", SoftHsm::PIN, "--module"])
        .arg(token.module())
        .envs(token.environment())
        .output()
        .expect("softhsm2-util runs");
    assert!(
        output.status.success(),
        "softhsm2-util: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let after = folders(&token.token_directory());
    let folder = after.difference(&before).next().expect("a new token").clone();
    let device = DeviceConfig {
        slot: SlotSelector::TokenLabel(label.to_owned()),
        ..token.device_config("another")
    };
    (device, Slot::new(token, folder))
}

/// Makes the tokens of one configuration a copy of those of another, as a cluster does, or an operator who clones: under
/// a process that uses them, too, which never finds half a token.
pub fn copy(from: &SoftHsm, to: &SoftHsm) {
    let mut old = folders(&to.token_directory());
    let meanwhile = to.directory().join("copied");
    for folder in folders(&from.token_directory()) {
        let copy = to.token_directory().join(folder.file_name().expect("a folder"));
        if !old.remove(&copy) {
            std::fs::create_dir(&copy).expect("the folder is new");
        }
        // SoftHSM looks for new objects where `generation` has changed.
        let (last, first): (Vec<_>, _) = entries(&folder)
            .into_iter()
            .partition(|file| file.ends_with("generation"));
        for file in first.into_iter().chain(last) {
            std::fs::copy(&file, &meanwhile).expect("the token can be copied");
            let name = file.file_name().expect("a file");
            std::fs::rename(&meanwhile, copy.join(name)).expect("the token can be written to");
        }
    }
    for folder in old {
        std::fs::remove_dir_all(folder).expect("the token is there");
    }
}

fn folders(of: &Path) -> BTreeSet<PathBuf> {
    entries(of).into_iter().filter(|entry| entry.is_dir()).collect()
}

fn entries(of: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(of).expect("the folder is there");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}
