//! `[[key_protect]]`: an instance of IBM Key Protect or of Hyper Protect Crypto Services.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use uuid::Uuid;

use super::reader::Section;
use super::sections::{SECOND, number, own_name, secret_file};
use super::{Device, Mirror};

/// `[[key_protect]]`: an instance of the key manager that holds root keys, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProtect {
    /// What root keys call it.
    pub name: String,
    /// Where its API is, with or without `/api/v2` at the end.
    pub url: String,
    /// The instance's identifier, a UUID.
    pub instance_id: String,
    /// The key ring of its root keys; without one they are made in `default` and looked for in all.
    pub key_ring: Option<String>,
    /// The file with the API key of the service ID; `api_key_credential` is one in the folder that systemd names.
    pub api_key_file: PathBuf,
    /// Where IAM gives out tokens.
    pub iam_url: String,
    /// PEM certificates of authorities that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy on the way to both.
    pub proxy: Option<String>,
    /// How long one request may take, all its tries included.
    pub deadline: Duration,
    /// Requests at one time; more wait.
    pub requests: usize,
    /// Where the keys lie that its root keys wrap.
    pub wrapped_keys: WrappedKeys,
}

impl KeyProtect {
    /// IAM of IBM Cloud.
    pub const USUAL_IAM_URL: &str = "https://iam.cloud.ibm.com/identity/token";
    /// As for a device.
    pub const USUAL_DEADLINE: Duration = Duration::from_secs(10);
    /// As many as connections serve at a time without waiting for each other.
    pub const USUAL_REQUESTS: usize = 256;
}

/// `wrapped_keys`: where the keys lie that a root key of the instance wraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WrappedKeys {
    /// `store`: in the database of this server.
    #[default]
    Store,
    /// `key-manager`: in the instance, each as a standard key.
    KeyManager,
}

pub(super) fn instances(top: &mut Section<'_>, devices: &[Device], mirrors: &[Mirror]) -> Vec<KeyProtect> {
    let devices = devices.iter().map(|device| &device.name);
    let mut names: BTreeSet<_> = devices
        .chain(mirrors.iter().map(|mirror| &mirror.name))
        .cloned()
        .collect();
    let sections = top.sections("key_protect").into_iter();
    sections.map(|section| instance(section, &mut names)).collect()
}

fn instance(mut section: Section<'_>, names: &mut BTreeSet<String>) -> KeyProtect {
    let name = own_name(
        &mut section,
        names,
        "name the instance; root keys refer to it by this name",
        ("a device, a mirror or an instance", "give it a name of its own"),
    );
    let url = url(&mut section);
    let instance_id = instance_id(&mut section, url.as_ref());
    let key_ring = section.string("key_ring");
    // Of the interface's documentation.
    if key_ring.as_deref().is_some_and(|ring| !is_key_ring(ring)) {
        section.wrong(
            "key_ring",
            format!("is {:?}", key_ring.as_deref().unwrap_or_default()),
            "write the key ring's ID: 2 to 100 letters, digits and `-`; `ibmcloud kp key-rings` lists them",
        );
    }
    let api_key_file = secret_file(
        &mut section,
        ("api_key_file", "api_key_credential"),
        "name the file that holds the API key of the service ID, mode 0400, or an api_key_credential",
    );
    let iam_url = section.string("iam_url");
    if let Some(text) = &iam_url {
        let checked = secret_receiver(text, KeyProtect::USUAL_IAM_URL);
        told(&section, "iam_url", checked);
    }
    let ca_file = section.path("ca_file");
    let proxy = proxy(&mut section);
    let deadline = section
        .duration("deadline", &(Duration::from_millis(100)..=600 * SECOND))
        .unwrap_or(KeyProtect::USUAL_DEADLINE);
    let requests = number(
        section.integer("requests", &(1..=100_000)),
        KeyProtect::USUAL_REQUESTS,
    );
    let wrapped_keys = section
        .choice(
            "wrapped_keys",
            &[
                ("store", WrappedKeys::Store),
                ("key-manager", WrappedKeys::KeyManager),
            ],
        )
        .unwrap_or_default();
    section.finish();
    KeyProtect {
        name,
        url: url.map(String::from).unwrap_or_default(),
        instance_id,
        key_ring,
        api_key_file,
        iam_url: iam_url.unwrap_or_else(|| KeyProtect::USUAL_IAM_URL.into()),
        ca_file,
        proxy,
        deadline,
        requests,
        wrapped_keys,
    }
}

/// An example for each form that the service is reached by.
const EXAMPLES: &str = "https://eu-de.kms.cloud.ibm.com, https://private.eu-de.kms.cloud.ibm.com or \
                        https://INSTANCE.api.eu-de.hs-crypto.appdomain.cloud";

