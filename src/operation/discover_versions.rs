//! Discover Versions (KMIP 1.4, section 4.26).

use crate::kmip::ProtocolVersion;
use crate::kmip::payload::{DiscoverVersionsRequest, DiscoverVersionsResponse};

/// The versions that both sides speak, the newest first.
pub(super) fn perform(request: &DiscoverVersionsRequest) -> DiscoverVersionsResponse {
    let asked = &request.protocol_versions;
    DiscoverVersionsResponse {
        protocol_versions: ProtocolVersion::SUPPORTED
            .into_iter()
            .filter(|version| asked.is_empty() || asked.contains(version))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmip::version::{V1_0, V1_1};

    fn answer(asked: Vec<ProtocolVersion>) -> Vec<ProtocolVersion> {
        perform(&DiscoverVersionsRequest {
            protocol_versions: asked,
        })
        .protocol_versions
    }

    #[test]
    fn a_client_is_offered_what_it_speaks_itself() {
        assert_eq!(answer(Vec::new()), ProtocolVersion::SUPPORTED);
        assert_eq!(answer(vec![V1_0, ProtocolVersion::new(3, 0), V1_1]), [V1_1, V1_0]);
        assert_eq!(answer(vec![ProtocolVersion::new(9, 31)]), []);
    }
}
