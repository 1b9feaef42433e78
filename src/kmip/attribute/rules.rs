//! What the specification lets client and server do with each attribute: the second table of each page of section 3
//! of KMIP 1.4 and, for what came later, of section 4 of KMIP 2.1; read together with those of 1.0 to 1.3, which differ only in operations that came later.

use super::AttributeKind;
use crate::kmip::enumeration::ObjectType;
use crate::kmip::enumeration::Operation::{
    self, Activate, AddAttribute, Archive, Certify, Create, CreateKeyPair, DeleteAttribute, DeriveKey,
    Destroy, GetUsageAllocation, ModifyAttribute, ReCertify, ReKey, ReKeyKeyPair, Recover, Register, Revoke,
};

/// Who sets an attribute that has no value yet ("Initially set by").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetBy {
    /// The client alone.
    Client,
    /// The server alone.
    Server,
    /// Either.
    ClientOrServer,
}

impl SetBy {
    /// Whether a client may set it, in the request that makes the object or with Add Attribute.
    pub const fn client(self) -> bool {
        matches!(self, Self::Client | Self::ClientOrServer)
    }
}

/// When something is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Never.
    Never,
    /// Always.
    Always,
    /// While the object is Pre-Active.
    WhilePreActive,
    /// While the object is Pre-Active or Active.
    WhilePreActiveOrActive,
    /// While the object is Pre-Active or Active, and the date that the attribute holds has not come.
    UntilReached,
    /// As long as Get Usage Allocation was not performed. Of Usage Limits the client sets Total and Unit alone.
    UntilUsageAllocated,
    /// Where the client left Application Data out.
    IfApplicationDataOmitted,
    /// Where the attribute has no value.
    IfAbsent,
}

/// A set of object types ("Applies to Object Types").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectTypes(u16);

impl ObjectTypes {
    const CERTIFICATE: u16 = 1 << 1;
    const SYMMETRIC: u16 = 1 << 2;
    const PUBLIC: u16 = 1 << 3;
    const PRIVATE: u16 = 1 << 4;
    const SPLIT: u16 = 1 << 5;
    const TEMPLATE_BIT: u16 = 1 << 6;
    const SECRET: u16 = 1 << 7;
    const OPAQUE_BIT: u16 = 1 << 8;
    const PGP: u16 = 1 << 9;

    const ALL: Self = Self(0x3FE);
    const KEYS: Self = Self(Self::SYMMETRIC | Self::PUBLIC | Self::PRIVATE | Self::SPLIT | Self::PGP);
    const ASYMMETRIC: Self = Self(Self::PUBLIC | Self::PRIVATE);
    const SYMMETRIC_OR_SPLIT: Self = Self(Self::SYMMETRIC | Self::SPLIT);
    const CERTIFICATES: Self = Self(Self::CERTIFICATE);
    const TEMPLATE: Self = Self(Self::TEMPLATE_BIT);
    const OPAQUE: Self = Self(Self::OPAQUE_BIT);
    const CRYPTOGRAPHIC: Self = Self(Self::KEYS.0 | Self::CERTIFICATE | Self::SECRET);
    const WITH_KEY_VALUE: Self = Self(Self::SYMMETRIC | Self::PRIVATE | Self::SPLIT | Self::SECRET);

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether objects of this type can have the attribute. Extensions are in no set.
    pub fn contains(self, object_type: ObjectType) -> bool {
        let number = u32::from(object_type);
        number < 16 && self.0 >> number & 1 == 1
    }
}

/// What the specification says of one attribute.
#[derive(Debug)]
pub struct AttributeRules {
    /// Whether every object that can have the attribute has it, from its making until it is destroyed.
    pub always_has_value: bool,
    /// Who sets it first.
    pub initially_set_by: SetBy,
    /// When the server may change it unasked.
    pub modifiable_by_server: Permission,
    /// When a client may change it.
    pub modifiable_by_client: Permission,
    /// When a client may delete an instance.
    pub deletable_by_client: Permission,
    /// Whether an object can have several instances.
    pub multiple_instances: bool,
    /// The operations that may set it though they do not name it.
    pub implicitly_set_by: &'static [Operation],
    /// The objects that can have it.
    pub applies_to: ObjectTypes,
}

impl AttributeRules {
    /// Whether neither client nor server may change the attribute once it is set.
    pub fn is_read_only(&self) -> bool {
        self.modifiable_by_client == Permission::Never && self.modifiable_by_server == Permission::Never
    }
}

