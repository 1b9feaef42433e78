//! The profiles that the server conforms to, as Query tells them (KMIP 1.4, section 2.1.19; KMIP 2.1, section 7.31).
//!
//! A profile is told to clients that know its name, and only where what its server clauses ask for is served: the objects and
//! operations are looked up in what Query lists itself, so that nothing is claimed that the server would refuse.
//! docs/kmip.md has what each asks for, and where that is tested.

use super::query::OBJECT_TYPES;
use crate::kmip::ProtocolVersion;
use crate::kmip::enumeration::{ObjectType, Operation, ProfileName as Profile};
use crate::kmip::payload::{OPERATIONS, ProfileInformation, ProfileVersion};

/// A profile: its names in 1.x, one a version, its name from 2.0 on, and what it needs.
struct Claim {
    in_1_x: &'static [Profile],
    since_2: Profile,
    objects: &'static [ObjectType],
    operations: &'static [Operation],
    /// It is about HTTPS and the encodings that come with it.
    over_https: bool,
}

/// What every profile builds on.
const BASELINE: &[Operation] = &[
    Operation::Locate,
    Operation::Check,
    Operation::Get,
    Operation::GetAttributes,
    Operation::GetAttributeList,
    Operation::AddAttribute,
    Operation::ModifyAttribute,
    Operation::DeleteAttribute,
    Operation::Activate,
    Operation::Revoke,
    Operation::Destroy,
    Operation::Query,
    Operation::DiscoverVersions,
];

const CLAIMS: &[Claim] = &[
    Claim {
        in_1_x: &[
            Profile::BaselineServerBasicKMIPV1_2,
            Profile::BaselineServerBasicKMIPV1_3,
            Profile::BaselineServerBasicKMIPV1_4,
        ],
        since_2: Profile::BaselineServer,
        objects: &[],
        operations: BASELINE,
        over_https: false,
    },
    Claim {
        in_1_x: &[
            Profile::SymmetricKeyLifecycleServerKMIPV1_0,
            Profile::SymmetricKeyLifecycleServerKMIPV1_1,
            Profile::SymmetricKeyLifecycleServerKMIPV1_2,
            Profile::SymmetricKeyLifecycleServerKMIPV1_3,
            Profile::SymmetricKeyLifecycleServerKMIPV1_4,
        ],
        since_2: Profile::SymmetricKeyLifecycleServer,
        objects: &[ObjectType::SymmetricKey],
        operations: &[Operation::Create],
        over_https: false,
    },
    Claim {
        in_1_x: &[
            Profile::SymmetricKeyFoundryServerKMIPV1_0,
            Profile::SymmetricKeyFoundryServerKMIPV1_1,
            Profile::SymmetricKeyFoundryServerKMIPV1_2,
            Profile::SymmetricKeyFoundryServerKMIPV1_3,
            Profile::SymmetricKeyFoundryServerKMIPV1_4,
        ],
        since_2: Profile::SymmetricKeyFoundryServer,
        objects: &[ObjectType::SymmetricKey],
        operations: &[Operation::Create],
        over_https: false,
    },
    Claim {
        in_1_x: &[
            Profile::OpaqueManagedObjectStoreServerKMIPV1_0,
            Profile::OpaqueManagedObjectStoreServerKMIPV1_1,
            Profile::OpaqueManagedObjectStoreServerKMIPV1_2,
            Profile::OpaqueManagedObjectStoreServerKMIPV1_3,
            Profile::OpaqueManagedObjectStoreServerKMIPV1_4,
        ],
        since_2: Profile::OpaqueManagedObjectStoreServer,
        objects: &[ObjectType::OpaqueObject],
        operations: &[Operation::Register],
        over_https: false,
    },
    Claim {
        in_1_x: &[
            Profile::StorageArrayWithSelfEncryptingDriveServerKMIPV1_0,
            Profile::StorageArrayWithSelfEncryptingDriveServerKMIPV1_1,
            Profile::StorageArrayWithSelfEncryptingDriveServerKMIPV1_2,
            Profile::StorageArrayWithSelfEncryptingDriveServerKMIPV1_3,
            Profile::StorageArrayWithSelfEncryptingDriveServerKMIPV1_4,
        ],
        since_2: Profile::StorageArrayWithSelfEncryptingDriveServer,
        objects: &[ObjectType::SecretData],
        operations: &[Operation::Register],
        over_https: false,
    },
    Claim {
        in_1_x: &[
            Profile::TapeLibraryServerKMIPV1_0,
            Profile::TapeLibraryServerKMIPV1_1,
            Profile::TapeLibraryServerKMIPV1_2,
            Profile::TapeLibraryServerKMIPV1_3,
            Profile::TapeLibraryServerKMIPV1_4,
        ],
        since_2: Profile::TapeLibraryServer,
        objects: &[ObjectType::SymmetricKey],
        operations: &[Operation::Create],
        over_https: false,
    },
    Claim {
        // Its name came with 2.0.
        in_1_x: &[],
        since_2: Profile::AESXTSServer,
        objects: &[ObjectType::SymmetricKey],
        operations: &[Operation::Create],
        over_https: false,
    },
    Claim {
        // It came with 2.0.
        in_1_x: &[],
        since_2: Profile::QuantumSafeServer,
        objects: &[ObjectType::SymmetricKey],
        operations: &[Operation::Create],
        over_https: false,
    },
    Claim {
        in_1_x: &[
            Profile::HTTPSServerKMIPV1_0,
            Profile::HTTPSServerKMIPV1_1,
            Profile::HTTPSServerKMIPV1_2,
            Profile::HTTPSServerKMIPV1_3,
            Profile::HTTPSServerKMIPV1_4,
        ],
        since_2: Profile::HTTPSServer,
        objects: &[],
        operations: &[],
        over_https: true,
    },
    Claim {
        in_1_x: &[
            Profile::JSONServerKMIPV1_0,
            Profile::JSONServerKMIPV1_1,
            Profile::JSONServerKMIPV1_2,
            Profile::JSONServerKMIPV1_3,
            Profile::JSONServerKMIPV1_4,
        ],
        since_2: Profile::JSONServer,
        objects: &[],
        operations: &[],
        over_https: true,
    },
    Claim {
        in_1_x: &[
            Profile::XMLServerKMIPV1_0,
            Profile::XMLServerKMIPV1_1,
            Profile::XMLServerKMIPV1_2,
            Profile::XMLServerKMIPV1_3,
            Profile::XMLServerKMIPV1_4,
        ],
        since_2: Profile::XMLServer,
        objects: &[],
        operations: &[],
        over_https: true,
    },
];

