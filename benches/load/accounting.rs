//! What the operating system says that a process used.

// Each bench uses some of this, and so does a test.
#![allow(dead_code, unreachable_pub)]

use std::time::Duration;

/// The processor time that a process has used, all its threads, those that ended too.
pub fn cpu_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    // The name, in parentheses, may hold anything: count fields from behind it (proc(5): 14 and 15).
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .expect("a stat line")
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11..13]
        .iter()
        .map(|field| field.parse::<u64>().expect("a number"))
        .sum();
    // USER_HZ is 100 on every Linux that this can run on.
    Duration::from_millis(ticks * 10)
}

/// The memory of a process that is in RAM now, in KiB.
pub fn resident_kib(pid: u32) -> u64 {
    of_status(pid, "VmRSS:")
}

/// The most memory of a process that was ever in RAM, in KiB.
pub fn peak_kib(pid: u32) -> u64 {
    of_status(pid, "VmHWM:")
}

fn of_status(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .expect("the system says it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// How many threads a process has.
pub fn threads(pid: u32) -> u64 {
    of_status(pid, "Threads:")
}

/// How many sessions on its device a worker has: each is used by a thread of its own. None where the worker has ended.
pub fn sessions(worker: u32) -> usize {
    let threads = std::fs::read_dir(format!("/proc/{worker}/task"));
    let names = threads
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("comm")).ok());
    names.filter(|name| name.starts_with("session-")).count()
}

/// How many files a process has open.
pub fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("the process runs")
        .count()
}

/// How long all processors have been busy, and how long they have been there, in ticks (proc(5), `/proc/stat`).
pub fn processors() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/stat").expect("Linux has it");
    let line = stat.lines().next().expect("the sum of all processors");
    // User, nice, system, idle, waiting for the disk, two of interrupts; what is stolen by other machines is busy, too.
    let ticks = line.split_whitespace().skip(1).take(8);
    let ticks: Vec<u64> = ticks.map(|ticks| ticks.parse().expect("a number")).collect();
    let all: u64 = ticks.iter().sum();
    (all - ticks[3] - ticks[4], all)
}
