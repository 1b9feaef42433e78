//! `[[mirror]]`: which devices serve as one.

use std::collections::BTreeSet;

use super::reader::Section;
use super::sections::{SECOND, own_name};
use super::{Device, Mirror};

pub(super) fn mirrors(top: &mut Section<'_>, devices: &[Device]) -> Vec<Mirror> {
    let mut names: BTreeSet<_> = devices.iter().map(|device| device.name.clone()).collect();
    let mut mirrored = BTreeSet::new();
    let sections = top.sections("mirror").into_iter();
    sections
        .map(|section| mirror(section, devices, &mut names, &mut mirrored))
        .collect()
}

fn mirror(
    mut section: Section<'_>,
    devices: &[Device],
    names: &mut BTreeSet<String>,
    mirrored: &mut BTreeSet<String>,
) -> Mirror {
    let name = own_name(
        &mut section,
        names,
        "name the mirror; root keys refer to it by this name",
        (
            "a device or a mirror",
            "give it a name of its own; where root keys refer to a device already, rename the device and give its name to \
             the mirror",
        ),
    );
    let members = section.strings("devices").unwrap_or_default();
    if members.len() < 2 && (section.was_given("devices") || members.is_empty()) {
        section.wrong(
            "devices",
            "names fewer than two devices",
            "name the devices that hold the same root keys, such as [\"hsm-a\", \"hsm-b\"]",
        );
    }
    let mut tokens: Vec<&Device> = Vec::new();
    for member in &members {
        let Some(device) = devices.iter().find(|device| device.name == *member) else {
            let known: Vec<_> = devices.iter().map(|device| device.name.as_str()).collect();
            section.wrong(
                "devices",
                format!("has {member:?}, which is no device"),
                format!("name devices of this file: {}", known.join(", ")),
            );
            continue;
        };
        if !mirrored.insert(member.clone()) {
            section.wrong(
                "devices",
                format!("has {member:?}, which is in a mirror already"),
                "name each device once",
            );
        } else if let Some(other) = tokens.iter().find(|other| is_same_token(other, device)) {
            section.wrong(
                "devices",
                format!("has {member:?}, which is the same token as {:?}", other.name),
                "give each device its own token: by token_serial or slot_id where the labels are equal",
            );
        } else if let Some(other) = tokens.iter().find(|other| !fit_together(other, device)) {
            section.wrong(
                "devices",
                format!("has {member:?}, which does not open what {:?} wraps", other.name),
                "give both the same wrap_profile and the same release_profile",
            );
        }
        tokens.push(device);
    }
    let replication = section
        .duration("replication", &(SECOND..=90 * SECOND))
        .unwrap_or(Mirror::USUAL_REPLICATION);
    section.finish();
    Mirror {
        name,
        devices: members,
        replication,
    }
}

/// Whether two devices are certainly one token.
fn is_same_token(one: &Device, other: &Device) -> bool {
    (&one.module, &one.token, &one.environment) == (&other.module, &other.token, &other.environment)
}

/// Whether a key is handed out in the same way by whichever of the two is asked.
fn fit_together(one: &Device, other: &Device) -> bool {
    (one.wrap_profile, one.release_profile) == (other.wrap_profile, other.release_profile)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use crate::config::Config;

    const DEVICES: &str = r#"version = "v1"
[kmip]
certificate = "server.pem"
key = "server.key"
[[device]]
name = "hsm-a"
module = "module.so"
token_serial = "1"
pin_file = "pin"
[[device]]
name = "hsm-b"
module = "module.so"
token_serial = "2"
pin_file = "pin"
"#;

    fn parse(mirror: &str) -> Result<Config, Vec<String>> {
        Config::parse(
            Path::new("claviger.toml"),
            &format!("{DEVICES}[[mirror]]\n{mirror}"),
        )
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn two_devices_of_a_cluster_have_one_name() {
        let config = parse("name = \"hsm\"\ndevices = [\"hsm-a\", \"hsm-b\"]\n").expect("it parses");
        assert_eq!(config.mirrors[0].devices, ["hsm-a", "hsm-b"]);
        assert_eq!(config.mirrors[0].replication, Duration::from_secs(30));
        let without = Config::parse(Path::new("claviger.toml"), DEVICES).expect("it parses");
        assert_eq!(without.mirrors, []);
    }

    #[test]
    fn a_mirror_that_is_none_is_refused_with_what_to_write() {
        for (mirror, what) in [
            ("devices = [\"hsm-a\", \"hsm-b\"]", "`mirror[0].name` is missing"),
            ("name = \"hsm\"", "names fewer than two"),
            ("name = \"hsm\"\ndevices = [\"hsm-a\"]", "names fewer than two"),
            (
                "name = \"hsm\"\ndevices = [\"hsm-a\", \"hsm-c\"]",
                "\"hsm-c\", which is no device",
            ),
            (
                "name = \"hsm\"\ndevices = [\"hsm-a\", \"hsm-a\"]",
                "in a mirror already",
            ),
            (
                "name = \"hsm-a\"\ndevices = [\"hsm-a\", \"hsm-b\"]",
                "as of a device",
            ),
            ("name = \"a b\"\ndevices = [\"hsm-a\", \"hsm-b\"]", "is \"a b\""),
            (
                "name = \"hsm\"\ndevices = [\"hsm-a\", \"hsm-b\"]\nreplication = \"1h\"",
                "`mirror[0].replication` is \"1h\"",
            ),
            (
                "name = \"hsm\"\ndevices = [\"hsm-a\", \"hsm-b\"]\nreplicaton = \"9s\"",
                "did you mean `replication`",
            ),
        ] {
            let problems = parse(mirror).expect_err("it is wrong");
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(what), "{what}: {problems:?}");
            assert!(problems[0].contains("remedy: "), "{problems:?}");
        }
    }

    #[test]
    fn devices_that_do_not_open_what_the_other_wraps_are_no_mirror() {
        let unequal = DEVICES.replacen("token_serial", "wrap_profile = \"aes-kw\"\ntoken_serial", 1);
        let mirror = "[[mirror]]\nname = \"hsm\"\ndevices = [\"hsm-a\", \"hsm-b\"]\n";
        let problems = Config::parse(Path::new("claviger.toml"), &format!("{unequal}{mirror}"))
            .expect_err("they differ");
        assert!(
            problems.to_string().contains("the same wrap_profile"),
            "{problems}"
        );
    }

    #[test]
    fn one_token_twice_is_no_mirror() {
        let same = DEVICES.replace("\"2\"", "\"1\"");
        let mirror = "[[mirror]]\nname = \"hsm\"\ndevices = [\"hsm-a\", \"hsm-b\"]\n";
        let problems = Config::parse(Path::new("claviger.toml"), &format!("{same}{mirror}"))
            .expect_err("one token is lost as a whole");
        assert!(
            problems.to_string().contains("the same token as \"hsm-a\""),
            "{problems}"
        );
    }
}
