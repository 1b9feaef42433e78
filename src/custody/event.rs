//! What a caller of the recorder tells of: a record without what the log itself adds to it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EventName, Hash};

/// Something that happened, or was refused, or failed.
///
/// The fields of a record's JSON that come from here have the same names and forms as in these types; what is
/// absent is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub name: EventName,
    /// Whether it did.
    pub outcome: Outcome,
    /// Why it did not, for people; for KMIP the Result Reason and the message.
    pub reason: Option<String>,
    /// Who asked for it.
    pub actor: Actor,
    /// Over which connection, for clients.
    pub origin: Option<Origin>,
    /// The adapter that it belongs to.
    pub adapter: Option<AdapterFacts>,
    /// The managed object that it touched.
    pub object: Option<ObjectFacts>,
    /// The root key that took part.
    pub root_key: Option<RootKeyFacts>,
    /// The administrators whose approval it needed and had, beside the actor.
    pub approvers: Vec<Approver>,
    /// The client certificate that it is about (not the actor's, which the actor names).
    pub certificate: Option<CertificateFacts>,
    /// The rows of keys that its commit wrote. The recorder fills it in.
    pub rows: Vec<RowFacts>,
    /// The request's place in the protocol.
    pub request: Option<RequestFacts>,
    /// The device's own error, where one made it fail.
    pub device: Option<DeviceFault>,
    /// What else belongs to the event, such as a Locate's filter or a start's configuration. Never a secret.
    pub details: BTreeMap<String, String>,
}

impl Event {
    /// An event that succeeded and says nothing yet but its name and actor.
    pub fn new(name: EventName, actor: Actor) -> Self {
        Self {
            name,
            outcome: Outcome::Success,
            reason: None,
            actor,
            origin: None,
            adapter: None,
            object: None,
            root_key: None,
            approvers: Vec::new(),
            certificate: None,
            rows: Vec::new(),
            request: None,
            device: None,
            details: BTreeMap::new(),
        }
    }

    /// The same event, refused by a rule for this reason.
    #[must_use]
    pub fn refused(mut self, reason: impl Into<String>) -> Self {
        self.outcome = Outcome::Refused;
        self.reason = Some(reason.into());
        self
    }

    /// The same event, which was allowed and did not work for this reason.
    #[must_use]
    pub fn failed(mut self, reason: impl Into<String>) -> Self {
        self.outcome = Outcome::Failed;
        self.reason = Some(reason.into());
        self
    }

    /// The same event with one more detail.
    #[must_use]
    pub fn detail(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.details.insert(name.into(), value.into());
        self
    }
}

/// How an event ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was not allowed, or made no sense; nothing was tried.
    Refused,
    /// It was allowed, and did not work.
    Failed,
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Actor {
    /// A KMIP client, known by its certificate.
    Client {
        /// SHA-256 of the certificate's DER, in hexadecimal.
        certificate: String,
        /// The certificate's subject.
        subject: String,
        /// Its issuer.
        issuer: String,
        /// Its serial number, in hexadecimal.
        serial: String,
        /// The user or the device that the request names in its credentials. A claim, unless the details say `authenticated`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
    },
    /// Somebody who is not known: no certificate, or one that is not let in.
    Unknown,
    /// Somebody at the administration interface, known by the credentials of the process.
    Administrator {
        /// The user's number on this machine.
        uid: u32,
        /// The user's name, where the machine knows it.
        user: String,
    },
    /// The server itself.
    Server,
    /// An auditor at the web pages, known by their certificate.
    Auditor {
        /// SHA-256 of the certificate's DER, in hexadecimal.
        certificate: String,
        /// The certificate's subject.
        subject: String,
        /// Its issuer.
        issuer: String,
        /// Its serial number, in hexadecimal.
        serial: String,
    },
    /// Somebody at the administration interface over HTTPS who may change things, known by their certificate.
    RemoteAdministrator {
        /// What they may do: `operator` or `administrator`.
        role: String,
        /// SHA-256 of the certificate's DER, in hexadecimal.
        certificate: String,
        /// The certificate's subject.
        subject: String,
        /// Its issuer.
        issuer: String,
        /// Its serial number, in hexadecimal.
        serial: String,
    },
    /// A program at the administration interface, known by its access token.
    Token {
        /// The token's identifier.
        id: Uuid,
        /// Its name at that time.
        name: String,
        /// What its bearer may do: `auditor`, `operator` or `administrator`.
        role: String,
    },
}

