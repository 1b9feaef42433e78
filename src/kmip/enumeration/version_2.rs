//! What came with KMIP 2.0 and 2.1.

use super::enumeration;

enumeration! {
    /// Adjustment Type Enumeration (KMIP 2.1, section 11).
    AdjustmentType, "Adjustment Type" {
        Increment = 0x0000_0001, "Increment", V2_0;
        Decrement = 0x0000_0002, "Decrement", V2_0;
        Negate = 0x0000_0003, "Negate", V2_0;
    }
}

enumeration! {
    /// Asynchronous Indicator Enumeration (KMIP 2.1, section 11).
    AsynchronousIndicator, "Asynchronous Indicator" {
        Mandatory = 0x0000_0001, "Mandatory", V2_0;
        Optional = 0x0000_0002, "Optional", V2_0;
        Prohibited = 0x0000_0003, "Prohibited", V2_0;
    }
}

enumeration! {
    /// Data Enumeration (KMIP 2.1, section 11).
    DataReference, "Data" {
        Decrypt = 0x0000_0001, "Decrypt", V2_0;
        Encrypt = 0x0000_0002, "Encrypt", V2_0;
        Hash = 0x0000_0003, "Hash", V2_0;
        MACMACData = 0x0000_0004, "MAC MAC Data", V2_0;
        RNGRetrieve = 0x0000_0005, "RNG Retrieve", V2_0;
        SignSignatureData = 0x0000_0006, "Sign Signature Data", V2_0;
        SignatureVerify = 0x0000_0007, "Signature Verify", V2_0;
    }
}

enumeration! {
    /// Endpoint Role Enumeration (KMIP 2.1, section 11).
    EndpointRole, "Endpoint Role" {
        Client = 0x0000_0001, "Client", V2_0;
        Server = 0x0000_0002, "Server", V2_0;
    }
}

enumeration! {
    /// Interop Function Enumeration (KMIP 2.1, section 11).
    InteropFunction, "Interop Function" {
        Begin = 0x0000_0001, "Begin", V2_0;
        End = 0x0000_0002, "End", V2_0;
        Reset = 0x0000_0003, "Reset", V2_0;
    }
}

enumeration! {
    /// Item Type Enumeration (KMIP 2.1, section 11).
    ItemTypeName, "Item Type" {
        Structure = 0x0000_0001, "Structure", V2_0;
        Integer = 0x0000_0002, "Integer", V2_0;
        LongInteger = 0x0000_0003, "Long Integer", V2_0;
        BigInteger = 0x0000_0004, "Big Integer", V2_0;
        Enumeration = 0x0000_0005, "Enumeration", V2_0;
        Boolean = 0x0000_0006, "Boolean", V2_0;
        TextString = 0x0000_0007, "Text String", V2_0;
        ByteString = 0x0000_0008, "Byte String", V2_0;
        DateTime = 0x0000_0009, "Date Time", V2_0;
        Interval = 0x0000_000A, "Interval", V2_0;
        DateTimeExtended = 0x0000_000B, "Date Time Extended", V2_0;
    }
}