/// Operations that make an object.
const MAKING: &[Operation] = &[
    Create,
    CreateKeyPair,
    Register,
    DeriveKey,
    Certify,
    ReCertify,
    ReKey,
    ReKeyKeyPair,
];
/// Operations that make an object by replacing another.
const REPLACING: &[Operation] = &[ReKey, ReKeyKeyPair, ReCertify];
/// Operations that bring a certificate.
const CERTIFYING: &[Operation] = &[Register, Certify, ReCertify];
/// Operations that make a symmetric key.
const MAKING_SYMMETRIC: &[Operation] = &[Create, Register, DeriveKey, ReKey];
/// Operations that generate key material.
const GENERATING: &[Operation] = &[Create, CreateKeyPair, DeriveKey, ReKey, ReKeyKeyPair];

macro_rules! rules {
    ($always:literal, $set_by:ident, $server:ident, $client:ident, $delete:ident, $multiple:literal, $implicit:expr, $applies:expr) => {
        AttributeRules {
            always_has_value: $always,
            initially_set_by: SetBy::$set_by,
            modifiable_by_server: Permission::$server,
            modifiable_by_client: Permission::$client,
            deletable_by_client: Permission::$delete,
            multiple_instances: $multiple,
            implicitly_set_by: $implicit,
            applies_to: $applies,
        }
    };
}

/// Custom attributes that clients make.
pub(super) static CLIENT_CUSTOM: AttributeRules =
    rules!(false, Client, Never, Always, Always, true, &[], ObjectTypes::ALL);

/// Custom attributes that the server makes.
pub(super) static SERVER_CUSTOM: AttributeRules = rules!(
    false,
    Server,
    Always,
    Never,
    Never,
    true,
    &[
        Create,
        CreateKeyPair,
        Register,
        DeriveKey,
        Activate,
        Revoke,
        Destroy,
        Certify,
        ReCertify,
        ReKey,
        ReKeyKeyPair
    ],
    ObjectTypes::ALL
);

