//! A device that fails as a script says, before any token.

use std::path::PathBuf;

use claviger_fault_module as module;

use crate::DeviceConfig;

/// The faults of a device: its workers load a module that stands before the real one and does as a script says. The form
/// of a script is in the documentation of [`claviger_fault_module`].
#[derive(Clone)]
pub struct Faults {
    script: PathBuf,
}

impl Faults {
    /// Has the device of `config` load the fault-injecting module before its own, at first without faults. `script` is
    /// where the script is kept.
    ///
    /// # Panics
    ///
    /// Where the module is not beside the running program, where cargo puts it for every program that is built with the
    /// feature `testkit`.
    pub fn before(config: &mut DeviceConfig, script: impl Into<PathBuf>) -> Self {
        Self::scripted(config, script, "")
    }

    /// The same, at first with these faults; there is no moment without them.
    pub(super) fn scripted(config: &mut DeviceConfig, script: impl Into<PathBuf>, first: &str) -> Self {
        let fault_module = module::built_for_this_program()
            .expect("cargo builds the fault-injecting module with the feature testkit");
        let faults = Self {
            script: script.into(),
        };
        faults.set(first);
        let real = std::mem::replace(&mut config.module, fault_module);
        config.environment.extend([
            (module::MODULE.to_owned(), real.display().to_string()),
            (module::SCRIPT.to_owned(), faults.script.display().to_string()),
        ]);
        faults
    }

    /// From the next call on this script holds, and calls are counted from 0.
    ///
    /// # Panics
    ///
    /// Where the script can't be read.
    pub fn set(&self, script: &str) {
        let script = module::Script::parse(script).expect("a script of the fault-injecting module");
        module::write(&self.script, &script).expect("the script can be written");
    }

    /// Ends all faults; calls are counted from 0.
    pub fn none(&self) {
        self.set("");
    }

    /// How often a function was called since the script was set, by all workers together; `any` is all functions.
    pub fn calls(&self, function: &str) -> u64 {
        module::calls(&self.script, function).expect("the calls can be read")
    }
}
