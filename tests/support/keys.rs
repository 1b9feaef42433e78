//! What is compared before and after keys are wrapped anew: their bytes, and the objects on the token.

use std::collections::BTreeMap;

use claviger_hsm::testkit::SoftHsm;

use super::client::Client;
use super::message::{self, about};

/// The bytes of each key, as the client gets them.
pub fn material(client: &Client, identifiers: &[String]) -> BTreeMap<String, Vec<u8>> {
    let mut connection = client.connect();
    let get = |identifier: &String| {
        let answer = connection.exchange(&about(message::GET, identifier));
        (identifier.clone(), message::key_material(&answer))
    };
    identifiers.iter().map(get).collect()
}

/// How many objects are on a token: SoftHSM keeps each in a file of its own.
pub fn keys_on(token: &SoftHsm) -> usize {
    let folders = std::fs::read_dir(token.token_directory()).expect("the token's folder");
    folders
        .flat_map(|folder| std::fs::read_dir(folder.expect("a folder").path()).expect("a token"))
        .filter(|file| {
            let path = file.as_ref().expect("a file").path();
            path.extension().is_some_and(|extension| extension == "object")
        })
        .count()
}
