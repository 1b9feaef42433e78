//! Archive and Recover (KMIP 1.4, sections 4.22 and 4.23).

use super::UniqueIdentifier;
use crate::kmip::ttlv::structure_fields;

/// The object may be put where it cannot be used at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
}

/// The object that was archived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveResponse {
    /// Its Unique Identifier.
    pub unique_identifier: String,
}

/// Make an archived object usable again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoverRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
}

/// The object that is at hand again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverResponse {
    /// Its Unique Identifier.
    pub unique_identifier: String,
}

structure_fields!(ArchiveRequest<'a> { unique_identifier: UNIQUE_IDENTIFIER, });
structure_fields!(ArchiveResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
});
structure_fields!(RecoverRequest<'a> { unique_identifier: UNIQUE_IDENTIFIER, });
structure_fields!(RecoverResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
});
