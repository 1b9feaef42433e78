//! What the examples that go through the boundary share.

use std::error::Error;
use std::time::{Duration, Instant};

use claviger_hsm::Device;
use tokio::task::JoinSet;

/// Has so many tasks repeat an operation for so long; gives how often it was done, and how long that took.
pub(crate) async fn repeat<F: Future<Output = Result<(), claviger_hsm::Error>> + Send>(
    device: &Device,
    tasks: usize,
    duration: Duration,
    operation: impl Fn(Device) -> F + Clone + Send + 'static,
) -> Result<(u32, Duration), Box<dyn Error>> {
    let start = Instant::now();
    let mut asking = JoinSet::new();
    for _ in 0..tasks {
        let (device, operation) = (device.clone(), operation.clone());
        asking.spawn(async move {
            let mut count = 0_u32;
            while start.elapsed() < duration {
                operation(device.clone()).await?;
                count += 1;
            }
            Ok::<_, claviger_hsm::Error>(count)
        });
    }
    let mut count = 0;
    while let Some(asked) = asking.join_next().await {
        count += asked??;
    }
    Ok((count, start.elapsed()))
}
