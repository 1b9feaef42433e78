//! Algorithms, modes, key formats and what wraps them.

use super::enumeration;

enumeration! {
    /// Cryptographic Algorithm Enumeration (KMIP 1.4, section 9.1.3.2).
    CryptographicAlgorithm, "Cryptographic Algorithm" {
        DES = 0x0000_0001, "DES", V1_0;
        DES3 = 0x0000_0002, "3DES", V1_0;
        AES = 0x0000_0003, "AES", V1_0;
        RSA = 0x0000_0004, "RSA", V1_0;
        DSA = 0x0000_0005, "DSA", V1_0;
        ECDSA = 0x0000_0006, "ECDSA", V1_0;
        HMAC_SHA1 = 0x0000_0007, "HMAC-SHA1", V1_0;
        HMAC_SHA224 = 0x0000_0008, "HMAC-SHA224", V1_0;
        HMAC_SHA256 = 0x0000_0009, "HMAC-SHA256", V1_0;
        HMAC_SHA384 = 0x0000_000A, "HMAC-SHA384", V1_0;
        HMAC_SHA512 = 0x0000_000B, "HMAC-SHA512", V1_0;
        HMAC_MD5 = 0x0000_000C, "HMAC-MD5", V1_0;
        DH = 0x0000_000D, "DH", V1_0;
        ECDH = 0x0000_000E, "ECDH", V1_0;
        ECMQV = 0x0000_000F, "ECMQV", V1_0;
        Blowfish = 0x0000_0010, "Blowfish", V1_0;
        Camellia = 0x0000_0011, "Camellia", V1_0;
        CAST5 = 0x0000_0012, "CAST5", V1_0;
        IDEA = 0x0000_0013, "IDEA", V1_0;
        MARS = 0x0000_0014, "MARS", V1_0;
        RC2 = 0x0000_0015, "RC2", V1_0;
        RC4 = 0x0000_0016, "RC4", V1_0;
        RC5 = 0x0000_0017, "RC5", V1_0;
        SKIPJACK = 0x0000_0018, "SKIPJACK", V1_0;
        Twofish = 0x0000_0019, "Twofish", V1_0;
        EC = 0x0000_001A, "EC", V1_2;
        OneTimePad = 0x0000_001B, "One Time Pad", V1_3;
        ChaCha20 = 0x0000_001C, "ChaCha20", V1_4;
        Poly1305 = 0x0000_001D, "Poly1305", V1_4;
        ChaCha20Poly1305 = 0x0000_001E, "ChaCha20Poly1305", V1_4;
        SHA3_224 = 0x0000_001F, "SHA3-224", V1_4;
        SHA3_256 = 0x0000_0020, "SHA3-256", V1_4;
        SHA3_384 = 0x0000_0021, "SHA3-384", V1_4;
        SHA3_512 = 0x0000_0022, "SHA3-512", V1_4;
        HMAC_SHA3_224 = 0x0000_0023, "HMAC-SHA3-224", V1_4;
        HMAC_SHA3_256 = 0x0000_0024, "HMAC-SHA3-256", V1_4;
        HMAC_SHA3_384 = 0x0000_0025, "HMAC-SHA3-384", V1_4;
        HMAC_SHA3_512 = 0x0000_0026, "HMAC-SHA3-512", V1_4;
        SHAKE_128 = 0x0000_0027, "SHAKE-128", V1_4;
        SHAKE_256 = 0x0000_0028, "SHAKE-256", V1_4;
        ARIA = 0x0000_0029, "ARIA", V2_0;
        SEED = 0x0000_002A, "SEED", V2_0;
        SM2 = 0x0000_002B, "SM2", V2_0;
        SM3 = 0x0000_002C, "SM3", V2_0;
        SM4 = 0x0000_002D, "SM4", V2_0;
        GOSTR34_10_2012 = 0x0000_002E, "GOST R 34.10-2012", V2_0;
        GOSTR34_11_2012 = 0x0000_002F, "GOST R 34.11-2012", V2_0;
        GOSTR34_13_2015 = 0x0000_0030, "GOST R 34.13-2015", V2_0;
        GOST28147_89 = 0x0000_0031, "GOST 28147-89", V2_0;
        XMSS = 0x0000_0032, "XMSS", V2_0;
        SPHINCS256 = 0x0000_0033, "SPHINCS-256", V2_0;
        McEliece = 0x0000_0034, "McEliece", V2_0;
        McEliece6960119 = 0x0000_0035, "McEliece-6960119", V2_0;
        McEliece8192128 = 0x0000_0036, "McEliece-8192128", V2_0;
        Ed25519 = 0x0000_0037, "Ed25519", V2_0;
        Ed448 = 0x0000_0038, "Ed448", V2_0;
    }
}

