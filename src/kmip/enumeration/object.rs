//! What an object is, how it is named and linked, and what becomes of it.

use super::enumeration;

enumeration! {
    /// Object Type Enumeration (KMIP 1.4, section 9.1.3.2).
    ObjectType, "Object Type" {
        Certificate = 0x0000_0001, "Certificate", V1_0;
        SymmetricKey = 0x0000_0002, "Symmetric Key", V1_0;
        PublicKey = 0x0000_0003, "Public Key", V1_0;
        PrivateKey = 0x0000_0004, "Private Key", V1_0;
        SplitKey = 0x0000_0005, "Split Key", V1_0;
        Template = 0x0000_0006, "Template", V1_0;
        SecretData = 0x0000_0007, "Secret Data", V1_0;
        OpaqueObject = 0x0000_0008, "Opaque Object", V1_0;
        PGPKey = 0x0000_0009, "PGP Key", V1_2;
        CertificateRequest = 0x0000_000A, "Certificate Request", V2_0;
    }
}

enumeration! {
    /// Name Type Enumeration (KMIP 1.4, section 9.1.3.2).
    NameType, "Name Type" {
        UninterpretedTextString = 0x0000_0001, "Uninterpreted Text String", V1_0;
        URI = 0x0000_0002, "URI", V1_0;
    }
}

enumeration! {
    /// Alternative Name Type Enumeration (KMIP 1.4, section 9.1.3.2).
    AlternativeNameType, "Alternative Name Type" {
        UninterpretedTextString = 0x0000_0001, "Uninterpreted Text String", V1_2;
        URI = 0x0000_0002, "URI", V1_2;
        ObjectSerialNumber = 0x0000_0003, "Object Serial Number", V1_2;
        EmailAddress = 0x0000_0004, "Email Address", V1_2;
        DNSName = 0x0000_0005, "DNS Name", V1_2;
        X_500DistinguishedName = 0x0000_0006, "X.500 Distinguished Name", V1_2;
        IPAddress = 0x0000_0007, "IP Address", V1_2;
    }
}

enumeration! {
    /// State Enumeration (KMIP 1.4, section 9.1.3.2).
    State, "State" {
        PreActive = 0x0000_0001, "Pre-Active", V1_0;
        Active = 0x0000_0002, "Active", V1_0;
        Deactivated = 0x0000_0003, "Deactivated", V1_0;
        Compromised = 0x0000_0004, "Compromised", V1_0;
        Destroyed = 0x0000_0005, "Destroyed", V1_0;
        DestroyedCompromised = 0x0000_0006, "Destroyed Compromised", V1_0;
    }
}

enumeration! {
    /// Revocation Reason Code Enumeration (KMIP 1.4, section 9.1.3.2).
    RevocationReasonCode, "Revocation Reason Code" {
        Unspecified = 0x0000_0001, "Unspecified", V1_0;
        KeyCompromise = 0x0000_0002, "Key Compromise", V1_0;
        CACompromise = 0x0000_0003, "CA Compromise", V1_0;
        AffiliationChanged = 0x0000_0004, "Affiliation Changed", V1_0;
        Superseded = 0x0000_0005, "Superseded", V1_0;
        CessationOfOperation = 0x0000_0006, "Cessation of Operation", V1_0;
        PrivilegeWithdrawn = 0x0000_0007, "Privilege Withdrawn", V1_0;
    }
}

