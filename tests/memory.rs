//! After a key was handed out, no process of the server has it in its memory.
//!
//! The client is this test's own process; what it holds does not count. A SoftHSMv2 worker is apart while it works: its
//! token is a library inside of it, which opens keys in that process's memory. But SoftHSMv2 wipes what it gives back, so
//! that after the load its workers are held to the same as the server: no key at all.

mod support;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use claviger_key_protect_stand_in::Form;
use openssl::ssl::SslVersion;
use support::client::{Client, Connection};
use support::key_protect::{self, KeyProtect};
use support::message::{self, about, attribute, create, key_material, outcome, request};
use support::server::{ADAPTER, Server, signal};
use support::tag;
use support::ttlv::{Item, bytes, enumeration, integer, structure};

const KEYS: usize = 12;
const GETS: usize = 3;
const CLIENTS: usize = 8;
/// How often the server is stopped in the midst of its work, to look at what it has.
const SCANS: usize = 8;
/// What the server sets aside for keys before its first client comes.
const RESERVE: u64 = 2 << 20;
/// A group that is not root's.
const GROUP: u32 = 65_534;
/// What is read of a process's memory at a time, and by how much two readings overlap.
const WINDOW: usize = 1 << 20;
const HALF: usize = 16;

/// Makes keys, has each handed out several times, and brings some of its own; returns all their bytes.
fn load(client: &Client) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    let mut connection = client.connect();
    for number in 0..KEYS {
        let identifier = if number % 2 == 0 {
            message::identifier(&connection.exchange(&create()))
        } else {
            message::identifier(&connection.exchange(&register()))
        };
        let first = key_material(&connection.exchange(&about(message::GET, &identifier)));
        for _ in 1..GETS {
            let again = client.connect().exchange(&about(message::GET, &identifier));
            assert_eq!(key_material(&again), first);
        }
        keys.push(first);
    }
    keys
}

/// Register of an AES-256 key of random bytes.
fn register() -> Item {
    let mut material = [0; 32];
    openssl::rand::rand_bytes(&mut material).expect("random bytes");
    register_material(&material)
}

fn register_material(material: &[u8]) -> Item {
    let template = vec![attribute("Cryptographic Usage Mask", integer(0, 12))];
    let value = structure(tag::KEY_VALUE, vec![bytes(tag::KEY_MATERIAL, material)]);
    let block = vec![
        enumeration(tag::KEY_FORMAT_TYPE, 1),
        value,
        enumeration(tag::CRYPTOGRAPHIC_ALGORITHM, 3),
        integer(tag::CRYPTOGRAPHIC_LENGTH, 256),
    ];
    request(
        message::REGISTER,
        vec![
            enumeration(tag::OBJECT_TYPE, 2),
            structure(tag::TEMPLATE_ATTRIBUTE, template),
            structure(tag::SYMMETRIC_KEY, vec![structure(tag::KEY_BLOCK, block)]),
        ],
    )
}

/// Where half of a key is.
struct Place {
    /// Of the mapping, as `/proc/PID/maps` has it.
    range: String,
    name: String,
    offset: u64,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}+{:x}", self.name, self.range, self.offset)
    }
}