enumeration! {
    /// Block Cipher Mode Enumeration (KMIP 1.4, section 9.1.3.2).
    BlockCipherMode, "Block Cipher Mode" {
        CBC = 0x0000_0001, "CBC", V1_0;
        ECB = 0x0000_0002, "ECB", V1_0;
        PCBC = 0x0000_0003, "PCBC", V1_0;
        CFB = 0x0000_0004, "CFB", V1_0;
        OFB = 0x0000_0005, "OFB", V1_0;
        CTR = 0x0000_0006, "CTR", V1_0;
        CMAC = 0x0000_0007, "CMAC", V1_0;
        CCM = 0x0000_0008, "CCM", V1_0;
        GCM = 0x0000_0009, "GCM", V1_0;
        CBC_MAC = 0x0000_000A, "CBC-MAC", V1_0;
        XTS = 0x0000_000B, "XTS", V1_0;
        AESKeyWrapPadding = 0x0000_000C, "AESKeyWrapPadding", V1_0;
        NISTKeyWrap = 0x0000_000D, "NISTKeyWrap", V1_0;
        X9_102AESKW = 0x0000_000E, "X9.102 AESKW", V1_0;
        X9_102TDKW = 0x0000_000F, "X9.102 TDKW", V1_0;
        X9_102AKW1 = 0x0000_0010, "X9.102 AKW1", V1_0;
        X9_102AKW2 = 0x0000_0011, "X9.102 AKW2", V1_0;
        AEAD = 0x0000_0012, "AEAD", V1_4;
    }
}

enumeration! {
    /// Padding Method Enumeration (KMIP 1.4, section 9.1.3.2).
    PaddingMethod, "Padding Method" {
        None = 0x0000_0001, "None", V1_0;
        OAEP = 0x0000_0002, "OAEP", V1_0;
        PKCS5 = 0x0000_0003, "PKCS5", V1_0;
        SSL3 = 0x0000_0004, "SSL3", V1_0;
        Zeros = 0x0000_0005, "Zeros", V1_0;
        ANSIX9_23 = 0x0000_0006, "ANSI X9.23", V1_0;
        ISO10126 = 0x0000_0007, "ISO 10126", V1_0;
        PKCS1V1_5 = 0x0000_0008, "PKCS1 v1.5", V1_0;
        X9_31 = 0x0000_0009, "X9.31", V1_0;
        PSS = 0x0000_000A, "PSS", V1_0;
    }
}

enumeration! {
    /// Hashing Algorithm Enumeration (KMIP 1.4, section 9.1.3.2).
    HashingAlgorithm, "Hashing Algorithm" {
        MD2 = 0x0000_0001, "MD2", V1_0;
        MD4 = 0x0000_0002, "MD4", V1_0;
        MD5 = 0x0000_0003, "MD5", V1_0;
        SHA_1 = 0x0000_0004, "SHA-1", V1_0;
        SHA_224 = 0x0000_0005, "SHA-224", V1_0;
        SHA_256 = 0x0000_0006, "SHA-256", V1_0;
        SHA_384 = 0x0000_0007, "SHA-384", V1_0;
        SHA_512 = 0x0000_0008, "SHA-512", V1_0;
        RIPEMD_160 = 0x0000_0009, "RIPEMD-160", V1_0;
        Tiger = 0x0000_000A, "Tiger", V1_0;
        Whirlpool = 0x0000_000B, "Whirlpool", V1_0;
        SHA_512_224 = 0x0000_000C, "SHA-512/224", V1_2;
        SHA_512_256 = 0x0000_000D, "SHA-512/256", V1_2;
        SHA_3_224 = 0x0000_000E, "SHA-3-224", V1_4;
        SHA_3_256 = 0x0000_000F, "SHA-3-256", V1_4;
        SHA_3_384 = 0x0000_0010, "SHA-3-384", V1_4;
        SHA_3_512 = 0x0000_0011, "SHA-3-512", V1_4;
    }
}

