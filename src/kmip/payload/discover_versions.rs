//! Discover Versions (KMIP 1.4, section 4.26). Since 1.1.

use crate::kmip::ttlv::structure_fields;
use crate::kmip::version::ProtocolVersion;

/// Which versions does the server speak?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiscoverVersionsRequest {
    /// Those that the client speaks, the best first. Empty asks for all.
    pub protocol_versions: Vec<ProtocolVersion>,
}

/// The versions that both speak.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiscoverVersionsResponse {
    /// The best first.
    pub protocol_versions: Vec<ProtocolVersion>,
}

structure_fields!(DiscoverVersionsRequest {
    protocol_versions: PROTOCOL_VERSION,
});
structure_fields!(DiscoverVersionsResponse {
    protocol_versions: PROTOCOL_VERSION,
});
