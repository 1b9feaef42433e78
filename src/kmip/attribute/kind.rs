//! The attributes of the specification, each with its tag and the type of its value.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::structure::{
    AlternativeName, ApplicationSpecificInformation, CryptographicDomainParameters, CryptographicParameters,
    Digest, KeyValueLocation, Link, Name, RevocationReason, RngParameters, RotateName, UsageLimits,
};
use super::{AttributeName, AttributeRules};
use crate::kmip::enumeration::{
    CertificateType, CryptographicAlgorithm, DigitalSignatureAlgorithm, KeyFormatType, NISTKeyType,
    ObjectType, OpaqueDataType, ProtectionLevel, State,
};
use crate::kmip::mask::{CryptographicUsageMask, ProtectionStorageMask};
use crate::kmip::output::ZeroizingOutput;
use crate::kmip::tag::{Tag, TagFacts};
use crate::kmip::ttlv::{
    self, Context, DateTime, DecodeError, Field, ItemType, Limits, Reader, Value, Writer,
};
use crate::kmip::version::{ProtocolVersion, V2_0};

macro_rules! attributes {
    ($($kind:ident($type:ty) = $tag:ident;)*) => {
        /// An attribute of the specification. The variants are in the order of section 3 of KMIP 1.4; what came later
        /// follows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[allow(non_camel_case_types, reason = "the names of the XML encoding")]
        #[allow(missing_docs, reason = "the names are the specification's, and section 3 has a page for each")]
        pub enum AttributeKind {
            $($kind,)*
        }

        impl AttributeKind {
            /// Every attribute, in the order of the variants.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The tag that its value has in 2.x, and that fields of the same meaning have in 1.x.
            pub const fn tag(self) -> Tag {
                match self {
                    $(Self::$kind => Tag::$tag,)*
                }
            }

            /// The type of its value.
            pub const fn item_type(self) -> ItemType {
                match self {
                    $(Self::$kind => <$type as Field<'static>>::ITEM_TYPE,)*
                }
            }
        }

        /// The value of an attribute. Types that this service has no use for (those of certificates) are kept as
        /// they came.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[allow(non_camel_case_types, reason = "the names of the XML encoding")]
        #[allow(missing_docs, reason = "the names are the specification's, and section 3 has a page for each")]
        pub enum AttributeValue {
            $($kind($type),)*
            /// A custom attribute (section 3.39), or one whose name the specification does not have.
            Other {
                /// The attribute's name.
                name: String,
                /// What it holds, of any type.
                value: Value,
            },
        }

        impl AttributeValue {
            /// Which attribute of the specification this is; `None` for others.
            pub const fn kind(&self) -> Option<AttributeKind> {
                match self {
                    $(Self::$kind(_) => Some(AttributeKind::$kind),)*
                    Self::Other { .. } => None,
                }
            }

            /// Reads the value of an attribute.
            pub(crate) fn read(
                reader: &mut Reader<'_, '_>,
                tag: Tag,
                kind: AttributeKind,
            ) -> Result<Self, DecodeError> {
                match kind {
                    $(AttributeKind::$kind => Field::read(reader, tag).map(Self::$kind),)*
                }
            }

            /// Writes the value.
            pub(crate) fn write(&self, writer: &mut Writer<'_>, tag: Tag) {
                match self {
                    $(Self::$kind(value) => value.write(writer, tag),)*
                    Self::Other { value, .. } => value.write(writer, tag),
                }
            }

            /// Whether a client of this version knows the attribute, and what it holds.
            pub fn is_known_in(&self, version: ProtocolVersion) -> bool {
                match self {
                    $(Self::$kind(value) => {
                        AttributeKind::$kind.is_known_in(version) && Field::is_known_in(value, version)
                    })*
                    Self::Other { .. } => true,
                }
            }
        }
    };
}

attributes! {
    UniqueIdentifier(String) = UNIQUE_IDENTIFIER;
    Name(Name) = NAME;
    ObjectType(ObjectType) = OBJECT_TYPE;
    CryptographicAlgorithm(CryptographicAlgorithm) = CRYPTOGRAPHIC_ALGORITHM;
    CryptographicLength(i32) = CRYPTOGRAPHIC_LENGTH;
    CryptographicParameters(Box<CryptographicParameters>) = CRYPTOGRAPHIC_PARAMETERS;
    CryptographicDomainParameters(CryptographicDomainParameters) = CRYPTOGRAPHIC_DOMAIN_PARAMETERS;
    CertificateType(CertificateType) = CERTIFICATE_TYPE;
    CertificateLength(i32) = CERTIFICATE_LENGTH;
    X_509CertificateIdentifier(Value) = X_509_CERTIFICATE_IDENTIFIER;
    X_509CertificateSubject(Value) = X_509_CERTIFICATE_SUBJECT;
    X_509CertificateIssuer(Value) = X_509_CERTIFICATE_ISSUER;
    CertificateIdentifier(Value) = CERTIFICATE_IDENTIFIER;
    CertificateSubject(Value) = CERTIFICATE_SUBJECT;
    CertificateIssuer(Value) = CERTIFICATE_ISSUER;
    DigitalSignatureAlgorithm(DigitalSignatureAlgorithm) = DIGITAL_SIGNATURE_ALGORITHM;
    Digest(Digest) = DIGEST;
    OperationPolicyName(String) = OPERATION_POLICY_NAME;
    CryptographicUsageMask(CryptographicUsageMask) = CRYPTOGRAPHIC_USAGE_MASK;
    LeaseTime(u32) = LEASE_TIME;
    UsageLimits(UsageLimits) = USAGE_LIMITS;
    State(State) = STATE;
    InitialDate(DateTime) = INITIAL_DATE;
    ActivationDate(DateTime) = ACTIVATION_DATE;
    ProcessStartDate(DateTime) = PROCESS_START_DATE;
    ProtectStopDate(DateTime) = PROTECT_STOP_DATE;
    DeactivationDate(DateTime) = DEACTIVATION_DATE;
    DestroyDate(DateTime) = DESTROY_DATE;
    CompromiseOccurrenceDate(DateTime) = COMPROMISE_OCCURRENCE_DATE;
    CompromiseDate(DateTime) = COMPROMISE_DATE;
    RevocationReason(RevocationReason) = REVOCATION_REASON;
    ArchiveDate(DateTime) = ARCHIVE_DATE;
    ObjectGroup(String) = OBJECT_GROUP;
    Fresh(bool) = FRESH;
    Link(Link) = LINK;
    ApplicationSpecificInformation(ApplicationSpecificInformation) = APPLICATION_SPECIFIC_INFORMATION;
    ContactInformation(String) = CONTACT_INFORMATION;
    LastChangeDate(DateTime) = LAST_CHANGE_DATE;
    AlternativeName(AlternativeName) = ALTERNATIVE_NAME;
    KeyValuePresent(bool) = KEY_VALUE_PRESENT;
    KeyValueLocation(KeyValueLocation) = KEY_VALUE_LOCATION;
    OriginalCreationDate(DateTime) = ORIGINAL_CREATION_DATE;
    RandomNumberGenerator(RngParameters) = RANDOM_NUMBER_GENERATOR;
    PKCS_12FriendlyName(String) = PKCS_12_FRIENDLY_NAME;
    Description(String) = DESCRIPTION;
    Comment(String) = COMMENT;
    Sensitive(bool) = SENSITIVE;
    AlwaysSensitive(bool) = ALWAYS_SENSITIVE;
    Extractable(bool) = EXTRACTABLE;
    NeverExtractable(bool) = NEVER_EXTRACTABLE;
    KeyFormatType(KeyFormatType) = KEY_FORMAT_TYPE;
    NISTKeyType(NISTKeyType) = NIST_KEY_TYPE;
    OpaqueDataType(OpaqueDataType) = OPAQUE_DATA_TYPE;
    ProtectionLevel(ProtectionLevel) = PROTECTION_LEVEL;
    ProtectionPeriod(u32) = PROTECTION_PERIOD;
    ProtectionStorageMask(ProtectionStorageMask) = PROTECTION_STORAGE_MASK;
    QuantumSafe(bool) = QUANTUM_SAFE;
    ShortUniqueIdentifier(Vec<u8>) = SHORT_UNIQUE_IDENTIFIER;
    RotateAutomatic(bool) = ROTATE_AUTOMATIC;
    RotateDate(DateTime) = ROTATE_DATE;
    RotateGeneration(i32) = ROTATE_GENERATION;
    RotateInterval(u32) = ROTATE_INTERVAL;
    RotateLatest(bool) = ROTATE_LATEST;
    RotateName(RotateName) = ROTATE_NAME;
    RotateOffset(u32) = ROTATE_OFFSET;
    CertificateSubjectCN(String) = CERTIFICATE_SUBJECT_CN;
    CertificateSubjectO(String) = CERTIFICATE_SUBJECT_O;
    CertificateSubjectOU(String) = CERTIFICATE_SUBJECT_OU;
    CertificateSubjectEmail(String) = CERTIFICATE_SUBJECT_EMAIL;
    CertificateSubjectC(String) = CERTIFICATE_SUBJECT_C;
    CertificateSubjectST(String) = CERTIFICATE_SUBJECT_ST;
    CertificateSubjectL(String) = CERTIFICATE_SUBJECT_L;
    CertificateSubjectUID(String) = CERTIFICATE_SUBJECT_UID;
    CertificateSubjectSerialNumber(String) = CERTIFICATE_SUBJECT_SERIAL_NUMBER;
    CertificateSubjectTitle(String) = CERTIFICATE_SUBJECT_TITLE;
    CertificateSubjectDC(String) = CERTIFICATE_SUBJECT_DC;
    CertificateSubjectDNQualifier(String) = CERTIFICATE_SUBJECT_DN_QUALIFIER;
    CertificateIssuerCN(String) = CERTIFICATE_ISSUER_CN;
    CertificateIssuerO(String) = CERTIFICATE_ISSUER_O;
    CertificateIssuerOU(String) = CERTIFICATE_ISSUER_OU;
    CertificateIssuerEmail(String) = CERTIFICATE_ISSUER_EMAIL;
    CertificateIssuerC(String) = CERTIFICATE_ISSUER_C;
    CertificateIssuerST(String) = CERTIFICATE_ISSUER_ST;
    CertificateIssuerL(String) = CERTIFICATE_ISSUER_L;
    CertificateIssuerUID(String) = CERTIFICATE_ISSUER_UID;
    CertificateIssuerSerialNumber(String) = CERTIFICATE_ISSUER_SERIAL_NUMBER;
    CertificateIssuerTitle(String) = CERTIFICATE_ISSUER_TITLE;
    CertificateIssuerDC(String) = CERTIFICATE_ISSUER_DC;
    CertificateIssuerDNQualifier(String) = CERTIFICATE_ISSUER_DN_QUALIFIER;
}

impl AttributeKind {
    fn tag_facts(self) -> &'static TagFacts {
        self.tag()
            .facts()
            .expect("every attribute's tag is in the table of tags")
    }

    /// The name as the specification and 1.x messages write it: `Cryptographic Algorithm`.
    pub fn text(self) -> &'static str {
        self.tag_facts().text
    }

    /// The attribute of a name as 1.x messages write it. Letters count as they are written.
    pub fn from_text(text: &str) -> Option<Self> {
        static BY_TEXT: LazyLock<HashMap<&'static str, AttributeKind>> = LazyLock::new(|| {
            AttributeKind::ALL
                .iter()
                .map(|kind| (kind.text(), *kind))
                .collect()
        });
        BY_TEXT.get(text).copied()
    }

    /// The attribute of a tag.
    pub fn from_tag(tag: Tag) -> Option<Self> {
        static BY_TAG: LazyLock<HashMap<Tag, AttributeKind>> = LazyLock::new(|| {
            AttributeKind::ALL
                .iter()
                .map(|kind| (kind.tag(), *kind))
                .collect()
        });
        BY_TAG.get(&tag).copied()
    }

    /// The version that the attribute came with.
    pub fn since(self) -> ProtocolVersion {
        match self {
            // The tags are those of fields that are older than the attributes.
            Self::KeyFormatType | Self::OpaqueDataType => V2_0,
            _ => self.tag_facts().since,
        }
    }

    /// The version from which on the attribute is no more.
    pub fn until(self) -> Option<ProtocolVersion> {
        matches!(
            self,
            Self::OperationPolicyName
                | Self::CertificateIdentifier
                | Self::CertificateSubject
                | Self::CertificateIssuer
        )
        .then_some(V2_0)
    }

    /// Whether a client of this version knows the attribute.
    pub fn is_known_in(self, version: ProtocolVersion) -> bool {
        self.since() <= version && self.until().is_none_or(|until| version < until)
    }

    /// What the specification lets be done with it.
    pub fn rules(self) -> &'static AttributeRules {
        super::rules::of(self)
    }
}