enumeration! {
    /// Digital Signature Algorithm Enumeration (KMIP 1.4, section 9.1.3.2).
    DigitalSignatureAlgorithm, "Digital Signature Algorithm" {
        MD2WithRSAEncryption = 0x0000_0001, "MD2 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        MD5WithRSAEncryption = 0x0000_0002, "MD5 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        SHA_1WithRSAEncryption = 0x0000_0003, "SHA-1 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        SHA_224WithRSAEncryption = 0x0000_0004, "SHA-224 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        SHA_256WithRSAEncryption = 0x0000_0005, "SHA-256 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        SHA_384WithRSAEncryption = 0x0000_0006, "SHA-384 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        SHA_512WithRSAEncryption = 0x0000_0007, "SHA-512 with RSA Encryption (PKCS#1 v1.5)", V1_1;
        RSASSA_PSS = 0x0000_0008, "RSASSA-PSS (PKCS#1 v2.1)", V1_1;
        DSAWithSHA_1 = 0x0000_0009, "DSA with SHA-1", V1_1;
        DSAWithSHA224 = 0x0000_000A, "DSA with SHA224", V1_1;
        DSAWithSHA256 = 0x0000_000B, "DSA with SHA256", V1_1;
        ECDSAWithSHA_1 = 0x0000_000C, "ECDSA with SHA-1", V1_1;
        ECDSAWithSHA224 = 0x0000_000D, "ECDSA with SHA224", V1_1;
        ECDSAWithSHA256 = 0x0000_000E, "ECDSA with SHA256", V1_1;
        ECDSAWithSHA384 = 0x0000_000F, "ECDSA with SHA384", V1_1;
        ECDSAWithSHA512 = 0x0000_0010, "ECDSA with SHA512", V1_1;
        SHA3_256WithRSAEncryption = 0x0000_0011, "SHA3-256 with RSA Encryption", V1_4;
        SHA3_384WithRSAEncryption = 0x0000_0012, "SHA3-384 with RSA Encryption", V1_4;
        SHA3_512WithRSAEncryption = 0x0000_0013, "SHA3-512 with RSA Encryption", V1_4;
    }
}

enumeration! {
    /// Mask Generator Enumeration (KMIP 1.4, section 9.1.3.2).
    MaskGenerator, "Mask Generator" {
        MGF1 = 0x0000_0001, "MGF1", V1_4;
    }
}

enumeration! {
    /// Derivation Method Enumeration (KMIP 1.4, section 9.1.3.2).
    DerivationMethod, "Derivation Method" {
        PBKDF2 = 0x0000_0001, "PBKDF2", V1_0;
        HASH = 0x0000_0002, "HASH", V1_0;
        HMAC = 0x0000_0003, "HMAC", V1_0;
        ENCRYPT = 0x0000_0004, "ENCRYPT", V1_0;
        NIST800_108_C = 0x0000_0005, "NIST800-108-C", V1_0;
        NIST800_108_F = 0x0000_0006, "NIST800-108-F", V1_0;
        NIST800_108_DPI = 0x0000_0007, "NIST800-108-DPI", V1_0;
        AsymmetricKey = 0x0000_0008, "Asymmetric Key", V1_4;
        AWSSignatureVersion4 = 0x0000_0009, "AWS Signature Version 4", V2_0;
        HKDF = 0x0000_000A, "HKDF", V2_0;
    }
}

