//! Runs a piece of work on many connections at once and tells how fast it was.

use std::future::Future;
use std::time::{Duration, Instant};

/// What a run showed.
pub struct Measured {
    pub operations: usize,
    pub elapsed: Duration,
    /// Sorted.
    pub latencies: Vec<Duration>,
}

impl Measured {
    pub fn per_second(&self) -> f64 {
        self.operations as f64 / self.elapsed.as_secs_f64()
    }

    pub fn percentile(&self, percent: usize) -> Duration {
        self.latencies[(self.latencies.len() - 1) * percent / 100]
    }
}

/// Starts `workers` tasks, each on what `make` made for it, each of which says how long every one of its operations
/// took. The making (a handshake) is not measured.
pub async fn run<M, S, W, F>(workers: usize, make: M, mut work: W) -> Measured
where
    M: AsyncFn(usize) -> S,
    W: FnMut(S) -> F,
    F: Future<Output = Vec<Duration>> + Send + 'static,
{
    let mut states = Vec::with_capacity(workers);
    for worker in 0..workers {
        states.push(make(worker).await);
    }
    let start = Instant::now();
    let tasks: Vec<_> = states
        .into_iter()
        .map(|state| tokio::spawn(work(state)))
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("a task of the load"));
    }
    let elapsed = start.elapsed();
    latencies.sort_unstable();
    Measured {
        operations: latencies.len(),
        elapsed,
        latencies,
    }
}
