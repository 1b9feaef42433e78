//! The requests and replies of the administration interface, as both of its ends write and read them.
//!
//! Times are RFC 3339 in UTC, bytes are lower-case hexadecimal, identifiers are UUIDs with hyphens.
//! Unknown members of a request are refused; a reader of replies passes over members that it does not
//! know, so that an older command line can talk to a newer server.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

pub use crate::root_key::Healing;

/// What every reply that is not a success has as its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReply {
    /// The error.
    pub error: ErrorBody,
}

/// Why a request was refused or failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A word for programs, from the table in [`super`].
    pub code: String,
    /// What was expected and what came.
    pub message: String,
    /// What the caller can do, where the server knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The items of a collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List<T> {
    /// The items, in the order that the resource documents.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What belongs here and is left out because its stored row was changed by another hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tampered: Vec<String>,
}

impl<T> From<Vec<T>> for List<T> {
    /// A collection that fits one page.
    fn from(items: Vec<T>) -> Self {
        Self {
            items,
            next: None,
            tampered: Vec::new(),
        }
    }
}

/// `GET /v1/status`: how the server is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whether the server can do its work: no problem below.
    pub healthy: bool,
    /// What is not well, a sentence each.
    pub problems: Vec<String>,
    /// The server's version.
    pub version: String,
    /// The server's process identifier.
    pub process: u32,
    /// When it started.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// Where it speaks KMIP.
    pub kmip_addresses: Vec<String>,
    /// The root-key backends of the configuration.
    pub backends: Vec<BackendStatus>,
    /// Root keys whose keys are being wrapped anew, or that are not enabled, as a list shows them.
    #[serde(default)]
    pub root_keys_in_change: Vec<RootKey>,
    /// How many root keys there are.
    pub root_keys: u64,
    /// How many adapters there are.
    pub adapters: u64,
    /// How many client certificates there are.
    pub certificates: u64,
    /// How many managed objects there are, those destroyed included.
    pub keys: u64,
    /// The head of the custody log.
    pub custody: CustodyHead,
    /// How far the custody log is signed.
    pub signing: Signing,
    /// What the last scan of the wrapped keys in key managers found; absent where none lies there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_scan: Option<KeyScanSummary>,
    /// The live feeds of the custody log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<Feed>,
    /// The last comparison of the keys' rows with the custody log; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_comparison: Option<RowComparisonSummary>,
}

/// A live feed of the custody log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feed {
    /// Its name.
    pub name: String,
    /// The number of the first record of which it is not known that the receiver has it.
    pub next: u64,
    /// How many records there are from there on.
    pub behind: u64,
    /// Why it stands still; absent where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// The last comparison of the keys' rows with the custody log, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowComparisonSummary {
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// Rows that were compared.
    pub rows: u64,
    /// Rows that could not be judged.
    pub not_judged: u64,
    /// Keys whose row is not as the log says.
    pub wrong: u64,
}

/// `GET` and `POST /v1/custody/comparison`: the rows of all keys, compared with the custody log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowComparison {
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    pub began_at: OffsetDateTime,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// Records that were read.
    pub records: u64,
    /// Rows that were compared.
    pub rows: u64,
    /// Rows that could not be judged: their root key is closed, their seal is wrong, or no record says how they have to be.
    pub not_judged: u64,
    /// Keys whose row is not as the log says.
    pub wrong: u64,
    /// Those keys, up to a thousand.
    pub findings: Vec<WrongRow>,
}

/// `/v1/custody/epoch`: whether the server goes on with the custody log of its database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// Whether it does not: the log is not the one that was written last.
    pub held: bool,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How many records the log had when it was written last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_size: Option<u64>,
    /// The root over them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_root: Option<String>,
    /// The last checkpoint that was signed by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_checkpoint: Option<String>,
    /// How many records the database has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_size: Option<u64>,
    /// The root over them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found_root: Option<String>,
    /// Who has asked for a new epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<EpochAsked>,
}