impl fmt::Display for AttributeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl AttributeValue {
    /// Which attribute this is.
    pub fn name(&self) -> AttributeName {
        match self {
            Self::Other { name, .. } => AttributeName::Other(name.clone()),
            known => AttributeName::Standard(known.kind().expect("all but `Other` have a kind")),
        }
    }

    /// The value as a tree of items.
    pub fn to_tree(&self) -> Value {
        if let Self::Other { value, .. } = self {
            return value.clone();
        }
        let mut encoded = ZeroizingOutput::new();
        self.write(
            &mut Writer::new(&mut encoded, ProtocolVersion::SUPPORTED[0]),
            Tag::ATTRIBUTE_VALUE,
        );
        let unbounded = Limits {
            message_size: usize::MAX,
            text_length: usize::MAX,
            ..Limits::default()
        };
        ttlv::decode(encoded.as_slice(), &unbounded)
            .expect("what was written can be read")
            .value
    }

    /// The value of an attribute of the specification, from a tree of items. Refused where it is of another type.
    pub fn from_tree(kind: AttributeKind, value: Value) -> Result<Self, DecodeError> {
        let mut encoded = ZeroizingOutput::new();
        ttlv::encode(&ttlv::Item::new(Tag::ATTRIBUTE_VALUE, value), &mut encoded);
        let context = Context::strict(Limits::default());
        let mut reader = Reader::new(encoded.as_slice(), &context)?;
        Self::read(&mut reader, Tag::ATTRIBUTE_VALUE, kind)
    }

    /// Which attribute this is, as 1.x writes it.
    pub fn name_text(&self) -> &str {
        match self {
            Self::Other { name, .. } => name,
            known => known.kind().expect("all but `Other` have a kind").text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_found_by_its_name_and_by_its_tag() {
        for kind in AttributeKind::ALL.iter().copied() {
            assert_eq!(AttributeKind::from_text(kind.text()), Some(kind));
            assert_eq!(AttributeKind::from_tag(kind.tag()), Some(kind));
        }
        assert_eq!(
            AttributeKind::from_text("PKCS#12 Friendly Name"),
            Some(AttributeKind::PKCS_12FriendlyName)
        );
        assert_eq!(AttributeKind::from_text("cryptographic algorithm"), None);
    }
}
