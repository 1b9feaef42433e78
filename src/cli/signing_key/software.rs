//! The software token of the custody log, made where it is not there yet.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};

use claviger_hsm::{WorkerCommand, make_token};
use zeroize::Zeroizing;

use crate::cli::device::device_config;
use crate::cli::exit::Failure;
use crate::cli::init::files::write_file;
use crate::config::{Config, Device};

/// The bytes that the PIN is made of.
const PIN_BYTES: usize = 16;

/// Makes the token in its folder, with a random PIN in a file beside it. What is there already is kept.
pub(crate) async fn make(config: &Config, device: &Device, command: &WorkerCommand) -> Result<(), Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        Failure::new(format!("cannot make {}: {error}", path.display()))
            .remedy("run as the user of the server")
    };
    let settings = settings_of(device);
    let folder = settings.parent().unwrap_or(Path::new(""));
    let tokens = folder.join("tokens");
    for path in [&config.state_directory, folder, &tokens] {
        if !path.exists() {
            let made = DirBuilder::new().mode(0o700).create(path);
            made.map_err(|error| failed(path, error))?;
        }
    }
    if !settings.exists() {
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            tokens.display()
        );
        write_file(&settings, text.as_bytes(), 0o600)?;
    }
    if !device.pin_file.exists() {
        let mut random = Zeroizing::new([0; PIN_BYTES]);
        openssl::rand::rand_bytes(&mut *random)
            .map_err(|error| Failure::new(format!("no random bytes: {error}")))?;
        let pin = Zeroizing::new(hex::encode(*random));
        write_file(&device.pin_file, pin.as_bytes(), 0o400)?;
    }
    make_token(&device_config(device), command)
        .await
        .map_err(|error| {
            Failure::new(format!("the software token cannot be made: {error}")).remedy(
                "install SoftHSM (Debian: softhsm2), and name its module as `custody.software.module`",
            )
        })
}

/// Gives what was made to the owner of the state directory: who runs this may be root, and the server another.
pub(crate) fn give_to_server(config: &Config, device: &Device) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(format!(
            "the software token cannot be given to the server's user: {error}"
        ))
    };
    let owner = fs::metadata(&config.state_directory).map_err(failed)?;
    let folder = settings_of(device);
    let folder = folder.parent().unwrap_or(Path::new(""));
    if !rustix::process::geteuid().is_root() || owner.uid() == 0 {
        return Ok(());
    }
    give(folder, owner.uid(), owner.gid()).map_err(failed)?;
    chown(&device.pin_file, Some(owner.uid()), Some(owner.gid())).map_err(failed)
}

fn give(path: &Path, uid: u32, gid: u32) -> std::io::Result<()> {
    std::os::unix::fs::lchown(path, Some(uid), Some(gid))?;
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), uid, gid)?;
        }
    }
    Ok(())
}

/// SoftHSM's configuration, in the folder of the token.
fn settings_of(device: &Device) -> PathBuf {
    let mut environment = device.environment.iter();
    let settings = environment.find(|(name, _)| name == "SOFTHSM2_CONF");
    settings.map(|(_, path)| path.into()).unwrap_or_default()
}
