//! Which of the servers that share a store does the jobs in the background.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use crate::job::Jobs;
use crate::recorder::Recorder;
use crate::store::Store;

/// So long after its last word a server that shares the store with others is taken for gone, and its jobs are taken on.
const LEASE: Duration = Duration::from_secs(10);

/// Does the jobs, once the log is not held: what a database says that was taken back is not carried out on a device. Of several
/// servers that share the store one does them at a time; where it is gone, another takes them on.
pub(super) async fn work_when_released(store: Arc<dyn Store>, node: String, recorder: Recorder, jobs: Jobs) {
    recorder.released().await;
    drop(recorder);
    // Another start of this server is another holder.
    let holder = format!("{node} {}", Uuid::new_v4());
    let mut running = JoinSet::new();
    let mut until = Instant::now();
    loop {
        let asked = Instant::now();
        match store.lease("jobs", &holder, LEASE).await {
            Ok(true) => {
                until = asked + LEASE;
                if running.is_empty() {
                    tracing::info!("this server does the jobs in the background");
                    jobs.start_in(&mut running);
                }
            }
            Ok(false) => until = asked,
            Err(error) => tracing::warn!(%error, "who does the jobs in the background can't be settled"),
        }
        // A job that another server begins too does no harm: each step of it is a commit that only one of them makes.
        if Instant::now() >= until && !running.is_empty() {
            tracing::info!("another server does the jobs in the background");
            running.shutdown().await;
        }
        tokio::time::sleep(LEASE / 5).await;
    }
}
