//! What an operator says about a device, and which program hosts it.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::wrapped::WrapProfile;

/// How the token is recognised among the slots of the module.
///
/// A slot's number may change when a device is added or the host restarts; label and serial number do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SlotSelector {
    /// The token's label, as `CK_TOKEN_INFO` has it, without the blanks that pad it.
    TokenLabel(String),
    /// The token's serial number, without the blanks that pad it.
    TokenSerial(String),
    /// The slot's number, `CK_SLOT_ID`.
    SlotId(u64),
}

impl fmt::Display for SlotSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenLabel(label) => write!(f, "token label \"{label}\""),
            Self::TokenSerial(serial) => write!(f, "token serial \"{serial}\""),
            Self::SlotId(id) => write!(f, "slot {id}"),
        }
    }
}

/// When a worker makes a new transport key: whichever of the two comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransportRenewal {
    /// After so many keys wrapped or unwrapped under it.
    pub uses: u64,
    /// After so long.
    pub age: Duration,
}

impl Default for TransportRenewal {
    /// A million keys, or an hour.
    fn default() -> Self {
        Self {
            uses: 1_000_000,
            age: Duration::from_hours(1),
        }
    }
}

/// How a key leaves the device for this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReleaseProfile {
    /// Wrapped on the device under the transport key: the key is in the clear in this process only.
    #[default]
    Transport,
    /// Read from the device with `C_GetAttributeValue`, for a device that can do no other: it is a readable session object
    /// on the device for that moment, and in the clear in the worker. It crosses the boundary under a transport key that
    /// the worker made.
    Read,
}

impl ReleaseProfile {
    /// The name in configuration and records: `transport`, `read`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transport => "transport",
            Self::Read => "read",
        }
    }
}

/// How long keys that were released stay unwrapped on the device, so that a storm of requests for the same ones is quick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptKeys {
    /// At most so many at each worker.
    pub count: usize,
    /// At most so long.
    pub time: Duration,
}

/// One device: a token of a PKCS#11 module, and how it is driven.
#[derive(Clone, Debug)]
pub struct DeviceConfig {
    /// The name that the configuration gives the device.
    pub name: String,
    /// The vendor's PKCS#11 module, a shared library.
    pub module: PathBuf,
    /// Which token of the module.
    pub slot: SlotSelector,
    /// The file with the user PIN. It is read by the worker, never by the process that starts it; one trailing newline
    /// does not count.
    pub pin_file: PathBuf,
    /// How many worker processes; at least one. Several help where the module locks internally.
    pub workers: usize,
    /// How many sessions, each with its own thread, a worker has; at least one.
    pub sessions: usize,
    /// How long a request may take, its waiting included. A worker in which one call takes longer is replaced.
    pub deadline: Duration,
    /// How many requests may be under way at one worker before the next is answered [`Busy`](crate::Error::Busy).
    pub queue: usize,
    /// When the transport key is renewed.
    pub transport_renewal: TransportRenewal,
    /// How new keys are wrapped; `None`: the best profile that the device is found to do. Keys that were wrapped otherwise
    /// are unwrapped all the same.
    pub wrap_profile: Option<WrapProfile>,
    /// How keys leave the device.
    pub release_profile: ReleaseProfile,
    /// How many keys each worker keeps unwrapped on the device, and for how long; `None`: none.
    pub kept_keys: Option<KeptKeys>,
    /// Environment variables for the worker, such as `SOFTHSM2_CONF`.
    pub environment: Vec<(String, String)>,
}

impl DeviceConfig {
    /// A device with the defaults: two workers of four sessions, ten seconds, 1,024 requests under way at each worker.
    pub fn new(
        name: impl Into<String>,
        module: impl Into<PathBuf>,
        slot: SlotSelector,
        pin_file: impl Into<PathBuf>,
    ) -> Self {
        Self {
            name: name.into(),
            module: module.into(),
            slot,
            pin_file: pin_file.into(),
            workers: 2,
            sessions: 4,
            deadline: Duration::from_secs(10),
            queue: 1024,
            transport_renewal: TransportRenewal::default(),
            wrap_profile: None,
            release_profile: ReleaseProfile::default(),
            kept_keys: None,
            environment: Vec::new(),
        }
    }
}

/// The program that hosts a device, and its arguments. It must call [`worker::serve_inherited`](crate::worker::serve_inherited).
#[derive(Clone, Debug)]
pub struct WorkerCommand {
    /// The program's file.
    pub program: PathBuf,
    /// Its arguments. Never anything secret: any user of the host can read them.
    pub arguments: Vec<OsString>,
}

impl WorkerCommand {
    /// The program that is running now, with the one argument `device-worker`.
    pub fn this_program() -> std::io::Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?,
            arguments: vec!["device-worker".into()],
        })
    }
}