/// That an administrator asked for a new epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochAsked {
    /// The user.
    pub by: String,
    /// The user's number.
    pub uid: u32,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Why.
    pub reason: String,
}

/// `POST /v1/custody/epoch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenEpoch {
    /// Why the log is to go on from what the database has.
    pub reason: String,
}

/// A key whose row is not as the custody log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongRow {
    /// Its adapter, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<Uuid>,
    /// The key.
    pub key: Uuid,
    /// What is wrong, in words.
    pub what: String,
}

/// How far the custody log is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signing {
    /// What checkpoints are verified with, NAME+HASH+KEY; absent where nothing signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How many records the latest checkpoint covers.
    pub size: u64,
    /// When it was signed; absent where there is none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub signed_at: Option<OffsetDateTime>,
    /// How many records are under no checkpoint yet.
    pub lag: u64,
    /// Why the last attempt made none; absent where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Since when none could be made.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub failing_since: Option<OffsetDateTime>,
    /// The most records that enough witnesses have cosigned; absent where none have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosigned: Option<u64>,
    /// How each witness did when it was asked last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<Witness>,
}

/// How a witness did when it was asked last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The name of its key.
    pub name: String,
    /// Why it did not cosign; absent where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// The last scan of the wrapped keys in key managers, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyScanSummary {
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// Keys here of which the wrapped form lies in a key manager.
    pub keys: u64,
    /// Wrapped keys there that no key here has.
    pub only_there: u64,
    /// Keys that were deleted there, and are destroyed since this scan.
    pub destroyed: u64,
    /// What could not be found out.
    pub troubles: u64,
}

/// `GET` and `POST /v1/key-scan`: the wrapped keys in key managers, compared with the keys here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyScan {
    /// When the scan began.
    #[serde(with = "time::serde::rfc3339")]
    pub began_at: OffsetDateTime,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// How many wrapped keys lie in each key manager.
    pub there: BTreeMap<String, u64>,
    /// Keys here of which the wrapped form lies in one.
    pub keys: u64,
    /// Wrapped keys there that no key here has.
    pub only_there: Vec<KeptElsewhere>,
    /// Keys that were deleted there, and are destroyed since this scan.
    pub destroyed: Vec<KeyDeletedElsewhere>,
    /// What could not be found out, a sentence each.
    pub troubles: Vec<String>,
}

/// A wrapped key in a key manager that no key here has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptElsewhere {
    /// The key manager, by its name in the configuration.
    pub backend: String,
    /// What the key manager calls it by.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// The adapter that it was put there for, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<Uuid>,
    /// Since when it is there.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub created_at: Option<OffsetDateTime>,
}

/// A key that was deleted in a key manager, and is destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDeletedElsewhere {
    /// The key manager, by its name in the configuration.
    pub backend: String,
    /// What the key manager called it by.
    pub id: String,
    /// The adapter of the key.
    pub adapter: Uuid,
    /// The key's Unique Identifier.
    pub key: Uuid,
}

/// A root-key backend and how it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendStatus {
    /// The name that the configuration gives it.
    pub name: String,
    /// Whether a real wrap under each of its root keys succeeded, a moment ago or sooner.
    pub healthy: bool,
    /// What it says of itself: token label, serial number, model.
    pub facts: BTreeMap<String, String>,
    /// How often each step of healing was needed since the start; none where there is nothing that can be healed.
    pub healing: Option<Healing>,
}

/// Whether the server can do its work now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readiness {
    /// Whether keys can be made and released under each root key.
    pub ready: bool,
    /// Why not, a sentence each.
    pub problems: Vec<String>,
}

