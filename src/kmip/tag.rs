//! The tags of KMIP 1.0 to 2.1 (KMIP 1.4, section 9.1.3.1; KMIP 2.1, section 11.56).
//!
//! Long because the protocol's table is: one line a tag, in the order of the numbers.

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::version::{ProtocolVersion, V1_0, V1_1, V1_2, V1_3, V1_4, V2_0, V2_1};

/// The three-byte number that says what an item is.
///
/// Numbers that the table does not name are representable: extensions (`0x54XXXX`), and tags of later versions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(u32);

/// What the specification says of one tag.
#[derive(Clone, Copy, Debug)]
pub struct TagFacts {
    /// The tag.
    pub tag: Tag,
    /// The name without spaces that the XML and JSON encodings use: `UniqueIdentifier`.
    pub name: &'static str,
    /// The name as the specification writes it: `Unique Identifier`.
    pub text: &'static str,
    /// The version that the tag came with.
    pub since: ProtocolVersion,
}

impl Tag {
    /// The tag of a number. Only the low 24 bits are kept.
    pub const fn new(number: u32) -> Self {
        Self(number & 0x00FF_FFFF)
    }

    /// The tag's number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The tag of the three bytes that start an item.
    pub const fn from_bytes(bytes: [u8; 3]) -> Self {
        Self(u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]))
    }

    /// The three bytes that start an item of this tag.
    pub const fn to_bytes(self) -> [u8; 3] {
        let [_, a, b, c] = self.0.to_be_bytes();
        [a, b, c]
    }

    /// Whether the number is of the range for extensions, `0x540000` to `0x54FFFF`.
    pub const fn is_extension(self) -> bool {
        self.0 >> 16 == 0x54
    }

    /// Whether the first byte is one that the protocol allows: `42` or `54` (section 9.1.1.1).
    pub const fn is_allowed(self) -> bool {
        matches!(self.0 >> 16, 0x42 | 0x54)
    }

    /// What the specification says of this tag; `None` where the tables lack it.
    pub fn facts(self) -> Option<&'static TagFacts> {
        // The numbers of 1.x have no gap (a test keeps that), so that the place in the table follows from the number.
        let place = self.0.checked_sub(TAGS[0].tag.0)? as usize;
        if let Some(facts) = TAGS.get(place).filter(|facts| facts.tag == self) {
            return Some(facts);
        }
        let place = TAGS.binary_search_by_key(&self, |facts| facts.tag).ok()?;
        Some(&TAGS[place])
    }

    /// The name without spaces, `UniqueIdentifier`.
    pub fn name(self) -> Option<&'static str> {
        self.facts().map(|facts| facts.name)
    }

    /// The tag of a name without spaces. Letters count as they are written.
    pub fn from_name(name: &str) -> Option<Self> {
        static BY_NAME: LazyLock<HashMap<&'static str, Tag>> =
            LazyLock::new(|| TAGS.iter().map(|facts| (facts.name, facts.tag)).collect());
        BY_NAME.get(name).copied()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.facts() {
            Some(facts) => f.write_str(facts.text),
            None => write!(f, "0x{:06X}", self.0),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Tag(0x{:06X})", self.0),
        }
    }
}

macro_rules! tags {
    ($($constant:ident = $number:literal, $name:literal, $text:literal, $since:ident;)*) => {
        impl Tag {
            $(
                #[doc = concat!("`", stringify!($number), "`, ", $text, ".")]
                pub const $constant: Self = Self($number);
            )*
        }

        /// Every tag of KMIP 1.0 to 2.1, in the order of the numbers.
        pub static TAGS: &[TagFacts] = &[
            $(TagFacts { tag: Tag::$constant, name: $name, text: $text, since: $since },)*
        ];
    };
}

