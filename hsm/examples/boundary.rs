//! Prints, as JSON, what the boundary costs: keys released and made through a [`Device`] by so many tasks at once, and
//! the processor time of this process for each, beside that of its workers.
//!
//! ```text
//! boundary TASKS SECONDS WORKERS SESSIONS [softhsm | opencryptoki | kryoptic]
//! ```
//!
//! Uses a token for tests, SoftHSMv2's where none is named, and itself as the worker program.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use claviger_hsm::testkit::TokenKind;
use claviger_hsm::{Device, DeviceConfig, KeyKind, RootKeyLocator, WorkerCommand};
use support::repeat;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["device-worker"] {
        return claviger_hsm::worker::serve_inherited();
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    match runtime.block_on(run(&arguments)) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}\nusage: boundary TASKS SECONDS WORKERS SESSIONS [TOKEN]");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Result<String, Box<dyn Error>> {
    let [tasks, seconds, workers, sessions, token @ ..] = arguments else {
        return Err("four arguments are needed".into());
    };
    let kind = token
        .first()
        .map_or(Ok(TokenKind::SoftHsm), |name| name.parse())?;
    let (tasks, duration): (usize, _) = (tasks.parse()?, Duration::from_secs_f64(seconds.parse()?));
    let token = kind.token().ok_or("the token is not there")?;
    let config = DeviceConfig {
        workers: workers.parse()?,
        sessions: sessions.parse()?,
        ..token.device_config("bench")
    };
    let device = Device::start(config, WorkerCommand::this_program()?).await?;
    let root = RootKeyLocator {
        label: "root".into(),
        id: vec![1; 16],
        check_value: None,
    };
    device.create_root_key(&root).await?;
    let kind = KeyKind::Aes { bytes: 32 };
    let key = device.generate(&root, kind).await?;

    let (releasing, wrapped) = (root.clone(), key.wrapped.clone());
    let release = measure(&device, tasks, duration, move |device| {
        let (root, wrapped) = (releasing.clone(), wrapped.clone());
        async move {
            let mut opened = [0; 32];
            device
                .release(&root, kind, &wrapped)
                .await?
                .open_into(&mut opened)
        }
    });
    let release = release.await?;
    let generate = measure(&device, tasks, duration, move |device| {
        let root = root.clone();
        async move { device.generate(&root, kind).await.map(|_| ()) }
    });
    let generate = generate.await?;
    device.shutdown().await;
    Ok(serde_json::to_string_pretty(
        &serde_json::json!({ "release": release, "generate": generate }),
    )?)
}

async fn measure<F: Future<Output = Result<(), claviger_hsm::Error>> + Send>(
    device: &Device,
    tasks: usize,
    duration: Duration,
    operation: impl Fn(Device) -> F + Clone + Send + 'static,
) -> Result<serde_json::Value, Box<dyn Error>> {
    let pids = device.worker_pids();
    let (ours, theirs) = (cpu(std::process::id())?, total(&pids)?);
    let (count, took) = repeat(device, tasks, duration, operation).await?;
    let per = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(count);
    Ok(serde_json::json!({
        "per_second": f64::from(count) / took.as_secs_f64(),
        "this_process_microseconds": per(cpu(std::process::id())?.saturating_sub(ours)),
        "workers_microseconds": per(total(&pids)?.saturating_sub(theirs)),
    }))
}

fn total(pids: &[u32]) -> Result<Duration, Box<dyn Error>> {
    pids.iter().map(|pid| cpu(*pid)).sum()
}

/// The processor time that a process has used, from `/proc/PID/schedstat` of its threads, in nanoseconds.
fn cpu(pid: u32) -> Result<Duration, Box<dyn Error>> {
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += text.split(' ').next().unwrap_or("0").parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}
