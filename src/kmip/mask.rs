//! The bit masks of KMIP 1.0 to 2.1 (KMIP 1.4, section 9.1.3.3; KMIP 2.1, section 12).

use super::tag::Tag;

/// Makes a mask type and its table of names out of the specification's rows.
macro_rules! mask {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$bit_doc:meta])* $constant:ident = $value:literal, $bit_name:literal;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            $($(#[$bit_doc])* pub const $constant: Self = Self($value);)*

            /// Each bit that the specification names, with its name in the XML encoding.
            pub const NAMES: &'static [(Self, &'static str)] = &[$((Self::$constant, $bit_name)),*];

            /// The mask of these bits. Bits that the specification does not name are kept.
            pub const fn from_bits(bits: u32) -> Self {
                Self(bits)
            }

            /// The bits on the wire.
            pub const fn bits(self) -> u32 {
                self.0
            }

            /// Whether every bit of `other` is set.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether no bit is set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// The mask of one name in the XML encoding.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::NAMES.iter().find(|(_, known)| *known == name).map(|(mask, _)| *mask)
            }

            /// The names of the bits that are set, in the order of the bits; unnamed bits are left out.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                Self::NAMES.iter().filter(move |(mask, _)| self.contains(*mask)).map(|(_, name)| *name)
            }
        }

        impl std::ops::BitOr for $name {
            type Output = Self;

            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl std::ops::BitAnd for $name {
            type Output = Self;

            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
        }

        impl std::fmt::Display for $name {
            /// The names parted by ` | `, with what has no name in hexadecimal.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let named = Self::NAMES.iter().fold(0, |bits, (mask, _)| bits | mask.0);
                let mut parted = false;
                for name in self.names() {
                    write!(f, "{}{name}", if parted { " | " } else { "" })?;
                    parted = true;
                }
                match self.0 & !named {
                    0 if parted => Ok(()),
                    rest => write!(f, "{}0x{rest:08X}", if parted { " | " } else { "" }),
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }
    };
}

mask! {
    /// What a cryptographic object may be used for (section 9.1.3.3.1).
    CryptographicUsageMask {
        /// Make signatures.
        SIGN = 0x0000_0001, "Sign";
        /// Verify signatures.
        VERIFY = 0x0000_0002, "Verify";
        /// Encrypt.
        ENCRYPT = 0x0000_0004, "Encrypt";
        /// Decrypt.
        DECRYPT = 0x0000_0008, "Decrypt";
        /// Wrap other keys.
        WRAP_KEY = 0x0000_0010, "WrapKey";
        /// Unwrap other keys.
        UNWRAP_KEY = 0x0000_0020, "UnwrapKey";
        /// Be exported.
        EXPORT = 0x0000_0040, "Export";
        /// Make message authentication codes.
        MAC_GENERATE = 0x0000_0080, "MACGenerate";
        /// Verify message authentication codes.
        MAC_VERIFY = 0x0000_0100, "MACVerify";
        /// Derive other keys.
        DERIVE_KEY = 0x0000_0200, "DeriveKey";
        /// Sign what cannot be repudiated.
        CONTENT_COMMITMENT = 0x0000_0400, "ContentCommitment";
        /// Agree on keys.
        KEY_AGREEMENT = 0x0000_0800, "KeyAgreement";
        /// Sign certificates.
        CERTIFICATE_SIGN = 0x0000_1000, "CertificateSign";
        /// Sign revocation lists.
        CRL_SIGN = 0x0000_2000, "CRLSign";
        /// Make cryptograms.
        GENERATE_CRYPTOGRAM = 0x0000_4000, "GenerateCryptogram";
        /// Verify cryptograms.
        VALIDATE_CRYPTOGRAM = 0x0000_8000, "ValidateCryptogram";
        /// Encrypt what another key decrypted.
        TRANSLATE_ENCRYPT = 0x0001_0000, "TranslateEncrypt";
        /// Decrypt what another key will encrypt.
        TRANSLATE_DECRYPT = 0x0002_0000, "TranslateDecrypt";
        /// Wrap what another key unwrapped.
        TRANSLATE_WRAP = 0x0004_0000, "TranslateWrap";
        /// Unwrap what another key will wrap.
        TRANSLATE_UNWRAP = 0x0008_0000, "TranslateUnwrap";
        /// Authenticate. Since 2.0.
        AUTHENTICATE = 0x0010_0000, "Authenticate";
        /// Anything. Since 2.0.
        UNRESTRICTED = 0x0020_0000, "Unrestricted";
        /// Encrypt so that the format stays. Since 2.0.
        FPE_ENCRYPT = 0x0040_0000, "FPEEncrypt";
        /// Decrypt what was encrypted so that the format stays. Since 2.0.
        FPE_DECRYPT = 0x0080_0000, "FPEDecrypt";
    }
}

