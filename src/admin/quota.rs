//! `PUT /v1/adapters/{adapter}/quota`: what the clients of an adapter may have and do.
//!
//! The reply is the adapter. The quota takes the place of the one before; what is absent in it is bounded no more. It is in
//! force on every server within a second. What an adapter has beyond it stays.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::put;
use axum::{Extension, Json, Router};

use super::Caller;
use super::adapters::resource;
use super::administration::Administration;
use super::api::{self, AdapterQuota};
use super::extract::{Body, Segments};
use super::refusal::Refusal;
use crate::adapter::{Adapter, AdapterId, Quota};
use crate::custody::EventName;
use crate::store::{Change, KeyCounts};

/// From so many hundredths of its quota of keys on, an adapter is told of.
const NEAR: u128 = 90;

pub(super) fn routes() -> Router<Arc<Administration>> {
    Router::new().route("/v1/adapters/{adapter}/quota", put(set))
}

async fn set(
    State(administration): State<Arc<Administration>>,
    Extension(caller): Extension<Caller>,
    Segments(name): Segments<String>,
    Body(asked): Body<AdapterQuota>,
) -> Result<Json<api::Adapter>, Refusal> {
    let told = |bound: Option<u64>| bound.map_or_else(|| "none".to_owned(), |bound| bound.to_string());
    let event = caller
        .event(EventName::AdapterSetQuota)
        .detail("keys", told(asked.keys))
        .detail(
            "requests_per_second",
            told(asked.requests_per_second.map(Into::into)),
        )
        .detail("connections", told(asked.connections.map(Into::into)));
    let event = administration.about_adapter(event, &name).await;
    let done = administration.carry_out(event, async move |administration, event| {
        let adapter = administration.adapter(&name).await?;
        let quota = Quota::new(asked.keys, asked.requests_per_second, asked.connections)?;
        let change = Change::SetQuota {
            adapter: adapter.id,
            quota,
        };
        administration.commit(vec![change], event).await?;
        administration.reload_identities().await?;
        resource(&administration, adapter).await
    });
    done.await.map(Json)
}

/// The quotas of all adapters. One that can't be trusted is not among them: whoever asks for its adapter is told.
pub(super) async fn all(administration: &Administration) -> Result<HashMap<AdapterId, Quota>, Refusal> {
    let quotas = administration.store().quotas().await?;
    Ok(quotas.rows.into_iter().collect())
}

/// A quota as the interface shows it.
pub(super) fn shown(quota: &Quota) -> AdapterQuota {
    AdapterQuota {
        keys: quota.keys,
        requests_per_second: quota.requests_per_second.map(Into::into),
        connections: quota.connections.map(Into::into),
    }
}

/// A sentence for each adapter that has nearly all of the keys that it may have, by name.
pub(super) fn near(
    adapters: &[Adapter],
    quotas: &HashMap<AdapterId, Quota>,
    counts: &KeyCounts,
) -> Vec<String> {
    let sentence = |adapter: &Adapter| {
        // Where it may have none, that is meant so.
        let most = quotas.get(&adapter.id)?.keys.filter(|most| *most > 0)?;
        let keys = counts.get(&adapter.id).map_or(0, |count| count.with_key);
        let is_near = u128::from(keys) * 100 >= u128::from(most) * NEAR;
        is_near.then(|| {
            format!(
                "adapter {} has {keys} of the {most} keys that it may have",
                adapter.name
            )
        })
    };
    adapters.iter().filter_map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::RootKeyId;
    use crate::store::KeyCount;

    fn told(most: Option<u64>, keys: u64) -> Vec<String> {
        let then = time::OffsetDateTime::UNIX_EPOCH;
        let adapter = Adapter::new("east", "", RootKeyId::new(), then).unwrap();
        let quota = Quota::new(most, None, None).unwrap();
        let count = KeyCount {
            objects: keys + 100,
            with_key: keys,
        };
        let (quotas, counts) = ([(adapter.id, quota)], [(adapter.id, count)]);
        near(&[adapter], &quotas.into(), &counts.into())
    }

    #[test]
    fn an_operator_hears_of_a_quota_before_it_is_used_up() {
        assert_eq!(told(Some(100), 89), [""; 0]);
        assert_eq!(
            told(Some(100), 90),
            ["adapter east has 90 of the 100 keys that it may have"]
        );
        assert_eq!(told(Some(2), 7).len(), 1);
        assert_eq!(told(Some(0), 7), [""; 0]);
        assert_eq!(told(None, 1 << 40), [""; 0]);
    }
}
