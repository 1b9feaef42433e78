//! What a server says of itself in answer to Query.

use super::enumeration;

enumeration! {
    /// Validation Authority Type Enumeration (KMIP 1.4, section 9.1.3.2).
    ValidationAuthorityType, "Validation Authority Type" {
        Unspecified = 0x0000_0001, "Unspecified", V1_3;
        NISTCMVP = 0x0000_0002, "NIST CMVP", V1_3;
        CommonCriteria = 0x0000_0003, "Common Criteria", V1_3;
    }
}

enumeration! {
    /// Validation Type Enumeration (KMIP 1.4, section 9.1.3.2).
    ValidationType, "Validation Type" {
        Unspecified = 0x0000_0001, "Unspecified", V1_3;
        Hardware = 0x0000_0002, "Hardware", V1_3;
        Software = 0x0000_0003, "Software", V1_3;
        Firmware = 0x0000_0004, "Firmware", V1_3;
        Hybrid = 0x0000_0005, "Hybrid", V1_3;
    }
}

enumeration! {
    /// Unwrap Mode Enumeration (KMIP 1.4, section 9.1.3.2).
    UnwrapMode, "Unwrap Mode" {
        Unspecified = 0x0000_0001, "Unspecified", V1_3;
        Processed = 0x0000_0002, "Processed", V1_3;
        NotProcessed = 0x0000_0003, "Not Processed", V1_3;
    }
}

enumeration! {
    /// Destroy Action Enumeration (KMIP 1.4, section 9.1.3.2).
    DestroyAction, "Destroy Action" {
        Unspecified = 0x0000_0001, "Unspecified", V1_3;
        KeyMaterialDeleted = 0x0000_0002, "Key Material Deleted", V1_3;
        KeyMaterialShredded = 0x0000_0003, "Key Material Shredded", V1_3;
        MetaDataDeleted = 0x0000_0004, "Meta Data Deleted", V1_3;
        MetaDataShredded = 0x0000_0005, "Meta Data Shredded", V1_3;
        Deleted = 0x0000_0006, "Deleted", V1_3;
        Shredded = 0x0000_0007, "Shredded", V1_3;
    }
}

enumeration! {
    /// Shredding Algorithm Enumeration (KMIP 1.4, section 9.1.3.2).
    ShreddingAlgorithm, "Shredding Algorithm" {
        Unspecified = 0x0000_0001, "Unspecified", V1_3;
        Cryptographic = 0x0000_0002, "Cryptographic", V1_3;
        Unsupported = 0x0000_0003, "Unsupported", V1_3;
    }
}

enumeration! {
    /// RNG Mode Enumeration (KMIP 1.4, section 9.1.3.2).
    RngMode, "RNG Mode" {
        Unspecified = 0x0000_0001, "Unspecified", V1_3;
        SharedInstantiation = 0x0000_0002, "Shared Instantiation", V1_3;
        NonSharedInstantiation = 0x0000_0003, "Non-Shared Instantiation", V1_3;
    }
}

enumeration! {
    /// Client Registration Method Enumeration (KMIP 1.4, section 9.1.3.2).
    ClientRegistrationMethod, "Client Registration Method" {
        Unspecified = 0x0000_0001, "Unspecified", V1_3;
        ServerPreGenerated = 0x0000_0002, "Server Pre-Generated", V1_3;
        ServerOnDemand = 0x0000_0003, "Server On-Demand", V1_3;
        ClientGenerated = 0x0000_0004, "Client Generated", V1_3;
        ClientRegistered = 0x0000_0005, "Client Registered", V1_3;
    }
}
