//! Protocol versions, and which of them this code speaks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The version of the protocol that a message is written in (KMIP 1.4, section 6.1).
///
/// Any pair of numbers that a client can send is representable; [`ProtocolVersion::is_supported`] tells which of
/// them can be answered in kind. Versions are ordered: a later one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProtocolVersion {
    /// Protocol Version Major.
    pub major: u32,
    /// Protocol Version Minor.
    pub minor: u32,
}

/// KMIP 1.0.
pub const V1_0: ProtocolVersion = ProtocolVersion::new(1, 0);
/// KMIP 1.1, which VMware's products speak.
pub const V1_1: ProtocolVersion = ProtocolVersion::new(1, 1);
/// KMIP 1.2.
pub const V1_2: ProtocolVersion = ProtocolVersion::new(1, 2);
/// KMIP 1.3.
pub const V1_3: ProtocolVersion = ProtocolVersion::new(1, 3);
/// KMIP 1.4.
pub const V1_4: ProtocolVersion = ProtocolVersion::new(1, 4);
/// KMIP 2.0.
pub const V2_0: ProtocolVersion = ProtocolVersion::new(2, 0);
/// KMIP 2.1.
pub const V2_1: ProtocolVersion = ProtocolVersion::new(2, 1);

impl ProtocolVersion {
    /// Every version that can be read and written, the newest first: the order in which Discover Versions answers
    /// (KMIP 1.4, section 4.26).
    pub const SUPPORTED: [Self; 7] = [V2_1, V2_0, V1_4, V1_3, V1_2, V1_1, V1_0];

    /// The version of these two numbers.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Whether attributes travel under tags of their own, as from 2.0 on, and not as pairs of name and value.
    pub const fn tags_attributes(self) -> bool {
        self.major >= V2_0.major
    }

    /// Whether messages of this version can be read and written.
    pub fn is_supported(self) -> bool {
        Self::SUPPORTED.contains(&self)
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
