//! Many requests at once, while workers die and transport keys are renewed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use claviger_hsm::{Device, DeviceConfig, KeyKind, TransportRenewal, Wrapped};
use rustix::process::Signal;

use super::token;
use crate::support::{root, signal, start, until, value};

const AES_256: KeyKind = KeyKind::Aes { bytes: 32 };

/// Keeps `askers` busy until it is stopped; every key is compared with what it was, and every failure counts.
struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    askers: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn start(device: &Device, askers: u8) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let askers = (0..askers)
            .map(|number| {
                let (device, stop, done) = (device.clone(), Arc::clone(&stop), Arc::clone(&done));
                tokio::spawn(async move {
                    let mut keys: Vec<(Wrapped, Vec<u8>)> = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let made = device.generate(&root(1), AES_256).await.expect("a key is made");
                        let first = value(&device, &root(1), AES_256, &made.wrapped).await;
                        keys.push((made.wrapped, first));
                        let material = vec![number; 20];
                        let kind = KeyKind::Generic { bytes: 20 };
                        let taken = device
                            .import(&root(1), kind, &material)
                            .await
                            .expect("a key is taken in");
                        assert_eq!(value(&device, &root(1), kind, &taken.wrapped).await, material);
                        let (wrapped, expected) = &keys[keys.len() / 2];
                        assert_eq!(value(&device, &root(1), AES_256, wrapped).await, *expected);
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        Self { stop, done, askers }
    }

    /// Waits until `rounds` more rounds are done.
    async fn progress(&self, rounds: usize) {
        let target = self.done.load(Ordering::Relaxed) + rounds;
        until("the load goes on", async || {
            self.done.load(Ordering::Relaxed) >= target
                || self.askers.iter().any(tokio::task::JoinHandle::is_finished)
        })
        .await;
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for asker in self.askers {
            asker.await.expect("no request failed and no key was another");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_workers_cost_no_request_and_no_wrong_key() {
    let Some(token) = token() else { return };
    let device = start(DeviceConfig {
        workers: 2,
        ..token.device_config("test")
    })
    .await;
    device.create_root_key(&root(1)).await.unwrap();
    let load = Load::start(&device, 12);
    for _ in 0..8 {
        load.progress(30).await;
        let pids = device.worker_pids();
        signal(pids[0], Signal::KILL);
        until("both workers serve", async || {
            let now = device.worker_pids();
            now.len() == 2 && !now.contains(&pids[0])
        })
        .await;
    }
    load.progress(30).await;
    load.end().await;
    device.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn renewing_the_transport_key_costs_no_request_and_no_wrong_key() {
    let Some(token) = token() else { return };
    let transport_renewal = TransportRenewal {
        uses: 7,
        age: Duration::from_hours(1),
    };
    let device = start(DeviceConfig {
        sessions: 4,
        transport_renewal,
        ..token.device_config("test")
    })
    .await;
    device.create_root_key(&root(1)).await.unwrap();
    let load = Load::start(&device, 8);
    load.progress(150).await;
    load.end().await;
    device.shutdown().await;
}

#[tokio::test]
async fn a_key_under_an_earlier_transport_key_still_opens() {
    let Some(token) = token() else { return };
    let transport_renewal = TransportRenewal {
        uses: 1,
        age: Duration::from_hours(1),
    };
    let device = start(DeviceConfig {
        transport_renewal,
        ..token.device_config("test")
    })
    .await;
    device.create_root_key(&root(1)).await.unwrap();
    let made = device.generate(&root(1), AES_256).await.unwrap();
    let early = device.release(&root(1), AES_256, &made.wrapped).await.unwrap();
    let expected = value(&device, &root(1), AES_256, &made.wrapped).await;
    for _ in 0..10 {
        device.check(&root(1)).await.unwrap();
    }
    let mut opened = vec![0; 32];
    early.open_into(&mut opened).unwrap();
    assert_eq!(opened, expected);
}

#[tokio::test]
async fn a_transport_key_is_renewed_by_its_age() {
    let Some(token) = token() else { return };
    let transport_renewal = TransportRenewal {
        uses: u64::MAX,
        age: Duration::ZERO,
    };
    let device = start(DeviceConfig {
        transport_renewal,
        ..token.device_config("test")
    })
    .await;
    device.create_root_key(&root(1)).await.unwrap();
    let made = device.generate(&root(1), AES_256).await.unwrap();
    let first = value(&device, &root(1), AES_256, &made.wrapped).await;
    for _ in 0..10 {
        assert_eq!(value(&device, &root(1), AES_256, &made.wrapped).await, first);
    }
}
