//! Making a root key on all members: on one, and by the cluster's own means on the others.

use std::time::Duration;

use claviger_hsm::Error as DeviceError;
use futures_util::future::{join_all, try_join_all};
use tokio::time::{Instant, sleep};

use super::members::{Member, Members};
use crate::adapter::RootKey;
use crate::root_key::{CreatedRootKey, Error};

/// Between two looks at a member that does not have the key yet.
const REST: Duration = Duration::from_millis(250);

/// Makes the root key and waits until each member has it.
///
/// The token that is told is the one that it was made on; of a version after the first, the one of the first: any member
/// may make a version.
pub(super) async fn create(
    members: &Members,
    root_key: &RootKey,
    replication: Duration,
) -> Result<CreatedRootKey, Error> {
    // Nothing is made that could not be used.
    let asked = members.iter().map(|member| member.backend().describe());
    for (member, answer) in members.iter().zip(join_all(asked).await) {
        answer.map_err(|error| Error::MemberAway {
            backend: members.mirror().to_owned(),
            member: member.name().to_owned(),
            reason: error.to_string(),
        })?;
    }
    let maker = members.for_request(&[root_key])[0].index;
    // What fails here may have made the key all the same: no other member is asked for another one of this name.
    let created = members.get(maker).backend().create(root_key).await?;
    let made = RootKey {
        check_value: created.check_value.clone(),
        ..root_key.clone()
    };
    let maker = members.get(maker);
    tracing::info!(
        mirror = %members.mirror(), member = %maker.name(), label = %made.label,
        "a root key was made; it is used once every member has it"
    );
    let others = members.iter().filter(|member| member.name() != maker.name());
    try_join_all(others.map(|other| appears(members, maker, other, &made, replication))).await?;
    let is_first = root_key.token_serial.is_empty();
    Ok(CreatedRootKey {
        token_label: if is_first {
            created.token_label
        } else {
            root_key.token_label.clone()
        },
        token_serial: if is_first {
            created.token_serial
        } else {
            root_key.token_serial.clone()
        },
        check_value: created.check_value,
    })
}

/// Waits until a member has the key that another has made.
async fn appears(
    members: &Members,
    maker: &Member,
    other: &Member,
    made: &RootKey,
    replication: Duration,
) -> Result<(), Error> {
    let end = Instant::now() + replication;
    loop {
        let why = match other.backend().verify(made).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let is_not_there_yet = matches!(
            &why,
            Error::Device {
                source: DeviceError::RootKeyNotFound { .. },
                ..
            }
        );
        if !is_not_there_yet && !why.is_retryable() || Instant::now() >= end {
            return Err(Error::NotReplicated {
                backend: members.mirror().to_owned(),
                made_on: maker.name().to_owned(),
                missing_on: other.name().to_owned(),
                label: made.label.clone(),
                reason: why.to_string(),
            });
        }
        sleep(REST).await;
    }
}
