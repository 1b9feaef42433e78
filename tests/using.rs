//! Keys that are used on the device: the clients get what comes of it, and nobody gets the key.

mod support;

use support::client::Connection;
use support::message::{self, about, attribute, identifier, key_material, outcome, request};
use support::server::Server;
use support::tag;
use support::ttlv::{Item, bytes, enumeration, integer, structure, text};

const ENCRYPT: u32 = 0x1f;
const DECRYPT: u32 = 0x20;
const ENCRYPT_AND_DECRYPT: i32 = 12;
const DATA: u32 = 0x42_00c2;
const IV_COUNTER_NONCE: u32 = 0x42_003d;
const CTR: u32 = 6;
const PLAIN: &[u8] = b"a plain text that is in no record";

fn used(connection: &mut Connection, operation: u32, key: &str, data: &[u8]) -> Vec<u8> {
    let payload = vec![
        text(tag::UNIQUE_IDENTIFIER, key),
        structure(
            tag::CRYPTOGRAPHIC_PARAMETERS,
            vec![enumeration(tag::BLOCK_CIPHER_MODE, CTR)],
        ),
        bytes(DATA, data),
        bytes(IV_COUNTER_NONCE, &[3; 16]),
    ];
    let answer: Item = connection.exchange(&request(operation, payload));
    let payload = outcome(&answer).expect("it is done");
    payload.find(&[DATA]).expect("there is data").bytes().to_vec()
}

#[test]
fn a_key_is_used_on_the_device_and_neither_it_nor_the_data_is_in_the_record() {
    let server = Server::start();
    let client = server.client("a");
    let mut connection = client.connect();
    let attributes = vec![
        attribute("Cryptographic Algorithm", enumeration(0, 3)),
        attribute("Cryptographic Length", integer(0, 256)),
        attribute("Cryptographic Usage Mask", integer(0, ENCRYPT_AND_DECRYPT)),
    ];
    let payload = vec![
        enumeration(tag::OBJECT_TYPE, 2),
        structure(tag::TEMPLATE_ATTRIBUTE, attributes),
    ];
    let key = identifier(&connection.exchange(&request(message::CREATE, payload)));
    outcome(&connection.exchange(&about(message::ACTIVATE, &key))).expect("the key is activated");

    let sealed = used(&mut connection, ENCRYPT, &key, PLAIN);
    assert_ne!(sealed, PLAIN);
    assert_eq!(used(&mut connection, DECRYPT, &key, &sealed), PLAIN);

    let key_bytes = key_material(&connection.exchange(&about(message::GET, &key)));
    let records = server.custody_records();
    let uses: Vec<_> = records
        .iter()
        .filter(|record| {
            record["object"]["identifier"] == key.as_str()
                && (record["event"] == "kmip.encrypt" || record["event"] == "kmip.decrypt")
        })
        .collect();
    assert_eq!(uses.len(), 2);
    for record in &uses {
        assert_eq!(record["details"]["cryptography"], "device");
        assert_eq!(record["details"]["data-bytes"], PLAIN.len().to_string());
        assert!(
            record["root_key"]["release_profile"].is_null(),
            "the key did not leave"
        );
    }
    for secret in [PLAIN, &sealed, &key_bytes] {
        let hexadecimal = hex::encode(secret);
        for record in &records {
            let record = record.to_string();
            assert!(!record.to_lowercase().contains(&hexadecimal));
            assert!(!record.contains("a plain text"));
        }
    }
    server.verify_custody_log();
}
