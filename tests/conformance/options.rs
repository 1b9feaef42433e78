//! What is run: the folder, and what of it.

use std::path::PathBuf;

use crate::oasis;
use crate::wire::Encoding;

/// What `scripts/conformance` was asked for.
pub struct Options {
    /// All `*.xml` in it and below are run.
    pub folder: PathBuf,
    /// A part of the names of those that are run.
    pub filter: Option<String>,
    /// Only this encoding.
    pub encoding: Option<Encoding>,
    /// Print each case as it ends.
    pub verbose: bool,
}

impl Options {
    /// From the environment that `scripts/conformance` sets; nothing where there are no cases.
    pub fn from_environment() -> Option<Self> {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let named = text("CLAVIGER_CONFORMANCE_FOLDER").map(PathBuf::from);
        Some(Self {
            folder: named.or_else(oasis::folder)?,
            filter: text("CLAVIGER_CONFORMANCE_FILTER"),
            encoding: text("CLAVIGER_CONFORMANCE_ENCODING")
                .map(|name| Encoding::from_name(&name).expect("binary, xml or json")),
            verbose: text("CLAVIGER_CONFORMANCE_VERBOSE").is_some(),
        })
    }

    /// All cases of a folder.
    #[cfg(test)]
    pub fn all_of(folder: &std::path::Path) -> Self {
        Self {
            folder: folder.to_owned(),
            filter: None,
            encoding: None,
            verbose: false,
        }
    }

    /// Whether a case of this name is asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.filter.as_deref().is_none_or(|filter| name.contains(filter))
    }
}
