//! `[custody.software]`: a software token of the log's own, for a server without a device.

use std::path::Path;

use super::super::reader::Section;
use super::super::sections::{SECOND, required_path};
use super::super::{Device, ReleaseProfile, TokenSelector};

/// The token's label, and what errors call the device.
pub(crate) const TOKEN_LABEL: &str = "claviger-custody";

/// The token as a device that nothing else is done with. Its configuration for SoftHSM and its PIN stand in its folder.
pub(super) fn software(mut section: Section<'_>, state_directory: &Path) -> Device {
    let module = required_path(
        &mut section,
        "module",
        "name the module of SoftHSM, such as \"/usr/lib/softhsm/libsofthsm2.so\"",
    );
    let directory = section
        .path("directory")
        .unwrap_or_else(|| state_directory.join("custody-token"));
    let pin_file = section.path("pin_file").unwrap_or_else(|| directory.join("pin"));
    section.finish();
    let settings = directory.join("softhsm2.conf").to_string_lossy().into_owned();
    Device {
        name: TOKEN_LABEL.to_owned(),
        module,
        token: TokenSelector::Label(TOKEN_LABEL.to_owned()),
        pin_file,
        workers: 1,
        sessions: 1,
        deadline: 10 * SECOND,
        queue: 64,
        wrap_profile: None,
        release_profile: ReleaseProfile::Transport,
        kept_keys: 0,
        kept_keys_time: 60 * SECOND,
        environment: vec![("SOFTHSM2_CONF".to_owned(), settings)],
    }
}
