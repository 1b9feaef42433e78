//! What is not counted as it happens, but looked up when it is asked for.

use metrics::{counter, gauge};
use time::OffsetDateTime;

use super::super::refusal::Refusal;
use super::super::{Administration, backup, custody, expiry, feeds, quota, status};
use crate::store::KeyCounts;

/// Brings every gauge that tells a state up to date. What can't be read keeps what was read last.
pub(super) async fn look(administration: &Administration) {
    let server = administration.server();
    gauge!("claviger_build_info", "version" => server.version.clone()).set(1.0);
    gauge!("claviger_start_time_seconds").set(seconds(server.started_at));
    gauge!("claviger_ready").set(truth(status::is_ready(administration).await));
    of_log(administration);
    of_certificates(administration).await;
    if let Some(last) = backup::last(administration) {
        gauge!("claviger_backup_time_seconds").set(seconds(last.at));
    }
    match administration.store().key_counts().await {
        Ok(counts) => {
            let keys = counts.values().map(|count| count.objects).sum();
            gauge!("claviger_keys").set(number(keys));
            of_quotas(administration, &counts).await;
        }
        Err(error) => tracing::warn!(%error, "the keys can't be counted for the metrics"),
    }
}

async fn of_quotas(administration: &Administration, counts: &KeyCounts) {
    let read = async {
        let adapters = administration.store().adapters().await?.rows;
        let quotas = quota::all(administration).await?;
        Ok::<_, Refusal>(quota::near(&adapters, &quotas, counts).len() as u64)
    };
    match read.await {
        Ok(near) => gauge!("claviger_adapters_near_key_quota").set(number(near)),
        Err(refusal) => {
            let error = refusal.message();
            tracing::warn!(%error, "the quotas can't be read for the metrics");
        }
    }
}

fn of_log(administration: &Administration) {
    let recorder = administration.recorder();
    let status = recorder.status();
    let size = status.head.size;
    counter!("claviger_custody_commits_total").absolute(status.groups);
    gauge!("claviger_custody_records").set(number(size));
    gauge!("claviger_custody_held").set(truth(recorder.held().is_some()));
    gauge!("claviger_custody_queue_entries").set(number(recorder.waiting() as u64));
    let signing = custody::signing(administration, size);
    gauge!("claviger_custody_unsigned_records").set(number(signing.lag));
    if let Some(signed_at) = signing.signed_at {
        gauge!("claviger_custody_checkpoint_time_seconds").set(seconds(signed_at));
    }
    if !signing.witnesses.is_empty() {
        let behind = size.saturating_sub(signing.cosigned.unwrap_or(0));
        gauge!("claviger_custody_uncosigned_records").set(number(behind));
        let (well, away): (Vec<_>, Vec<_>) = signing
            .witnesses
            .iter()
            .partition(|witness| witness.trouble.is_none());
        for (state, witnesses) in [("cosigned", well), ("failed", away)] {
            gauge!("claviger_custody_witnesses", "state" => state).set(number(witnesses.len() as u64));
        }
    }
    for feed in feeds::shown(administration, size).0 {
        gauge!("claviger_custody_feed_behind_records", "feed" => feed.name).set(number(feed.behind));
    }
}

async fn of_certificates(administration: &Administration) {
    const NAME: &str = "claviger_certificate_expiry_time_seconds";
    let mut ends = Vec::new();
    for file in &administration.server().certificates {
        ends.extend(expiry::end_of(file).await);
    }
    if let Some(first) = ends.into_iter().min() {
        gauge!(NAME, "of" => "server").set(seconds(first));
    }
    match administration.store().certificates(None).await {
        Ok(certificates) => {
            let now = OffsetDateTime::now_utc();
            let ends = certificates
                .rows
                .into_iter()
                .map(|certificate| certificate.not_after);
            let first = ends.filter(|end| *end > now).min();
            gauge!(NAME, "of" => "client").set(first.map_or(f64::INFINITY, seconds));
        }
        Err(error) => tracing::warn!(%error, "the certificates can't be read for the metrics"),
    }
}

fn seconds(time: OffsetDateTime) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 are exact in 53 bits for longer than anybody asks"
    )]
    let seconds = time.unix_timestamp() as f64;
    seconds
}

fn number(number: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 records")]
    let number = number as f64;
    number
}

const fn truth(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}