enumeration! {
    /// NIST Key Type Enumeration (KMIP 2.1, section 11).
    NISTKeyType, "NIST Key Type" {
        PrivateSignatureKey = 0x0000_0001, "Private signature key", V2_0;
        PublicSignatureVerificationKey = 0x0000_0002, "Public signature verification key", V2_0;
        SymmetricAuthenticationKey = 0x0000_0003, "Symmetric authentication key", V2_0;
        PrivateAuthenticationKey = 0x0000_0004, "Private authentication key", V2_0;
        PublicAuthenticationKey = 0x0000_0005, "Public authentication key", V2_0;
        SymmetricDataEncryptionKey = 0x0000_0006, "Symmetric data encryption key", V2_0;
        SymmetricKeyWrappingKey = 0x0000_0007, "Symmetric key wrapping key", V2_0;
        SymmetricRandomNumberGenerationKey = 0x0000_0008, "Symmetric random number generation key", V2_0;
        SymmetricMasterKey = 0x0000_0009, "Symmetric master key", V2_0;
        PrivateKeyTransportKey = 0x0000_000A, "Private key transport key", V2_0;
        PublicKeyTransportKey = 0x0000_000B, "Public key transport key", V2_0;
        SymmetricKeyAgreementKey = 0x0000_000C, "Symmetric key agreement key", V2_0;
        PrivateStaticKeyAgreementKey = 0x0000_000D, "Private static key agreement key", V2_0;
        PublicStaticKeyAgreementKey = 0x0000_000E, "Public static key agreement key", V2_0;
        PrivateEphemeralKeyAgreementKey = 0x0000_000F, "Private ephemeral key agreement key", V2_0;
        PublicEphemeralKeyAgreementKey = 0x0000_0010, "Public ephemeral key agreement key", V2_0;
        SymmetricAuthorizationKey = 0x0000_0011, "Symmetric authorization key", V2_0;
        PrivateAuthorizationKey = 0x0000_0012, "Private authorization key", V2_0;
        PublicAuthorizationKey = 0x0000_0013, "Public authorization key", V2_0;
    }
}

enumeration! {
    /// Processing Stage Enumeration (KMIP 2.1, section 11).
    ProcessingStage, "Processing Stage" {
        Submitted = 0x0000_0001, "Submitted", V2_1;
        InProcess = 0x0000_0002, "In Process", V2_1;
        Completed = 0x0000_0003, "Completed", V2_1;
    }
}

enumeration! {
    /// Protection Level Enumeration (KMIP 2.1, section 11).
    ProtectionLevel, "Protection Level" {
        High = 0x0000_0001, "High", V2_0;
        Low = 0x0000_0002, "Low", V2_0;
    }
}

enumeration! {
    /// Rotate Name Type Enumeration (KMIP 2.1, section 11).
    RotateNameType, "Rotate Name Type" {
        UninterpretedTextString = 0x0000_0001, "Uninterpreted Text String", V2_1;
        URI = 0x0000_0002, "URI", V2_1;
    }
}

enumeration! {
    /// Ticket Type Enumeration (KMIP 2.1, section 11).
    TicketType, "Ticket Type" {
        Login = 0x0000_0001, "Login", V2_0;
    }
}

enumeration! {
    /// Unique Identifier Enumeration (KMIP 2.1, section 11).
    UniqueIdentifierReference, "Unique Identifier" {
        IDPlaceholder = 0x0000_0001, "ID Placeholder", V2_0;
        Certify = 0x0000_0002, "Certify", V2_0;
        Create = 0x0000_0003, "Create", V2_0;
        CreateKeyPair = 0x0000_0004, "Create Key Pair", V2_0;
        CreateKeyPairPrivateKey = 0x0000_0005, "Create Key Pair Private Key", V2_0;
        CreateKeyPairPublicKey = 0x0000_0006, "Create Key Pair Public Key", V2_0;
        CreateSplitKey = 0x0000_0007, "Create Split Key", V2_0;
        DeriveKey = 0x0000_0008, "Derive Key", V2_0;
        Import = 0x0000_0009, "Import", V2_0;
        JoinSplitKey = 0x0000_000A, "Join Split Key", V2_0;
        Locate = 0x0000_000B, "Locate", V2_0;
        Register = 0x0000_000C, "Register", V2_0;
        ReKey = 0x0000_000D, "Re-key", V2_0;
        ReCertify = 0x0000_000E, "Re-certify", V2_0;
        ReKeyKeyPair = 0x0000_000F, "Re-key Key Pair", V2_0;
        ReKeyKeyPairPrivateKey = 0x0000_0010, "Re-key Key Pair Private Key", V2_0;
        ReKeyKeyPairPublicKey = 0x0000_0011, "Re-key Key Pair Public Key", V2_0;
    }
}