enumeration! {
    /// Key Role Type Enumeration (KMIP 1.4, section 9.1.3.2).
    KeyRoleType, "Key Role Type" {
        BDK = 0x0000_0001, "BDK", V1_0;
        CVK = 0x0000_0002, "CVK", V1_0;
        DEK = 0x0000_0003, "DEK", V1_0;
        MKAC = 0x0000_0004, "MKAC", V1_0;
        MKSMC = 0x0000_0005, "MKSMC", V1_0;
        MKSMI = 0x0000_0006, "MKSMI", V1_0;
        MKDAC = 0x0000_0007, "MKDAC", V1_0;
        MKDN = 0x0000_0008, "MKDN", V1_0;
        MKCP = 0x0000_0009, "MKCP", V1_0;
        MKOTH = 0x0000_000A, "MKOTH", V1_0;
        KEK = 0x0000_000B, "KEK", V1_0;
        MAC16609 = 0x0000_000C, "MAC16609", V1_0;
        MAC97971 = 0x0000_000D, "MAC97971", V1_0;
        MAC97972 = 0x0000_000E, "MAC97972", V1_0;
        MAC97973 = 0x0000_000F, "MAC97973", V1_0;
        MAC97974 = 0x0000_0010, "MAC97974", V1_0;
        MAC97975 = 0x0000_0011, "MAC97975", V1_0;
        ZPK = 0x0000_0012, "ZPK", V1_0;
        PVKIBM = 0x0000_0013, "PVKIBM", V1_0;
        PVKPVV = 0x0000_0014, "PVKPVV", V1_0;
        PVKOTH = 0x0000_0015, "PVKOTH", V1_0;
        DUKPT = 0x0000_0016, "DUKPT", V1_4;
        IV = 0x0000_0017, "IV", V1_4;
        TRKBK = 0x0000_0018, "TRKBK", V1_4;
    }
}

enumeration! {
    /// Key Format Type Enumeration (KMIP 1.4, section 9.1.3.2).
    KeyFormatType, "Key Format Type" {
        Raw = 0x0000_0001, "Raw", V1_0;
        Opaque = 0x0000_0002, "Opaque", V1_0;
        PKCS_1 = 0x0000_0003, "PKCS#1", V1_0;
        PKCS_8 = 0x0000_0004, "PKCS#8", V1_0;
        X_509 = 0x0000_0005, "X.509", V1_0;
        ECPrivateKey = 0x0000_0006, "ECPrivateKey", V1_0;
        TransparentSymmetricKey = 0x0000_0007, "Transparent Symmetric Key", V1_0;
        TransparentDSAPrivateKey = 0x0000_0008, "Transparent DSA Private Key", V1_0;
        TransparentDSAPublicKey = 0x0000_0009, "Transparent DSA Public Key", V1_0;
        TransparentRSAPrivateKey = 0x0000_000A, "Transparent RSA Private Key", V1_0;
        TransparentRSAPublicKey = 0x0000_000B, "Transparent RSA Public Key", V1_0;
        TransparentDHPrivateKey = 0x0000_000C, "Transparent DH Private Key", V1_0;
        TransparentDHPublicKey = 0x0000_000D, "Transparent DH Public Key", V1_0;
        TransparentECDSAPrivateKey = 0x0000_000E, "Transparent ECDSA Private Key", V1_0;
        TransparentECDSAPublicKey = 0x0000_000F, "Transparent ECDSA Public Key", V1_0;
        TransparentECDHPrivateKey = 0x0000_0010, "Transparent ECDH Private Key", V1_0;
        TransparentECDHPublicKey = 0x0000_0011, "Transparent ECDH Public Key", V1_0;
        TransparentECMQVPrivateKey = 0x0000_0012, "Transparent ECMQV Private Key", V1_0;
        TransparentECMQVPublicKey = 0x0000_0013, "Transparent ECMQV Public Key", V1_0;
        TransparentECPrivateKey = 0x0000_0014, "Transparent EC Private Key", V1_3;
        TransparentECPublicKey = 0x0000_0015, "Transparent EC Public Key", V1_3;
        PKCS_12 = 0x0000_0016, "PKCS#12", V1_4;
        PKCS_10 = 0x0000_0017, "PKCS#10", V2_0;
    }
}