/// A customer root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKey {
    /// Its identifier.
    pub id: Uuid,
    /// Its name, which no other root key has.
    pub name: String,
    /// The backend that holds it.
    pub backend: String,
    /// What that is: `pkcs11` or `key-protect`.
    #[serde(default)]
    pub kind: String,
    /// The label of the token that it lives in; in a key manager the key ring, or empty.
    pub token_label: String,
    /// The serial number of that token; in a key manager the instance.
    pub token_serial: String,
    /// Its label on the token (`CKA_LABEL`), or its name in the key manager.
    pub label: String,
    /// Its version.
    pub version: u32,
    /// Its check value.
    pub check_value: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// How many adapters use it.
    pub adapters: u64,
    /// Its versions that are still known, the present one last.
    #[serde(default)]
    pub versions: Vec<RootKeyVersion>,
    /// `enabled`, `disabled`, `scheduled` for destruction, `destroying` or `destroyed`.
    #[serde(default)]
    pub state: String,
    /// How its present version came to be: `generated`, `imported` or `adopted`.
    #[serde(default)]
    pub origin: String,
    /// The destruction that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destruction: Option<Destruction>,
    /// Since when it is destroyed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub destroyed_at: Option<OffsetDateTime>,
    /// How the re-wrapping of its keys does; absent where no key waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<Rotation>,
    /// What depends on it; for one root key, not in a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependents: Option<Dependents>,
    /// Why a destruction that has begun is not at its end yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A destruction of a root key that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destruction {
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    pub requested_at: OffsetDateTime,
    /// Who asked for it.
    pub requested_by: String,
    /// The other administrator who approved of it; absent as long as nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// It is carried out at this time, or when it is approved, whichever is later.
    #[serde(with = "time::serde::rfc3339")]
    pub due_at: OffsetDateTime,
}

/// How the re-wrapping of keys under a root key does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Keys that are still to be wrapped anew.
    pub keys_left: u64,
    /// Keys that were since the job began.
    pub rewrapped: u64,
    /// Tries that failed since then; each is made again.
    pub failed: u64,
    /// Keys a second, rounded; absent before the first key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys_per_second: Option<u64>,
    /// How long it still takes at that rate, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
}

/// What depends on a root key, and is unreadable once it is destroyed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependents {
    /// The names of the adapters whose keys are made under it.
    pub adapters: Vec<String>,
    /// How many keys are under it, by their KMIP State.
    pub keys: BTreeMap<String, u64>,
}

/// `POST /v1/root-keys/{root key}/schedule-destruction`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleDestruction {
    /// How long to wait, in seconds; the configuration's `admin.destruction_waiting_time` where left out, and no less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_seconds: Option<u64>,
}

/// A version of a root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKeyVersion {
    /// Which version.
    pub version: u32,
    /// Its label on the token (`CKA_LABEL`).
    pub label: String,
    /// Its check value.
    pub check_value: String,
    /// When the next version took its place; absent for the present one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub superseded_at: Option<OffsetDateTime>,
    /// `present`, `kept`, `destroying` or `destroyed`.
    #[serde(default)]
    pub state: String,
    /// Since when it is destroyed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub destroyed_at: Option<OffsetDateTime>,
    /// `generated`, `imported` or `adopted`.
    #[serde(default)]
    pub origin: String,
    /// How many keys are wrapped under it. Those of an earlier version are what a rotation still has to do.
    pub keys: u64,
}

/// `POST /v1/root-keys`: makes a root key in a backend, or takes up one that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRootKey {
    /// 2 to 40 letters, digits, `-` and `_`; not a UUID; not taken.
    pub name: String,
    /// The backend; may be left out where the configuration has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The identifier or alias of a root key that is in a key manager already, which is taken up in place of making one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<String>,
}

/// `POST /v1/root-key-offers`: has a device make an RSA key, under which a root key can be brought there once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferImport {
    /// The name that the root key will have, as in [`NewRootKey`].
    pub name: String,
    /// The backend; may be left out where the configuration has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
}

/// What a root key is to be wrapped under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOffer {
    /// The name that the root key will have.
    pub name: String,
    /// The backend that made the key.
    pub backend: String,
    /// The RSA public key, as PEM.
    pub public_key: String,
}

