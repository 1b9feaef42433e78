//! The custody log in the commented configuration.

use super::{InitAnswers, InitBackend, default, line, quoted, setting};
use crate::config::Custody;
use crate::config::quantity::show_duration;
use crate::config::sections::host_name;

pub(super) fn write(text: &mut String, answers: &InitAnswers) {
    let node = answers.node.clone().unwrap_or_else(host_name);
    let software = answers.custody_software.as_ref();
    line(text, "[custody]");
    line(
        text,
        "# The name of the custody log, in each of its checkpoints and in the name of its key: it has to stay.",
    );
    setting(text, "origin", &Custody::usual_origin(&node, software.is_some()));
    line(
        text,
        "# The device or the mirror that signs the log. Default: the only one.",
    );
    match &answers.backend {
        InitBackend::Device(device) if software.is_none() => default(text, "device", &quoted(&device.name)),
        _ => line(text, "# device = \"hsm\""),
    }
    line(
        text,
        "# The label of the key that signs, and the file with its public key; `claviger custody key create` makes both.",
    );
    default(text, "key_label", &quoted(Custody::USUAL_KEY_LABEL));
    default(text, "public_key", &quoted("custody.vkey"));
    line(
        text,
        "# The longest time from a record to the checkpoint that covers it, and between two checkpoints at rest.",
    );
    default(text, "interval", &quoted(&show_duration(Custody::USUAL_INTERVAL)));
    default(
        text,
        "heartbeat",
        &quoted(&show_duration(Custody::USUAL_HEARTBEAT)),
    );
    text.push('\n');
    match software {
        Some(module) => {
            line(text, "[custody.software]");
            line(
                text,
                "# A software token signs the custody log, for want of a device: whoever has this host has the key. The module",
            );
            line(text, "# of SoftHSM, and the folder of the token with its PIN.");
            setting(text, "module", &module.to_string_lossy());
            let folder = answers.state_directory.join("custody-token");
            default(text, "directory", &quoted(&folder.to_string_lossy()));
            default(text, "pin_file", &quoted(&folder.join("pin").to_string_lossy()));
        }
        None => text.push_str(
            "# Without a device, a software token can sign; each checkpoint says so in its name.\n\
             # [custody.software]\n\
             # module = \"/usr/lib/softhsm/libsofthsm2.so\"\n",
        ),
    }
    text.push('\n');
}
