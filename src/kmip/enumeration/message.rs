//! What a message asks and answers.

use super::enumeration;

enumeration! {
    /// Operation Enumeration (KMIP 1.4, section 9.1.3.2).
    Operation, "Operation" {
        Create = 0x0000_0001, "Create", V1_0;
        CreateKeyPair = 0x0000_0002, "Create Key Pair", V1_0;
        Register = 0x0000_0003, "Register", V1_0;
        ReKey = 0x0000_0004, "Re-key", V1_0;
        DeriveKey = 0x0000_0005, "Derive Key", V1_0;
        Certify = 0x0000_0006, "Certify", V1_0;
        ReCertify = 0x0000_0007, "Re-certify", V1_0;
        Locate = 0x0000_0008, "Locate", V1_0;
        Check = 0x0000_0009, "Check", V1_0;
        Get = 0x0000_000A, "Get", V1_0;
        GetAttributes = 0x0000_000B, "Get Attributes", V1_0;
        GetAttributeList = 0x0000_000C, "Get Attribute List", V1_0;
        AddAttribute = 0x0000_000D, "Add Attribute", V1_0;
        ModifyAttribute = 0x0000_000E, "Modify Attribute", V1_0;
        DeleteAttribute = 0x0000_000F, "Delete Attribute", V1_0;
        ObtainLease = 0x0000_0010, "Obtain Lease", V1_0;
        GetUsageAllocation = 0x0000_0011, "Get Usage Allocation", V1_0;
        Activate = 0x0000_0012, "Activate", V1_0;
        Revoke = 0x0000_0013, "Revoke", V1_0;
        Destroy = 0x0000_0014, "Destroy", V1_0;
        Archive = 0x0000_0015, "Archive", V1_0;
        Recover = 0x0000_0016, "Recover", V1_0;
        Validate = 0x0000_0017, "Validate", V1_0;
        Query = 0x0000_0018, "Query", V1_0;
        Cancel = 0x0000_0019, "Cancel", V1_0;
        Poll = 0x0000_001A, "Poll", V1_0;
        Notify = 0x0000_001B, "Notify", V1_0;
        Put = 0x0000_001C, "Put", V1_0;
        ReKeyKeyPair = 0x0000_001D, "Re-key Key Pair", V1_1;
        DiscoverVersions = 0x0000_001E, "Discover Versions", V1_1;
        Encrypt = 0x0000_001F, "Encrypt", V1_2;
        Decrypt = 0x0000_0020, "Decrypt", V1_2;
        Sign = 0x0000_0021, "Sign", V1_2;
        SignatureVerify = 0x0000_0022, "Signature Verify", V1_2;
        MAC = 0x0000_0023, "MAC", V1_2;
        MACVerify = 0x0000_0024, "MAC Verify", V1_2;
        RNGRetrieve = 0x0000_0025, "RNG Retrieve", V1_2;
        RNGSeed = 0x0000_0026, "RNG Seed", V1_2;
        Hash = 0x0000_0027, "Hash", V1_2;
        CreateSplitKey = 0x0000_0028, "Create Split Key", V1_2;
        JoinSplitKey = 0x0000_0029, "Join Split Key", V1_2;
        Import = 0x0000_002A, "Import", V1_4;
        Export = 0x0000_002B, "Export", V1_4;
        Log = 0x0000_002C, "Log", V2_0;
        Login = 0x0000_002D, "Login", V2_0;
        Logout = 0x0000_002E, "Logout", V2_0;
        DelegatedLogin = 0x0000_002F, "Delegated Login", V2_0;
        AdjustAttribute = 0x0000_0030, "Adjust Attribute", V2_0;
        SetAttribute = 0x0000_0031, "Set Attribute", V2_0;
        SetEndpointRole = 0x0000_0032, "Set Endpoint Role", V2_0;
        PKCS_11 = 0x0000_0033, "PKCS#11", V2_0;
        Interop = 0x0000_0034, "Interop", V2_0;
        ReProvision = 0x0000_0035, "Re-Provision", V2_0;
        SetDefaults = 0x0000_0036, "Set Defaults", V2_1;
        SetConstraints = 0x0000_0037, "Set Constraints", V2_1;
        GetConstraints = 0x0000_0038, "Get Constraints", V2_1;
        QueryAsynchronousRequests = 0x0000_0039, "Query Asynchronous Requests", V2_1;
        Process = 0x0000_003A, "Process", V2_1;
        Ping = 0x0000_003B, "Ping", V2_1;
    }
}

enumeration! {
    /// Result Status Enumeration (KMIP 1.4, section 9.1.3.2).
    ResultStatus, "Result Status" {
        Success = 0x0000_0000, "Success", V1_0;
        OperationFailed = 0x0000_0001, "Operation Failed", V1_0;
        OperationPending = 0x0000_0002, "Operation Pending", V1_0;
        OperationUndone = 0x0000_0003, "Operation Undone", V1_0;
    }
}

