//! The suite, on the token that this module is named after.

mod cryptography;
mod doctor;
mod keys;
mod load;
mod moving;
mod pin;
mod profiles;
mod root_keys;
mod signing_keys;
mod workers;

use claviger_hsm::testkit::{TestToken, TokenKind};
use claviger_hsm::{Device, RootKeyLocator};

/// A new token; `None` where there is none of its kind on this machine.
fn token() -> Option<TestToken> {
    TokenKind::of_module(module_path!()).token()
}

/// A device on a new token, with one root key.
async fn device_with_root_key() -> Option<(TestToken, Device, RootKeyLocator)> {
    let token = token()?;
    let device = crate::support::start(token.device_config("test")).await;
    let root = crate::support::root(1);
    device.create_root_key(&root).await.expect("a root key is made");
    Some((token, device, root))
}

/// The path of a test of this token's, as the test program names it.
fn path(test: &str) -> String {
    let module = module_path!();
    let module = module.split_once("::").map_or(module, |(_, module)| module);
    format!("{module}::{test}")
}
