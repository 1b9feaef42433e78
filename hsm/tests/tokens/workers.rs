//! The workers: what happens when they end, hang, are too slow, or lose their token.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use claviger_hsm::{Device, DeviceConfig, Error, KeyKind, SlotSelector, WorkerCommand};
use rustix::process::Signal;

use super::{device_with_root_key, path, token};
use crate::support::{TokenOfTheEnvironment, again, command, is_running, root, signal, start, until, value};

const AES_256: KeyKind = KeyKind::Aes { bytes: 32 };

#[tokio::test]
async fn what_was_under_way_when_a_worker_was_killed_is_answered_by_the_next() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    let [pid] = device.worker_pids()[..] else {
        panic!("one worker")
    };
    signal(pid, Signal::STOP);
    let asked = tokio::spawn({
        let (device, root) = (device.clone(), root.clone());
        async move { device.generate(&root, AES_256).await }
    });
    until("the request is under way", async || device.under_way() == 1).await;
    signal(pid, Signal::KILL);
    let made = asked.await.unwrap().expect("the next worker answers");
    assert_eq!(value(&device, &root, AES_256, &made.wrapped).await.len(), 32);
    assert_ne!(device.worker_pids(), [pid]);
}

#[tokio::test]
async fn a_root_key_whose_making_lost_its_answer_is_made_once() {
    let Some((_token, device, _root)) = device_with_root_key().await else {
        return;
    };
    let second = root(2);
    let [pid] = device.worker_pids()[..] else {
        panic!("one worker")
    };
    signal(pid, Signal::STOP);
    let asked = tokio::spawn({
        let (device, second) = (device.clone(), second.clone());
        async move { device.create_root_key(&second).await }
    });
    until("the request is under way", async || device.under_way() == 1).await;
    signal(pid, Signal::KILL);
    let made = asked.await.unwrap().unwrap();
    assert_eq!(device.find_root_key(&second).await.unwrap(), made);
    assert_eq!(device.list_root_keys().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_worker_that_hangs_is_replaced_after_the_deadline() {
    let Some(token) = token() else { return };
    let config = DeviceConfig {
        deadline: Duration::from_secs(3),
        ..token.device_config("test")
    };
    let device = start(config).await;
    device.create_root_key(&root(1)).await.unwrap();
    let [pid] = device.worker_pids()[..] else {
        panic!("one worker")
    };
    signal(pid, Signal::STOP);
    assert_eq!(
        device.generate(&root(1), AES_256).await.err(),
        Some(Error::Deadline)
    );
    until("another worker serves", async || {
        device.generate(&root(1), AES_256).await.is_ok()
    })
    .await;
    assert_ne!(device.worker_pids(), [pid]);
    assert!(!is_running(pid));
}

#[tokio::test]
async fn more_requests_than_may_wait_are_told_so_at_once() {
    let Some(token) = token() else { return };
    let device = start(DeviceConfig {
        queue: 3,
        ..token.device_config("test")
    })
    .await;
    device.create_root_key(&root(1)).await.unwrap();
    let [pid] = device.worker_pids()[..] else {
        panic!("one worker")
    };
    signal(pid, Signal::STOP);
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let device = device.clone();
            tokio::spawn(async move { device.generate(&root(1), AES_256).await })
        })
        .collect();
    until("three are under way", async || device.under_way() == 3).await;
    assert_eq!(device.generate(&root(1), AES_256).await.err(), Some(Error::Busy));
    assert!(Error::Busy.is_retryable());
    signal(pid, Signal::CONT);
    for waiting in waiting {
        waiting.await.unwrap().expect("what waited is answered");
    }
    device
        .generate(&root(1), AES_256)
        .await
        .expect("there is room again");
}

#[tokio::test]
async fn requests_whose_askers_have_gone_make_room() {
    let Some(token) = token() else { return };
    let device = start(DeviceConfig {
        queue: 2,
        ..token.device_config("test")
    })
    .await;
    device.create_root_key(&root(1)).await.unwrap();
    for _ in 0..20 {
        let asked = tokio::spawn({
            let device = device.clone();
            async move { device.check(&root(1)).await }
        });
        tokio::task::yield_now().await;
        asked.abort();
        let _ = asked.await;
    }
    assert_eq!(device.under_way(), 0);
    until("there is room", async || device.check(&root(1)).await.is_ok()).await;
}