tags! {
    ACTIVATION_DATE = 0x42_0001, "ActivationDate", "Activation Date", V1_0;
    APPLICATION_DATA = 0x42_0002, "ApplicationData", "Application Data", V1_0;
    APPLICATION_NAMESPACE = 0x42_0003, "ApplicationNamespace", "Application Namespace", V1_0;
    APPLICATION_SPECIFIC_INFORMATION = 0x42_0004, "ApplicationSpecificInformation", "Application Specific Information", V1_0;
    ARCHIVE_DATE = 0x42_0005, "ArchiveDate", "Archive Date", V1_0;
    ASYNCHRONOUS_CORRELATION_VALUE = 0x42_0006, "AsynchronousCorrelationValue", "Asynchronous Correlation Value", V1_0;
    ASYNCHRONOUS_INDICATOR = 0x42_0007, "AsynchronousIndicator", "Asynchronous Indicator", V1_0;
    ATTRIBUTE = 0x42_0008, "Attribute", "Attribute", V1_0;
    ATTRIBUTE_INDEX = 0x42_0009, "AttributeIndex", "Attribute Index", V1_0;
    ATTRIBUTE_NAME = 0x42_000A, "AttributeName", "Attribute Name", V1_0;
    ATTRIBUTE_VALUE = 0x42_000B, "AttributeValue", "Attribute Value", V1_0;
    AUTHENTICATION = 0x42_000C, "Authentication", "Authentication", V1_0;
    BATCH_COUNT = 0x42_000D, "BatchCount", "Batch Count", V1_0;
    BATCH_ERROR_CONTINUATION_OPTION = 0x42_000E, "BatchErrorContinuationOption", "Batch Error Continuation Option", V1_0;
    BATCH_ITEM = 0x42_000F, "BatchItem", "Batch Item", V1_0;
    BATCH_ORDER_OPTION = 0x42_0010, "BatchOrderOption", "Batch Order Option", V1_0;
    BLOCK_CIPHER_MODE = 0x42_0011, "BlockCipherMode", "Block Cipher Mode", V1_0;
    CANCELLATION_RESULT = 0x42_0012, "CancellationResult", "Cancellation Result", V1_0;
    CERTIFICATE = 0x42_0013, "Certificate", "Certificate", V1_0;
    CERTIFICATE_IDENTIFIER = 0x42_0014, "CertificateIdentifier", "Certificate Identifier", V1_0;
    CERTIFICATE_ISSUER = 0x42_0015, "CertificateIssuer", "Certificate Issuer", V1_0;
    CERTIFICATE_ISSUER_ALTERNATIVE_NAME = 0x42_0016, "CertificateIssuerAlternativeName", "Certificate Issuer Alternative Name", V1_0;
    CERTIFICATE_ISSUER_DISTINGUISHED_NAME = 0x42_0017, "CertificateIssuerDistinguishedName", "Certificate Issuer Distinguished Name", V1_0;
    CERTIFICATE_REQUEST = 0x42_0018, "CertificateRequest", "Certificate Request", V1_0;
    CERTIFICATE_REQUEST_TYPE = 0x42_0019, "CertificateRequestType", "Certificate Request Type", V1_0;
    CERTIFICATE_SUBJECT = 0x42_001A, "CertificateSubject", "Certificate Subject", V1_0;
    CERTIFICATE_SUBJECT_ALTERNATIVE_NAME = 0x42_001B, "CertificateSubjectAlternativeName", "Certificate Subject Alternative Name", V1_0;
    CERTIFICATE_SUBJECT_DISTINGUISHED_NAME = 0x42_001C, "CertificateSubjectDistinguishedName", "Certificate Subject Distinguished Name", V1_0;
    CERTIFICATE_TYPE = 0x42_001D, "CertificateType", "Certificate Type", V1_0;
    CERTIFICATE_VALUE = 0x42_001E, "CertificateValue", "Certificate Value", V1_0;
    COMMON_TEMPLATE_ATTRIBUTE = 0x42_001F, "CommonTemplateAttribute", "Common Template-Attribute", V1_0;
    COMPROMISE_DATE = 0x42_0020, "CompromiseDate", "Compromise Date", V1_0;
    COMPROMISE_OCCURRENCE_DATE = 0x42_0021, "CompromiseOccurrenceDate", "Compromise Occurrence Date", V1_0;
    CONTACT_INFORMATION = 0x42_0022, "ContactInformation", "Contact Information", V1_0;
    CREDENTIAL = 0x42_0023, "Credential", "Credential", V1_0;
    CREDENTIAL_TYPE = 0x42_0024, "CredentialType", "Credential Type", V1_0;
    CREDENTIAL_VALUE = 0x42_0025, "CredentialValue", "Credential Value", V1_0;
    CRITICALITY_INDICATOR = 0x42_0026, "CriticalityIndicator", "Criticality Indicator", V1_0;
    CRT_COEFFICIENT = 0x42_0027, "CRTCoefficient", "CRT Coefficient", V1_0;
    CRYPTOGRAPHIC_ALGORITHM = 0x42_0028, "CryptographicAlgorithm", "Cryptographic Algorithm", V1_0;
    CRYPTOGRAPHIC_DOMAIN_PARAMETERS = 0x42_0029, "CryptographicDomainParameters", "Cryptographic Domain Parameters", V1_0;
    CRYPTOGRAPHIC_LENGTH = 0x42_002A, "CryptographicLength", "Cryptographic Length", V1_0;
    CRYPTOGRAPHIC_PARAMETERS = 0x42_002B, "CryptographicParameters", "Cryptographic Parameters", V1_0;
    CRYPTOGRAPHIC_USAGE_MASK = 0x42_002C, "CryptographicUsageMask", "Cryptographic Usage Mask", V1_0;
    CUSTOM_ATTRIBUTE = 0x42_002D, "CustomAttribute", "Custom Attribute", V1_0;
    D = 0x42_002E, "D", "D", V1_0;
    DEACTIVATION_DATE = 0x42_002F, "DeactivationDate", "Deactivation Date", V1_0;
    DERIVATION_DATA = 0x42_0030, "DerivationData", "Derivation Data", V1_0;
    DERIVATION_METHOD = 0x42_0031, "DerivationMethod", "Derivation Method", V1_0;
    DERIVATION_PARAMETERS = 0x42_0032, "DerivationParameters", "Derivation Parameters", V1_0;
    DESTROY_DATE = 0x42_0033, "DestroyDate", "Destroy Date", V1_0;
    DIGEST = 0x42_0034, "Digest", "Digest", V1_0;
    DIGEST_VALUE = 0x42_0035, "DigestValue", "Digest Value", V1_0;
    ENCRYPTION_KEY_INFORMATION = 0x42_0036, "EncryptionKeyInformation", "Encryption Key Information", V1_0;
    G = 0x42_0037, "G", "G", V1_0;
    HASHING_ALGORITHM = 0x42_0038, "HashingAlgorithm", "Hashing Algorithm", V1_0;
    INITIAL_DATE = 0x42_0039, "InitialDate", "Initial Date", V1_0;
    INITIALIZATION_VECTOR = 0x42_003A, "InitializationVector", "Initialization Vector", V1_0;
    ISSUER = 0x42_003B, "Issuer", "Issuer", V1_0;
    ITERATION_COUNT = 0x42_003C, "IterationCount", "Iteration Count", V1_0;
    IV_COUNTER_NONCE = 0x42_003D, "IVCounterNonce", "IV/Counter/Nonce", V1_0;
    J = 0x42_003E, "J", "J", V1_0;
    KEY = 0x42_003F, "Key", "Key", V1_0;
    KEY_BLOCK = 0x42_0040, "KeyBlock", "Key Block", V1_0;
    KEY_COMPRESSION_TYPE = 0x42_0041, "KeyCompressionType", "Key Compression Type", V1_0;
    KEY_FORMAT_TYPE = 0x42_0042, "KeyFormatType", "Key Format Type", V1_0;
    KEY_MATERIAL = 0x42_0043, "KeyMaterial", "Key Material", V1_0;
    KEY_PART_IDENTIFIER = 0x42_0044, "KeyPartIdentifier", "Key Part Identifier", V1_0;
    KEY_VALUE = 0x42_0045, "KeyValue", "Key Value", V1_0;
    KEY_WRAPPING_DATA = 0x42_0046, "KeyWrappingData", "Key Wrapping Data", V1_0;
    KEY_WRAPPING_SPECIFICATION = 0x42_0047, "KeyWrappingSpecification", "Key Wrapping Specification", V1_0;
    LAST_CHANGE_DATE = 0x42_0048, "LastChangeDate", "Last Change Date", V1_0;
    LEASE_TIME = 0x42_0049, "LeaseTime", "Lease Time", V1_0;
    LINK = 0x42_004A, "Link", "Link", V1_0;
    LINK_TYPE = 0x42_004B, "LinkType", "Link Type", V1_0;
    LINKED_OBJECT_IDENTIFIER = 0x42_004C, "LinkedObjectIdentifier", "Linked Object Identifier", V1_0;
    MAC_SIGNATURE = 0x42_004D, "MACSignature", "MAC/Signature", V1_0;
    MAC_SIGNATURE_KEY_INFORMATION = 0x42_004E, "MACSignatureKeyInformation", "MAC/Signature Key Information", V1_0;
    MAXIMUM_ITEMS = 0x42_004F, "MaximumItems", "Maximum Items", V1_0;
    MAXIMUM_RESPONSE_SIZE = 0x42_0050, "MaximumResponseSize", "Maximum Response Size", V1_0;
    MESSAGE_EXTENSION = 0x42_0051, "MessageExtension", "Message Extension", V1_0;
    MODULUS = 0x42_0052, "Modulus", "Modulus", V1_0;
    NAME = 0x42_0053, "Name", "Name", V1_0;
    NAME_TYPE = 0x42_0054, "NameType", "Name Type", V1_0;
    NAME_VALUE = 0x42_0055, "NameValue", "Name Value", V1_0;
    OBJECT_GROUP = 0x42_0056, "ObjectGroup", "Object Group", V1_0;
    OBJECT_TYPE = 0x42_0057, "ObjectType", "Object Type", V1_0;
    OFFSET = 0x42_0058, "Offset", "Offset", V1_0;
    OPAQUE_DATA_TYPE = 0x42_0059, "OpaqueDataType", "Opaque Data Type", V1_0;
    OPAQUE_DATA_VALUE = 0x42_005A, "OpaqueDataValue", "Opaque Data Value", V1_0;
    OPAQUE_OBJECT = 0x42_005B, "OpaqueObject", "Opaque Object", V1_0;
    OPERATION = 0x42_005C, "Operation", "Operation", V1_0;
    OPERATION_POLICY_NAME = 0x42_005D, "OperationPolicyName", "Operation Policy Name", V1_0;
    P = 0x42_005E, "P", "P", V1_0;
    PADDING_METHOD = 0x42_005F, "PaddingMethod", "Padding Method", V1_0;
    PRIME_EXPONENT_P = 0x42_0060, "PrimeExponentP", "Prime Exponent P", V1_0;
    PRIME_EXPONENT_Q = 0x42_0061, "PrimeExponentQ", "Prime Exponent Q", V1_0;
    PRIME_FIELD_SIZE = 0x42_0062, "PrimeFieldSize", "Prime Field Size", V1_0;
    PRIVATE_EXPONENT = 0x42_0063, "PrivateExponent", "Private Exponent", V1_0;
    PRIVATE_KEY = 0x42_0064, "PrivateKey", "Private Key", V1_0;
    PRIVATE_KEY_TEMPLATE_ATTRIBUTE = 0x42_0065, "PrivateKeyTemplateAttribute", "Private Key Template-Attribute", V1_0;
    PRIVATE_KEY_UNIQUE_IDENTIFIER = 0x42_0066, "PrivateKeyUniqueIdentifier", "Private Key Unique Identifier", V1_0;
    PROCESS_START_DATE = 0x42_0067, "ProcessStartDate", "Process Start Date", V1_0;
    PROTECT_STOP_DATE = 0x42_0068, "ProtectStopDate", "Protect Stop Date", V1_0;
    PROTOCOL_VERSION = 0x42_0069, "ProtocolVersion", "Protocol Version", V1_0;
    PROTOCOL_VERSION_MAJOR = 0x42_006A, "ProtocolVersionMajor", "Protocol Version Major", V1_0;
    PROTOCOL_VERSION_MINOR = 0x42_006B, "ProtocolVersionMinor", "Protocol Version Minor", V1_0;
    PUBLIC_EXPONENT = 0x42_006C, "PublicExponent", "Public Exponent", V1_0;
    PUBLIC_KEY = 0x42_006D, "PublicKey", "Public Key", V1_0;
    PUBLIC_KEY_TEMPLATE_ATTRIBUTE = 0x42_006E, "PublicKeyTemplateAttribute", "Public Key Template-Attribute", V1_0;
    PUBLIC_KEY_UNIQUE_IDENTIFIER = 0x42_006F, "PublicKeyUniqueIdentifier", "Public Key Unique Identifier", V1_0;
    PUT_FUNCTION = 0x42_0070, "PutFunction", "Put Function", V1_0;
    Q = 0x42_0071, "Q", "Q", V1_0;
    Q_STRING = 0x42_0072, "QString", "Q String", V1_0;
    QLENGTH = 0x42_0073, "Qlength", "Qlength", V1_0;
    QUERY_FUNCTION = 0x42_0074, "QueryFunction", "Query Function", V1_0;
    RECOMMENDED_CURVE = 0x42_0075, "RecommendedCurve", "Recommended Curve", V1_0;
    REPLACED_UNIQUE_IDENTIFIER = 0x42_0076, "ReplacedUniqueIdentifier", "Replaced Unique Identifier", V1_0;
    REQUEST_HEADER = 0x42_0077, "RequestHeader", "Request Header", V1_0;
    REQUEST_MESSAGE = 0x42_0078, "RequestMessage", "Request Message", V1_0;
    REQUEST_PAYLOAD = 0x42_0079, "RequestPayload", "Request Payload", V1_0;
    RESPONSE_HEADER = 0x42_007A, "ResponseHeader", "Response Header", V1_0;
    RESPONSE_MESSAGE = 0x42_007B, "ResponseMessage", "Response Message", V1_0;
    RESPONSE_PAYLOAD = 0x42_007C, "ResponsePayload", "Response Payload", V1_0;
    RESULT_MESSAGE = 0x42_007D, "ResultMessage", "Result Message", V1_0;
    RESULT_REASON = 0x42_007E, "ResultReason", "Result Reason", V1_0;
    RESULT_STATUS = 0x42_007F, "ResultStatus", "Result Status", V1_0;
    REVOCATION_MESSAGE = 0x42_0080, "RevocationMessage", "Revocation Message", V1_0;
    REVOCATION_REASON = 0x42_0081, "RevocationReason", "Revocation Reason", V1_0;
    REVOCATION_REASON_CODE = 0x42_0082, "RevocationReasonCode", "Revocation Reason Code", V1_0;
    KEY_ROLE_TYPE = 0x42_0083, "KeyRoleType", "Key Role Type", V1_0;
    SALT = 0x42_0084, "Salt", "Salt", V1_0;
    SECRET_DATA = 0x42_0085, "SecretData", "Secret Data", V1_0;
    SECRET_DATA_TYPE = 0x42_0086, "SecretDataType", "Secret Data Type", V1_0;
    SERIAL_NUMBER = 0x42_0087, "SerialNumber", "Serial Number", V1_0;
    SERVER_INFORMATION = 0x42_0088, "ServerInformation", "Server Information", V1_0;
    SPLIT_KEY = 0x42_0089, "SplitKey", "Split Key", V1_0;
    SPLIT_KEY_METHOD = 0x42_008A, "SplitKeyMethod", "Split Key Method", V1_0;
    SPLIT_KEY_PARTS = 0x42_008B, "SplitKeyParts", "Split Key Parts", V1_0;
    SPLIT_KEY_THRESHOLD = 0x42_008C, "SplitKeyThreshold", "Split Key Threshold", V1_0;
    STATE = 0x42_008D, "State", "State", V1_0;
    STORAGE_STATUS_MASK = 0x42_008E, "StorageStatusMask", "Storage Status Mask", V1_0;
    SYMMETRIC_KEY = 0x42_008F, "SymmetricKey", "Symmetric Key", V1_0;
    TEMPLATE = 0x42_0090, "Template", "Template", V1_0;
    TEMPLATE_ATTRIBUTE = 0x42_0091, "TemplateAttribute", "Template-Attribute", V1_0;
    TIME_STAMP = 0x42_0092, "TimeStamp", "Time Stamp", V1_0;
    UNIQUE_BATCH_ITEM_ID = 0x42_0093, "UniqueBatchItemID", "Unique Batch Item ID", V1_0;
    UNIQUE_IDENTIFIER = 0x42_0094, "UniqueIdentifier", "Unique Identifier", V1_0;
    USAGE_LIMITS = 0x42_0095, "UsageLimits", "Usage Limits", V1_0;
    USAGE_LIMITS_COUNT = 0x42_0096, "UsageLimitsCount", "Usage Limits Count", V1_0;
    USAGE_LIMITS_TOTAL = 0x42_0097, "UsageLimitsTotal", "Usage Limits Total", V1_0;
    USAGE_LIMITS_UNIT = 0x42_0098, "UsageLimitsUnit", "Usage Limits Unit", V1_0;
    USERNAME = 0x42_0099, "Username", "Username", V1_0;
    VALIDITY_DATE = 0x42_009A, "ValidityDate", "Validity Date", V1_0;
    VALIDITY_INDICATOR = 0x42_009B, "ValidityIndicator", "Validity Indicator", V1_0;
    VENDOR_EXTENSION = 0x42_009C, "VendorExtension", "Vendor Extension", V1_0;
    VENDOR_IDENTIFICATION = 0x42_009D, "VendorIdentification", "Vendor Identification", V1_0;
    WRAPPING_METHOD = 0x42_009E, "WrappingMethod", "Wrapping Method", V1_0;
    X = 0x42_009F, "X", "X", V1_0;
    Y = 0x42_00A0, "Y", "Y", V1_0;
    PASSWORD = 0x42_00A1, "Password", "Password", V1_0;
    DEVICE_IDENTIFIER = 0x42_00A2, "DeviceIdentifier", "Device Identifier", V1_1;
    ENCODING_OPTION = 0x42_00A3, "EncodingOption", "Encoding Option", V1_1;
    EXTENSION_INFORMATION = 0x42_00A4, "ExtensionInformation", "Extension Information", V1_1;
    EXTENSION_NAME = 0x42_00A5, "ExtensionName", "Extension Name", V1_1;
    EXTENSION_TAG = 0x42_00A6, "ExtensionTag", "Extension Tag", V1_1;
    EXTENSION_TYPE = 0x42_00A7, "ExtensionType", "Extension Type", V1_1;
    FRESH = 0x42_00A8, "Fresh", "Fresh", V1_1;
    MACHINE_IDENTIFIER = 0x42_00A9, "MachineIdentifier", "Machine Identifier", V1_1;
    MEDIA_IDENTIFIER = 0x42_00AA, "MediaIdentifier", "Media Identifier", V1_1;
    NETWORK_IDENTIFIER = 0x42_00AB, "NetworkIdentifier", "Network Identifier", V1_1;
    OBJECT_GROUP_MEMBER = 0x42_00AC, "ObjectGroupMember", "Object Group Member", V1_1;
    CERTIFICATE_LENGTH = 0x42_00AD, "CertificateLength", "Certificate Length", V1_1;
    DIGITAL_SIGNATURE_ALGORITHM = 0x42_00AE, "DigitalSignatureAlgorithm", "Digital Signature Algorithm", V1_1;
    CERTIFICATE_SERIAL_NUMBER = 0x42_00AF, "CertificateSerialNumber", "Certificate Serial Number", V1_1;
    DEVICE_SERIAL_NUMBER = 0x42_00B0, "DeviceSerialNumber", "Device Serial Number", V1_1;
    ISSUER_ALTERNATIVE_NAME = 0x42_00B1, "IssuerAlternativeName", "Issuer Alternative Name", V1_1;
    ISSUER_DISTINGUISHED_NAME = 0x42_00B2, "IssuerDistinguishedName", "Issuer Distinguished Name", V1_1;
    SUBJECT_ALTERNATIVE_NAME = 0x42_00B3, "SubjectAlternativeName", "Subject Alternative Name", V1_1;
    SUBJECT_DISTINGUISHED_NAME = 0x42_00B4, "SubjectDistinguishedName", "Subject Distinguished Name", V1_1;
    X_509_CERTIFICATE_IDENTIFIER = 0x42_00B5, "X_509CertificateIdentifier", "X.509 Certificate Identifier", V1_1;
    X_509_CERTIFICATE_ISSUER = 0x42_00B6, "X_509CertificateIssuer", "X.509 Certificate Issuer", V1_1;
    X_509_CERTIFICATE_SUBJECT = 0x42_00B7, "X_509CertificateSubject", "X.509 Certificate Subject", V1_1;
    KEY_VALUE_LOCATION = 0x42_00B8, "KeyValueLocation", "Key Value Location", V1_2;
    KEY_VALUE_LOCATION_VALUE = 0x42_00B9, "KeyValueLocationValue", "Key Value Location Value", V1_2;
    KEY_VALUE_LOCATION_TYPE = 0x42_00BA, "KeyValueLocationType", "Key Value Location Type", V1_2;
    KEY_VALUE_PRESENT = 0x42_00BB, "KeyValuePresent", "Key Value Present", V1_2;
    ORIGINAL_CREATION_DATE = 0x42_00BC, "OriginalCreationDate", "Original Creation Date", V1_2;
    PGP_KEY = 0x42_00BD, "PGPKey", "PGP Key", V1_2;
    PGP_KEY_VERSION = 0x42_00BE, "PGPKeyVersion", "PGP Key Version", V1_2;
    ALTERNATIVE_NAME = 0x42_00BF, "AlternativeName", "Alternative Name", V1_2;
    ALTERNATIVE_NAME_VALUE = 0x42_00C0, "AlternativeNameValue", "Alternative Name Value", V1_2;
    ALTERNATIVE_NAME_TYPE = 0x42_00C1, "AlternativeNameType", "Alternative Name Type", V1_2;
    DATA = 0x42_00C2, "Data", "Data", V1_2;
    SIGNATURE_DATA = 0x42_00C3, "SignatureData", "Signature Data", V1_2;
    DATA_LENGTH = 0x42_00C4, "DataLength", "Data Length", V1_2;
    RANDOM_IV = 0x42_00C5, "RandomIV", "Random IV", V1_2;
    MAC_DATA = 0x42_00C6, "MACData", "MAC Data", V1_2;
    ATTESTATION_TYPE = 0x42_00C7, "AttestationType", "Attestation Type", V1_2;
    NONCE = 0x42_00C8, "Nonce", "Nonce", V1_2;
    NONCE_ID = 0x42_00C9, "NonceID", "Nonce ID", V1_2;
    NONCE_VALUE = 0x42_00CA, "NonceValue", "Nonce Value", V1_2;
    ATTESTATION_MEASUREMENT = 0x42_00CB, "AttestationMeasurement", "Attestation Measurement", V1_2;
    ATTESTATION_ASSERTION = 0x42_00CC, "AttestationAssertion", "Attestation Assertion", V1_2;
    IV_LENGTH = 0x42_00CD, "IVLength", "IV Length", V1_2;
    TAG_LENGTH = 0x42_00CE, "TagLength", "Tag Length", V1_2;
    FIXED_FIELD_LENGTH = 0x42_00CF, "FixedFieldLength", "Fixed Field Length", V1_2;
    COUNTER_LENGTH = 0x42_00D0, "CounterLength", "Counter Length", V1_2;
    INITIAL_COUNTER_VALUE = 0x42_00D1, "InitialCounterValue", "Initial Counter Value", V1_2;
    INVOCATION_FIELD_LENGTH = 0x42_00D2, "InvocationFieldLength", "Invocation Field Length", V1_2;
    ATTESTATION_CAPABLE_INDICATOR = 0x42_00D3, "AttestationCapableIndicator", "Attestation Capable Indicator", V1_2;
    OFFSET_ITEMS = 0x42_00D4, "OffsetItems", "Offset Items", V1_3;
    LOCATED_ITEMS = 0x42_00D5, "LocatedItems", "Located Items", V1_3;
    CORRELATION_VALUE = 0x42_00D6, "CorrelationValue", "Correlation Value", V1_3;
    INIT_INDICATOR = 0x42_00D7, "InitIndicator", "Init Indicator", V1_3;
    FINAL_INDICATOR = 0x42_00D8, "FinalIndicator", "Final Indicator", V1_3;
    RNG_PARAMETERS = 0x42_00D9, "RNGParameters", "RNG Parameters", V1_3;
    RNG_ALGORITHM = 0x42_00DA, "RNGAlgorithm", "RNG Algorithm", V1_3;
    DRBG_ALGORITHM = 0x42_00DB, "DRBGAlgorithm", "DRBG Algorithm", V1_3;
    FIPS186_VARIATION = 0x42_00DC, "FIPS186Variation", "FIPS186 Variation", V1_3;
    PREDICTION_RESISTANCE = 0x42_00DD, "PredictionResistance", "Prediction Resistance", V1_3;
    RANDOM_NUMBER_GENERATOR = 0x42_00DE, "RandomNumberGenerator", "Random Number Generator", V1_3;
    VALIDATION_INFORMATION = 0x42_00DF, "ValidationInformation", "Validation Information", V1_3;
    VALIDATION_AUTHORITY_TYPE = 0x42_00E0, "ValidationAuthorityType", "Validation Authority Type", V1_3;
    VALIDATION_AUTHORITY_COUNTRY = 0x42_00E1, "ValidationAuthorityCountry", "Validation Authority Country", V1_3;
    VALIDATION_AUTHORITY_URI = 0x42_00E2, "ValidationAuthorityURI", "Validation Authority URI", V1_3;
    VALIDATION_VERSION_MAJOR = 0x42_00E3, "ValidationVersionMajor", "Validation Version Major", V1_3;
    VALIDATION_VERSION_MINOR = 0x42_00E4, "ValidationVersionMinor", "Validation Version Minor", V1_3;
    VALIDATION_TYPE = 0x42_00E5, "ValidationType", "Validation Type", V1_3;
    VALIDATION_LEVEL = 0x42_00E6, "ValidationLevel", "Validation Level", V1_3;
    VALIDATION_CERTIFICATE_IDENTIFIER = 0x42_00E7, "ValidationCertificateIdentifier", "Validation Certificate Identifier", V1_3;
    VALIDATION_CERTIFICATE_URI = 0x42_00E8, "ValidationCertificateURI", "Validation Certificate URI", V1_3;
    VALIDATION_VENDOR_URI = 0x42_00E9, "ValidationVendorURI", "Validation Vendor URI", V1_3;
    VALIDATION_PROFILE = 0x42_00EA, "ValidationProfile", "Validation Profile", V1_3;
    PROFILE_INFORMATION = 0x42_00EB, "ProfileInformation", "Profile Information", V1_3;
    PROFILE_NAME = 0x42_00EC, "ProfileName", "Profile Name", V1_3;
    SERVER_URI = 0x42_00ED, "ServerURI", "Server URI", V1_3;
    SERVER_PORT = 0x42_00EE, "ServerPort", "Server Port", V1_3;
    STREAMING_CAPABILITY = 0x42_00EF, "StreamingCapability", "Streaming Capability", V1_3;
    ASYNCHRONOUS_CAPABILITY = 0x42_00F0, "AsynchronousCapability", "Asynchronous Capability", V1_3;
    ATTESTATION_CAPABILITY = 0x42_00F1, "AttestationCapability", "Attestation Capability", V1_3;
    UNWRAP_MODE = 0x42_00F2, "UnwrapMode", "Unwrap Mode", V1_3;
    DESTROY_ACTION = 0x42_00F3, "DestroyAction", "Destroy Action", V1_3;
    SHREDDING_ALGORITHM = 0x42_00F4, "ShreddingAlgorithm", "Shredding Algorithm", V1_3;
    RNG_MODE = 0x42_00F5, "RNGMode", "RNG Mode", V1_3;
    CLIENT_REGISTRATION_METHOD = 0x42_00F6, "ClientRegistrationMethod", "Client Registration Method", V1_3;
    CAPABILITY_INFORMATION = 0x42_00F7, "CapabilityInformation", "Capability Information", V1_3;
    KEY_WRAP_TYPE = 0x42_00F8, "KeyWrapType", "Key Wrap Type", V1_4;
    BATCH_UNDO_CAPABILITY = 0x42_00F9, "BatchUndoCapability", "Batch Undo Capability", V1_4;
    BATCH_CONTINUE_CAPABILITY = 0x42_00FA, "BatchContinueCapability", "Batch Continue Capability", V1_4;
    PKCS_12_FRIENDLY_NAME = 0x42_00FB, "PKCS_12FriendlyName", "PKCS#12 Friendly Name", V1_4;
    DESCRIPTION = 0x42_00FC, "Description", "Description", V1_4;
    COMMENT = 0x42_00FD, "Comment", "Comment", V1_4;
    AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA = 0x42_00FE, "AuthenticatedEncryptionAdditionalData", "Authenticated Encryption Additional Data", V1_4;
    AUTHENTICATED_ENCRYPTION_TAG = 0x42_00FF, "AuthenticatedEncryptionTag", "Authenticated Encryption Tag", V1_4;
    SALT_LENGTH = 0x42_0100, "SaltLength", "Salt Length", V1_4;
    MASK_GENERATOR = 0x42_0101, "MaskGenerator", "Mask Generator", V1_4;
    MASK_GENERATOR_HASHING_ALGORITHM = 0x42_0102, "MaskGeneratorHashingAlgorithm", "Mask Generator Hashing Algorithm", V1_4;
    P_SOURCE = 0x42_0103, "PSource", "P Source", V1_4;
    TRAILER_FIELD = 0x42_0104, "TrailerField", "Trailer Field", V1_4;
    CLIENT_CORRELATION_VALUE = 0x42_0105, "ClientCorrelationValue", "Client Correlation Value", V1_4;
    SERVER_CORRELATION_VALUE = 0x42_0106, "ServerCorrelationValue", "Server Correlation Value", V1_4;
    DIGESTED_DATA = 0x42_0107, "DigestedData", "Digested Data", V1_4;
    CERTIFICATE_SUBJECT_CN = 0x42_0108, "CertificateSubjectCN", "Certificate Subject CN", V1_4;
    CERTIFICATE_SUBJECT_O = 0x42_0109, "CertificateSubjectO", "Certificate Subject O", V1_4;
    CERTIFICATE_SUBJECT_OU = 0x42_010A, "CertificateSubjectOU", "Certificate Subject OU", V1_4;
    CERTIFICATE_SUBJECT_EMAIL = 0x42_010B, "CertificateSubjectEmail", "Certificate Subject Email", V1_4;
    CERTIFICATE_SUBJECT_C = 0x42_010C, "CertificateSubjectC", "Certificate Subject C", V1_4;
    CERTIFICATE_SUBJECT_ST = 0x42_010D, "CertificateSubjectST", "Certificate Subject ST", V1_4;
    CERTIFICATE_SUBJECT_L = 0x42_010E, "CertificateSubjectL", "Certificate Subject L", V1_4;
    CERTIFICATE_SUBJECT_UID = 0x42_010F, "CertificateSubjectUID", "Certificate Subject UID", V1_4;
    CERTIFICATE_SUBJECT_SERIAL_NUMBER = 0x42_0110, "CertificateSubjectSerialNumber", "Certificate Subject Serial Number", V1_4;
    CERTIFICATE_SUBJECT_TITLE = 0x42_0111, "CertificateSubjectTitle", "Certificate Subject Title", V1_4;
    CERTIFICATE_SUBJECT_DC = 0x42_0112, "CertificateSubjectDC", "Certificate Subject DC", V1_4;
    CERTIFICATE_SUBJECT_DN_QUALIFIER = 0x42_0113, "CertificateSubjectDNQualifier", "Certificate Subject DN Qualifier", V1_4;
    CERTIFICATE_ISSUER_CN = 0x42_0114, "CertificateIssuerCN", "Certificate Issuer CN", V1_4;
    CERTIFICATE_ISSUER_O = 0x42_0115, "CertificateIssuerO", "Certificate Issuer O", V1_4;
    CERTIFICATE_ISSUER_OU = 0x42_0116, "CertificateIssuerOU", "Certificate Issuer OU", V1_4;
    CERTIFICATE_ISSUER_EMAIL = 0x42_0117, "CertificateIssuerEmail", "Certificate Issuer Email", V1_4;
    CERTIFICATE_ISSUER_C = 0x42_0118, "CertificateIssuerC", "Certificate Issuer C", V1_4;
    CERTIFICATE_ISSUER_ST = 0x42_0119, "CertificateIssuerST", "Certificate Issuer ST", V1_4;
    CERTIFICATE_ISSUER_L = 0x42_011A, "CertificateIssuerL", "Certificate Issuer L", V1_4;
    CERTIFICATE_ISSUER_UID = 0x42_011B, "CertificateIssuerUID", "Certificate Issuer UID", V1_4;
    CERTIFICATE_ISSUER_SERIAL_NUMBER = 0x42_011C, "CertificateIssuerSerialNumber", "Certificate Issuer Serial Number", V1_4;
    CERTIFICATE_ISSUER_TITLE = 0x42_011D, "CertificateIssuerTitle", "Certificate Issuer Title", V1_4;
    CERTIFICATE_ISSUER_DC = 0x42_011E, "CertificateIssuerDC", "Certificate Issuer DC", V1_4;
    CERTIFICATE_ISSUER_DN_QUALIFIER = 0x42_011F, "CertificateIssuerDNQualifier", "Certificate Issuer DN Qualifier", V1_4;
    SENSITIVE = 0x42_0120, "Sensitive", "Sensitive", V1_4;
    ALWAYS_SENSITIVE = 0x42_0121, "AlwaysSensitive", "Always Sensitive", V1_4;
    EXTRACTABLE = 0x42_0122, "Extractable", "Extractable", V1_4;
    NEVER_EXTRACTABLE = 0x42_0123, "NeverExtractable", "Never Extractable", V1_4;
    REPLACE_EXISTING = 0x42_0124, "ReplaceExisting", "Replace Existing", V1_4;
    ATTRIBUTES = 0x42_0125, "Attributes", "Attributes", V2_0;
    COMMON_ATTRIBUTES = 0x42_0126, "CommonAttributes", "Common Attributes", V2_0;
    PRIVATE_KEY_ATTRIBUTES = 0x42_0127, "PrivateKeyAttributes", "Private Key Attributes", V2_0;
    PUBLIC_KEY_ATTRIBUTES = 0x42_0128, "PublicKeyAttributes", "Public Key Attributes", V2_0;
    EXTENSION_ENUMERATION = 0x42_0129, "ExtensionEnumeration", "Extension Enumeration", V2_0;
    EXTENSION_ATTRIBUTE = 0x42_012A, "ExtensionAttribute", "Extension Attribute", V2_0;
    EXTENSION_PARENT_STRUCTURE_TAG = 0x42_012B, "ExtensionParentStructureTag", "Extension Parent Structure Tag", V2_0;
    EXTENSION_DESCRIPTION = 0x42_012C, "ExtensionDescription", "Extension Description", V2_0;
    SERVER_NAME = 0x42_012D, "ServerName", "Server Name", V2_0;
    SERVER_SERIAL_NUMBER = 0x42_012E, "ServerSerialNumber", "Server Serial Number", V2_0;
    SERVER_VERSION = 0x42_012F, "ServerVersion", "Server Version", V2_0;
    SERVER_LOAD = 0x42_0130, "ServerLoad", "Server Load", V2_0;
    PRODUCT_NAME = 0x42_0131, "ProductName", "Product Name", V2_0;
    BUILD_LEVEL = 0x42_0132, "BuildLevel", "Build Level", V2_0;
    BUILD_DATE = 0x42_0133, "BuildDate", "Build Date", V2_0;
    CLUSTER_INFO = 0x42_0134, "ClusterInfo", "Cluster Info", V2_0;
    ALTERNATE_FAILOVER_ENDPOINTS = 0x42_0135, "AlternateFailoverEndpoints", "Alternate Failover Endpoints", V2_0;
    SHORT_UNIQUE_IDENTIFIER = 0x42_0136, "ShortUniqueIdentifier", "Short Unique Identifier", V2_0;
    TAG = 0x42_0138, "Tag", "Tag", V2_0;
    CERTIFICATE_REQUEST_UNIQUE_IDENTIFIER = 0x42_0139, "CertificateRequestUniqueIdentifier", "Certificate Request Unique Identifier", V2_0;
    NIST_KEY_TYPE = 0x42_013A, "NISTKeyType", "NIST Key Type", V2_0;
    ATTRIBUTE_REFERENCE = 0x42_013B, "AttributeReference", "Attribute Reference", V2_0;
    CURRENT_ATTRIBUTE = 0x42_013C, "CurrentAttribute", "Current Attribute", V2_0;
    NEW_ATTRIBUTE = 0x42_013D, "NewAttribute", "New Attribute", V2_0;
    CERTIFICATE_REQUEST_VALUE = 0x42_0140, "CertificateRequestValue", "Certificate Request Value", V2_0;
    LOG_MESSAGE = 0x42_0141, "LogMessage", "Log Message", V2_0;
    PROFILE_VERSION = 0x42_0142, "ProfileVersion", "Profile Version", V2_0;
    PROFILE_VERSION_MAJOR = 0x42_0143, "ProfileVersionMajor", "Profile Version Major", V2_0;
    PROFILE_VERSION_MINOR = 0x42_0144, "ProfileVersionMinor", "Profile Version Minor", V2_0;
    PROTECTION_LEVEL = 0x42_0145, "ProtectionLevel", "Protection Level", V2_0;
    PROTECTION_PERIOD = 0x42_0146, "ProtectionPeriod", "Protection Period", V2_0;
    QUANTUM_SAFE = 0x42_0147, "QuantumSafe", "Quantum Safe", V2_0;
    QUANTUM_SAFE_CAPABILITY = 0x42_0148, "QuantumSafeCapability", "Quantum Safe Capability", V2_0;
    TICKET = 0x42_0149, "Ticket", "Ticket", V2_0;
    TICKET_TYPE = 0x42_014A, "TicketType", "Ticket Type", V2_0;
    TICKET_VALUE = 0x42_014B, "TicketValue", "Ticket Value", V2_0;
    REQUEST_COUNT = 0x42_014C, "RequestCount", "Request Count", V2_0;
    RIGHTS = 0x42_014D, "Rights", "Rights", V2_0;
    OBJECTS = 0x42_014E, "Objects", "Objects", V2_0;
    OPERATIONS = 0x42_014F, "Operations", "Operations", V2_0;
    RIGHT = 0x42_0150, "Right", "Right", V2_0;
    ENDPOINT_ROLE = 0x42_0151, "EndpointRole", "Endpoint Role", V2_0;
    DEFAULTS_INFORMATION = 0x42_0152, "DefaultsInformation", "Defaults Information", V2_0;
    OBJECT_DEFAULTS = 0x42_0153, "ObjectDefaults", "Object Defaults", V2_0;
    EPHEMERAL = 0x42_0154, "Ephemeral", "Ephemeral", V2_0;
    SERVER_HASHED_PASSWORD = 0x42_0155, "ServerHashedPassword", "Server Hashed Password", V2_0;
    ONE_TIME_PASSWORD = 0x42_0156, "OneTimePassword", "One Time Password", V2_0;
    HASHED_PASSWORD = 0x42_0157, "HashedPassword", "Hashed Password", V2_0;
    ADJUSTMENT_TYPE = 0x42_0158, "AdjustmentType", "Adjustment Type", V2_0;
    PKCS_11_INTERFACE = 0x42_0159, "PKCS_11Interface", "PKCS#11 Interface", V2_0;
    PKCS_11_FUNCTION = 0x42_015A, "PKCS_11Function", "PKCS#11 Function", V2_0;
    PKCS_11_INPUT_PARAMETERS = 0x42_015B, "PKCS_11InputParameters", "PKCS#11 Input Parameters", V2_0;
    PKCS_11_OUTPUT_PARAMETERS = 0x42_015C, "PKCS_11OutputParameters", "PKCS#11 Output Parameters", V2_0;
    PKCS_11_RETURN_CODE = 0x42_015D, "PKCS_11ReturnCode", "PKCS#11 Return Code", V2_0;
    PROTECTION_STORAGE_MASK = 0x42_015E, "ProtectionStorageMask", "Protection Storage Mask", V2_0;
    PROTECTION_STORAGE_MASKS = 0x42_015F, "ProtectionStorageMasks", "Protection Storage Masks", V2_0;
    INTEROP_FUNCTION = 0x42_0160, "InteropFunction", "Interop Function", V2_0;
    INTEROP_IDENTIFIER = 0x42_0161, "InteropIdentifier", "Interop Identifier", V2_0;
    ADJUSTMENT_VALUE = 0x42_0162, "AdjustmentValue", "Adjustment Value", V2_0;
    COMMON_PROTECTION_STORAGE_MASKS = 0x42_0163, "CommonProtectionStorageMasks", "Common Protection Storage Masks", V2_0;
    PRIVATE_PROTECTION_STORAGE_MASKS = 0x42_0164, "PrivateProtectionStorageMasks", "Private Protection Storage Masks", V2_0;
    PUBLIC_PROTECTION_STORAGE_MASKS = 0x42_0165, "PublicProtectionStorageMasks", "Public Protection Storage Masks", V2_0;
    OBJECT_GROUPS = 0x42_0166, "ObjectGroups", "Object Groups", V2_1;
    OBJECT_TYPES = 0x42_0167, "ObjectTypes", "Object Types", V2_1;
    CONSTRAINTS = 0x42_0168, "Constraints", "Constraints", V2_1;
    CONSTRAINT = 0x42_0169, "Constraint", "Constraint", V2_1;
    ROTATE_INTERVAL = 0x42_016A, "RotateInterval", "Rotate Interval", V2_1;
    ROTATE_AUTOMATIC = 0x42_016B, "RotateAutomatic", "Rotate Automatic", V2_1;
    ROTATE_OFFSET = 0x42_016C, "RotateOffset", "Rotate Offset", V2_1;
    ROTATE_DATE = 0x42_016D, "RotateDate", "Rotate Date", V2_1;
    ROTATE_GENERATION = 0x42_016E, "RotateGeneration", "Rotate Generation", V2_1;
    ROTATE_NAME = 0x42_016F, "RotateName", "Rotate Name", V2_1;
    ROTATE_NAME_VALUE = 0x42_0170, "RotateNameValue", "Rotate Name Value", V2_1;
    ROTATE_NAME_TYPE = 0x42_0171, "RotateNameType", "Rotate Name Type", V2_1;
    ROTATE_LATEST = 0x42_0172, "RotateLatest", "Rotate Latest", V2_1;
    ASYNCHRONOUS_REQUEST = 0x42_0173, "AsynchronousRequest", "Asynchronous Request", V2_1;
    SUBMISSION_DATE = 0x42_0174, "SubmissionDate", "Submission Date", V2_1;
    PROCESSING_STAGE = 0x42_0175, "ProcessingStage", "Processing Stage", V2_1;
    ASYNCHRONOUS_CORRELATION_VALUES = 0x42_0176, "AsynchronousCorrelationValues", "Asynchronous Correlation Values", V2_1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_1_x_have_no_gap() {
        assert!(TAGS.is_sorted_by_key(|facts| facts.tag));
        for (place, facts) in TAGS.iter().filter(|facts| facts.since < V2_0).enumerate() {
            assert_eq!(facts.tag.number() as usize, 0x42_0001 + place, "{}", facts.text);
        }
    }

    #[test]
    fn a_tag_is_found_by_its_number_and_by_its_name() {
        for facts in TAGS {
            assert_eq!(Tag::from_name(facts.name), Some(facts.tag));
            assert_eq!(facts.tag.name(), Some(facts.name));
            assert_eq!(Tag::from_bytes(facts.tag.to_bytes()), facts.tag);
        }
        assert_eq!(
            Tag::from_name("X_509CertificateIdentifier").map(Tag::number),
            Some(0x42_00B5)
        );
        assert_eq!(Tag::new(0x54_0001).facts().map(|facts| facts.name), None);
        assert_eq!(Tag::new(0).facts().map(|facts| facts.name), None);
    }
}