mask! {
    /// Which objects Locate looks at (section 9.1.3.3.2).
    StorageStatusMask {
        /// Objects that are at hand.
        ON_LINE_STORAGE = 0x0000_0001, "OnLineStorage";
        /// Objects that are archived.
        ARCHIVAL_STORAGE = 0x0000_0002, "ArchivalStorage";
        /// Objects that are destroyed. Since 2.0.
        DESTROYED_STORAGE = 0x0000_0004, "DestroyedStorage";
    }
}

mask! {
    /// How an object is kept (KMIP 2.1, section 12.2).
    ProtectionStorageMask {
        /// In software.
        SOFTWARE = 0x0000_0001, "Software";
        /// In hardware.
        HARDWARE = 0x0000_0002, "Hardware";
        /// On the processor.
        ON_PROCESSOR = 0x0000_0004, "OnProcessor";
        /// On the system.
        ON_SYSTEM = 0x0000_0008, "OnSystem";
        /// Off the system.
        OFF_SYSTEM = 0x0000_0010, "OffSystem";
        /// By a hypervisor.
        HYPERVISOR = 0x0000_0020, "Hypervisor";
        /// By an operating system.
        OPERATING_SYSTEM = 0x0000_0040, "OperatingSystem";
        /// In a container.
        CONTAINER = 0x0000_0080, "Container";
        /// On the premises.
        ON_PREMISES = 0x0000_0100, "OnPremises";
        /// Off the premises.
        OFF_PREMISES = 0x0000_0200, "OffPremises";
        /// Managed by its owner.
        SELF_MANAGED = 0x0000_0400, "SelfManaged";
        /// Managed by somebody else.
        OUTSOURCED = 0x0000_0800, "Outsourced";
        /// Validated.
        VALIDATED = 0x0000_1000, "Validated";
        /// In the same jurisdiction.
        SAME_JURISDICTION = 0x0000_2000, "SameJurisdiction";
    }
}

/// The bits of a name in the XML encoding, of the mask that items of a tag hold.
pub fn bits_by_name(tag: Tag, name: &str) -> Option<u32> {
    match tag {
        Tag::CRYPTOGRAPHIC_USAGE_MASK => {
            CryptographicUsageMask::from_name(name).map(CryptographicUsageMask::bits)
        }
        Tag::STORAGE_STATUS_MASK => StorageStatusMask::from_name(name).map(StorageStatusMask::bits),
        Tag::PROTECTION_STORAGE_MASK => {
            ProtectionStorageMask::from_name(name).map(ProtectionStorageMask::bits)
        }
        _ => None,
    }
}

/// The names of the bits of a number, where items of the tag hold a mask.
pub fn describe(tag: Tag, number: i64) -> Option<String> {
    let bits = i32::try_from(number).ok()?.cast_unsigned();
    match tag {
        Tag::CRYPTOGRAPHIC_USAGE_MASK => Some(CryptographicUsageMask::from_bits(bits).to_string()),
        Tag::STORAGE_STATUS_MASK => Some(StorageStatusMask::from_bits(bits).to_string()),
        Tag::PROTECTION_STORAGE_MASK => Some(ProtectionStorageMask::from_bits(bits).to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_reads_as_its_names() {
        let mask = CryptographicUsageMask::from_bits(12);
        assert_eq!(
            mask,
            CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT
        );
        assert_eq!(mask.to_string(), "Encrypt | Decrypt");
        assert_eq!(
            CryptographicUsageMask::from_bits(0x8000_0001).to_string(),
            "Sign | 0x80000000"
        );
        assert_eq!(CryptographicUsageMask::default().to_string(), "0x00000000");
        assert_eq!(
            CryptographicUsageMask::from_name("MACVerify"),
            Some(CryptographicUsageMask::MAC_VERIFY)
        );
    }
}