enumeration! {
    /// Result Reason Enumeration (KMIP 1.4, section 9.1.3.2).
    ResultReason, "Result Reason" {
        ItemNotFound = 0x0000_0001, "Item Not Found", V1_0;
        ResponseTooLarge = 0x0000_0002, "Response Too Large", V1_0;
        AuthenticationNotSuccessful = 0x0000_0003, "Authentication Not Successful", V1_0;
        InvalidMessage = 0x0000_0004, "Invalid Message", V1_0;
        OperationNotSupported = 0x0000_0005, "Operation Not Supported", V1_0;
        MissingData = 0x0000_0006, "Missing Data", V1_0;
        InvalidField = 0x0000_0007, "Invalid Field", V1_0;
        FeatureNotSupported = 0x0000_0008, "Feature Not Supported", V1_0;
        OperationCanceledByRequester = 0x0000_0009, "Operation Canceled By Requester", V1_0;
        CryptographicFailure = 0x0000_000A, "Cryptographic Failure", V1_0;
        IllegalOperation = 0x0000_000B, "Illegal Operation", V1_0;
        PermissionDenied = 0x0000_000C, "Permission Denied", V1_0;
        ObjectArchived = 0x0000_000D, "Object archived", V1_0;
        IndexOutOfBounds = 0x0000_000E, "Index Out of Bounds", V1_0;
        ApplicationNamespaceNotSupported = 0x0000_000F, "Application Namespace Not Supported", V1_0;
        KeyFormatTypeNotSupported = 0x0000_0010, "Key Format Type Not Supported", V1_0;
        KeyCompressionTypeNotSupported = 0x0000_0011, "Key Compression Type Not Supported", V1_0;
        EncodingOptionError = 0x0000_0012, "Encoding Option Error", V1_1;
        KeyValueNotPresent = 0x0000_0013, "Key Value Not Present", V1_2;
        AttestationRequired = 0x0000_0014, "Attestation Required", V1_2;
        AttestationFailed = 0x0000_0015, "Attestation Failed", V1_2;
        Sensitive = 0x0000_0016, "Sensitive", V1_4;
        NotExtractable = 0x0000_0017, "Not Extractable", V1_4;
        ObjectAlreadyExists = 0x0000_0018, "Object Already Exists", V1_4;
        InvalidTicket = 0x0000_0019, "Invalid Ticket", V2_0;
        UsageLimitExceeded = 0x0000_001A, "Usage Limit Exceeded", V2_0;
        NumericRange = 0x0000_001B, "Numeric Range", V2_0;
        InvalidDataType = 0x0000_001C, "Invalid Data Type", V2_0;
        ReadOnlyAttribute = 0x0000_001D, "Read Only Attribute", V2_0;
        MultiValuedAttribute = 0x0000_001E, "Multi Valued Attribute", V2_0;
        UnsupportedAttribute = 0x0000_001F, "Unsupported Attribute", V2_0;
        AttributeInstanceNotFound = 0x0000_0020, "Attribute Instance Not Found", V2_0;
        AttributeNotFound = 0x0000_0021, "Attribute Not Found", V2_0;
        AttributeReadOnly = 0x0000_0022, "Attribute Read Only", V2_0;
        AttributeSingleValued = 0x0000_0023, "Attribute Single Valued", V2_0;
        BadCryptographicParameters = 0x0000_0024, "Bad Cryptographic Parameters", V2_0;
        BadPassword = 0x0000_0025, "Bad Password", V2_0;
        CodecError = 0x0000_0026, "Codec Error", V2_0;
        IllegalObjectType = 0x0000_0028, "Illegal Object Type", V2_0;
        IncompatibleCryptographicUsageMask = 0x0000_0029, "Incompatible Cryptographic Usage Mask", V2_0;
        InternalServerError = 0x0000_002A, "Internal Server Error", V2_0;
        InvalidAsynchronousCorrelationValue = 0x0000_002B, "Invalid Asynchronous Correlation Value", V2_0;
        InvalidAttribute = 0x0000_002C, "Invalid Attribute", V2_0;
        InvalidAttributeValue = 0x0000_002D, "Invalid Attribute Value", V2_0;
        InvalidCorrelationValue = 0x0000_002E, "Invalid Correlation Value", V2_0;
        InvalidCSR = 0x0000_002F, "Invalid CSR", V2_0;
        InvalidObjectType = 0x0000_0030, "Invalid Object Type", V2_0;
        KeyWrapTypeNotSupported = 0x0000_0032, "Key Wrap Type Not Supported", V2_0;
        MissingInitializationVector = 0x0000_0034, "Missing Initialization Vector", V2_0;
        NonUniqueNameAttribute = 0x0000_0035, "Non Unique Name Attribute", V2_0;
        ObjectDestroyed = 0x0000_0036, "Object Destroyed", V2_0;
        ObjectNotFound = 0x0000_0037, "Object Not Found", V2_0;
        NotAuthorised = 0x0000_0039, "Not Authorised", V2_0;
        ServerLimitExceeded = 0x0000_003A, "Server Limit Exceeded", V2_0;
        UnknownEnumeration = 0x0000_003B, "Unknown Enumeration", V2_0;
        UnknownMessageExtension = 0x0000_003C, "Unknown Message Extension", V2_0;
        UnknownTag = 0x0000_003D, "Unknown Tag", V2_0;
        UnsupportedCryptographicParameters = 0x0000_003E, "Unsupported Cryptographic Parameters", V2_0;
        UnsupportedProtocolVersion = 0x0000_003F, "Unsupported Protocol Version", V2_0;
        WrappingObjectArchived = 0x0000_0040, "Wrapping Object Archived", V2_0;
        WrappingObjectDestroyed = 0x0000_0041, "Wrapping Object Destroyed", V2_0;
        WrappingObjectNotFound = 0x0000_0042, "Wrapping Object Not Found", V2_0;
        WrongKeyLifecycleState = 0x0000_0043, "Wrong Key Lifecycle State", V2_0;
        ProtectionStorageUnavailable = 0x0000_0044, "Protection Storage Unavailable", V2_0;
        PKCS_11CodecError = 0x0000_0045, "PKCS#11 Codec Error", V2_0;
        PKCS_11InvalidFunction = 0x0000_0046, "PKCS#11 Invalid Function", V2_0;
        PKCS_11InvalidInterface = 0x0000_0047, "PKCS#11 Invalid Interface", V2_0;
        PrivateProtectionStorageUnavailable = 0x0000_0048, "Private Protection Storage Unavailable", V2_0;
        PublicProtectionStorageUnavailable = 0x0000_0049, "Public Protection Storage Unavailable", V2_0;
        UnknownObjectGroup = 0x0000_004A, "Unknown Object Group", V2_1;
        ConstraintViolation = 0x0000_004B, "Constraint Violation", V2_1;
        DuplicateProcessRequest = 0x0000_004C, "Duplicate Process Request", V2_1;
        GeneralFailure = 0x0000_0100, "General Failure", V1_0;
    }
}

