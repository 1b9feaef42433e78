//! The document, against the routes and the file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

#[test]
fn every_route_is_in_the_document_and_nothing_else() {
    let described: BTreeSet<_> = OPERATIONS
        .iter()
        .map(|operation| operation.path.to_owned())
        .collect();
    let mut routed = BTreeSet::new();
    for file in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/admin")) {
        // What other listeners answer is not of the interface.
        if file
            .components()
            .any(|part| part.as_os_str() == "pages" || part.as_os_str() == "monitoring")
        {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        for (start, _) in text.match_indices(".route(") {
            let literal = text[start..].split('"').nth(1).unwrap();
            routed.insert(literal.to_owned());
        }
    }
    assert_eq!(described, routed);
}

#[test]
fn the_document_is_the_one_in_the_folder_of_documents() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let document = document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("CLAVIGER_TEST_WRITE").is_some() {
        std::fs::write(&file, &document).unwrap();
    }
    let there = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        there == document,
        "docs/openapi.json is not what the interface is; have it written anew: CLAVIGER_TEST_WRITE=1 cargo nextest run -p \
         claviger --lib -E 'test(the_document_is_the_one)'"
    );
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_name().is_none_or(|name| name != "tests.rs")
        {
            files.push(path);
        }
    }
    files
}