/// Where in the memory of a process halves of these keys are.
fn found(pid: u32, keys: &[Vec<u8>]) -> Vec<Place> {
    let halves: HashSet<&[u8]> = keys.iter().flat_map(|key| key.chunks_exact(HALF)).collect();
    // Almost every place of the memory is none of them: tell by its first two bytes.
    let mut begins = vec![false; 1 << 16];
    for half in &halves {
        begins[usize::from(u16::from_le_bytes([half[0], half[1]]))] = true;
    }
    let memory = File::open(format!("/proc/{pid}/mem")).expect("root may read the memory of its processes");
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
    let (mut places, mut unread) = (Vec::new(), Vec::new());
    let mut window = vec![0; WINDOW + HALF];
    for mapping in maps.lines().filter_map(Mapping::of) {
        let mut at = mapping.start;
        while at < mapping.end {
            let length = usize::try_from(mapping.end - at)
                .expect("a length")
                .min(window.len());
            let read = memory.read_at(&mut window[..length], at).unwrap_or(0);
            if read == 0 {
                unread.push(mapping.range);
                break;
            }
            for (offset, place) in window[..read].windows(HALF).enumerate() {
                if begins[usize::from(u16::from_le_bytes([place[0], place[1]]))] && halves.contains(place) {
                    places.push(Place {
                        range: mapping.range.to_owned(),
                        name: mapping.name.to_owned(),
                        offset: at - mapping.start + offset as u64,
                    });
                }
            }
            // Two readings overlap, so that no half lies across their border unseen.
            let rest = mapping.end - at;
            at += if read as u64 == rest {
                rest
            } else {
                read.saturating_sub(HALF - 1).max(1) as u64
            };
        }
    }
    // A mapping may have gone since the list was made; one that is still there and was not read proves nothing.
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
    unread.retain(|range| maps.lines().any(|line| line.starts_with(range)));
    assert!(unread.is_empty(), "memory that could not be read: {unread:?}");
    places
}

/// A mapping that can be read and that may hold what its process put there.
struct Mapping<'a> {
    range: &'a str,
    name: &'a str,
    start: u64,
    end: u64,
}

impl<'a> Mapping<'a> {
    /// The mapping of a line of `/proc/PID/maps`; none where it holds no more than its file, or is the kernel's own.
    fn of(line: &'a str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        let (range, mode) = (fields.next()?, fields.next()?);
        let name = fields.nth(3).unwrap_or("anonymous");
        let only_its_file = name.starts_with('/') && !mode.contains('w');
        if !mode.starts_with('r') || only_its_file || name.starts_with("[v") {
            return None;
        }
        let (start, end) = range.split_once('-')?;
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).expect("an address"));
        Some(Self {
            range,
            name,
            start,
            end,
        })
    }
}

/// The size in bytes and the `VmFlags` of each mapping of a process (proc(5)), by its range.
fn flags(pid: u32) -> HashMap<String, (u64, Vec<String>)> {
    let smaps = std::fs::read_to_string(format!("/proc/{pid}/smaps")).expect("root may read this");
    let (mut mappings, mut range) = (HashMap::new(), "");
    for line in smaps.lines() {
        let first = line.split_whitespace().next().unwrap_or_default();
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            let (start, end) = range.split_once('-').expect("a range came before");
            let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).expect("an address"));
            let flags = flags.split_whitespace().map(str::to_owned).collect();
            mappings.insert(range.to_owned(), (end - start, flags));
        } else if !first.ends_with(':') {
            range = first;
        }
    }
    mappings
}

/// Whether memory is locked (`lo`), not in dumps (`dd`) and not in children (`dc`).
fn is_for_secrets(flags: &[String]) -> bool {
    ["lo", "dd", "dc"]
        .iter()
        .all(|wanted| flags.iter().any(|flag| flag == wanted))
}

/// Whether this test may look into the server's processes, which are not dumpable. Says so where it may not.
fn may_look() -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !root {
        assert!(
            std::env::var_os("CLAVIGER_TEST_NO_SKIP").is_none(),
            "only root may read the server's memory"
        );
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: only root may read the memory of processes that are not dumpable."
        );
    }
    root
}

