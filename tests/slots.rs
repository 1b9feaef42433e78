//! Several slots and several HSMs behind one server, each with workers of its own.

mod support;

use claviger_hsm::DeviceConfig;
use claviger_hsm::testkit::SoftHsm;
use support::client::Client;
use support::message::{self, about, create, key_material, outcome};
use support::server::{Server, UNHEALTHY, device};
use support::slot::{Slot, another};
use support::traffic::served_while;

/// A server with the devices `east` and `west`, a root key and an adapter of the same name on each, and a client of each.
struct Site {
    server: Server,
    east: Client,
    west: Client,
    /// The slot of `west`.
    slot: Slot,
}

impl Site {
    fn start(tokens: Vec<SoftHsm>, west: &DeviceConfig, slot: Slot) -> Self {
        let east = tokens[0].device_config("east");
        let sections = device("east", &east, 2, 2) + &device("west", west, 2, 2);
        let server = Server::start_configured(tokens, &sections);
        for name in ["east", "west"] {
            server.must(&["root-key", "create", name, "--device", name]);
            server.adapter_under(name, name);
        }
        let (east, west) = (
            server.client_of("east", "client-e"),
            server.client_of("west", "client-w"),
        );
        Self {
            server,
            east,
            west,
            slot,
        }
    }

    /// Two slots of one module.
    fn of_two_slots() -> Self {
        let token = SoftHsm::new();
        let (west, slot) = another(&token, "claviger-west");
        Self::start(vec![token], &west, slot)
    }

    /// Two modules, or one with two configurations.
    fn of_two_modules() -> Self {
        let tokens = vec![SoftHsm::new(), SoftHsm::new()];
        let (west, slot) = (tokens[1].device_config("west"), Slot::of(&tokens[1]));
        Self::start(tokens, &west, slot)
    }
}

fn made_by(client: &Client) -> (String, Vec<u8>) {
    let mut connection = client.connect();
    let identifier = message::identifier(&connection.exchange(&create()));
    let key = key_material(&connection.exchange(&about(message::GET, &identifier)));
    (identifier, key)
}

fn fetched(client: &Client, identifier: &str) -> Option<Vec<u8>> {
    let answer = client
        .try_connect()
        .ok()?
        .exchange_bytes(&about(message::GET, identifier).encode())
        .ok()?;
    let answer = support::ttlv::Item::decode(&answer);
    outcome(&answer).is_ok().then(|| key_material(&answer))
}

fn fetched_at_last(client: &Client, identifier: &str) -> Vec<u8> {
    let limit = std::time::Instant::now() + std::time::Duration::from_mins(2);
    loop {
        if let Some(key) = fetched(client, identifier) {
            return key;
        }
        assert!(std::time::Instant::now() < limit, "the key is not served again");
    }
}

/// Each device has the keys of its own adapter, and serves on while the other is gone.
#[allow(clippy::print_stdout)] // The counts are read by a person.
fn each_serves_its_own(site: &Site) {
    let Site {
        server,
        east,
        west,
        slot,
    } = site;
    let (of_east, east_key) = made_by(east);
    let (of_west, west_key) = made_by(west);
    let root_keys = server.json(&["root-key", "list"]);
    let facts = |index: usize, name: &str| root_keys[index][name].as_str().expect("a text").to_owned();
    assert_eq!(
        (facts(0, "backend"), facts(1, "backend")),
        ("east".into(), "west".into())
    );
    assert_ne!(facts(0, "token_serial"), facts(1, "token_serial"));
    for record in server.custody_records() {
        if record["event"] == "kmip.create" || record["event"] == "kmip.get" {
            assert_eq!(
                record["root_key"]["backend"], record["adapter"]["name"],
                "{record}"
            );
        }
    }
    let served = served_while(east, 4, || {
        slot.take_away();
        let refused = west.connect().exchange(&about(message::GET, &of_west));
        outcome(&refused).expect_err("its device is gone");
        server.wait_for_status(UNHEALTHY);
        assert_eq!(fetched(east, &of_east).as_ref(), Some(&east_key));
        slot.bring_back();
        assert_eq!(fetched_at_last(west, &of_west), west_key);
    });
    println!(
        "{} requests answered, {} failed",
        served.answered,
        served.failed.len()
    );
    assert!(served.failed.is_empty(), "{:?}", served.failed);
    server.verify_custody_log();
}

#[test]
fn the_clients_of_one_slot_notice_nothing_when_the_other_slot_is_gone() {
    each_serves_its_own(&Site::of_two_slots());
}

#[test]
fn the_clients_of_one_hsm_notice_nothing_when_the_other_hsm_is_gone() {
    each_serves_its_own(&Site::of_two_modules());
}

#[test]
fn a_server_starts_without_one_of_its_devices_and_lets_the_clients_of_the_others_in() {
    for mut site in [Site::of_two_slots(), Site::of_two_modules()] {
        let (of_east, east_key) = made_by(&site.east);
        let (of_west, west_key) = made_by(&site.west);
        assert!(site.server.stop().success());
        site.slot.take_away();
        site.server.start_again();
        assert_eq!(fetched(&site.east, &of_east), Some(east_key));
        assert_eq!(fetched(&site.west, &of_west), None);
        site.slot.bring_back();
        assert_eq!(fetched_at_last(&site.west, &of_west), west_key);
    }
}
