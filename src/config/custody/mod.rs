//! `[custody]`: the custody log, which log it is and where its checkpoints are signed.

mod feed;
mod retention;
mod software;
mod witness;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::reader::Section;
use super::sections::{DAY, SECOND};
use super::{Device, Mirror};

pub use feed::{Feed, FeedReceiver, SyslogReceiver};
pub use retention::CustodyRetention;
pub use witness::{CustodyWitness, WhenAbsent};

/// `[custody]`: the custody log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custody {
    /// Which log it is: the first line of each checkpoint, and the name of the key that signs it.
    pub origin: String,
    /// Where checkpoints are signed.
    pub signer: CustodySigner,
    /// The label of the key that signs, on its token.
    pub key_label: String,
    /// The file with its public key, written when it was made.
    pub public_key: PathBuf,
    /// The time from a record to the checkpoint that covers it, at most.
    pub interval: Duration,
    /// The time from a checkpoint to the next while nothing is recorded.
    pub heartbeat: Duration,
    /// `[custody.witness]`: who cosigns checkpoints; none where nobody does.
    pub witness: Option<CustodyWitness>,
    /// `[custody.retention]`: what may be pruned; none where nothing may.
    pub retention: Option<CustodyRetention>,
    /// `[[custody.feed]]`: where records go at once; names unique.
    pub feeds: Vec<Feed>,
}

/// Where checkpoints are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CustodySigner {
    /// By these devices of the file, at least one: the members of a mirror, or a device alone.
    Devices(Vec<String>),
    /// By a software token on this host: whoever has the host has its key.
    Software(Box<Device>),
    /// Nowhere: there is no device, or the file does not say which one of several.
    Nowhere,
}

impl Custody {
    /// What ends the name of a log that is signed by software.
    pub const BY_SOFTWARE: &'static str = "/software";
    /// The label of the key that signs, where the file says nothing else.
    pub const USUAL_KEY_LABEL: &'static str = "claviger.custody";
    /// The usual `interval`.
    pub const USUAL_INTERVAL: Duration = SECOND;
    /// The usual `heartbeat`.
    pub const USUAL_HEARTBEAT: Duration = Duration::from_mins(5);

    /// The usual `origin` of a server of this name.
    pub fn usual_origin(node: &str, by_software: bool) -> String {
        let end = if by_software { Self::BY_SOFTWARE } else { "" };
        format!("{node}/claviger{end}")
    }
}

pub(super) fn custody(
    mut section: Section<'_>,
    node: &str,
    (folder, state_directory): (&Path, &Path),
    devices: &[Device],
    mirrors: &[Mirror],
) -> Custody {
    let software = section.section("software");
    let signer = if section.was_given("software") {
        if section.string("device").is_some() {
            section.wrong(
                "device",
                "stands beside [custody.software]",
                "keep one of them: a device that signs, or a software token",
            );
        }
        CustodySigner::Software(Box::new(software::software(software, state_directory)))
    } else {
        match section.string("device") {
            None => usual(devices, mirrors),
            Some(name) => named(&section, &name, devices, mirrors),
        }
    };
    let by_software = matches!(signer, CustodySigner::Software(_));
    let origin = origin(&mut section, node, by_software);
    let key_label = section
        .string("key_label")
        .unwrap_or_else(|| Custody::USUAL_KEY_LABEL.to_owned());
    let public_key = section
        .path("public_key")
        .unwrap_or_else(|| folder.join("custody.vkey"));
    let interval = section
        .duration("interval", &(Duration::from_millis(50)..=60 * SECOND))
        .unwrap_or(Custody::USUAL_INTERVAL);
    let heartbeat = section
        .duration("heartbeat", &(SECOND..=DAY))
        .unwrap_or(Custody::USUAL_HEARTBEAT);
    let witness = witness::witness(&mut section);
    let retention = retention::retention(&mut section);
    let feeds = feed::feeds(&mut section);
    section.finish();
    Custody {
        origin,
        signer,
        key_label,
        public_key,
        interval,
        heartbeat,
        witness,
        retention,
        feeds,
    }
}

fn origin(section: &mut Section<'_>, node: &str, by_software: bool) -> String {
    let Some(origin) = section.string("origin") else {
        return Custody::usual_origin(node, by_software);
    };
    let is_name = |character: char| !character.is_whitespace() && !character.is_control() && character != '+';
    if !origin.chars().all(is_name) || origin.len() > 200 {
        section.wrong(
            "origin",
            format!("is {origin:?}"),
            "write at most 200 letters without space and +, such as \"kms.example.org/claviger\"",
        );
    } else if by_software && !origin.ends_with(Custody::BY_SOFTWARE) {
        section.wrong(
            "origin",
            format!("is {origin:?}, and the log is signed by software"),
            format!(
                "end it with {}, so that each checkpoint says so",
                Custody::BY_SOFTWARE
            ),
        );
    }
    origin
}

/// What signs where the file does not say it: what there is one of.
fn usual(devices: &[Device], mirrors: &[Mirror]) -> CustodySigner {
    let all = || devices.iter().map(|device| device.name.clone()).collect();
    match (devices, mirrors) {
        ([_], _) => CustodySigner::Devices(all()),
        (_, [mirror]) if mirror.devices.len() == devices.len() => {
            CustodySigner::Devices(mirror.devices.clone())
        }
        _ => CustodySigner::Nowhere,
    }
}

