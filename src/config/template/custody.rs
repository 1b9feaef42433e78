//! The custody log in the commented configuration.

use super::{InitAnswers, InitBackend, default, line, quoted, setting};
use crate::config::Custody;
use crate::config::quantity::show_duration;
use crate::config::sections::host_name;

/// What is not usual, to be uncommented.
const OFFERED: &str = "# Witnesses on other hosts cosign the log, so that nobody can show different logs to different people: docs/witness.md.\n\
         # [custody.witness]\n\
         # policy = \"witnesses.policy\"\n\
         # What becomes of requests while too few cosign: \"serve\", or \"refuse\".\n\
         # when_absent = \"serve\"\n\
         \n\
         # Each record goes to a SIEM, by syslog over TLS, or to a file; as many feeds as are wanted: docs/feeds.md.\n\
         # [[custody.feed]]\n\
         # name = \"siem\"\n\
         # syslog = \"siem.example.com:6514\"\n\
         # ca_file = \"siem-ca.pem\"\n\
         \n\
         # All records are kept unless it is said here how old one has to be before `claviger custody prune` may take it away;\n\
         # what a verified bundle has, or anything with without_archive = true.\n\
         # [custody.retention]\n\
         # keep = \"7y\"\n\
         # without_archive = false\n\
         \n";

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
    text.push_str(OFFERED);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::OFFERED;
    use crate::config::Config;

    #[test]
    fn what_is_offered_is_read_once_it_is_uncommented() {
        let is_setting = |line: &str| {
            let key = line.split_once(" = ").map_or("", |(key, _)| key);
            line.starts_with('[')
                || (!key.is_empty()
                    && key
                        .chars()
                        .all(|letter| letter.is_ascii_lowercase() || letter == '_'))
        };
        let settings = OFFERED
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| is_setting(line));
        let text = format!(
            "version = \"v1\"\n[kmip]\ncertificate = \"c\"\nkey = \"k\"\n\
             [[device]]\nname = \"hsm\"\nmodule = \"m.so\"\ntoken_serial = \"1\"\npin_file = \"pin\"\n{}",
            settings.collect::<Vec<_>>().join("\n")
        );
        let custody = Config::parse(Path::new("claviger.toml"), &text)
            .expect("it parses")
            .custody;
        assert!(custody.witness.is_some());
        assert_eq!(custody.feeds.len(), 1);
        assert!(
            custody
                .retention
                .is_some_and(|retention| !retention.without_archive)
        );
    }
}