impl Claim {
    fn holds(&self, https_port: Option<u16>) -> bool {
        self.objects.iter().all(|needed| OBJECT_TYPES.contains(needed))
            && self
                .operations
                .iter()
                .chain(BASELINE)
                .all(|needed| OPERATIONS.contains(needed))
            && (!self.over_https || https_port.is_some())
    }
}

/// The profiles that hold, by the names that a version has for them; those of HTTPS with the port where it is served.
pub(super) fn told(version: ProtocolVersion, https_port: Option<u16>) -> Vec<ProfileInformation> {
    let mut told = Vec::new();
    for claim in CLAIMS.iter().filter(|claim| claim.holds(https_port)) {
        let since_2 = [claim.since_2];
        let (names, profile_version) = if version.tags_attributes() {
            (&since_2[..], Some(profile_version(version)))
        } else {
            (claim.in_1_x, None)
        };
        for profile_name in names {
            told.push(ProfileInformation {
                profile_name: *profile_name,
                profile_version,
                // By which name clients reach this server, it does not know.
                server_uri: None,
                server_port: https_port.filter(|_| claim.over_https).map(i32::from),
            });
        }
    }
    told
}

/// The profiles are published for each version of the protocol.
fn profile_version(version: ProtocolVersion) -> ProfileVersion {
    ProfileVersion {
        major: i32::try_from(version.major).unwrap_or(i32::MAX),
        minor: i32::try_from(version.minor).unwrap_or(i32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmip::version::{V1_4, V2_1};

    fn names(version: ProtocolVersion, https_port: Option<u16>) -> Vec<Profile> {
        let told = told(version, https_port);
        told.into_iter().map(|profile| profile.profile_name).collect()
    }

    #[test]
    fn a_profile_has_the_name_that_the_clients_version_knows() {
        let in_1_4 = names(V1_4, None);
        assert!(in_1_4.contains(&Profile::SymmetricKeyFoundryServerKMIPV1_4));
        assert!(!in_1_4.contains(&Profile::SymmetricKeyFoundryServer));
        let in_2_1 = told(V2_1, None);
        assert!(in_2_1.iter().any(|told| {
            told.profile_name == Profile::BaselineServer
                && told.profile_version == Some(ProfileVersion { major: 2, minor: 1 })
        }));
        assert!(!names(V2_1, None).contains(&Profile::BaselineServerBasicKMIPV1_4));
    }

    #[test]
    fn encodings_are_claimed_only_where_they_are_served() {
        assert!(!names(V2_1, None).contains(&Profile::JSONServer));
        let over_https: Vec<_> = told(V2_1, Some(8443))
            .into_iter()
            .filter(|told| told.server_port == Some(8443))
            .map(|told| told.profile_name)
            .collect();
        assert_eq!(
            over_https,
            [Profile::HTTPSServer, Profile::JSONServer, Profile::XMLServer]
        );
    }

    #[test]
    fn a_profile_whose_objects_are_not_kept_is_not_claimed() {
        for (profile, needed) in [
            (Profile::OpaqueManagedObjectStoreServer, ObjectType::OpaqueObject),
            (
                Profile::StorageArrayWithSelfEncryptingDriveServer,
                ObjectType::SecretData,
            ),
        ] {
            let kept = OBJECT_TYPES.contains(&needed);
            assert_eq!(names(V2_1, None).contains(&profile), kept, "{profile}");
        }
    }
}