fn named(section: &Section<'_>, name: &str, devices: &[Device], mirrors: &[Mirror]) -> CustodySigner {
    if devices.iter().any(|device| device.name == name) {
        return CustodySigner::Devices(vec![name.to_owned()]);
    }
    if let Some(mirror) = mirrors.iter().find(|mirror| mirror.name == name) {
        return CustodySigner::Devices(mirror.devices.clone());
    }
    let devices = devices.iter().map(|device| device.name.as_str());
    let known: Vec<_> = devices
        .chain(mirrors.iter().map(|mirror| mirror.name.as_str()))
        .collect();
    let remedy = if known.is_empty() {
        "add a [[device]], or sign by software with a section [custody.software]".to_owned()
    } else {
        format!("name a device or a mirror of this file: {}", known.join(", "))
    };
    section.wrong(
        "device",
        format!("is {name:?}, which is no device and no mirror"),
        remedy,
    );
    CustodySigner::Nowhere
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::CustodySigner;
    use crate::config::{Config, TokenSelector};

    const DEVICE: &str =
        "[[device]]\nname = \"hsm\"\nmodule = \"m.so\"\ntoken_serial = \"1\"\npin_file = \"pin\"\n";
    const SECOND: &str =
        "[[device]]\nname = \"hsm-b\"\nmodule = \"m.so\"\ntoken_serial = \"2\"\npin_file = \"pin\"\n";
    const MIRROR: &str = "[[mirror]]\nname = \"both\"\ndevices = [\"hsm\", \"hsm-b\"]\n";

    fn parse(sections: &[&str]) -> Result<Config, String> {
        let top = "version = \"v1\"\nnode = \"kms-1\"\nstate_directory = \"/s\"\n\
                   [kmip]\ncertificate = \"c\"\nkey = \"k\"\n";
        let text = format!("{top}{}", sections.concat());
        Config::parse(Path::new("claviger.toml"), &text).map_err(|problems| problems.to_string())
    }

    fn devices(config: &Config) -> &[String] {
        match &config.custody.signer {
            CustodySigner::Devices(names) => names,
            _ => &[],
        }
    }

    #[test]
    fn a_file_without_the_section_has_its_log_signed_by_what_there_is_one_of() {
        let alone = parse(&[DEVICE]).expect("it parses");
        assert_eq!(devices(&alone), ["hsm"]);
        assert_eq!(alone.custody.origin, "kms-1/claviger");
        assert_eq!(alone.custody.key_label, "claviger.custody");
        assert_eq!(alone.custody.interval, Duration::from_secs(1));
        assert_eq!(alone.custody.heartbeat, Duration::from_mins(5));
        let mirrored = parse(&[DEVICE, SECOND, MIRROR]).expect("it parses");
        assert_eq!(devices(&mirrored), ["hsm", "hsm-b"]);
        let several = parse(&[DEVICE, SECOND]).expect("it parses");
        assert!(matches!(several.custody.signer, CustodySigner::Nowhere));
    }

    #[test]
    fn the_file_says_which_device_or_mirror_signs() {
        let of = |custody: &str| parse(&[DEVICE, SECOND, MIRROR, custody]).expect("it parses");
        assert_eq!(devices(&of("[custody]\ndevice = \"hsm-b\"\n")), ["hsm-b"]);
        assert_eq!(devices(&of("[custody]\ndevice = \"both\"\n")), ["hsm", "hsm-b"]);
    }

    #[test]
    fn a_log_that_software_signs_says_so_in_its_name() {
        let section = "[custody.software]\nmodule = \"/usr/lib/softhsm/libsofthsm2.so\"\n";
        let config = parse(&[DEVICE, section]).expect("it parses");
        assert_eq!(config.custody.origin, "kms-1/claviger/software");
        let CustodySigner::Software(token) = &config.custody.signer else {
            panic!("{:?}", config.custody.signer);
        };
        assert_eq!(token.pin_file, Path::new("/s/custody-token/pin"));
        assert_eq!(token.token, TokenSelector::Label("claviger-custody".into()));
        let named = format!("[custody]\norigin = \"a/b\"\n{section}");
        let refused = parse(&[DEVICE, &named]).expect_err("the name hides it");
        assert!(refused.contains("/software"), "{refused}");
    }

    #[test]
    fn a_section_that_is_wrong_is_refused_with_what_to_write() {
        for (custody, what) in [
            (
                "[custody]\ndevice = \"hsm-c\"\n",
                "which is no device and no mirror",
            ),
            ("[custody]\norigin = \"a b\"\n", "`custody.origin` is \"a b\""),
            ("[custody]\norigin = \"a+b\"\n", "`custody.origin` is \"a+b\""),
            ("[custody]\ninterval = \"2h\"\n", "`custody.interval` is \"2h\""),
            ("[custody]\nheart_beat = \"2h\"\n", "did you mean `heartbeat`"),
            (
                "[custody]\ndevice = \"hsm\"\n[custody.software]\nmodule = \"m\"\n",
                "beside [custody.software]",
            ),
            ("[custody.software]\n", "`custody.software.module` is missing"),
        ] {
            let problems = parse(&[DEVICE, custody]).expect_err("it is wrong");
            assert!(problems.contains(what), "{what}: {problems}");
        }
    }
}