/// `POST /v1/root-key-imports`: takes a root key in, as a new root key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportRootKey {
    /// The name that it was offered under.
    pub name: String,
    /// The backend; may be left out where the configuration has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    /// The AES-256 key under the RSA public key, by RSA-OAEP, in hexadecimal.
    pub wrapped: String,
}

/// One tenant of the KMIP endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adapter {
    /// Its identifier.
    pub id: Uuid,
    /// Its name, which no other adapter has.
    pub name: String,
    /// What the administrator wrote of it.
    pub description: String,
    /// The root key under which its keys are wrapped.
    pub root_key: RootKeyReference,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// How many client certificates it admits.
    pub certificates: u64,
    /// How many managed objects it has, those destroyed included.
    pub keys: u64,
    /// How the move of its keys to its root key does; absent where none has to be moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relocation: Option<Rotation>,
}

/// `POST /v1/adapters/{adapter}/move`: puts an adapter under another root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoveAdapter {
    /// The name or identifier of the root key.
    pub root_key: String,
}

/// A root key, as another resource names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKeyReference {
    /// Its identifier.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// `POST /v1/adapters`: makes an adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAdapter {
    /// 2 to 40 letters, digits, `-` and `_`; not a UUID; not taken.
    pub name: String,
    /// At most 240 characters.
    #[serde(default)]
    pub description: String,
    /// The name or identifier of a root key; may be left out where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_key: Option<String>,
}

/// A client certificate that an adapter admits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// SHA-256 of its DER.
    pub fingerprint: String,
    /// What the administrator calls it.
    pub name: String,
    /// The name of the adapter that it belongs to.
    pub adapter: String,
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// Its serial number.
    pub serial: String,
    /// It is valid from then on.
    #[serde(with = "time::serde::rfc3339")]
    pub not_before: OffsetDateTime,
    /// It is valid until then.
    #[serde(with = "time::serde::rfc3339")]
    pub not_after: OffsetDateTime,
    /// When it was added.
    #[serde(with = "time::serde::rfc3339")]
    pub added_at: OffsetDateTime,
}

/// `POST /v1/adapters/{adapter}/certificates`: admits a client certificate at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCertificate {
    /// What to call it; the subject's common name, or else the fingerprint's beginning, where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Exactly one certificate as PEM; anything that is not one is refused, a private key above all.
    pub pem: String,
}

/// A managed object of an adapter, without its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its KMIP Unique Identifier.
    pub id: Uuid,
    /// The name of its adapter.
    pub adapter: String,
    /// Its KMIP Object Type.
    pub object_type: String,
    /// Its KMIP State; absent for an object that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Its attributes as KMIP names them, in the readable form of each value.
    pub attributes: Vec<Attribute>,
    /// The root key under which it is wrapped; absent once it is destroyed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapped_under: Option<WrappedUnder>,
}

/// A KMIP attribute in readable form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What a key is wrapped under, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedUnder {
    /// The root key.
    pub root_key: RootKeyReference,
    /// The root key's version.
    pub version: u32,
    /// The wrap profile.
    pub profile: String,
}

/// `GET /v1/custody/head`: how long the custody log is, and the root of its tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyHead {
    /// The number of records.
    pub size: u64,
    /// The RFC 6962 root hash of the tree over them.
    pub root: String,
}

/// A record of the custody log, as it is stored.
///
/// `GET /v1/custody/records?from=0&limit=1000` lists them in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyRecord {
    /// Its place in the log; the first is 0.
    pub sequence: u64,
    /// The hash of its leaf, as it was stored beside it.
    pub leaf: String,
    /// Base64 of its exact stored bytes.
    pub bytes: String,
}

/// A checkpoint of the custody log, as it is stored.
///
/// `GET /v1/custody/checkpoints?from=0&limit=1000` lists them by size; `GET /v1/custody/checkpoint` gives the latest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustodyCheckpoint {
    /// How many records it covers.
    pub size: u64,
    /// When it was signed.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// The signed note.
    pub note: String,
}
