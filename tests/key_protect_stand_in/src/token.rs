//! The SoftHSMv2 token that holds the root keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use claviger_hsm::{DeviceConfig, SlotSelector};

use crate::{Error, Options, files, random};

const LABEL: &str = "key-protect";
/// Where distributions put the module; `SOFTHSM2_MODULE` names another place.
const MODULES: [&str; 6] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

/// How the device on the token is driven; the token is made in `softhsm/` where it is not there.
pub(crate) fn device(options: &Options) -> Result<DeviceConfig, Error> {
    let folder = options.directory.join("softhsm");
    let configuration = folder.join("softhsm2.conf");
    let module = module()?;
    let pin_file = folder.join("pin");
    if !pin_file.exists() {
        make(&folder, &configuration, &module, &pin_file)?;
    }
    let slot = SlotSelector::TokenLabel(LABEL.to_owned());
    Ok(DeviceConfig {
        workers: options.workers,
        environment: vec![("SOFTHSM2_CONF".to_owned(), configuration.display().to_string())],
        ..DeviceConfig::new("key-protect", module, slot, pin_file)
    })
}

fn module() -> Result<PathBuf, Error> {
    if let Some(module) = std::env::var_os("SOFTHSM2_MODULE") {
        return Ok(module.into());
    }
    let mut places = MODULES.iter().map(PathBuf::from);
    places.find(|place| place.exists()).ok_or_else(|| {
        Error::Token(
            "SoftHSMv2 is needed: `apt-get install softhsm2`, or SOFTHSM2_MODULE=<libsofthsm2.so>".to_owned(),
        )
    })
}

/// The PIN's file comes last: a token without it is half made, and made anew.
fn make(folder: &Path, configuration: &Path, module: &Path, pin_file: &Path) -> Result<(), Error> {
    let tokens = folder.join("tokens");
    if tokens.exists() {
        fs::remove_dir_all(&tokens).map_err(Error::file(&tokens))?;
    }
    fs::create_dir_all(&tokens).map_err(Error::file(&tokens))?;
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n",
        tokens.display()
    );
    files::write(configuration, text.as_bytes())?;
    let (pin, so_pin) = (hex::encode(random::<8>()), hex::encode(random::<8>()));
    // A software token's PIN on a command line: nothing but this stand-in depends on it.
    let output = Command::new("softhsm2-util")
        .args([
            "--init-token",
            "--free",
            "--label",
            LABEL,
            "--so-pin",
            &so_pin,
            "--pin",
            &pin,
        ])
        .arg("--module")
        .arg(module)
        .env("SOFTHSM2_CONF", configuration)
        .output()
        .map_err(|error| Error::Token(format!("softhsm2-util: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Token(format!("softhsm2-util: {said}")));
    }
    files::write(pin_file, pin.as_bytes())
}