fn url(section: &mut Section<'_>) -> Option<Url> {
    let Some(text) = section.string("url") else {
        if !section.was_given("url") {
            section.missing("url", format!("write where the service is, such as {EXAMPLES}"));
        }
        return None;
    };
    told(section, "url", service(&text))
}

/// What is wrong with a value, and what mends it.
type Wrong = (String, String);

fn told<T>(section: &Section<'_>, key: &'static str, found: Result<T, Wrong>) -> Option<T> {
    found
        .map_err(|(what, remedy)| section.wrong(key, what, remedy))
        .ok()
}

/// Whether a text can be the `url` of a `[[key_protect]]`.
///
/// # Errors
/// What is wrong with it, and what to write.
pub fn key_protect_url(text: &str) -> Result<(), String> {
    let wrong = |(what, remedy)| format!("it {what}: {remedy}");
    service(text).map(|_| ()).map_err(wrong)
}

fn service(text: &str) -> Result<Url, Wrong> {
    let url = secret_receiver(text, EXAMPLES)?;
    if matches!(url.host_str(), Some("cloud.ibm.com" | "iam.cloud.ibm.com")) {
        return Err((
            format!("is {text:?}, which is not where keys are"),
            format!("write the service's own address, of the instance's region: {EXAMPLES}"),
        ));
    }
    Ok(url)
}

