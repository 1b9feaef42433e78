//! Prints, as JSON, how fast the raw device makes and releases keys.
//!
//! ```text
//! raw_device MODULE TOKEN-LABEL PIN-FILE ROOT-KEY-LABEL ROOT-KEY-ID-IN-HEX SESSIONS SECONDS [PROCESSES]
//! ```
//!
//! With PROCESSES the measurement runs in so many processes at once, as the workers of a device do, and the rates are
//! added.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use claviger_hsm::device::measure;
use claviger_hsm::{DeviceConfig, RootKeyLocator, SlotSelector};

const USAGE: &str =
    "raw_device MODULE TOKEN-LABEL PIN-FILE ROOT-KEY-LABEL ROOT-KEY-ID-IN-HEX SESSIONS SECONDS [PROCESSES]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}\nusage: {USAGE}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<String, Box<dyn Error>> {
    if let [one @ .., processes] = arguments
        && one.len() == 7
    {
        return in_processes(one, processes.parse()?);
    }
    let [module, token, pin_file, label, id, sessions, seconds] = arguments else {
        return Err("seven or eight arguments are needed".into());
    };
    let slot = SlotSelector::TokenLabel(token.clone());
    let mut config = DeviceConfig::new("raw", PathBuf::from(module), slot, PathBuf::from(pin_file));
    config.sessions = sessions.parse()?;
    let root = RootKeyLocator {
        label: label.clone(),
        id: hex::decode(id)?,
        check_value: None,
    };
    let measured = measure(&config, &root, Duration::from_secs_f64(seconds.parse()?))?;
    Ok(serde_json::to_string_pretty(&measured)?)
}

/// Runs this program so many times at once; the rates are added, of the times the longest counts.
fn in_processes(arguments: &[String], processes: usize) -> Result<String, Box<dyn Error>> {
    let program = std::env::current_exe()?;
    let children = (0..processes)
        .map(|_| {
            Command::new(&program)
                .args(arguments)
                .stdout(Stdio::piped())
                .spawn()
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut total = serde_json::json!({ "processes": processes });
    for child in children {
        let output = child.wait_with_output()?;
        if !output.status.success() {
            return Err("a process measured nothing".into());
        }
        let measured: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        total["sessions"] = measured["sessions"].clone();
        for operation in [
            "generate_and_wrap",
            "generate_wrap_and_digest",
            "unwrap_and_rewrap",
            "sign",
        ] {
            // A device that can't sign has nothing there.
            for (name, value) in measured[operation].as_object().into_iter().flatten() {
                let (sum, value) = (
                    total[operation][name].as_f64().unwrap_or(0.0),
                    value.as_f64().unwrap_or(0.0),
                );
                let sum = if name == "per_second" {
                    sum + value
                } else {
                    sum.max(value)
                };
                total[operation][name] = sum.into();
            }
        }
    }
    Ok(serde_json::to_string_pretty(&total)?)
}
