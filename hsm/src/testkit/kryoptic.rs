//! Kryoptic, with its database in the token's own folder.

use std::fs;
use std::path::PathBuf;

use super::{TestToken, TokenKind};

/// Where `scripts/build-kryoptic` puts the module; `CLAVIGER_KRYOPTIC` names another place.
const MODULE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../target/kryoptic/libkryoptic_pkcs11.so"
);

/// Makes a token; fails with the remedy where the module is not there.
pub(super) fn token() -> Result<TestToken, String> {
    let module = std::env::var_os("CLAVIGER_KRYOPTIC").map_or_else(|| PathBuf::from(MODULE), PathBuf::from);
    if !module.exists() {
        return Err(
            "`scripts/build-kryoptic` builds it; CLAVIGER_KRYOPTIC=<module> names it elsewhere".to_owned(),
        );
    }
    let mut token = TestToken::new(TokenKind::Kryoptic, module, "claviger-test", "58-correct-17");
    let (configuration, database) = (
        token.directory().join("kryoptic.conf"),
        token.directory().join("kryoptic.sql"),
    );
    let text = format!(
        "[[slots]]\nslot = 0\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n",
        database.display()
    );
    fs::write(&configuration, text).expect("the folder can be written to");
    token.set_environment("KRYOPTIC_CONF", &configuration);
    token.initialise(&["--slot", "0"], "officer-4711")?;
    Ok(token)
}
