//! A token for one test: its module, its label, its PIN, and a temporary folder for what belongs to it.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{Expectations, Faults, TokenKind};
use crate::{DeviceConfig, SlotSelector};

/// A token with a user PIN and nothing on it.
pub struct TestToken {
    kind: TokenKind,
    module: PathBuf,
    label: String,
    pin: &'static str,
    environment: Vec<(String, String)>,
    folder: TempDir,
    /// Keeps the token from others as long as this lives, where it is not in the folder.
    claim: Option<File>,
}

impl TestToken {
    /// A token of `module` that is yet to be [initialised](Self::initialise); makes its folder and its PIN file.
    pub(super) fn new(kind: TokenKind, module: PathBuf, label: &str, pin: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let token = Self {
            kind,
            module,
            label: label.to_owned(),
            pin,
            environment: Vec::new(),
            folder,
            claim: None,
        };
        token.write_pin(&format!("{pin}\n"));
        token
    }

    pub(super) fn set_environment(&mut self, name: &str, value: &Path) {
        let value = value.display().to_string();
        self.environment.push((name.to_owned(), value));
    }

    pub(super) fn set_claim(&mut self, claim: File) {
        self.claim = Some(claim);
    }

    /// `C_InitToken` and `C_InitPIN`, by SoftHSM's tool, which takes any module. `slot` is its `--free`, or `--slot` and
    /// a number. Everything on the token goes.
    pub(super) fn initialise(&self, slot: &[&str], so_pin: &str) -> Result<(), String> {
        let output = Command::new("softhsm2-util")
            .arg("--init-token")
            .args(slot)
            .args(["--label", &self.label, "--so-pin", so_pin, "--pin", self.pin])
            .arg("--module")
            .arg(&self.module)
            .envs(self.environment())
            .output()
            .expect("softhsm2-util is needed: `apt-get install softhsm2`");
        if output.status.success() {
            Ok(())
        } else {
            Err(format!(
                "softhsm2-util: {}",
                String::from_utf8_lossy(&output.stderr)
            ))
        }
    }

    /// Which token it is.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// In what it differs from others.
    pub fn expectations(&self) -> &'static Expectations {
        Expectations::of(self.kind)
    }

    /// A device on this token: one worker of two sessions. It has no more than a token of this kind is to have.
    pub fn device_config(&self, name: &str) -> DeviceConfig {
        let slot = SlotSelector::TokenLabel(self.label.clone());
        let mut config = DeviceConfig {
            workers: 1,
            sessions: 2,
            environment: self.environment(),
            ..DeviceConfig::new(name, &self.module, slot, self.pin_file())
        };
        if let Some(limits) = self.kind.limits() {
            Faults::scripted(&mut config, self.directory().join("limits"), limits);
        }
        config
    }

    /// What a process needs in its environment to find the token.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment.clone()
    }

    /// The PKCS#11 module.
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// The token's label.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The user PIN.
    pub fn pin(&self) -> &'static str {
        self.pin
    }

    /// The folder that holds the PIN file and what else belongs to the token.
    pub fn directory(&self) -> &Path {
        self.folder.path()
    }

    /// The file with the PIN.
    pub fn pin_file(&self) -> PathBuf {
        self.directory().join("pin")
    }

    /// Writes the PIN file anew, mode 0600.
    pub fn write_pin(&self, content: &str) {
        fs::write(self.pin_file(), content).expect("the folder can be written to");
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.pin_file(), mode).expect("the file is ours");
    }
}
