//! Key Protect's stand-in, in the process of the test, and a server whose root keys are there.

use claviger_hsm::WorkerCommand;
use claviger_key_protect_stand_in::{Aad, Control, Facts, Form, Options, StandIn};

/// What the server calls it.
pub const NAME: &str = "ibm";

/// A stand-in of its own, in a temporary folder. It stops when it is dropped.
pub struct KeyProtect {
    stand_in: StandIn,
    // Behind what lies in it: fields are dropped in their order.
    _directory: tempfile::TempDir,
}

impl KeyProtect {
    /// Key Protect, or HPCS' form of it, which takes no notice of additional authenticated data.
    pub fn start(form: Form) -> Self {
        let aad = match form {
            Form::KeyProtect => Aad::Bound,
            Form::Hpcs => Aad::Ignored,
        };
        let directory = tempfile::tempdir().expect("a temporary folder");
        let options = Options {
            form,
            aad,
            ..Options::new(directory.path(), worker())
        };
        Self {
            stand_in: StandIn::start(options).expect("the stand-in serves"),
            _directory: directory,
        }
    }

    pub fn facts(&self) -> &Facts {
        self.stand_in.facts()
    }

    /// What goes wrong, and what was counted.
    pub fn control(&self) -> &Control {
        self.stand_in.control()
    }

    /// The API key that the server has.
    pub fn api_key(&self) -> String {
        self.stand_in.api_key().expect("the stand-in made one")
    }

    /// Nothing listens any more, and every connection is cut.
    pub fn stop(&mut self) {
        self.stand_in.stop();
    }

    /// Everything is as it was before the stop.
    pub fn start_again(&mut self) {
        self.stand_in.start_again().expect("the stand-in serves again");
    }

    /// A section `[[key_protect]]`, with more lines in it.
    pub fn section(&self, more: &str) -> String {
        let facts = self.facts();
        format!(
            "[[key_protect]]\nname = {NAME:?}\nurl = {:?}\niam_url = {:?}\nca_file = \"{}\"\napi_key_file = \"{}\"\n\
             instance_id = \"{}\"\n{more}\n",
            facts.url,
            facts.iam_url,
            facts.ca_file.display(),
            facts.api_key_file.display(),
            facts.instance_id,
        )
    }
}

/// The program that hosts the stand-in's token.
fn worker() -> WorkerCommand {
    WorkerCommand {
        program: env!("CARGO_BIN_EXE_claviger").into(),
        arguments: vec!["device-worker".into()],
    }
}
