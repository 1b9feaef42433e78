//! The PKCS#11 module: whether it can be loaded and initialised.

use std::sync::Arc;

use super::examination::Failed;
use super::report::Section;
use crate::device::Module;
use crate::worker::protocol::Start;

pub(super) fn check(start: &Start, section: &mut Section<'_>) -> Result<Arc<Module>, Failed> {
    let module = Module::load(&start.module).and_then(|module| module.initialise().map(|()| module));
    match module {
        Ok(module) => {
            let path = module.path().display().to_string();
            match module.description() {
                Ok(description) => section.ok("module", format!("{description}, {path}")),
                Err(_) => section.ok("module", path),
            }
            Ok(module)
        }
        Err(error) => {
            let remedy = "Check the path of the PKCS#11 module, that this user may read it, and the variables that \
                          its vendor wants set (`environment`).";
            section.failed("module", &error, remedy);
            Err(Failed)
        }
    }
}