enumeration! {
    /// Key Compression Type Enumeration (KMIP 1.4, section 9.1.3.2).
    KeyCompressionType, "Key Compression Type" {
        ECPublicKeyTypeUncompressed = 0x0000_0001, "EC Public Key Type Uncompressed", V1_0;
        ECPublicKeyTypeX9_62CompressedPrime = 0x0000_0002, "EC Public Key Type X9.62 Compressed Prime", V1_0;
        ECPublicKeyTypeX9_62CompressedChar2 = 0x0000_0003, "EC Public Key Type X9.62 Compressed Char2", V1_0;
        ECPublicKeyTypeX9_62Hybrid = 0x0000_0004, "EC Public Key Type X9.62 Hybrid", V1_0;
    }
}

enumeration! {
    /// Key Wrap Type Enumeration (KMIP 1.4, section 9.1.3.2).
    KeyWrapType, "Key Wrap Type" {
        NotWrapped = 0x0000_0001, "Not Wrapped", V1_4;
        AsRegistered = 0x0000_0002, "As Registered", V1_4;
    }
}

enumeration! {
    /// Wrapping Method Enumeration (KMIP 1.4, section 9.1.3.2).
    WrappingMethod, "Wrapping Method" {
        Encrypt = 0x0000_0001, "Encrypt", V1_0;
        MACSign = 0x0000_0002, "MAC/sign", V1_0;
        EncryptThenMACSign = 0x0000_0003, "Encrypt then MAC/sign", V1_0;
        MACSignThenEncrypt = 0x0000_0004, "MAC/sign then encrypt", V1_0;
        TR_31 = 0x0000_0005, "TR-31", V1_0;
    }
}

enumeration! {
    /// Encoding Option Enumeration (KMIP 1.4, section 9.1.3.2).
    EncodingOption, "Encoding Option" {
        NoEncoding = 0x0000_0001, "No Encoding", V1_1;
        TTLVEncoding = 0x0000_0002, "TTLV Encoding", V1_1;
    }
}

enumeration! {
    /// Key Value Location Type Enumeration (KMIP 1.4, section 9.1.3.2).
    KeyValueLocationType, "Key Value Location Type" {
        UninterpretedTextString = 0x0000_0001, "Uninterpreted Text String", V1_2;
        URI = 0x0000_0002, "URI", V1_2;
    }
}

enumeration! {
    /// RNG Algorithm Enumeration (KMIP 1.4, section 9.1.3.2).
    RngAlgorithm, "RNG Algorithm" {
        Unspecified = 0x0000_0001, "Unspecified", V1_3;
        FIPS186_2 = 0x0000_0002, "FIPS 186-2", V1_3;
        DRBG = 0x0000_0003, "DRBG", V1_3;
        NRBG = 0x0000_0004, "NRBG", V1_3;
        ANSIX9_31 = 0x0000_0005, "ANSI X9.31", V1_3;
        ANSIX9_62 = 0x0000_0006, "ANSI X9.62", V1_3;
    }
}

enumeration! {
    /// DRBG Algorithm Enumeration (KMIP 1.4, section 9.1.3.2).
    DrbgAlgorithm, "DRBG Algorithm" {
        Unspecified = 0x0000_0001, "Unspecified", V1_3;
        Dual_EC = 0x0000_0002, "Dual-EC", V1_3;
        Hash = 0x0000_0003, "Hash", V1_3;
        HMAC = 0x0000_0004, "HMAC", V1_3;
        CTR = 0x0000_0005, "CTR", V1_3;
    }
}

enumeration! {
    /// FIPS186 Variation Enumeration (KMIP 1.4, section 9.1.3.2).
    Fips186Variation, "FIPS186 Variation" {
        Unspecified = 0x0000_0001, "Unspecified", V1_3;
        GPXOriginal = 0x0000_0002, "GP x-Original", V1_3;
        GPXChangeNotice = 0x0000_0003, "GP x-Change Notice", V1_3;
        XOriginal = 0x0000_0004, "x-Original", V1_3;
        XChangeNotice = 0x0000_0005, "x-Change Notice", V1_3;
        KOriginal = 0x0000_0006, "k-Original", V1_3;
        KChangeNotice = 0x0000_0007, "k-Change Notice", V1_3;
    }
}
