//! A PKCS#11 module that stands before another one and fails as a script says.
//!
//! It is for tests. Loaded as a module, it passes each call on to the module that [`MODULE`] names, and looks before each
//! call into the file that [`SCRIPT`] names. Used as a library, it writes that file and counts the calls.
//!
//! # The script
//!
//! A rule a line; of those that fit a call the first counts. Empty lines and lines that start with `#` say nothing.
//!
//! ```text
//! # FUNCTION    WHICH  WHAT
//! C_WrapKey     1      fail CKR_DEVICE_ERROR
//! C_UnwrapKey   1-3    do-and-fail CKR_GENERAL_ERROR
//! C_GenerateKey 2-     delay 250
//! C_OpenSession all    hang
//! C_WrapKey     /50    crash
//! mechanisms CKM_AES_KEY_GEN CKM_AES_CBC_PAD
//! ```
//!
//! | part | meaning |
//! |---|---|
//! | FUNCTION | a function of PKCS#11 2.40, or `any` |
//! | WHICH | calls of it since the script was written, in all processes together, from 1: the one (`3`), a range (`1-3`), from one on (`2-`), each so many (`/50`), or `all` |
//! | `fail CODE` | returns the value, by its name or number (`0x30`), without the real call |
//! | `do-and-fail CODE` | makes the real call and hides its success |
//! | `delay MILLISECONDS` | waits, then makes the real call |
//! | `hang` | never returns |
//! | `do-and-hang` | makes the real call and never returns |
//! | `crash` | ends the process by SIGSEGV |
//! | `do-and-crash` | makes the real call and ends the process by SIGSEGV |
//!
//! Lines that begin with `mechanisms` name, all together, the mechanisms that there are: each by its name or number. Calls
//! for another one, whatever the rules say, return `CKR_MECHANISM_INVALID`. What `C_GetMechanismList` names stays as it is.
//!
//! `C_GetFunctionList` is not among the functions: nothing can be done with a module that has none. The module has no
//! `C_GetInterface`, so that it is driven by the functions of 2.40, all of which are here.

#![deny(unsafe_code)]

mod module;
mod script;
mod state;

use std::path::{Path, PathBuf};

pub use script::Script;

/// The environment variable that names the module to stand before.
pub const MODULE: &str = "CLAVIGER_FAULT_MODULE";
/// The environment variable that names the file with the script. Beside it a file `NAME.calls` is kept.
pub const SCRIPT: &str = "CLAVIGER_FAULT_SCRIPT";

/// Puts a script in the place of the one that is there, and counts from 0 again. It holds from the next call on.
pub fn write(file: &Path, script: &Script) -> std::io::Result<()> {
    let counts = state::Counts::open(file)?;
    counts.lock()?.start_again(|| std::fs::write(file, script.text()))
}

/// How often a function was called since the script was written, in all processes together; `any` is all of them.
///
/// # Panics
///
/// Where PKCS#11 2.40 has no such function.
pub fn calls(file: &Path, function: &str) -> std::io::Result<u64> {
    let function = script::number_of(function).expect("a function of PKCS#11 2.40");
    state::Counts::open(file)?.lock()?.of(function)
}

/// Where cargo puts the module that it built for the program that runs, if that program was built with this crate.
///
/// Cargo gives the shared library of a dependency a name without a hash and puts it among the other dependencies: into
/// the folder of a test's own program, or into `deps` beside a program of the package.
pub fn built_for_this_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?;
    let name = format!(
        "{}claviger_fault_module{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    // An example lies in a folder beside `deps`.
    [folder.to_owned(), folder.join("deps"), folder.join("../deps")]
        .into_iter()
        .map(|folder| folder.join(&name))
        .find(|file| file.exists())
}
