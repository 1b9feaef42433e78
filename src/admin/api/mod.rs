//! The requests and replies of the administration interface, as both of its ends write and read them, a file a subject.
//!
//! Times are RFC 3339 in UTC, bytes are lower-case hexadecimal, identifiers are UUIDs with hyphens.
//! Unknown members of a request are refused; a reader of replies passes over members that it does not
//! know, so that an older command line can talk to a newer server.

mod adapter;
mod authority;
mod backup;
mod certificate;
mod credential;
mod custody;
mod key;
mod key_list;
mod key_scan;
mod pruning;
mod reply;
mod root_key;
mod status;
mod token;
mod unused;

pub use adapter::{Adapter, AdapterQuota, MoveAdapter, NewAdapter};
pub use authority::{Authority, NewAuthority};
pub use backup::LastBackup;
pub use certificate::{Certificate, NewCertificate};
pub use credential::{Credential, CredentialMade, CredentialPolicy, Credentials, NewCredential};
pub use custody::{
    CustodyCheckpoint, CustodyHead, CustodyRecord, Epoch, EpochAsked, OpenEpoch, RowComparison,
    WrongIdentity, WrongRow,
};
pub use key::{Attribute, Key, WrappedUnder};
pub use key_list::{KeyEnd, KeyList, KeyListResult, ListedKey, NewKeyList};
pub use key_scan::{KeptElsewhere, KeyDeletedElsewhere, KeyScan};
pub use pruning::{ArchiveNamed, Prune, Pruning, PruningAsked};
pub use reply::{ErrorBody, ErrorReply, List};
pub use root_key::{
    Dependents, Destruction, ImportOffer, ImportRootKey, NewRootKey, OfferImport, RootKey, RootKeyReference,
    RootKeyVersion, Rotation, ScheduleDestruction,
};
pub use status::{
    BackendStatus, Feed, KeyScanSummary, Readiness, RowComparisonSummary, Signing, Status, Witness,
};

pub use token::{NewToken, Token, TokenMade};
pub use unused::UnusedKey;

pub use crate::root_key::Healing;
