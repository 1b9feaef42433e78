//! A root key as the interface shows it: its versions, its state, what depends on it.

use super::administration::Administration;
use super::api::{self, Dependents};
use super::refusal::{Kind, Refusal};
use crate::adapter::{Adapter, RootKey, RootKeyState, VersionState};
use crate::job::RotationProgress;
use crate::kmip::enumeration::State;
use crate::kmip::ttlv::DateTime;

/// Keys that are read at a time.
const PAGE: u32 = 1_000;

/// A root key as a list shows it.
pub(super) async fn resource(
    administration: &Administration,
    root_key: RootKey,
    adapters: &[Adapter],
) -> Result<api::RootKey, Refusal> {
    let keys = administration.store().keys_by_version(root_key.id).await?;
    let earlier = administration.store().earlier_versions(root_key.id).await?.rows;
    let count = |version| keys.get(&version).copied().unwrap_or(0);
    let mut versions = Vec::with_capacity(earlier.len() + 1);
    for version in earlier {
        let (state, destroyed_at) = match (&version.state, &root_key.state) {
            (VersionState::Destroyed { at }, _) | (_, RootKeyState::Destroyed { at }) => {
                ("destroyed", Some(*at))
            }
            (VersionState::Destroying, _) | (_, RootKeyState::Destroying) => ("destroying", None),
            (VersionState::Kept, _) => ("kept", None),
        };
        versions.push(api::RootKeyVersion {
            version: version.version,
            label: version.label,
            check_value: hex::encode(version.check_value),
            superseded_at: Some(version.superseded_at),
            state: state.to_owned(),
            destroyed_at,
            origin: version.origin.name().to_owned(),
            keys: count(version.version),
        });
    }
    versions.push(api::RootKeyVersion {
        version: root_key.version,
        label: root_key.label.clone(),
        check_value: hex::encode(&root_key.check_value),
        superseded_at: None,
        state: "present".to_owned(),
        destroyed_at: None,
        origin: root_key.origin.name().to_owned(),
        keys: count(root_key.version),
    });
    let left = keys
        .iter()
        .filter(|(version, _)| **version != root_key.version)
        .map(|(_, keys)| keys)
        .sum();
    let jobs = administration.jobs();
    let users = adapters
        .iter()
        .filter(|adapter| adapter.root_key == root_key.id)
        .count();
    let backend = administration.root_keys().for_root(&root_key);
    Ok(api::RootKey {
        kind: backend.map_or(String::new(), |backend| backend.kind().name().to_owned()),
        rotation: rotation(&root_key, left, jobs.progress.of(root_key.id.uuid())),
        problem: jobs.destroyer.failure(root_key.id),
        id: root_key.id.uuid(),
        name: root_key.name,
        backend: root_key.backend,
        token_label: root_key.token_label,
        token_serial: root_key.token_serial,
        label: root_key.label,
        version: root_key.version,
        check_value: hex::encode(root_key.check_value),
        created_at: root_key.created_at,
        adapters: users as u64,
        versions,
        state: root_key.state.name().to_owned(),
        origin: root_key.origin.name().to_owned(),
        destroyed_at: match &root_key.state {
            RootKeyState::Destroyed { at } => Some(*at),
            _ => None,
        },
        destruction: match root_key.state {
            RootKeyState::Scheduled(destruction) => Some(api::Destruction {
                requested_at: destruction.requested_at,
                requested_by: destruction.requested_by.user,
                approved_by: destruction.approved_by.map(|approved_by| approved_by.user),
                due_at: destruction.due_at,
            }),
            _ => None,
        },
        dependents: None,
    })
}

/// A root key as it is shown alone: with what depends on it.
pub(super) async fn whole(
    administration: &Administration,
    root_key: RootKey,
) -> Result<api::RootKey, Refusal> {
    let adapters = administration.store().adapters().await?.rows;
    let dependents = dependents(administration, &root_key, &adapters).await?;
    let resource = resource(administration, root_key, &adapters).await?;
    Ok(api::RootKey {
        dependents: Some(dependents),
        ..resource
    })
}

/// Refuses what a root key must be enabled for.
pub(super) fn require_enabled(root_key: &RootKey) -> Result<(), Refusal> {
    if root_key.state.is_enabled() {
        return Ok(());
    }
    let message = format!("root key {:?} is {}", root_key.name, root_key.state.name());
    Err(Refusal::new(Kind::WrongState, message))
}

fn rotation(root_key: &RootKey, left: u64, progress: Option<RotationProgress>) -> Option<api::Rotation> {
    if root_key.state.is_beyond_recall() {
        return None;
    }
    progress_of(left, progress)
}

/// How work of which so many keys are left does.
pub(super) fn progress_of(left: u64, progress: Option<RotationProgress>) -> Option<api::Rotation> {
    if left == 0 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // A rate is no negative number, and rounded.
    let whole = |rate: f64| rate.round() as u64;
    Some(api::Rotation {
        keys_left: left,
        rewrapped: progress.map_or(0, |progress| progress.rewrapped),
        failed: progress.map_or(0, |progress| progress.failed),
        keys_per_second: progress.and_then(|progress| progress.rate()).map(whole),
        seconds_left: progress
            .and_then(|progress| progress.time_left(left))
            .map(|left| left.as_secs() + 1),
    })
}

async fn dependents(
    administration: &Administration,
    root_key: &RootKey,
    adapters: &[Adapter],
) -> Result<Dependents, Refusal> {
    let mut dependents = Dependents {
        adapters: adapters
            .iter()
            .filter(|adapter| adapter.root_key == root_key.id)
            .map(|adapter| adapter.name.clone())
            .collect(),
        ..Dependents::default()
    };
    let now = DateTime(time::OffsetDateTime::now_utc().unix_timestamp());
    let mut after = None;
    loop {
        let page = administration
            .store()
            .keys_under(root_key.id, u32::MAX, after, PAGE)
            .await?;
        for row in &page.rows {
            let state = row.object.state(now).and_then(State::name).unwrap_or("unknown");
            *dependents.keys.entry(state.to_owned()).or_default() += 1;
        }
        if !page.refused.is_empty() {
            *dependents.keys.entry("tampered".to_owned()).or_default() += page.refused.len() as u64;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(dependents),
        }
    }
}
