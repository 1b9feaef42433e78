//! What an operator says about an instance of the key manager.

use std::path::PathBuf;
use std::time::Duration;

/// IBM Cloud's IAM.
pub const IAM_URL: &str = "https://iam.cloud.ibm.com/identity/token";

/// An instance of Key Protect or of Hyper Protect Crypto Services, and how it is spoken to.
#[derive(Clone, Debug)]
pub struct KeyProtectConfig {
    /// The name that the configuration gives it.
    pub name: String,
    /// Where its API is: `https://eu-de.kms.cloud.ibm.com`, with `private.` in front for the private network, or
    /// `https://<instance>.api.<region>.hs-crypto.appdomain.cloud`. `/api/v2` is added where it lacks.
    pub url: String,
    /// The instance's identifier, a UUID (header `bluemix-instance`).
    pub instance_id: String,
    /// The key ring that root keys are made in and looked for in; `None`: made in `default`, looked for in all.
    pub key_ring: Option<String>,
    /// Where the IAM API key of the service ID comes from.
    pub api_key: ApiKeySource,
    /// Where tokens are had; `/identity/token` is added where it has no path.
    pub iam_url: String,
    /// PEM certificates of authorities that are trusted besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy for the service and for IAM. Proxies of the environment are never used.
    pub proxy: Option<String>,
    /// How long one request of a client may take, with all its tries and the waiting for a token.
    pub deadline: Duration,
    /// How many such requests go on at one time; more wait in a queue.
    pub requests: usize,
    /// Where wrapped keys are kept.
    pub kept_in: KeptIn,
}

impl KeyProtectConfig {
    /// An instance with the defaults: IBM Cloud's IAM, ten seconds, 256 requests at one time, wrapped keys in the store.
    pub fn new(
        name: impl Into<String>,
        url: impl Into<String>,
        instance_id: impl Into<String>,
        api_key: ApiKeySource,
    ) -> Self {
        Self {
            name: name.into(),
            url: url.into(),
            instance_id: instance_id.into(),
            key_ring: None,
            api_key,
            iam_url: IAM_URL.to_owned(),
            ca_file: None,
            proxy: None,
            deadline: Duration::from_secs(10),
            requests: 256,
            kept_in: KeptIn::default(),
        }
    }
}

/// Where the API key comes from. A systemd credential is a file too: `$CREDENTIALS_DIRECTORY/<name>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiKeySource {
    /// A file that has the key and nothing else; one trailing newline does not count. It is read at the start, and again where
    /// IAM refuses the key, so that an operator can replace it.
    File(PathBuf),
}

/// Where wrapped keys are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeptIn {
    /// In the store.
    #[default]
    Store,
    /// In the key manager, each as a standard key, which an administrator sees there and can delete.
    KeyManager,
}
