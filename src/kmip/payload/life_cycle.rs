//! Activate, Revoke and Destroy (KMIP 1.4, sections 4.19 to 4.21).

use super::UniqueIdentifier;
use crate::kmip::attribute::RevocationReason;
use crate::kmip::ttlv::{DateTime, structure_fields};

/// Make an object Active.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivateRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
}

/// The object that is Active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivateResponse {
    /// Its Unique Identifier.
    pub unique_identifier: String,
}

/// Make an object Deactivated or Compromised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
    /// Why.
    pub revocation_reason: RevocationReason,
    /// When it was compromised.
    pub compromise_occurrence_date: Option<DateTime>,
}

/// The object that was revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeResponse {
    /// Its Unique Identifier.
    pub unique_identifier: String,
}

/// Destroy the value of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DestroyRequest<'a> {
    /// Which object; absent means the one of the ID Placeholder.
    pub unique_identifier: Option<UniqueIdentifier<'a>>,
}

/// The object whose value was destroyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestroyResponse {
    /// Its Unique Identifier.
    pub unique_identifier: String,
}

structure_fields!(ActivateRequest<'a> { unique_identifier: UNIQUE_IDENTIFIER, });
structure_fields!(ActivateResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
});
structure_fields!(RevokeRequest<'a> {
    unique_identifier: UNIQUE_IDENTIFIER,
    revocation_reason: REVOCATION_REASON,
    compromise_occurrence_date: COMPROMISE_OCCURRENCE_DATE,
});
structure_fields!(RevokeResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
});
structure_fields!(DestroyRequest<'a> { unique_identifier: UNIQUE_IDENTIFIER, });
structure_fields!(DestroyResponse {
    unique_identifier: UNIQUE_IDENTIFIER,
});
