//! A call that does not come back costs a bounded time, and a worker.

use std::time::Duration;

use claviger_hsm::{DeviceConfig, Error};

use crate::support::{Scene, until};

/// A deadline that a test can wait for.
fn impatient(config: DeviceConfig) -> DeviceConfig {
    DeviceConfig {
        deadline: Duration::from_secs(3),
        ..config
    }
}

#[tokio::test]
async fn a_call_that_hangs_costs_its_worker_and_not_the_requests_behind_it() {
    for verb in ["hang", "do-and-hang"] {
        let scene = Scene::with(impatient).await;
        let pid = scene.pid();
        scene.faults.set(&format!("C_UnwrapKey 1 {verb}"));
        let hanging = scene.release();
        let others = async {
            until("the call hangs", async || scene.faults.calls("C_UnwrapKey") == 1).await;
            for _ in 0..20 {
                scene.release().await.expect("the other session serves");
            }
        };
        let (hanging, ()) = tokio::join!(hanging, others);
        assert!(matches!(hanging, Ok(()) | Err(Error::Deadline)), "{hanging:?}");
        until("the worker is replaced", async || {
            let pids = scene.device.worker_pids();
            !pids.is_empty() && !pids.contains(&pid)
        })
        .await;
        scene.is_well().await;
    }
}

#[tokio::test]
async fn a_call_that_hangs_does_not_keep_the_others_from_being_healed() {
    // A deadline that the test does not live to see: only what ends sooner can heal.
    let scene = Scene::with(|config| DeviceConfig {
        deadline: Duration::from_secs(40),
        ..config
    })
    .await;
    scene
        .faults
        .set("C_UnwrapKey 1 hang\nC_UnwrapKey 2-5 fail CKR_CRYPTOKI_NOT_INITIALIZED");
    let hanging = scene.release();
    let healed = async {
        until("the call hangs", async || scene.faults.calls("C_UnwrapKey") == 1).await;
        scene.release().await
    };
    // The worker ends for it; what hung there is asked again as well.
    let (hanging, healed) = tokio::join!(hanging, healed);
    assert_eq!((hanging, healed), (Ok(()), Ok(())));
    assert_eq!(scene.device.healing().workers, 1);
}

#[tokio::test]
async fn a_device_whose_every_call_hangs_refuses_in_time_and_comes_back() {
    let scene = Scene::with(impatient).await;
    scene.faults.set("any all hang");
    for _ in 0..3 {
        let refused = scene.release().await.expect_err("nothing comes back");
        assert!(refused.is_retryable(), "{refused}");
    }
    scene.faults.none();
    scene.is_well().await;
}