/// The rules of an attribute.
#[allow(clippy::match_same_arms, clippy::too_many_lines, reason = "a table, one row an attribute, in the order of section 3")]
#[rustfmt::skip]
pub(super) fn of(kind: AttributeKind) -> &'static AttributeRules {
    use AttributeKind as Kind;
    const T: ObjectTypes = ObjectTypes::TEMPLATE;
    const ALL: ObjectTypes = ObjectTypes::ALL;
    const CRYPTOGRAPHIC: ObjectTypes = ObjectTypes::CRYPTOGRAPHIC;
    const CRYPTOGRAPHIC_OPAQUE: ObjectTypes = CRYPTOGRAPHIC.and(ObjectTypes::OPAQUE);
    const KEYS_CERTIFICATES: ObjectTypes = ObjectTypes::KEYS.and(ObjectTypes::CERTIFICATES).and(T);
    const CERTIFICATES: ObjectTypes = ObjectTypes::CERTIFICATES;

    macro_rules! row {
        ($($rule:tt)*) => {{ static RULES: AttributeRules = rules!($($rule)*); &RULES }};
    }
    //                                   always has a value, set by, modifiable by server, by client, deletable, multiple instances
    match kind {
        Kind::UniqueIdentifier => row!(true, Server, Never, Never, Never, false, MAKING, ALL),
        Kind::Name => row!(false, Client, Always, Always, Always, true, REPLACING, ALL),
        Kind::ObjectType => row!(true, Server, Never, Never, Never, false, MAKING, ALL),
        Kind::CryptographicAlgorithm
        | Kind::CryptographicLength => row!(true, Server, Never, Never, Never, false, MAKING, KEYS_CERTIFICATES),
        Kind::CryptographicParameters => row!(false, Client, Never, Always, Always, true, REPLACING, KEYS_CERTIFICATES),
        Kind::CryptographicDomainParameters => row!(false, Client, Never, Never, Never, false, &[ReKey, ReKeyKeyPair], ObjectTypes::ASYMMETRIC.and(T)),
        Kind::CertificateType
        | Kind::CertificateLength
        | Kind::X_509CertificateIdentifier
        | Kind::X_509CertificateSubject
        | Kind::X_509CertificateIssuer
        | Kind::CertificateIdentifier
        | Kind::CertificateSubject
        | Kind::CertificateIssuer => row!(true, Server, Never, Never, Never, false, CERTIFYING, CERTIFICATES),
        // Several instances only on PGP keys, which this table does not tell apart.
        Kind::DigitalSignatureAlgorithm => row!(true, Server, Never, Never, Never, true, CERTIFYING, CERTIFICATES.and(ObjectTypes(ObjectTypes::PGP))),
        // Always, where the server has the value to hash.
        Kind::Digest => row!(true, Server, Never, Never, Never, true, MAKING, CRYPTOGRAPHIC_OPAQUE),
        Kind::OperationPolicyName => row!(false, ClientOrServer, Always, Never, Never, false, MAKING, ALL),
        Kind::CryptographicUsageMask => row!(true, ClientOrServer, Always, Never, Never, false, MAKING, CRYPTOGRAPHIC.and(T)),
        Kind::LeaseTime => row!(false, Server, Always, Never, Never, false, MAKING, CRYPTOGRAPHIC),
        Kind::UsageLimits => row!(false, ClientOrServer, Always, UntilUsageAllocated, UntilUsageAllocated, false,
            &[Create, CreateKeyPair, Register, DeriveKey, ReKey, ReKeyKeyPair, GetUsageAllocation], ObjectTypes::KEYS.and(T)),
        // Changed by the server alone, when a client asks for it with Activate, Revoke or Destroy.
        Kind::State => row!(true, Server, Always, Never, Never, false,
            &[Create, CreateKeyPair, Register, DeriveKey, Activate, Revoke, Destroy, Certify, ReCertify, ReKey, ReKeyKeyPair], CRYPTOGRAPHIC),
        Kind::InitialDate => row!(true, Server, Never, Never, Never, false, MAKING, ALL),
        Kind::ActivationDate => row!(false, ClientOrServer, WhilePreActive, WhilePreActive, Never, false,
            &[Create, CreateKeyPair, Register, DeriveKey, Activate, Certify, ReCertify, ReKey, ReKeyKeyPair], CRYPTOGRAPHIC.and(T)),
        Kind::ProcessStartDate
        | Kind::ProtectStopDate => row!(false, ClientOrServer, UntilReached, UntilReached, Never, false, MAKING_SYMMETRIC, ObjectTypes::SYMMETRIC_OR_SPLIT.and(T)),
        Kind::DeactivationDate => row!(false, ClientOrServer, WhilePreActiveOrActive, WhilePreActiveOrActive, Never, false,
            &[Create, CreateKeyPair, Register, DeriveKey, Revoke, Certify, ReCertify, ReKey, ReKeyKeyPair], CRYPTOGRAPHIC.and(T)),
        Kind::DestroyDate => row!(false, Server, Never, Never, Never, false, &[Destroy], CRYPTOGRAPHIC_OPAQUE),
        Kind::CompromiseOccurrenceDate
        | Kind::CompromiseDate => row!(false, Server, Never, Never, Never, false, &[Revoke], CRYPTOGRAPHIC_OPAQUE),
        Kind::RevocationReason => row!(false, Server, Always, Never, Never, false, &[Revoke], CRYPTOGRAPHIC_OPAQUE),
        Kind::ArchiveDate => row!(false, Server, Never, Never, Never, false, &[Archive], ALL),
        Kind::ObjectGroup => row!(false, ClientOrServer, Always, Always, Always, true, MAKING, ALL),
        Kind::Fresh => row!(false, ClientOrServer, Always, Never, Never, false, MAKING, CRYPTOGRAPHIC),
        Kind::Link => row!(false, ClientOrServer, Always, Always, Always, true,
            &[CreateKeyPair, DeriveKey, Certify, ReCertify, ReKey, ReKeyKeyPair], CRYPTOGRAPHIC),
        Kind::ApplicationSpecificInformation => row!(false, ClientOrServer, IfApplicationDataOmitted, Always, Always, true, REPLACING, ALL),
        Kind::ContactInformation => row!(false, ClientOrServer, Always, Always, Always, false, MAKING, ALL),
        Kind::LastChangeDate => row!(true, Server, Always, Never, Never, false,
            &[Create, CreateKeyPair, Register, DeriveKey, Activate, Revoke, Destroy, Archive, Recover, Certify, ReCertify, ReKey, ReKeyKeyPair,
              AddAttribute, ModifyAttribute, DeleteAttribute, GetUsageAllocation], ALL),
        Kind::AlternativeName => row!(false, Client, IfAbsent, Always, Always, true, &[], ALL),
        Kind::KeyValuePresent => row!(false, Server, Never, Never, Never, false, &[Register], ObjectTypes::WITH_KEY_VALUE),
        Kind::KeyValueLocation => row!(false, Client, Never, Always, Always, true, &[], ObjectTypes::WITH_KEY_VALUE),
        Kind::OriginalCreationDate => row!(false, ClientOrServer, Never, Never, Never, false, GENERATING, ALL),
        Kind::RandomNumberGenerator => row!(false, ClientOrServer, Never, Never, Never, false, GENERATING, CRYPTOGRAPHIC),
        Kind::PKCS_12FriendlyName => row!(false, ClientOrServer, Never, Always, Always, false, &[], CRYPTOGRAPHIC),
        Kind::Description
        | Kind::Comment => row!(false, ClientOrServer, Always, Always, Always, false, &[], ALL),
        Kind::Sensitive
        | Kind::Extractable => row!(true, ClientOrServer, Always, Always, Never, false, MAKING, ALL),
        Kind::AlwaysSensitive
        | Kind::NeverExtractable => row!(true, Server, Always, Never, Never, false, MAKING, ALL),
        Kind::KeyFormatType
        | Kind::ProtectionStorageMask
        | Kind::ShortUniqueIdentifier => row!(true, Server, Never, Never, Never, false, MAKING, ALL),
        Kind::OpaqueDataType => row!(true, Server, Never, Never, Never, false, &[Register], ObjectTypes::OPAQUE),
        Kind::NISTKeyType => row!(false, Client, Never, Never, Never, true, &[], ALL),
        Kind::ProtectionLevel
        | Kind::ProtectionPeriod
        | Kind::QuantumSafe
        | Kind::RotateName => row!(false, Client, Never, Always, Always, false, &[], ALL),
        Kind::RotateAutomatic
        | Kind::RotateInterval
        | Kind::RotateOffset => row!(false, ClientOrServer, Always, Never, Never, false, &[], ALL),
        Kind::RotateDate
        | Kind::RotateGeneration => row!(false, Server, Never, Never, Never, false, REPLACING, ALL),
        Kind::RotateLatest => row!(false, Server, Always, Never, Never, false, REPLACING, ALL),
        Kind::CertificateSubjectCN
        | Kind::CertificateSubjectO
        | Kind::CertificateSubjectOU
        | Kind::CertificateSubjectEmail
        | Kind::CertificateSubjectC
        | Kind::CertificateSubjectST
        | Kind::CertificateSubjectL
        | Kind::CertificateSubjectUID
        | Kind::CertificateSubjectSerialNumber
        | Kind::CertificateSubjectTitle
        | Kind::CertificateSubjectDC
        | Kind::CertificateSubjectDNQualifier
        | Kind::CertificateIssuerCN
        | Kind::CertificateIssuerO
        | Kind::CertificateIssuerOU
        | Kind::CertificateIssuerEmail
        | Kind::CertificateIssuerC
        | Kind::CertificateIssuerST
        | Kind::CertificateIssuerL
        | Kind::CertificateIssuerUID
        | Kind::CertificateIssuerSerialNumber
        | Kind::CertificateIssuerTitle
        | Kind::CertificateIssuerDC
        | Kind::CertificateIssuerDNQualifier => row!(false, Server, Never, Never, Never, true, CERTIFYING, CERTIFICATES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmip::attribute::AttributeName;

    #[test]
    fn a_client_cannot_set_what_the_server_alone_sets() {
        for kind in AttributeKind::ALL.iter().copied() {
            let rules = kind.rules();
            if !rules.initially_set_by.client() {
                assert_eq!(rules.modifiable_by_client, Permission::Never, "{kind}");
                assert_eq!(rules.deletable_by_client, Permission::Never, "{kind}");
            }
        }
    }

    #[test]
    fn custom_attributes_are_known_by_their_prefix() {
        let of = |name: &str| AttributeName::from_text(name).rules();
        assert!(of("x-Product").is_some_and(|rules| rules.initially_set_by == SetBy::Client));
        assert!(of("y-Origin").is_some_and(|rules| rules.initially_set_by == SetBy::Server));
        assert!(of("Product").is_none());
    }

    #[test]
    fn a_key_cannot_have_attributes_of_certificates() {
        let certificate = AttributeKind::CertificateLength.rules().applies_to;
        assert!(certificate.contains(ObjectType::Certificate));
        assert!(!certificate.contains(ObjectType::SymmetricKey));
        let mask = AttributeKind::CryptographicUsageMask.rules().applies_to;
        assert!(mask.contains(ObjectType::SymmetricKey) && mask.contains(ObjectType::Template));
        assert!(!mask.contains(ObjectType::OpaqueObject) && !mask.contains(ObjectType::from(0x8000_0002)));
    }
}