enumeration! {
    /// Batch Error Continuation Option Enumeration (KMIP 1.4, section 9.1.3.2).
    BatchErrorContinuationOption, "Batch Error Continuation Option" {
        Continue = 0x0000_0001, "Continue", V1_0;
        Stop = 0x0000_0002, "Stop", V1_0;
        Undo = 0x0000_0003, "Undo", V1_0;
    }
}

enumeration! {
    /// Cancellation Result Enumeration (KMIP 1.4, section 9.1.3.2).
    CancellationResult, "Cancellation Result" {
        Canceled = 0x0000_0001, "Canceled", V1_0;
        UnableToCancel = 0x0000_0002, "Unable to Cancel", V1_0;
        Completed = 0x0000_0003, "Completed", V1_0;
        Failed = 0x0000_0004, "Failed", V1_0;
        Unavailable = 0x0000_0005, "Unavailable", V1_0;
    }
}

enumeration! {
    /// Credential Type Enumeration (KMIP 1.4, section 9.1.3.2).
    CredentialType, "Credential Type" {
        UsernameAndPassword = 0x0000_0001, "Username and Password", V1_0;
        Device = 0x0000_0002, "Device", V1_1;
        Attestation = 0x0000_0003, "Attestation", V1_2;
        OneTimePassword = 0x0000_0004, "One Time Password", V2_0;
        HashedPassword = 0x0000_0005, "Hashed Password", V2_0;
        Ticket = 0x0000_0006, "Ticket", V2_0;
    }
}

enumeration! {
    /// Attestation Type Enumeration (KMIP 1.4, section 9.1.3.2).
    AttestationType, "Attestation Type" {
        TPMQuote = 0x0000_0001, "TPM Quote", V1_2;
        TCGIntegrityReport = 0x0000_0002, "TCG Integrity Report", V1_2;
        SAMLAssertion = 0x0000_0003, "SAML Assertion", V1_2;
    }
}

enumeration! {
    /// Query Function Enumeration (KMIP 1.4, section 9.1.3.2).
    QueryFunction, "Query Function" {
        QueryOperations = 0x0000_0001, "Query Operations", V1_0;
        QueryObjects = 0x0000_0002, "Query Objects", V1_0;
        QueryServerInformation = 0x0000_0003, "Query Server Information", V1_0;
        QueryApplicationNamespaces = 0x0000_0004, "Query Application Namespaces", V1_0;
        QueryExtensionList = 0x0000_0005, "Query Extension List", V1_1;
        QueryExtensionMap = 0x0000_0006, "Query Extension Map", V1_1;
        QueryAttestationTypes = 0x0000_0007, "Query Attestation Types", V1_2;
        QueryRNGs = 0x0000_0008, "Query RNGs", V1_3;
        QueryValidations = 0x0000_0009, "Query Validations", V1_3;
        QueryProfiles = 0x0000_000A, "Query Profiles", V1_3;
        QueryCapabilities = 0x0000_000B, "Query Capabilities", V1_3;
        QueryClientRegistrationMethods = 0x0000_000C, "Query Client Registration Methods", V1_3;
        QueryDefaultsInformation = 0x0000_000D, "Query Defaults Information", V2_0;
        QueryStorageProtectionMasks = 0x0000_000E, "Query Storage Protection Masks", V2_0;
    }
}
