//! The conversation that vCenter 7 and ESXi hold with a key server, from the trust of the provider to an
//! encrypted virtual machine. Messages are written byte by byte, without the product's codec.

mod support;

use support::backend::Backend;
use support::client::{Client, Connection};
use support::message;
use support::tag;
use support::ttlv::{Item, bytes, enumeration, integer, structure, text};

const CREATE: u32 = 0x01;
const GET: u32 = 0x0a;
const GET_ATTRIBUTES: u32 = 0x0b;
const ADD_ATTRIBUTE: u32 = 0x0d;
const ACTIVATE: u32 = 0x12;
const QUERY: u32 = 0x18;
const DISCOVER_VERSIONS: u32 = 0x1e;

const SUCCESS: i64 = 0;
const PRE_ACTIVE: i64 = 1;
const ACTIVE: i64 = 2;

/// vCenter numbers the items of a batch so: `QLKC`, the number, three zero bytes.
fn batch_item_id(number: u8) -> Vec<u8> {
    vec![0x51, 0x4c, 0x4b, 0x43, number, 0, 0, 0]
}

/// vCenter's header: version 1.1 and a batch count, and nothing else.
fn header(batch_count: i32) -> Item {
    message::header(1, batch_count)
}

/// A request as vCenter frames it: version 1.1, a batch count, and its numbered items.
fn request(items: Vec<(u32, Vec<Item>)>) -> Item {
    let mut message = vec![header(i32::try_from(items.len()).expect("a short batch"))];
    for (number, (operation, payload)) in (1..).zip(items) {
        message.push(structure(
            tag::BATCH_ITEM,
            vec![
                enumeration(tag::OPERATION, operation),
                bytes(tag::UNIQUE_BATCH_ITEM_ID, &batch_item_id(number)),
                structure(tag::REQUEST_PAYLOAD, payload),
            ],
        ));
    }
    structure(tag::REQUEST_MESSAGE, message)
}

/// The first message of every connection: Discover Versions, empty and without a batch item ID.
fn discover_versions() -> Item {
    structure(
        tag::REQUEST_MESSAGE,
        vec![
            header(1),
            structure(
                tag::BATCH_ITEM,
                vec![
                    enumeration(tag::OPERATION, DISCOVER_VERSIONS),
                    structure(tag::REQUEST_PAYLOAD, vec![]),
                ],
            ),
        ],
    )
}

fn create_template() -> Vec<Item> {
    let attribute =
        |name: &str, value: Item| structure(tag::ATTRIBUTE, vec![text(tag::ATTRIBUTE_NAME, name), value]);
    vec![
        enumeration(tag::OBJECT_TYPE, 2),
        structure(
            tag::TEMPLATE_ATTRIBUTE,
            vec![
                attribute("Cryptographic Algorithm", enumeration(tag::ATTRIBUTE_VALUE, 3)),
                attribute("Cryptographic Usage Mask", integer(tag::ATTRIBUTE_VALUE, 12)),
                attribute("Cryptographic Length", integer(tag::ATTRIBUTE_VALUE, 256)),
            ],
        ),
    ]
}

fn add_attribute(identifier: &str, name: &str, value: &str) -> (u32, Vec<Item>) {
    let attribute = structure(
        tag::ATTRIBUTE,
        vec![text(tag::ATTRIBUTE_NAME, name), text(tag::ATTRIBUTE_VALUE, value)],
    );
    (
        ADD_ATTRIBUTE,
        vec![text(tag::UNIQUE_IDENTIFIER, identifier), attribute],
    )
}

fn get_attributes(identifier: &str, name: &str) -> (u32, Vec<Item>) {
    (
        GET_ATTRIBUTES,
        vec![
            text(tag::UNIQUE_IDENTIFIER, identifier),
            text(tag::ATTRIBUTE_NAME, name),
        ],
    )
}

/// Sends a request and returns the items of the answer, having checked all that every answer must hold.
fn exchange(connection: &mut Connection, request: &Item) -> Vec<Item> {
    let answer = connection.exchange(request);
    assert_eq!(answer.tag, tag::RESPONSE_MESSAGE);
    let header = &answer.children()[0];
    assert_eq!(header.tag, tag::RESPONSE_HEADER);
    let version = header.find(&[tag::PROTOCOL_VERSION]).expect("a version");
    assert_eq!(version.children()[0].number(), 1);
    assert_eq!(
        version.children()[1].number(),
        1,
        "vCenter speaks 1.1 and must be answered in it"
    );
    assert!(
        header.find(&[tag::TIME_STAMP]).is_some(),
        "each response header has a time stamp"
    );
    let asked: Vec<_> = request.all(tag::BATCH_ITEM).collect();
    let answered: Vec<_> = answer.all(tag::BATCH_ITEM).cloned().collect();
    let count = header.find(&[tag::BATCH_COUNT]).expect("a count").number();
    assert_eq!(usize::try_from(count), Ok(answered.len()));
    assert_eq!(asked.len(), answered.len());
    for (asked, answered) in asked.iter().zip(&answered) {
        for echoed in [tag::OPERATION, tag::UNIQUE_BATCH_ITEM_ID] {
            assert_eq!(
                asked.find(&[echoed]),
                answered.find(&[echoed]),
                "an item's {echoed:06x} comes back"
            );
        }
    }
    answered
}

