//! Which of the servers that share a store does the jobs in the background.

use tokio::task::JoinSet;

use crate::job::{Jobs, Turn};
use crate::recorder::Recorder;

/// The name of the turn.
pub(super) const TURN: &str = "jobs";

/// Does the jobs, once the log is not held: what a database says that was taken back is not carried out on a device. Of several
/// servers that share the store one does them at a time; where it is gone, another takes them on.
pub(super) async fn work_when_released(mut turn: Turn, recorder: Recorder, jobs: Jobs) {
    recorder.released().await;
    drop(recorder);
    loop {
        if turn.take().await {
            tracing::info!("this server does the jobs in the background");
            let mut running = JoinSet::new();
            jobs.start_in(&mut running);
            turn.lost().await;
            // A job that another server begins too does no harm: each step of it is a commit that only one of them makes.
            tracing::info!("another server does the jobs in the background");
            running.shutdown().await;
        }
        turn.rest().await;
    }
}
