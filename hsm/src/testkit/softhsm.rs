//! SoftHSMv2, with its files in the token's own folder.

use std::fs;
use std::ops::Deref;
use std::path::PathBuf;

use super::{TestToken, TokenKind};

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

/// A [`TestToken`] of SoftHSMv2, and what only it has: files that can be moved away.
pub struct SoftHsm {
    token: TestToken,
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
        let mut softhsm = Self {
            token: TestToken::new(TokenKind::SoftHsm, module, Self::LABEL, Self::PIN),
        };
        fs::create_dir(softhsm.token_directory()).expect("the folder is new");
        let configuration = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
            softhsm.token_directory().display()
        );
        fs::write(softhsm.configuration(), configuration).expect("the folder can be written to");
        let configuration = softhsm.configuration();
        softhsm.token.set_environment("SOFTHSM2_CONF", &configuration);
        softhsm
            .token
            .initialise(&["--free"], Self::SO_PIN)
            .unwrap_or_else(|error| panic!("{error}"));
        softhsm
    }

    /// The folder that SoftHSM keeps its tokens in; moving it away is a token that is gone.
    pub fn token_directory(&self) -> PathBuf {
        self.directory().join("tokens")
    }

    /// SoftHSM's configuration file.
    pub fn configuration(&self) -> PathBuf {
        self.directory().join("softhsm2.conf")
    }
}

impl Deref for SoftHsm {
    type Target = TestToken;

    fn deref(&self) -> &TestToken {
        &self.token
    }
}

impl From<SoftHsm> for TestToken {
    fn from(softhsm: SoftHsm) -> Self {
        softhsm.token
    }
}