enumeration! {
    /// Link Type Enumeration (KMIP 1.4, section 9.1.3.2).
    LinkType, "Link Type" {
        CertificateLink = 0x0000_0101, "Certificate Link", V1_0;
        PublicKeyLink = 0x0000_0102, "Public Key Link", V1_0;
        PrivateKeyLink = 0x0000_0103, "Private Key Link", V1_0;
        DerivationBaseObjectLink = 0x0000_0104, "Derivation Base Object Link", V1_0;
        DerivedKeyLink = 0x0000_0105, "Derived Key Link", V1_0;
        ReplacementObjectLink = 0x0000_0106, "Replacement Object Link", V1_0;
        ReplacedObjectLink = 0x0000_0107, "Replaced Object Link", V1_0;
        ParentLink = 0x0000_0108, "Parent Link", V1_2;
        ChildLink = 0x0000_0109, "Child Link", V1_2;
        PreviousLink = 0x0000_010A, "Previous Link", V1_2;
        NextLink = 0x0000_010B, "Next Link", V1_2;
        PKCS_12CertificateLink = 0x0000_010C, "PKCS#12 Certificate Link", V1_4;
        PKCS_12PasswordLink = 0x0000_010D, "PKCS#12 Password Link", V1_4;
        WrappingKeyLink = 0x0000_010E, "Wrapping Key Link", V2_0;
    }
}

enumeration! {
    /// Object Group Member Enumeration (KMIP 1.4, section 9.1.3.2).
    ObjectGroupMember, "Object Group Member" {
        GroupMemberFresh = 0x0000_0001, "Group Member Fresh", V1_1;
        GroupMemberDefault = 0x0000_0002, "Group Member Default", V1_1;
    }
}

enumeration! {
    /// Usage Limits Unit Enumeration (KMIP 1.4, section 9.1.3.2).
    UsageLimitsUnit, "Usage Limits Unit" {
        Byte = 0x0000_0001, "Byte", V1_0;
        Object = 0x0000_0002, "Object", V1_0;
    }
}

enumeration! {
    /// Certificate Type Enumeration (KMIP 1.4, section 9.1.3.2).
    CertificateType, "Certificate Type" {
        X_509 = 0x0000_0001, "X.509", V1_0;
        PGP = 0x0000_0002, "PGP", V1_0;
    }
}

enumeration! {
    /// Certificate Request Type Enumeration (KMIP 1.4, section 9.1.3.2).
    CertificateRequestType, "Certificate Request Type" {
        CRMF = 0x0000_0001, "CRMF", V1_0;
        PKCS_10 = 0x0000_0002, "PKCS#10", V1_0;
        PEM = 0x0000_0003, "PEM", V1_0;
        PGP = 0x0000_0004, "PGP", V1_0;
    }
}

enumeration! {
    /// Secret Data Type Enumeration (KMIP 1.4, section 9.1.3.2).
    SecretDataType, "Secret Data Type" {
        Password = 0x0000_0001, "Password", V1_0;
        Seed = 0x0000_0002, "Seed", V1_0;
    }
}

enumeration! {
    /// Opaque Data Type Enumeration (KMIP 1.4, section 9.1.3.2).
    OpaqueDataType, "Opaque Data Type" {
    }
}

enumeration! {
    /// Split Key Method Enumeration (KMIP 1.4, section 9.1.3.2).
    SplitKeyMethod, "Split Key Method" {
        XOR = 0x0000_0001, "XOR", V1_0;
        PolynomialSharingGF2_16 = 0x0000_0002, "Polynomial Sharing GF (2^16)", V1_0;
        PolynomialSharingPrimeField = 0x0000_0003, "Polynomial Sharing Prime Field", V1_0;
        PolynomialSharingGF2_8 = 0x0000_0004, "Polynomial Sharing GF (2^8)", V1_2;
    }
}

enumeration! {
    /// Validity Indicator Enumeration (KMIP 1.4, section 9.1.3.2).
    ValidityIndicator, "Validity Indicator" {
        Valid = 0x0000_0001, "Valid", V1_0;
        Invalid = 0x0000_0002, "Invalid", V1_0;
        Unknown = 0x0000_0003, "Unknown", V1_0;
    }
}

enumeration! {
    /// Put Function Enumeration (KMIP 1.4, section 9.1.3.2).
    PutFunction, "Put Function" {
        New = 0x0000_0001, "New", V1_0;
        Replace = 0x0000_0002, "Replace", V1_0;
    }
}
