//! openCryptoki's soft token.
//!
//! openCryptoki is a thing of the whole machine: one daemon, one configuration, tokens under `/var/lib`.
//! `scripts/opencryptoki start` has the daemon offer slots that are for tests alone. A test takes one of them for itself
//! and initialises it anew; tests in any number of processes can run at once, and no other token is touched.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};

use super::{TestToken, TokenKind};

/// Where distributions put the module.
const MODULES: [&str; 5] = [
    "/usr/lib/x86_64-linux-gnu/libopencryptoki.so.0",
    "/usr/lib/aarch64-linux-gnu/libopencryptoki.so.0",
    "/usr/lib/s390x-linux-gnu/libopencryptoki.so.0",
    "/usr/lib64/opencryptoki/libopencryptoki.so.0",
    "/usr/lib64/libopencryptoki.so.0",
];
/// Where openCryptoki keeps its tokens, each in a folder of its name.
const TOKENS: &str = "/var/lib/opencryptoki";
/// The slots for tests, as `scripts/opencryptoki` numbers them.
const FIRST_SLOT: u32 = 900;
const SLOTS: u32 = 16;
/// Four to eight characters, as openCryptoki wants it.
const PIN: &str = "58-17-42";
/// The security officer's PIN of a token that was never used; it stays so.
const SO_PIN: &str = "87654321";
const REMEDY: &str = "`apt-get install opencryptoki softhsm2`, then `scripts/opencryptoki start`, as root or a member \
                      of the group pkcs11";

/// Takes a slot and makes its token anew, as one of this kind; fails with the remedy where there are no slots for tests.
pub(super) fn token(kind: TokenKind) -> Result<TestToken, String> {
    let module = MODULES.iter().map(PathBuf::from).find(|place| place.exists());
    let module = module.ok_or(REMEDY)?;
    let mut reason = REMEDY.to_owned();
    // Where all are taken, the next that is free will do.
    for wait in [false, true] {
        for index in 0..SLOTS {
            // Test processes begin at different slots, so that they seldom ask for the same.
            let index = (std::process::id() + index) % SLOTS;
            let made = claim(index, wait).and_then(|claim| match claim {
                Some(claim) => initialise(kind, index, claim, &module).map(Some),
                None => Ok(None),
            });
            match made {
                Ok(Some(token)) => return Ok(token),
                Ok(None) => {}
                Err(error) => reason = error,
            }
        }
    }
    Err(reason)
}

fn name(index: u32) -> String {
    format!("claviger-test-{index:02}")
}

/// Locks the folder of a token; `None` where another has it and `wait` is false.
///
/// The lock goes to every process that is started from here, and ends with the last of them: a worker that outlives its
/// test for a moment still has sessions on the token.
fn claim(index: u32, wait: bool) -> Result<Option<File>, String> {
    let folder = Path::new(TOKENS).join(name(index));
    let refused = |error: std::io::Error| format!("{}: {error}; {REMEDY}", folder.display());
    let claim = File::open(&folder).map_err(refused)?;
    if wait {
        claim.lock().map_err(refused)?;
    } else {
        match claim.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(refused(error)),
        }
    }
    fcntl_setfd(&claim, FdFlags::empty()).map_err(|error| refused(error.into()))?;
    Ok(Some(claim))
}

/// Initialises the token of a slot that is for tests, and of no other: what the slot says of itself is looked at before.
fn initialise(kind: TokenKind, index: u32, claim: File, module: &Path) -> Result<TestToken, String> {
    let slot = (FIRST_SLOT + index).to_string();
    let output = Command::new("pkcsconf").args(["-s", "-c", &slot]).output();
    let output = output.map_err(|error| format!("pkcsconf: {error}; {REMEDY}"))?;
    let description = String::from_utf8_lossy(&output.stdout);
    if !description.contains(&name(index)) {
        return Err(format!("slot {slot} is not one for tests; {REMEDY}"));
    }
    let mut token = TestToken::new(kind, module.to_owned(), &name(index), PIN);
    token.initialise(&["--slot", &slot], SO_PIN)?;
    token.set_claim(claim);
    Ok(token)
}