/// The URL of something that tokens or keys are sent to. `example` is one that is right.
fn secret_receiver(text: &str, example: &str) -> Result<Url, Wrong> {
    let wrong = |what: &str| {
        Err((
            format!("is {text:?}, {what}"),
            format!("write one such as {example}"),
        ))
    };
    let Ok(url) = Url::parse(text) else {
        return wrong("which is no URL");
    };
    if !url.username().is_empty() || url.password().is_some() {
        // Without the text: a password is in it.
        return Err((
            "has a user or a password in it".into(),
            "the server logs in with its API key: write the URL without".into(),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("which has more than a path");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_this_machine(&url) => Ok(url),
        "http" => Err((
            format!("is {text:?}, over which keys would go in the clear"),
            "write https; http is for the same machine alone".into(),
        )),
        _ => wrong("which is not of the web"),
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn instance_id(section: &mut Section<'_>, url: Option<&Url>) -> String {
    const REMEDY: &str =
        "write the GUID of the instance, as `ibmcloud resource service-instance NAME` shows it";
    let Some(text) = section.string("instance_id") else {
        if !section.was_given("instance_id") {
            section.missing("instance_id", REMEDY);
        }
        return String::new();
    };
    let Ok(id) = text.parse::<Uuid>() else {
        section.wrong("instance_id", format!("is {text:?}, which is no UUID"), REMEDY);
        return String::new();
    };
    // Hyper Protect Crypto Services have the instance in front of their address.
    let of_url = url
        .and_then(|url| url.host_str()?.split('.').next()?.parse::<Uuid>().ok())
        .filter(|of_url| *of_url != id);
    if let Some(other) = of_url {
        section.wrong(
            "instance_id",
            format!("is {id}, and `url` is the address of the instance {other}"),
            "write the address and the GUID of the same instance",
        );
    }
    id.to_string()
}

fn proxy(section: &mut Section<'_>) -> Option<String> {
    let text = section.string("proxy")?;
    let is_one = Url::parse(&text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.password().is_none()
    });
    if !is_one {
        // Without the text: a password may be in it.
        section.wrong(
            "proxy",
            "is no URL of an HTTP proxy without a password",
            "write one such as http://proxy.example.org:3128",
        );
    }
    Some(text)
}

fn is_key_ring(text: &str) -> bool {
    (2..=100).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Config, Problems};

    const TOP: &str = "version = \"v1\"\n[kmip]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n";
    const GOOD: &str = r#"[[key_protect]]
name = "ibm"
url = "https://private.eu-de.kms.cloud.ibm.com"
instance_id = "C0FFEE00-0000-4000-8000-000000000001"
api_key_file = "ibm.apikey"
"#;

    fn parse(section: &str) -> Result<Config, Problems> {
        Config::parse(
            Path::new("/etc/claviger/claviger.toml"),
            &format!("{TOP}{section}"),
        )
    }

    #[test]
    fn an_instance_needs_no_device_beside_it_and_has_every_default() {
        let config = parse(GOOD).expect("it parses");
        assert!(config.devices.is_empty());
        let expected = KeyProtect {
            name: "ibm".into(),
            url: "https://private.eu-de.kms.cloud.ibm.com/".into(),
            instance_id: "c0ffee00-0000-4000-8000-000000000001".into(),
            key_ring: None,
            api_key_file: "/etc/claviger/ibm.apikey".into(),
            iam_url: "https://iam.cloud.ibm.com/identity/token".into(),
            ca_file: None,
            proxy: None,
            deadline: Duration::from_secs(10),
            requests: 256,
            wrapped_keys: WrappedKeys::Store,
        };
        assert_eq!(config.key_protect, [expected]);
        assert_eq!(config.line_of("key_protect[0].api_key_file"), Some(9));
    }

    #[test]
    fn a_configuration_without_anything_that_holds_root_keys_is_refused() {
        let problems = parse("").expect_err("nothing holds root keys");
        let remedy = &problems.iter().next().expect("a problem").remedy;
        assert!(
            remedy.contains("[[device]]") && remedy.contains("[[key_protect]]"),
            "{remedy}"
        );
    }

    #[test]
    fn everything_of_an_instance_can_be_said() {
        let all = format!(
            "{GOOD}key_ring = \"kmip\"\niam_url = \"http://127.0.0.1:8080/identity/token\"\nca_file = \"ca.pem\"\n\
             proxy = \"http://proxy:3128\"\ndeadline = \"3s\"\nrequests = 8\nwrapped_keys = \"key-manager\"\n"
        );
        let config = parse(&all).expect("it parses");
        let instance = &config.key_protect[0];
        assert_eq!(instance.key_ring.as_deref(), Some("kmip"));
        assert_eq!(
            instance.ca_file.as_deref(),
            Some(Path::new("/etc/claviger/ca.pem"))
        );
        assert_eq!(
            (instance.deadline, instance.requests),
            (Duration::from_secs(3), 8)
        );
        assert_eq!(instance.wrapped_keys, WrappedKeys::KeyManager);
    }

    #[test]
    fn what_would_lead_keys_astray_is_refused_with_its_line_and_a_remedy() {
        let hpcs = "https://0ff1ce00-0000-4000-8000-000000000002.api.eu-de.hs-crypto.appdomain.cloud";
        let url = "https://private.eu-de.kms.cloud.ibm.com";
        for (from, to, line, what) in [
            (url, "http://eu-de.kms.cloud.ibm.com", 7, "in the clear"),
            (url, "eu-de.kms.cloud.ibm.com", 7, "is no URL"),
            (url, "ftp://eu-de.kms.cloud.ibm.com", 7, "not of the web"),
            (url, "https://cloud.ibm.com/services/kms", 7, "not where keys are"),
            (
                url,
                "https://me:pass@eu-de.kms.cloud.ibm.com",
                7,
                "a user or a password",
            ),
            (url, hpcs, 8, "is the address of the instance 0ff1ce00"),
            ("C0FFEE00-", "C0FFEE", 8, "is no UUID"),
            ("name = \"ibm\"", "name = \"i b m\"", 6, "is \"i b m\""),
            (
                "api_key_file = \"ibm.apikey\"",
                "",
                5,
                "`key_protect[0].api_key_file` is missing",
            ),
            (
                "api_key_file",
                "api_key_credential",
                9,
                "systemd handed over no credentials",
            ),
            (
                "[[key_protect]]",
                "[[key_protect]]\nkey_ring = \"a b\"",
                6,
                "is \"a b\"",
            ),
            (
                "[[key_protect]]",
                "[[key_protect]]\nproxy = \"proxy:3128\"",
                6,
                "no URL of an HTTP proxy",
            ),
            (
                "[[key_protect]]",
                "[[key_protect]]\nwrapped_keys = \"here\"",
                6,
                "is \"here\"",
            ),
            ("[[key_protect]]", "[[key_protect]]\nrequests = 0", 6, "is 0"),
            (
                "[[key_protect]]",
                "[[key_protect]]\nkey_rings = \"a\"",
                6,
                "is not known",
            ),
        ] {
            let problems = parse(&GOOD.replacen(from, to, 1)).expect_err(what);
            let found: Vec<_> = problems.iter().collect();
            assert_eq!(found.len(), 1, "{what}: {problems}");
            assert!(found[0].what.contains(what), "{what}: {problems}");
            assert_eq!(found[0].line, Some(line), "{problems}");
            assert!(!found[0].remedy.is_empty(), "{problems}");
            assert!(!found[0].to_string().contains("me:pass"), "{problems}");
        }
    }

    #[test]
    fn an_instance_has_a_name_that_no_device_and_no_mirror_has() {
        let device = "[[device]]\nname = \"ibm\"\nmodule = \"m.so\"\nslot_id = 1\npin_file = \"pin\"\n";
        let problems = parse(&format!("{device}{GOOD}")).expect_err("one name twice");
        assert!(problems.to_string().contains("as of a device"), "{problems}");
        let problems = parse(&format!("{GOOD}{GOOD}")).expect_err("one name twice");
        assert_eq!(problems.iter().next().and_then(|problem| problem.line), Some(11));
    }

    #[test]
    fn the_same_machine_is_reached_without_tls() {
        for url in [
            "http://127.0.0.1:8443",
            "http://[::1]:8443/api/v2",
            "http://localhost",
        ] {
            let text = GOOD.replace("https://private.eu-de.kms.cloud.ibm.com", url);
            assert!(parse(&text).is_ok(), "{url}");
        }
    }
}
