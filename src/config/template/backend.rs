//! What holds the root keys, in the commented configuration: what was answered, and the other kind as an example.

use super::{DeviceAnswers, InitBackend, KeyProtectAnswers, default, line, optional, quoted, setting};
use crate::config::quantity::show_duration;
use crate::config::{KeyProtect, Mirror, TokenSelector};

pub(super) fn write(text: &mut String, backend: &InitBackend) {
    match backend {
        InitBackend::Device(device) => {
            write_device(text, device);
            write_mirror(text);
            write_example_of_key_protect(text);
        }
        InitBackend::KeyProtect(instance) => {
            write_key_protect(text, instance);
            write_example_of_device(text);
        }
    }
}

fn write_device(text: &mut String, device: &DeviceAnswers) {
    line(text, "# A slot of an HSM. Repeat the section for another one.");
    line(text, "[[device]]");
    line(
        text,
        "# Root keys refer to the device by this name: it has to stay.",
    );
    setting(text, "name", &device.name);
    line(
        text,
        "# The PKCS#11 module of the HSM's vendor, and the token: token_label, token_serial or slot_id.",
    );
    setting(text, "module", &device.module.to_string_lossy());
    match &device.token {
        TokenSelector::Label(label) => setting(text, "token_label", label),
        TokenSelector::Serial(serial) => setting(text, "token_serial", serial),
        TokenSelector::Slot(slot) => line(text, &format!("slot_id = {slot}")),
    }
    line(
        text,
        "# The file with the user PIN, readable by the server alone; or pin_credential = \"name\" for a",
    );
    line(text, "# credential of the systemd unit (LoadCredential=).");
    setting(text, "pin_file", &device.pin_file.to_string_lossy());
    line(
        text,
        "# Processes that load the module, the sessions of each, and how long the device may take to answer.",
    );
    line(text, "#workers = 2");
    line(text, "#sessions = 8");
    line(text, "#deadline = \"10s\"");
    line(
        text,
        "# Requests that may be under way at each process; clients are told at once to try the next again.",
    );
    line(text, "#queue = 1024");
    line(
        text,
        "# How new keys are wrapped: aes-kwp, aes-kw, aes-gcm or aes-cbc-pad; without it, the best that the device can do.",
    );
    line(text, "#wrap_profile = \"aes-kw\"");
    line(
        text,
        "# \"read\" only for a device that can't wrap a key under another: keys are then readable on it for a moment.",
    );
    line(text, "#release_profile = \"transport\"");
    line(
        text,
        "# For a storm of requests for the same keys: how many stay unwrapped on the device, for each worker, and how long.",
    );
    line(text, "#kept_keys = 0");
    line(text, "#kept_keys_time = \"1m\"");
    line(text, "# Environment variables that the module needs.");
    if device.environment.is_empty() {
        line(
            text,
            "#environment = { SOFTHSM2_CONF = \"/etc/softhsm/softhsm2.conf\" }",
        );
    } else {
        let pairs: Vec<_> = device
            .environment
            .iter()
            .map(|(name, value)| format!("{} = {}", quoted(name), quoted(value)))
            .collect();
        line(text, &format!("environment = {{ {} }}", pairs.join(", ")));
    }
    text.push('\n');
}

fn write_key_protect(text: &mut String, instance: &KeyProtectAnswers) {
    line(
        text,
        "# An instance of IBM Key Protect or of Hyper Protect Crypto Services. Repeat the section for another one.",
    );
    line(text, "[[key_protect]]");
    line(
        text,
        "# Root keys refer to the instance by this name: it has to stay.",
    );
    setting(text, "name", &instance.name);
    line(
        text,
        "# The service: https://REGION.kms.cloud.ibm.com, with private. in front within IBM Cloud, or",
    );
    line(
        text,
        "# https://INSTANCE.api.REGION.hs-crypto.appdomain.cloud; and the GUID of the instance.",
    );
    setting(text, "url", &instance.url);
    setting(text, "instance_id", &instance.instance_id);
    line(
        text,
        "# The key ring of the root keys. Default: made in \"default\", looked for in all.",
    );
    optional(text, "key_ring", instance.key_ring.as_deref(), "kmip");
    line(
        text,
        "# The file with the API key of a service ID, readable by the server alone; or api_key_credential = \"name\" for a",
    );
    line(text, "# credential of the systemd unit (LoadCredential=).");
    setting(text, "api_key_file", &instance.api_key_file.to_string_lossy());
    line(text, "# Where IAM gives out tokens for the API key.");
    optional(
        text,
        "iam_url",
        instance.iam_url.as_deref(),
        KeyProtect::USUAL_IAM_URL,
    );
    line(
        text,
        "# Authorities that are trusted beside the system's, in PEM, and an HTTP proxy on the way.",
    );
    let ca_file = instance.ca_file.as_ref().map(|file| file.to_string_lossy());
    optional(text, "ca_file", ca_file.as_deref(), "/etc/claviger/ca.pem");
    line(text, "#proxy = \"http://proxy.example.org:3128\"");
    line(
        text,
        "# How long a request of a client may take there, all tries included, and how many may be under way.",
    );
    default(
        text,
        "deadline",
        &quoted(&show_duration(KeyProtect::USUAL_DEADLINE)),
    );
    default(text, "requests", &KeyProtect::USUAL_REQUESTS.to_string());
    line(
        text,
        "# Where the wrapped keys lie: in the \"store\" of this server, or in the \"key-manager\", each as a standard key that",
    );
    line(text, "# can be seen and deleted there.");
    default(text, "wrapped_keys", &quoted("store"));
    text.push('\n');
}

/// What stays a comment, for one who has a device only.
fn write_example_of_key_protect(text: &mut String) {
    text.push_str(
        "# Root keys can also be in an instance of IBM Key Protect or of Hyper Protect Crypto Services: see\n\
         # docs/key-protect.md.\n\
         # [[key_protect]]\n\
         # name = \"ibm\"\n\
         # url = \"https://eu-de.kms.cloud.ibm.com\"\n\
         # instance_id = \"GUID\"\n\
         # api_key_file = \"/etc/claviger/ibm.apikey\"\n\n",
    );
}

/// What stays a comment, for one who has no device.
fn write_example_of_device(text: &mut String) {
    text.push_str(
        "# Root keys can also be in a slot of an HSM with PKCS#11: see docs/hsm.md.\n\
         # [[device]]\n\
         # name = \"hsm\"\n\
         # module = \"/usr/lib/MODULE.so\"\n\
         # token_label = \"LABEL\"\n\
         # pin_file = \"/etc/claviger/pin\"\n\n",
    );
}

/// All of it stands in comments that stay comments: there is one device yet.
fn write_mirror(text: &mut String) {
    text.push_str(
        "# Devices that hold the same root keys, as the members of an HSM cluster do, can serve as one: while\n\
         # one of them is away, the others do its work. Root keys refer to the mirror, not to its devices.\n\
         # [[mirror]]\n\
         # name = \"cluster\"\n\
         # devices = [\"hsm-a\", \"hsm-b\"]\n\
         # How long a new root key may take from the one that made it to all others:\n",
    );
    let replication = quoted(&show_duration(Mirror::USUAL_REPLICATION));
    line(text, &format!("# replication = {replication}"));
    text.push('\n');
}
