//! Prints a table of what the boundary to the device workers costs, for each test token that is there: operations a
//! second through a [`Device`] with 1, 2 and 4 workers of one session; by as many processes without the boundary; and by
//! one process with as many threads. The last lines are of a token whose calls take a millisecond longer, as those of an
//! HSM in the network do: there the processor is not what all of them wait for.
//!
//! ```text
//! device SECONDS ROUNDS
//! ```
//!
//! Each line is measured for so long in each round, the three beside each other; the best round counts. Uses itself as
//! the worker program and the example `raw_device`, which must have been built too.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use claviger_hsm::testkit::{Faults, TokenKind};
use claviger_hsm::{Device, DeviceConfig, KeyKind, RootKeyLocator, SlotSelector, WorkerCommand};
use support::repeat;

const KIND: KeyKind = KeyKind::Aes { bytes: 32 };
const TOKENS: [TokenKind; 3] = [TokenKind::SoftHsm, TokenKind::OpenCryptoki, TokenKind::Kryoptic];
const WORKERS: [usize; 3] = [1, 2, 4];
/// Requests under way for each worker, so that it never waits for the next.
const AHEAD: usize = 4;

/// Operations a second.
#[derive(Clone, Copy, Default)]
struct Rates {
    generate: f64,
    release: f64,
    /// Nothing is signed through the boundary, nor by a device that can't.
    sign: Option<f64>,
}

impl Rates {
    fn best(self, other: Self) -> Self {
        Self {
            generate: self.generate.max(other.generate),
            release: self.release.max(other.release),
            sign: self.sign.into_iter().chain(other.sign).reduce(f64::max),
        }
    }
}

/// What was measured with so many workers.
#[derive(Clone, Copy, Default)]
struct Line {
    boundary: Rates,
    processes: Rates,
    threads: Rates,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["device-worker"] {
        return claviger_hsm::worker::serve_inherited();
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    match runtime.block_on(run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}\nusage: device SECONDS ROUNDS");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [seconds, rounds] = arguments else {
        return Err("two arguments are needed".into());
    };
    let (seconds, rounds): (f64, u32) = (seconds.parse()?, rounds.parse()?);
    println!("| token | operation | workers | boundary | processes | ratio | threads |");
    println!("|---|---|---|---|---|---|---|");
    for kind in TOKENS {
        // One that is not there is told of on standard error.
        if let Some(token) = kind.token() {
            measure(&kind.to_string(), &token.device_config("bench"), seconds, rounds).await?;
        }
    }
    if let Some(token) = TokenKind::SoftHsm.token() {
        let mut config = token.device_config("bench");
        let faults = Faults::before(&mut config, token.directory().join("script"));
        faults.set("C_WrapKey all delay 1\nC_UnwrapKey all delay 1\nC_GenerateKey all delay 1");
        measure("1 ms a call", &config, seconds, rounds).await?;
    }
    Ok(())
}

async fn measure(name: &str, config: &DeviceConfig, seconds: f64, rounds: u32) -> Result<(), Box<dyn Error>> {
    let root = make_root_key(config).await?;
    for workers in WORKERS {
        let mut line = Line::default();
        for _ in 0..rounds {
            let boundary = through_the_boundary(config, &root, workers, seconds).await?;
            line.boundary = line.boundary.best(boundary);
            line.processes = line.processes.best(raw(config, &root, 1, workers, seconds)?);
            line.threads = line.threads.best(raw(config, &root, workers, 1, seconds)?);
        }
        print(name, workers, line);
    }
    Ok(())
}

fn print(name: &str, workers: usize, line: Line) {
    let Line {
        boundary,
        processes,
        threads,
    } = line;
    let operations = [
        (
            "generate, wrap, digest",
            boundary.generate,
            processes.generate,
            threads.generate,
        ),
        (
            "unwrap, re-wrap",
            boundary.release,
            processes.release,
            threads.release,
        ),
    ];
    for (operation, boundary, processes, threads) in operations {
        let ratio = boundary / processes;
        println!(
            "| {name} | {operation} | {workers} | {boundary:.0} | {processes:.0} | {ratio:.2} | {threads:.0} |"
        );
    }
    if let (Some(processes), Some(threads)) = (processes.sign, threads.sign) {
        println!("| {name} | sign, P-256 | {workers} | | {processes:.0} | | {threads:.0} |");
    }
}

async fn make_root_key(config: &DeviceConfig) -> Result<RootKeyLocator, Box<dyn Error>> {
    let root = RootKeyLocator {
        label: "root".into(),
        id: vec![1; 16],
        check_value: None,
    };
    let device = Device::start(config.clone(), WorkerCommand::this_program()?).await?;
    device.create_root_key(&root).await?;
    device.shutdown().await;
    Ok(root)
}

async fn through_the_boundary(
    config: &DeviceConfig,
    root: &RootKeyLocator,
    workers: usize,
    seconds: f64,
) -> Result<Rates, Box<dyn Error>> {
    let config = DeviceConfig {
        workers,
        sessions: 1,
        ..config.clone()
    };
    let device = Device::start(config, WorkerCommand::this_program()?).await?;
    let wrapped = device.generate(root, KIND).await?.wrapped;
    let made = root.clone();
    let generate = rate(&device, workers, seconds, move |device| {
        let root = made.clone();
        async move { device.generate(&root, KIND).await.map(|_| ()) }
    })
    .await?;
    let released = root.clone();
    let release = rate(&device, workers, seconds, move |device| {
        let (root, wrapped) = (released.clone(), wrapped.clone());
        async move { device.release(&root, KIND, &wrapped).await.map(|_| ()) }
    })
    .await?;
    device.shutdown().await;
    Ok(Rates {
        generate,
        release,
        sign: None,
    })
}

async fn rate<F: Future<Output = Result<(), claviger_hsm::Error>> + Send>(
    device: &Device,
    workers: usize,
    seconds: f64,
    operation: impl Fn(Device) -> F + Clone + Send + 'static,
) -> Result<f64, Box<dyn Error>> {
    let duration = Duration::from_secs_f64(seconds);
    let (count, took) = repeat(device, workers * AHEAD, duration, operation).await?;
    Ok(f64::from(count) / took.as_secs_f64())
}

/// Without the boundary: by the example `raw_device`, which is beside this one.
fn raw(
    config: &DeviceConfig,
    root: &RootKeyLocator,
    threads: usize,
    processes: usize,
    seconds: f64,
) -> Result<Rates, Box<dyn Error>> {
    let program: PathBuf = std::env::current_exe()?.with_file_name("raw_device");
    let SlotSelector::TokenLabel(label) = &config.slot else {
        return Err("the test tokens are found by their labels".into());
    };
    let output = Command::new(program)
        .arg(&config.module)
        .arg(label)
        .arg(&config.pin_file)
        .args([&root.label, &hex::encode(&root.id)])
        .args([threads.to_string(), seconds.to_string(), processes.to_string()])
        .envs(config.environment.iter().map(|(name, value)| (name, value)))
        .stderr(Stdio::inherit())
        .output()?;
    let measured: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let of = |operation: &str| measured[operation]["per_second"].as_f64();
    let missing = "the raw device was not measured";
    Ok(Rates {
        generate: of("generate_wrap_and_digest").ok_or(missing)?,
        release: of("unwrap_and_rewrap").ok_or(missing)?,
        sign: of("sign"),
    })
}