#[test]
fn no_process_of_the_server_holds_a_key_after_it_was_handed_out() {
    if !may_look() {
        return;
    }
    let server = Server::start();
    let newest = server.client("newest");
    let older = Client {
        tls: Some(SslVersion::TLS1_2),
        ..server.client("older")
    };
    let clients: Vec<_> = [newest, older].iter().cloned().cycle().take(CLIENTS).collect();
    let keys: Vec<_> = std::thread::scope(|scope| {
        let loads: Vec<_> = clients
            .iter()
            .map(|client| scope.spawn(|| load(client)))
            .collect();
        loads
            .into_iter()
            .flat_map(|load| load.join().expect("the load succeeds"))
            .collect()
    });
    assert_eq!(keys.len(), CLIENTS * KEYS);
    // The scan would find a key if there were one: this process has them all.
    assert!(
        found(std::process::id(), &keys).len() >= keys.len(),
        "the scan does not find what is there"
    );

    let places = found(server.pid(), &keys);
    assert!(
        places.is_empty(),
        "{} places of the server's memory hold keys: {places:#?}",
        places.len()
    );
    for worker in server.worker_pids() {
        let places = found(worker, &keys);
        assert!(places.is_empty(), "a worker's memory holds keys: {places:#?}");
    }

    // While keys go out, each client has one under way: its two halves may be there, and nothing more.
    let (known, going, gets) = (&keys[0], AtomicBool::new(true), AtomicUsize::new(0));
    let again = |client: &Client, begun: &Sender<()>| {
        let mut connection = client.connect();
        let identifier = message::identifier(&connection.exchange(&register_material(known)));
        let get = |connection: &mut Connection| {
            let answer = connection.exchange(&about(message::GET, &identifier));
            assert_eq!(key_material(&answer), *known);
            gets.fetch_add(1, Ordering::SeqCst);
        };
        get(&mut connection);
        begun.send(()).expect("the scanning thread waits");
        while going.load(Ordering::SeqCst) {
            get(&mut connection);
        }
    };
    let most = std::thread::scope(|scope| {
        let (begun, beginning) = channel();
        for client in &clients {
            let begun = begun.clone();
            scope.spawn(move || again(client, &begun));
        }
        let begun: Result<Vec<_>, _> = (0..CLIENTS)
            .map(|_| beginning.recv_timeout(Duration::from_mins(1)))
            .collect();
        let before = gets.load(Ordering::SeqCst);
        let scans: Vec<_> = (0..SCANS)
            .map(|_| {
                // Other requests are under way than at the scan before.
                let seen = gets.load(Ordering::SeqCst);
                while gets.load(Ordering::SeqCst) < seen + CLIENTS && begun.is_ok() {
                    std::thread::yield_now();
                }
                while_stopped(server.pid(), |pid| {
                    let places = found(pid, std::slice::from_ref(known));
                    let flags = flags(pid);
                    for place in &places {
                        let (_, flags) = &flags[&place.range];
                        assert!(
                            is_for_secrets(flags),
                            "a key in memory that may reach a disk: {place:?} {flags:?}"
                        );
                    }
                    places.len()
                })
            })
            .collect();
        let during = gets.load(Ordering::SeqCst) - before;
        going.store(false, Ordering::SeqCst);
        begun.expect("keys go out");
        assert!(during > SCANS, "{during} Gets during {SCANS} scans");
        scans.into_iter().max().expect("scans")
    });
    assert!(
        most <= 2 * CLIENTS,
        "{most} halves of a key while {CLIENTS} clients get it"
    );
    println!("at most {most} halves of the key in {SCANS} scans, while {CLIENTS} clients get it");
}