fn payload(item: &Item) -> &Item {
    let status = item.find(&[tag::RESULT_STATUS]).expect("a status").number();
    assert_eq!(status, SUCCESS, "{item:?}");
    item.find(&[tag::RESPONSE_PAYLOAD]).expect("a payload")
}

fn connect(client: &Client) -> Connection {
    let mut connection = client.connect();
    let answer = exchange(&mut connection, &discover_versions());
    let versions: Vec<_> = payload(&answer[0])
        .all(tag::PROTOCOL_VERSION)
        .map(|version| (version.children()[0].number(), version.children()[1].number()))
        .collect();
    assert!(versions.contains(&(1, 1)), "{versions:?}");
    assert!(versions.is_sorted_by(|a, b| a > b), "newest first: {versions:?}");
    connection
}

/// Makes a key as vCenter does, over its four connections, and returns its identifier.
fn encrypt(client: &Client, component: &str, identifier_of_owner: &str, name: &str) -> String {
    let mut connection = connect(client);
    let answer = exchange(&mut connection, &request(vec![(CREATE, create_template())]));
    let created = payload(&answer[0]);
    assert_eq!(created.find(&[tag::OBJECT_TYPE]).expect("a type").number(), 2);
    let identifier = created
        .find(&[tag::UNIQUE_IDENTIFIER])
        .expect("an identifier")
        .text()
        .to_owned();
    drop(connection);

    let vendor = [
        ("x-Product_Version", "7.0.3 build-19480866"),
        ("x-Vendor", "VMware, Inc."),
        ("x-Product", "VMware vSphere"),
    ];
    let owner = [
        ("x-Identifier", identifier_of_owner),
        ("x-Component", component),
        ("x-Name", name),
    ];
    name_key(client, &identifier, &vendor);
    assert_eq!(fetch(client, &identifier).len(), 32);
    name_key(client, &identifier, &owner);

    let mut connection = connect(client);
    for (name, value) in vendor.iter().chain(&owner) {
        let answer = exchange(&mut connection, &request(vec![get_attributes(&identifier, name)]));
        let attribute = payload(&answer[0])
            .find(&[tag::ATTRIBUTE])
            .expect("the attribute was added");
        assert_eq!(
            attribute.find(&[tag::ATTRIBUTE_NAME]).expect("a name").text(),
            *name
        );
        assert_eq!(
            attribute.find(&[tag::ATTRIBUTE_VALUE]).expect("a value").text(),
            *value
        );
    }
    identifier
}

/// Asks for three attributes one at a time, finds none, and adds them in one batch.
fn name_key(client: &Client, identifier: &str, attributes: &[(&str, &str)]) {
    let mut connection = connect(client);
    for (name, _) in attributes {
        let answer = exchange(&mut connection, &request(vec![get_attributes(identifier, name)]));
        let found = payload(&answer[0]);
        assert_eq!(
            found.children().len(),
            1,
            "an attribute that is not there: the identifier alone"
        );
        assert_eq!(
            found.find(&[tag::UNIQUE_IDENTIFIER]).expect("it").text(),
            identifier
        );
    }
    let batch = attributes
        .iter()
        .map(|(name, value)| add_attribute(identifier, name, value))
        .collect();
    for item in exchange(&mut connection, &request(batch)) {
        assert_eq!(
            payload(&item).find(&[tag::UNIQUE_IDENTIFIER]).expect("it").text(),
            identifier
        );
    }
}

