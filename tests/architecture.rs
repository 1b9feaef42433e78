//! The arrows between the modules point down, as the map in `src/lib.rs` has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each top-level module with the modules that it may import.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "endpoint",
            "admin",
            "backup",
            "operation",
            "job",
            "witness",
            "recorder",
            "store",
            "root_key",
            "key",
            "adapter",
            "verifier",
            "custody",
            "kmip",
            "config",
            "tls",
        ],
    ),
    (
        "endpoint",
        &[
            "operation",
            "job",
            "recorder",
            "store",
            "root_key",
            "key",
            "adapter",
            "custody",
            "kmip",
            "config",
            "tls",
        ],
    ),
    (
        "admin",
        &[
            "backup",
            "operation",
            "job",
            "recorder",
            "store",
            "root_key",
            "cryptography",
            "key",
            "adapter",
            "custody",
            "kmip",
            "config",
            "tls",
        ],
    ),
    (
        "operation",
        &[
            "recorder",
            "store",
            "root_key",
            "cryptography",
            "key",
            "adapter",
            "custody",
            "kmip",
        ],
    ),
    (
        "backup",
        &["job", "store", "root_key", "key", "adapter", "custody"],
    ),
    (
        "job",
        &[
            "recorder", "store", "root_key", "key", "adapter", "custody", "kmip",
        ],
    ),
    (
        "recorder",
        &["store", "root_key", "key", "adapter", "custody", "kmip"],
    ),
    ("witness", &["recorder", "store", "custody"]),
    ("root_key", &["key", "adapter"]),
    ("store", &["key", "adapter", "custody", "kmip"]),
    ("cryptography", &["kmip"]),
    ("key", &["kmip"]),
    ("adapter", &[]),
    ("verifier", &["custody"]),
    ("custody", &[]),
    ("kmip", &[]),
    ("tls", &[]),
    ("config", &[]),
];

#[test]
fn no_module_imports_one_above_it() {
    let arrows: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (module, allowed) in &arrows {
        let files = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module));
        assert!(!files.is_empty(), "the module {module} of the map has no file");
        for file in files {
            let text = std::fs::read_to_string(&file).expect("a source file can be read");
            for imported in imports(&text) {
                if imported != *module && arrows.contains_key(imported) && !allowed.contains(&imported) {
                    wrong.push(format!("{} imports {imported}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that point up:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_of_the_library_is_on_the_map() {
    let library = include_str!("../src/lib.rs");
    for line in library.lines().filter_map(|line| line.strip_prefix("pub mod ")) {
        let module = line.trim_end_matches(';');
        assert!(
            ARROWS.iter().any(|(name, _)| *name == module),
            "{module} is not in the table of arrows"
        );
    }
}

#[test]
fn only_the_recorder_writes_to_the_store() {
    for file in rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let path = file.to_string_lossy().into_owned();
        if path.contains("/src/store/") || path.contains("/src/recorder/") {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("a source file can be read");
        for name in ["WriteStore", "WriteTransaction"] {
            assert!(
                !text.contains(name),
                "{path} names the store's writing half, {name}"
            );
        }
    }
}

/// The top-level modules that a source text names through `crate::`.
fn imports(text: &str) -> Vec<&str> {
    text.split("crate::")
        .skip(1)
        .filter_map(|rest| {
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .next()
        })
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
