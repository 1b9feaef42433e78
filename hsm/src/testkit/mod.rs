//! A SoftHSMv2 token in a temporary folder, for tests and benches.
//!
//! Needs the package `softhsm2`. Nothing here belongs into a product: PINs are known and go over command lines.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{DeviceConfig, SlotSelector, WorkerCommand};

/// Where distributions put the module; `SOFTHSM2_MODULE` names another place.
const MODULES: [&str; 7] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/s390x-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

/// The running test program as a worker program: `test` is the full path of one of its tests that is marked as ignored
/// and does nothing but call [`serve_inherited`](crate::worker::serve_inherited).
pub fn worker_in_this_test_program(test: &str) -> WorkerCommand {
    let program = std::env::current_exe().expect("this program has a file");
    let arguments = [test, "--exact", "--ignored", "--nocapture"]
        .map(Into::into)
        .into();
    WorkerCommand { program, arguments }
}

/// A token, with its folder, which goes when this is dropped.
pub struct SoftHsm {
    folder: TempDir,
    module: PathBuf,
}

impl SoftHsm {
    /// The user PIN.
    pub const PIN: &'static str = "58-correct-17";
    /// The token's label.
    pub const LABEL: &'static str = "claviger-test";
    const SO_PIN: &'static str = "officer-4711";

    /// Makes the folder, its `softhsm2.conf`, a token with a PIN, and the PIN file.
    ///
    /// # Panics
    ///
    /// Where SoftHSMv2 is not installed, with the remedy.
    #[allow(clippy::new_without_default)] // It makes a token on the disk; nobody expects that of a default.
    pub fn new() -> Self {
        let module = std::env::var_os("SOFTHSM2_MODULE")
            .map(PathBuf::from)
            .or_else(|| {
                let mut places = MODULES.iter().map(PathBuf::from);
                places.find(|place| place.exists())
            });
        let module = module
            .expect("SoftHSMv2 is needed: `apt-get install softhsm2`, or SOFTHSM2_MODULE=<libsofthsm2.so>");
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let token = Self { folder, module };
        fs::create_dir(token.token_directory()).expect("the folder is new");
        let configuration = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
            token.token_directory().display()
        );
        fs::write(token.configuration(), configuration).expect("the folder can be written to");
        token.write_pin(&format!("{}\n", Self::PIN));

        let output = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", Self::LABEL])
            .args(["--so-pin", Self::SO_PIN, "--pin", Self::PIN, "--module"])
            .arg(&token.module)
            .env("SOFTHSM2_CONF", token.configuration())
            .output()
            .expect("softhsm2-util is needed: `apt-get install softhsm2`");
        assert!(
            output.status.success(),
            "softhsm2-util: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        token
    }

    /// A device on this token: one worker of two sessions.
    pub fn device_config(&self, name: &str) -> DeviceConfig {
        let slot = SlotSelector::TokenLabel(Self::LABEL.to_owned());
        DeviceConfig {
            workers: 1,
            sessions: 2,
            environment: self.environment(),
            ..DeviceConfig::new(name, &self.module, slot, self.pin_file())
        }
    }

    /// What a process needs in its environment to find the token.
    pub fn environment(&self) -> Vec<(String, String)> {
        vec![(
            "SOFTHSM2_CONF".to_owned(),
            self.configuration().display().to_string(),
        )]
    }

    /// The PKCS#11 module.
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// The folder that holds all of it.
    pub fn directory(&self) -> &Path {
        self.folder.path()
    }

    /// The folder that SoftHSM keeps its tokens in; moving it away is a token that is gone.
    pub fn token_directory(&self) -> PathBuf {
        self.directory().join("tokens")
    }

    /// SoftHSM's configuration file.
    pub fn configuration(&self) -> PathBuf {
        self.directory().join("softhsm2.conf")
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
