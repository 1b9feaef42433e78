//! An adapter is put under another root key, on the same token, on another one and in Key Protect, and the server is killed
//! on the way.

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use claviger_hsm::SlotSelector;
use claviger_hsm::testkit::SoftHsm;
use claviger_key_protect_stand_in::{Call, Form};
use support::client::Client;
use support::key_protect::{self, KeyProtect};
use support::keys::{keys_on, material};
use support::message::{self, about, create};
use support::server::{ADAPTER, Server};
use support::tag;
use support::ttlv::{Item, bytes, enumeration, structure};

const KEYS: usize = 150;
const LIMIT: Duration = Duration::from_mins(3);

fn left(server: &Server) -> u64 {
    let shown = server.json(&["adapter", "show", ADAPTER]);
    shown["relocation"]["keys_left"].as_u64().unwrap_or(0)
}

fn keys_under(server: &Server, root_key: &str) -> u64 {
    let shown = server.json(&["root-key", "show", root_key]);
    let versions = shown["versions"].as_array().expect("versions");
    versions
        .iter()
        .map(|version| version["keys"].as_u64().expect("a number"))
        .sum()
}

/// What an adapter has: keys, and a value that is kept in several pieces.
struct Belongings {
    client: Client,
    keys: BTreeMap<String, Vec<u8>>,
    opaque: (String, Vec<u8>),
}

impl Belongings {
    /// [`KEYS`] objects, of which one is destroyed: what is left of it is sealed by a root key too.
    fn make(server: &Server) -> Self {
        let client = server.client("client");
        let mut connection = client.connect();
        let mut identifiers: Vec<String> = (0..KEYS - 1)
            .map(|_| message::identifier(&connection.exchange(&create())))
            .collect();
        let destroyed = identifiers.pop().expect("there are some");
        message::outcome(&connection.exchange(&about(message::DESTROY, &destroyed)))
            .expect("it is not active");
        let mut value = vec![0; 9_000];
        openssl::rand::rand_bytes(&mut value).expect("random bytes");
        let registered = message::identifier(&connection.exchange(&register_opaque(&value)));
        Self {
            keys: material(&client, &identifiers),
            opaque: (registered, value),
            client,
        }
    }

    /// Each is given out, and is what it was.
    fn are_all_there(&self) {
        let identifiers: Vec<_> = self.keys.keys().cloned().collect();
        assert_eq!(material(&self.client, &identifiers), self.keys);
        let (identifier, value) = &self.opaque;
        let answer = self.client.connect().exchange(&about(message::GET, identifier));
        let payload = message::outcome(&answer).expect("the value is given out");
        let given_out = payload.find(&[tag::OPAQUE_OBJECT, tag::OPAQUE_DATA_VALUE]);
        assert_eq!(given_out.expect("a value").bytes(), value);
    }
}

fn register_opaque(value: &[u8]) -> Item {
    let opaque = vec![
        enumeration(tag::OPAQUE_DATA_TYPE, 0x8000_0001),
        bytes(tag::OPAQUE_DATA_VALUE, value),
    ];
    message::request(
        message::REGISTER,
        vec![
            enumeration(tag::OBJECT_TYPE, 8),
            structure(tag::TEMPLATE_ATTRIBUTE, vec![]),
            structure(tag::OPAQUE_OBJECT, opaque),
        ],
    )
}

fn move_to(server: &Server, root_key: &str) {
    server.must(&["adapter", "move", ADAPTER, "--root-key", root_key]);
}

/// Waits until no more than so many are left to move.
fn wait_until_left(server: &Server, few: usize) {
    let start = Instant::now();
    while left(server) > few as u64 {
        assert!(start.elapsed() < LIMIT, "the move does not get on");
    }
}

/// How many records of a move there are, each of which must say that keys went so.
fn moves(server: &Server, by: &str) -> usize {
    let records = server.custody_records();
    let moves = records.iter().filter(|record| record["event"] == "key.move");
    // What has no value went nowhere.
    let carried = moves
        .clone()
        .filter(|record| !record["details"]["from_root_key"].is_null());
    for record in carried {
        assert_eq!(record["details"]["by"], by, "{record}");
    }
    moves.count()
}

/// Moves the adapter's keys to the root key `there`, with a kill half way.
fn move_and_kill(server: &mut Server) {
    let belongings = Belongings::make(server);
    move_to(server, "there");
    let made = message::identifier(&belongings.client.connect().exchange(&create()));
    wait_until_left(server, KEYS / 2);
    assert!(keys_under(server, "there") > 0);
    server.kill();
    server.start_again();
    wait_until_left(server, 0);
    belongings.are_all_there();
    material(&belongings.client, &[made]);
    assert_eq!(keys_under(server, "root"), 0);
    server.restart();
    belongings.are_all_there();
    server.verify_custody_log();
    assert_eq!(moves(server, "device"), KEYS, "one record each, and no more");
}

#[test]
fn keys_that_are_moved_to_another_root_key_of_the_token_are_the_same_keys_after_a_kill() {
    let mut server = Server::start();
    server.must(&["root-key", "create", "there"]);
    move_and_kill(&mut server);
    // Nothing needs the first root key any more: not its keys, and not its seal.
    server.must(&["root-key", "rotate", "root"]);
    server.must(&["root-key", "destroy-version", "root", "1"]);
}