/// Gets a key as a host does: its bytes, its state, and Activate where it is Pre-Active.
fn fetch(client: &Client, identifier: &str) -> Vec<u8> {
    let mut connection = connect(client);
    let answer = exchange(
        &mut connection,
        &request(vec![(GET, vec![text(tag::UNIQUE_IDENTIFIER, identifier)])]),
    );
    let got = payload(&answer[0]);
    assert_eq!(got.find(&[tag::OBJECT_TYPE]).expect("a type").number(), 2);
    let block = got
        .find(&[tag::SYMMETRIC_KEY, tag::KEY_BLOCK])
        .expect("a key block");
    assert_eq!(
        block.find(&[tag::KEY_FORMAT_TYPE]).expect("a format").number(),
        1,
        "Raw"
    );
    assert_eq!(
        block
            .find(&[tag::CRYPTOGRAPHIC_ALGORITHM])
            .expect("an algorithm")
            .number(),
        3,
        "AES"
    );
    assert_eq!(
        block
            .find(&[tag::CRYPTOGRAPHIC_LENGTH])
            .expect("a length")
            .number(),
        256
    );
    let material = block
        .find(&[tag::KEY_VALUE, tag::KEY_MATERIAL])
        .expect("material")
        .bytes()
        .to_vec();

    let answer = exchange(
        &mut connection,
        &request(vec![get_attributes(identifier, "State")]),
    );
    let state = payload(&answer[0])
        .find(&[tag::ATTRIBUTE, tag::ATTRIBUTE_VALUE])
        .expect("a state")
        .number();
    if state == PRE_ACTIVE {
        let activate = (ACTIVATE, vec![text(tag::UNIQUE_IDENTIFIER, identifier)]);
        let answer = exchange(&mut connection, &request(vec![activate]));
        assert_eq!(
            payload(&answer[0])
                .find(&[tag::UNIQUE_IDENTIFIER])
                .expect("it")
                .text(),
            identifier
        );
        let answer = exchange(
            &mut connection,
            &request(vec![get_attributes(identifier, "State")]),
        );
        let state = payload(&answer[0])
            .find(&[tag::ATTRIBUTE, tag::ATTRIBUTE_VALUE])
            .expect("a state");
        assert_eq!(state.number(), ACTIVE);
    } else {
        assert_eq!(state, ACTIVE);
    }
    material
}

fn a_provider_is_trusted_and_its_health_polls_stay_green(backend: Backend) {
    let server = backend.server();
    let client = server.client("vcenter");
    for _ in 0..5 {
        client.connect().close();
    }
    for _ in 0..2 {
        let mut connection = connect(&client);
        let again = exchange(&mut connection, &request(vec![(DISCOVER_VERSIONS, vec![])]));
        payload(&again[0]);
    }
    let mut connection = connect(&client);
    let query = exchange(
        &mut connection,
        &request(vec![(QUERY, vec![enumeration(tag::QUERY_FUNCTION, 3)])]),
    );
    let vendor = payload(&query[0])
        .find(&[tag::VENDOR_IDENTIFICATION])
        .expect("a vendor")
        .text();
    assert!(vendor.contains("Claviger"), "{vendor}");
}

fn a_virtual_machine_is_encrypted_and_its_host_gets_the_key_again_after_a_reboot(backend: Backend) {
    let server = backend.server();
    let client = server.client("vcenter");
    let machine = encrypt(
        &client,
        "Virtual Machine",
        "50217b5c-1fb5-8ab3-bb6d-4c9aab8d9cd2",
        "db-01",
    );
    let host = encrypt(
        &client,
        "ESXi Server",
        "4c4c4544-0042-3510-8053-b4c04f4a4d32",
        "esx-01.example.org",
    );
    assert_ne!(machine, host);
    let before = (fetch(&client, &machine), fetch(&client, &host));
    assert_ne!(before.0, before.1);
    // Every host of a cluster connects by itself, all with vCenter's certificate, at the same time.
    let hosts: Vec<_> = std::thread::scope(|scope| {
        let hosts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (fetch(&client, &machine), fetch(&client, &host))))
            .collect();
        hosts
            .into_iter()
            .map(|host| host.join().expect("a host got its keys"))
            .collect()
    });
    assert!(
        hosts.iter().all(|after| *after == before),
        "a host got other bytes than were handed out first"
    );
}

fn names_and_values_of_any_script_and_length_are_kept_to_the_byte(backend: Backend) {
    let server = backend.server();
    let client = server.client("vcenter");
    let long = "Große-Datenbank ".repeat(200);
    for name in [
        "名前 — サーバー",
        "עִבְרִית",
        "a\u{1F510}b",
        "  two  spaces  ",
        "tab\tand\nline",
        "\u{0}",
        &long,
    ] {
        encrypt(
            &client,
            "Virtual Machine",
            "50217b5c-1fb5-8ab3-bb6d-4c9aab8d9cd2",
            name,
        );
    }
}

fn the_server_still_has_every_key_after_it_was_stopped_and_started(backend: Backend) {
    let mut server = backend.server();
    let client = server.client("vcenter");
    let key = encrypt(
        &client,
        "Virtual Machine",
        "50217b5c-1fb5-8ab3-bb6d-4c9aab8d9cd2",
        "db-01",
    );
    let before = fetch(&client, &key);
    server.restart();
    assert_eq!(fetch(&client, &key), before);
    server.verify_custody_log();
}

on_every_backend! {
    a_provider_is_trusted_and_its_health_polls_stay_green,
    a_virtual_machine_is_encrypted_and_its_host_gets_the_key_again_after_a_reboot,
    names_and_values_of_any_script_and_length_are_kept_to_the_byte,
    the_server_still_has_every_key_after_it_was_stopped_and_started,
}
