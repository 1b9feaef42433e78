//! A root key that is new on all members: made on one, or brought to one, and on the others by the cluster's own means.

use std::time::Duration;

use claviger_hsm::Error as DeviceError;
use futures_util::future::{join_all, try_join_all};
use tokio::time::{Instant, sleep};

use super::members::{Member, Members};
use crate::adapter::RootKey;
use crate::root_key::{CreatedRootKey, Error, RsaPublicKey, WrappedRootKey};

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
    all_serve(members).await?;
    let maker = members.get(members.for_request(&[root_key])[0].index);
    // What fails here may have made the key all the same: no other member is asked for another one of this name.
    let created = maker.backend().create(root_key).await?;
    on_all(members, maker, root_key, created, replication).await
}

/// Has a member make the RSA pair that a root key comes under: always the same one, since it must be there when the root key
/// comes.
pub(super) async fn offer_take_in(members: &Members, label: &str) -> Result<RsaPublicKey, Error> {
    all_serve(members).await?;
    members.get(0).backend().offer_take_in(label).await
}

/// Takes the root key in on that member, and waits until each other member has it.
pub(super) async fn take_in(
    members: &Members,
    label: &str,
    wrapped: &WrappedRootKey,
    root_key: &RootKey,
    replication: Duration,
) -> Result<CreatedRootKey, Error> {
    all_serve(members).await?;
    let taker = members.get(0);
    let created = taker.backend().take_in(label, wrapped, root_key).await?;
    on_all(members, taker, root_key, created, replication).await
}

/// Nothing is made that could not be used.
async fn all_serve(members: &Members) -> Result<(), Error> {
    let asked = members.iter().map(|member| member.backend().describe());
    for (member, answer) in members.iter().zip(join_all(asked).await) {
        answer.map_err(|error| Error::MemberAway {
            backend: members.mirror().to_owned(),
            member: member.name().to_owned(),
            reason: error.to_string(),
        })?;
    }
    Ok(())
}

/// Waits until each other member has what this one has now.
async fn on_all(
    members: &Members,
    maker: &Member,
    root_key: &RootKey,
    created: CreatedRootKey,
    replication: Duration,
) -> Result<CreatedRootKey, Error> {
    let made = RootKey {
        check_value: created.check_value.clone(),
        ..root_key.clone()
    };
    tracing::info!(
        mirror = %members.mirror(), member = %maker.name(), label = %made.label,
        "a member has a new root key; it is used once every member has it"
    );
    let others = members.iter().filter(|member| member.name() != maker.name());
    try_join_all(others.map(|other| appears(members, maker, other, &made, replication))).await?;
    let is_first = root_key.token_serial.is_empty();
    Ok(CreatedRootKey {
        label: created.label,
        origin: created.origin,
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