#[test]
fn no_key_is_left_in_the_servers_memory_that_was_moved_over_it() {
    if !may_look() {
        return;
    }
    let mut key_protect = KeyProtect::start(Form::KeyProtect);
    let mut server = Server::start();
    server.add_sections(&key_protect.section(""));
    server.must(&["root-key", "create", "there", "--device", key_protect::NAME]);
    let client = server.client("client");
    let keys = load(&client);
    // From now on nobody asks for a key: what is found then was left by the moves.
    server.restart();
    for to in ["there", "root"] {
        server.must(&["adapter", "move", ADAPTER, "--root-key", to]);
        let left = || server.json(&["adapter", "show", ADAPTER])["relocation"]["keys_left"].as_u64();
        let start = Instant::now();
        while left().unwrap_or(0) > 0 {
            assert!(
                start.elapsed() < Duration::from_mins(3),
                "the move does not get on"
            );
        }
    }
    let places = found(server.pid(), &keys);
    assert!(
        places.is_empty(),
        "{} places of the server's memory hold keys: {places:#?}",
        places.len()
    );
    // In Key Protect's JSON a key is text. What an HTTP connection received last is in its buffer until it receives something
    // else, or is closed; the server closes one that was idle for a minute.
    key_protect.stop();
    let texts = keys
        .iter()
        .map(|key| openssl::base64::encode_block(key).into_bytes());
    let texts: Vec<_> = texts.collect();
    let start = Instant::now();
    loop {
        let places = found(server.pid(), &texts);
        if places.is_empty() {
            break;
        }
        assert!(
            start.elapsed() < Duration::from_mins(3),
            "{} places of the server's memory hold keys as text: {places:#?}",
            places.len()
        );
    }
}

/// Looks at a process that stands still.
fn while_stopped<T>(pid: u32, look: impl FnOnce(u32) -> T) -> T {
    /// Goes on also where the look fails the test, whose other threads wait for the server.
    struct Stopped(u32);
    impl Drop for Stopped {
        fn drop(&mut self) {
            signal(self.0, "CONT");
        }
    }
    signal(pid, "STOP");
    let _stopped = Stopped(pid);
    look(pid)
}

#[test]
fn memory_for_keys_does_not_go_to_swap_or_into_a_dump_or_a_child() {
    if !may_look() {
        return;
    }
    let server = Server::start();
    let client = server.client("a");
    let identifier = message::identifier(&client.connect().exchange(&create()));
    outcome(&client.connect().exchange(&about(message::GET, &identifier))).expect("a key");
    let mut reserved = 0;
    for pid in server.worker_pids().into_iter().chain([server.pid()]) {
        for (range, (size, flags)) in flags(pid) {
            let has = |wanted: &str| flags.iter().any(|flag| flag == wanted);
            // What is left out of dumps is the pool, and the kernel's own (`io`); what is only locked is SoftHSM's.
            if has("dd") && !has("io") {
                assert!(is_for_secrets(&flags), "{pid} {range}: {flags:?}");
                reserved += size;
            }
        }
    }
    assert!(reserved >= RESERVE, "{reserved} bytes are set aside for keys");
}

/// The group that files of a process in `/proc` belong to: the process's own, or root where it is not dumpable (proc(5)).
fn group_in_proc(pid: u32) -> u32 {
    let file = std::fs::metadata(format!("/proc/{pid}/environ")).expect("the process runs");
    file.gid()
}

#[test]
fn a_crash_leaves_no_core_dump_and_no_other_process_reads_the_memory() {
    if !may_look() {
        return;
    }
    let mut other = Command::new("sleep")
        .arg("600")
        .gid(GROUP)
        .stdin(Stdio::null())
        .spawn()
        .expect("root may run a process of another group");
    let dumpable = group_in_proc(other.id());
    other.kill().expect("it runs");
    other.wait().expect("it ends");
    assert_eq!(dumpable, GROUP, "an ordinary process is dumpable");

    let mut server = Server::start_in_group(GROUP);
    let workers = server.worker_pids();
    for pid in workers.iter().copied().chain([server.pid()]) {
        assert_eq!(group_in_proc(pid), 0, "process {pid} is dumpable");
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).expect("the process runs");
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .expect("a limit");
        // The soft limit may be 0 by the machine's own choice; the hard one is ours.
        let limits: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
        assert_eq!(limits, ["0", "0"], "{core}");
    }
    signal(workers[0], "ABRT");
    let ended = server.wait_for_log("a device worker ended");
    assert!(
        ended.contains("SIGABRT") && !ended.contains("core dumped"),
        "{ended}"
    );
    let ended = server.end_by("ABRT");
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(6), false), "{ended}");
}