#[test]
fn keys_that_are_moved_to_another_device_are_the_same_keys_after_a_kill_and_nothing_is_left_between() {
    let mut server = Server::start();
    let second = SoftHsm::new();
    assert!(server.stop().success());
    let device = second.device_config("second");
    let SlotSelector::TokenLabel(label) = &device.slot else {
        panic!("the token is found by its label");
    };
    let mut configuration = std::fs::read_to_string(server.config()).expect("the configuration");
    write!(
        configuration,
        "\n[[device]]\nname = \"second\"\nmodule = \"{}\"\ntoken_label = {label:?}\npin_file = \"{}\"\n\
         workers = 2\nsessions = 2\n[device.environment]\n",
        device.module.display(),
        device.pin_file.display(),
    )
    .expect("a string can be written to");
    for (name, value) in &device.environment {
        writeln!(configuration, "{name} = {value:?}").expect("a string can be written to");
    }
    std::fs::write(server.config(), configuration).expect("the configuration can be written");
    server.start_again();
    server.must(&["root-key", "create", "there", "--device", "second"]);
    let before = (keys_on(server.token()), keys_on(&second));
    move_and_kill(&mut server);
    let start = Instant::now();
    while (keys_on(server.token()), keys_on(&second)) != before {
        assert!(start.elapsed() < LIMIT, "a key of the move is left on a token");
    }
}

/// A server with a root key `root` on a token and one `there` in Key Protect, with these lines in its section.
fn server_with_both(key_protect: &KeyProtect, lines: &str) -> Server {
    let mut server = Server::start();
    server.add_sections(&key_protect.section(lines));
    server.must(&["root-key", "create", "there", "--device", key_protect::NAME]);
    server
}

#[test]
fn keys_go_to_key_protect_and_back_and_are_the_same_keys_though_the_server_is_killed_on_either_way() {
    let key_protect = KeyProtect::start(Form::KeyProtect);
    let mut server = server_with_both(&key_protect, "");
    let belongings = Belongings::make(&server);
    for to in ["there", "root"] {
        move_to(&server, to);
        wait_until_left(&server, KEYS / 2);
        server.kill();
        server.start_again();
        wait_until_left(&server, 0);
        belongings.are_all_there();
        server.restart();
        belongings.are_all_there();
    }
    assert_eq!(keys_under(&server, "there"), 0);
    server.verify_custody_log();
    assert_eq!(
        moves(&server, "server-memory"),
        2 * KEYS,
        "one record each, and no more"
    );
}

#[test]
fn what_lay_in_the_key_manager_itself_is_gone_from_there_when_it_has_moved_away() {
    let key_protect = KeyProtect::start(Form::KeyProtect);
    let server = server_with_both(&key_protect, "wrapped_keys = \"key-manager\"");
    let belongings = Belongings::make(&server);
    move_to(&server, "there");
    wait_until_left(&server, 0);
    let kept = key_protect.control().counters().of(Call::CreateKey) - 1;
    assert!(kept > KEYS as u64, "the value in pieces has several");
    belongings.are_all_there();
    move_to(&server, "root");
    wait_until_left(&server, 0);
    belongings.are_all_there();
    let start = Instant::now();
    while key_protect.control().counters().of(Call::DeleteKey) < kept {
        assert!(
            start.elapsed() < LIMIT,
            "a wrapped key is left in the key manager"
        );
    }
    assert_eq!(moves(&server, "server-memory"), 2 * KEYS);
}

#[test]
fn keys_go_from_one_root_key_in_key_protect_to_another_and_to_another_instance_that_takes_no_notice_of_what_binds_them()
 {
    let (here, there) = (KeyProtect::start(Form::KeyProtect), KeyProtect::start(Form::Hpcs));
    let other = there
        .section("")
        .replacen(&format!("{:?}", key_protect::NAME), "\"hpcs\"", 1);
    let mut server = Server::start_on_key_protect(here, "", "");
    server.add_sections(&other);
    server.must(&["root-key", "create", "beside", "--device", key_protect::NAME]);
    server.must(&["root-key", "create", "there", "--device", "hpcs"]);
    let belongings = Belongings::make(&server);
    move_to(&server, "beside");
    wait_until_left(&server, 0);
    belongings.are_all_there();
    move_to(&server, "there");
    wait_until_left(&server, KEYS / 2);
    server.kill();
    server.start_again();
    wait_until_left(&server, 0);
    belongings.are_all_there();
    server.verify_custody_log();
    assert_eq!(moves(&server, "server-memory"), 2 * KEYS);
}

#[test]
fn a_move_goes_on_when_the_key_manager_is_back() {
    let mut key_protect = KeyProtect::start(Form::KeyProtect);
    let server = server_with_both(&key_protect, "");
    let belongings = Belongings::make(&server);
    move_to(&server, "there");
    wait_until_left(&server, KEYS / 2);
    key_protect.stop();
    // Those that are where they were go on being given out.
    server.wait_for_log("a key is not moved yet");
    let shown = server.json(&["adapter", "show", ADAPTER]);
    assert!(shown["relocation"]["keys_left"].as_u64() > Some(0), "{shown}");
    key_protect.start_again();
    wait_until_left(&server, 0);
    belongings.are_all_there();
    assert_eq!(moves(&server, "server-memory"), KEYS);
}