#[tokio::test]
async fn a_worker_does_not_outlive_the_process_that_started_it() {
    let Some(token) = token() else { return };
    let device = start(token.device_config("test")).await;
    let mut parent = again(&path("workers::as_the_process_that_is_killed"), &token, &device)
        .await
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    let pids = lines
        .find_map(|line| line.unwrap().strip_prefix("workers: ").map(str::to_owned))
        .unwrap();
    let pids: Vec<u32> = pids.split(' ').map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| is_running(*pid)));
    parent.kill().unwrap();
    parent.wait().unwrap();
    until("the workers have ended", async || {
        !pids.iter().any(|pid| is_running(*pid))
    })
    .await;
}

#[tokio::test]
#[ignore = "run in a process of its own by a_worker_does_not_outlive_the_process_that_started_it"]
async fn as_the_process_that_is_killed() {
    let token = TokenOfTheEnvironment::get();
    let config = DeviceConfig::new(
        "test",
        token.module,
        SlotSelector::SlotId(token.slot),
        token.pin_file,
    );
    let device = start(config).await;
    let pids: Vec<_> = device.worker_pids().iter().map(ToString::to_string).collect();
    println!("workers: {}", pids.join(" "));
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_device_that_nobody_holds_any_more_ends_its_workers() {
    let Some((_token, device, _root)) = device_with_root_key().await else {
        return;
    };
    let pids = device.worker_pids();
    drop(device);
    until("the workers have ended", async || {
        !pids.iter().any(|pid| is_running(*pid))
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_finishes_what_is_under_way_and_refuses_what_comes_later() {
    let Some((_token, device, root)) = device_with_root_key().await else {
        return;
    };
    let pids = device.worker_pids();
    signal(pids[0], Signal::STOP);
    let asked: Vec<_> = (0..40)
        .map(|_| {
            let (device, root) = (device.clone(), root.clone());
            tokio::spawn(async move { device.generate(&root, AES_256).await })
        })
        .collect();
    until("they are under way", async || device.under_way() == 40).await;
    let shutdown = tokio::spawn({
        let device = device.clone();
        async move { device.shutdown().await }
    });
    tokio::task::yield_now().await;
    signal(pids[0], Signal::CONT);
    shutdown.await.unwrap();
    for asked in asked {
        asked.await.unwrap().expect("what was under way is finished");
    }
    assert!(!pids.iter().any(|pid| is_running(*pid)));
    assert!(matches!(
        device.generate(&root, AES_256).await,
        Err(Error::Unavailable { .. })
    ));
}

#[tokio::test]
async fn what_cannot_serve_is_said_at_the_start() {
    let Some(token) = token() else { return };
    let good = token.device_config("test");
    let slot = SlotSelector::TokenLabel("no such token".to_owned());
    let refused = Device::start(DeviceConfig { slot, ..good.clone() }, command())
        .await
        .err()
        .unwrap();
    assert!(
        refused.to_string().contains(token.label()),
        "the tokens that are there are listed: {refused}"
    );

    let module = token.directory().join("no-module.so");
    let refused = Device::start(
        DeviceConfig {
            module,
            ..good.clone()
        },
        command(),
    )
    .await
    .err()
    .unwrap();
    assert!(matches!(refused, Error::Module { .. }), "{refused}");

    let program = WorkerCommand {
        program: "/no/such/program".into(),
        arguments: Vec::new(),
    };
    let refused = Device::start(good.clone(), program).await.err().unwrap();
    assert!(matches!(refused, Error::Launch { .. }), "{refused}");

    let program = WorkerCommand {
        program: "/bin/false".into(),
        arguments: Vec::new(),
    };
    let refused = Device::start(good, program).await.err().unwrap();
    assert!(matches!(refused, Error::Unavailable { .. }), "{refused}");
}
