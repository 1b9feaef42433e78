//! The sections `[kmip.previous]` and `[kmip.renewal]`: another certificate beside the server's, and where its next one comes
//! from.

use std::net::SocketAddr;
use std::path::Path;

use super::reader::Section;
use super::sections::{DAY, SECOND, addresses};
use super::{KMIP_PORT, Previous, Renewal};

pub(super) fn previous(mut section: Section<'_>, taken: &[SocketAddr]) -> Option<Previous> {
    let texts = section.strings("listen");
    let files = ["certificate", "key"].map(|key| section.path(key));
    let is_given = texts.is_some() || files.iter().any(Option::is_some);
    let listen = addresses(&mut section, texts.unwrap_or_default(), KMIP_PORT);
    let [certificate, key] = files;
    let found = match (certificate, key) {
        (Some(certificate), Some(key)) if !listen.is_empty() => Some(Previous {
            listen,
            certificate,
            key,
        }),
        _ => {
            if is_given {
                section.wrong(
                    "listen",
                    "needs an address, a certificate and a key",
                    "name all three: listen, certificate and key; or remove the section",
                );
            }
            None
        }
    };
    if let Some(found) = &found
        && let Some(address) = found
            .listen
            .iter()
            .find(|address| address.port() != 0 && taken.contains(address))
    {
        section.wrong(
            "listen",
            format!("has {address}, as kmip.listen has"),
            "name another port or another address of this host: a client does not tell which certificate it trusts",
        );
    }
    section.finish();
    found
}

pub(super) fn renewal(mut section: Section<'_>) -> Option<Renewal> {
    let command = section.strings("command");
    let before = section
        .duration("before", &(SECOND..=3650 * DAY))
        .unwrap_or(30 * DAY);
    if command.is_none() && (section.was_given("before") || section.was_given("command")) {
        section.wrong(
            "command",
            "is missing",
            "write command = [\"/path/of/program\", \"argument\"]",
        );
    }
    if let Some(command) = &command
        && !command
            .first()
            .is_some_and(|program| Path::new(program).is_absolute())
    {
        section.wrong(
            "command",
            "does not begin with the whole path of a program",
            "write command = [\"/path/of/program\", \"argument\"]",
        );
    }
    section.finish();
    command.map(|command| Renewal { command, before })
}