/// An administrator who approved of what another asked for: a user of the server's machine, or the holder of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approver {
    /// The user's number on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The user's name, where the machine knows it; the subject of a certificate.
    pub user: String,
    /// SHA-256 of the certificate's DER, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

impl Approver {
    /// Whether this is another administrator than the actor. Two certificates of one subject are one administrator's.
    pub fn is_other_than(&self, actor: &Actor) -> bool {
        match actor {
            Actor::Administrator { uid, .. } => self.uid != Some(*uid),
            Actor::RemoteAdministrator {
                certificate, subject, ..
            } => self
                .certificate
                .as_ref()
                .is_none_or(|own| own != certificate && self.user != *subject),
            _ => false,
        }
    }
}

/// What is known of the clock that gave a record its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockFacts {
    /// Whether it follows others.
    pub state: ClockState,
    /// The most that it may be wrong, in microseconds, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_error_us: Option<u64>,
    /// How far it is behind the record's time, in microseconds: it was set back, and the log's time stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind_us: Option<u64>,
}

/// Whether a clock follows others, as the kernel says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockState {
    /// Something, such as an NTP client, keeps it.
    Synchronised,
    /// Nothing has kept it for a while.
    Unsynchronised,
    /// The kernel does not say.
    Unknown,
}

/// Where a request came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The peer's address.
    pub address: IpAddr,
    /// The peer's port.
    pub port: u16,
    /// The version of TLS, where a handshake got that far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_version: Option<String>,
}

/// The adapter of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterFacts {
    /// Its identifier.
    pub id: Uuid,
    /// Its name at that time.
    pub name: String,
}

/// The managed object of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectFacts {
    /// The Unique Identifier, as the client wrote it or the server made it.
    pub identifier: String,
    /// KMIP's Object Type, as `SymmetricKey`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_type: Option<String>,
    /// KMIP's Cryptographic Algorithm, as `AES`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// Cryptographic Length, in bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// KMIP's State before the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_before: Option<String>,
    /// KMIP's State after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_after: Option<String>,
    /// Custom attributes that tell people which key this is: VMware's `x-Product`, `x-Name` and so on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Digest of the object's row after the event (`store::KeyRow::digest`). The recorder fills it in for an object that
    /// the event's own changes wrote; for one that was only read, the reader gives the digest of the row it read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_sha256: Option<Hash>,
}

/// The row of a key as an event's commit wrote it. Each writing of a row is in one record, so the last one that names a key
/// says how its row has to be, until the key's adapter is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowFacts {
    /// The key's Unique Identifier.
    pub identifier: Uuid,
    /// How often its row was written, with this time.
    pub revision: u64,
    /// Digest of the row (`store::KeyRow::digest`).
    pub sha256: Hash,
}

/// The root key of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootKeyFacts {
    /// Its identifier.
    pub id: Uuid,
    /// The backend, by its name in the configuration.
    pub backend: String,
    /// Serial number of the token.
    pub token_serial: String,
    /// `CKA_LABEL` of the key.
    pub label: String,
    /// Its version.
    pub version: u32,
    /// How the object's key is wrapped at rest, as `aes-kw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrap_profile: Option<String>,
    /// How the object's key left the device, as `transport`; absent where it did not leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_profile: Option<String>,
}

/// The client certificate that an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFacts {
    /// SHA-256 of its DER, in hexadecimal.
    pub fingerprint: String,
    /// Its name here; absent for one that is not let in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Its serial number, in hexadecimal.
    pub serial: String,
}

/// The request of an event, in KMIP's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestFacts {
    /// KMIP's Operation, as `GetAttributes`.
    pub operation: String,
    /// The version of the request, as `1.1`.
    pub protocol_version: String,
    /// The item's place in the batch, from 1.
    pub batch_position: u32,
    /// How many items the batch has.
    pub batch_count: u32,
    /// The item's Unique Batch Item ID, in hexadecimal, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_item_id: Option<String>,
    /// The client's own correlation value, where it gave one (1.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_correlation: Option<String>,
    /// The server's correlation value, which the client was answered with (1.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_correlation: Option<String>,
}

/// The error of a PKCS#11 function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceFault {
    /// The function, as `C_UnwrapKey`.
    pub function: String,
    /// The return value.
    pub code: u64,
    /// Its name, as `CKR_DEVICE_ERROR`.
    pub name: String,
}
