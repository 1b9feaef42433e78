//! Get with a Key Wrapping Specification: the key leaves under a key of the client's, and is never in the clear here.

mod support;

use openssl::aes::{AesKey, unwrap_key};
use openssl::cipher::Cipher;
use openssl::cipher_ctx::{CipherCtx, CipherCtxFlags};
use support::client::Connection;
use support::message::{self, about, attribute, key_material, outcome, request};
use support::server::Server;
use support::tag;
use support::ttlv::{Item, enumeration, integer, structure, text};

const ENCRYPT: i32 = 4;
const WRAP_KEY: i32 = 16;

const NIST_KEY_WRAP: u32 = 0x0d;
const AES_KEY_WRAP_PADDING: u32 = 0x0c;
const CBC: u32 = 1;
const NO_ENCODING: u32 = 1;
const TTLV_ENCODING: u32 = 2;

const ITEM_NOT_FOUND: u32 = 1;
const INVALID_FIELD: u32 = 7;
const FEATURE_NOT_SUPPORTED: u32 = 8;
const PERMISSION_DENIED: u32 = 0x0c;
const SENSITIVE: u32 = 0x16;

fn create(connection: &mut Connection, usage: i32, more: Vec<Item>) -> String {
    let mut attributes = vec![
        attribute("Cryptographic Algorithm", enumeration(0, 3)),
        attribute("Cryptographic Length", integer(0, 256)),
        attribute("Cryptographic Usage Mask", integer(0, usage)),
    ];
    attributes.extend(more);
    let payload = vec![
        enumeration(tag::OBJECT_TYPE, 2),
        structure(tag::TEMPLATE_ATTRIBUTE, attributes),
    ];
    message::identifier(&connection.exchange(&request(message::CREATE, payload)))
}

fn active(connection: &mut Connection, usage: i32) -> String {
    let key = create(connection, usage, vec![]);
    outcome(&connection.exchange(&about(message::ACTIVATE, &key))).expect("the key is activated");
    key
}

fn get_under(key: &str, wrapping_key: Option<&str>, mode: u32, encoding: u32) -> Item {
    let mut specification = vec![enumeration(tag::WRAPPING_METHOD, 1)];
    if let Some(wrapping_key) = wrapping_key {
        let parameters = vec![enumeration(tag::BLOCK_CIPHER_MODE, mode)];
        let information = vec![
            text(tag::UNIQUE_IDENTIFIER, wrapping_key),
            structure(tag::CRYPTOGRAPHIC_PARAMETERS, parameters),
        ];
        specification.push(structure(tag::ENCRYPTION_KEY_INFORMATION, information));
    }
    specification.push(enumeration(tag::ENCODING_OPTION, encoding));
    let payload = vec![
        text(tag::UNIQUE_IDENTIFIER, key),
        structure(tag::KEY_WRAPPING_SPECIFICATION, specification),
    ];
    request(message::GET, payload)
}

#[test]
fn a_key_comes_under_the_clients_own_key_and_is_the_same_key() {
    let server = Server::start();
    let client = server.client("a");
    let mut connection = client.connect();
    let wrapping_key = active(&mut connection, WRAP_KEY);
    let wrapping_bytes = key_material(&connection.exchange(&about(message::GET, &wrapping_key)));
    let key = create(&mut connection, ENCRYPT, vec![]);
    let clear = key_material(&connection.exchange(&about(message::GET, &key)));

    let answer = connection.exchange(&get_under(&key, Some(&wrapping_key), NIST_KEY_WRAP, NO_ENCODING));
    let block = outcome(&answer)
        .expect("wrapped")
        .find(&[tag::SYMMETRIC_KEY, tag::KEY_BLOCK])
        .expect("a key block");
    let wrapped = block.find(&[tag::KEY_VALUE]).expect("a value").bytes();
    let named = [
        tag::KEY_WRAPPING_DATA,
        tag::ENCRYPTION_KEY_INFORMATION,
        tag::UNIQUE_IDENTIFIER,
    ];
    assert_eq!(
        block.find(&named).expect("the wrapping key is named").text(),
        wrapping_key
    );
    let mut opened = [0; 32];
    let under = AesKey::new_decrypt(&wrapping_bytes).expect("an AES key");
    unwrap_key(&under, None, &mut opened, wrapped).expect("the client can open what it got");
    assert_eq!(opened[..], clear);

    let records = server.custody_records();
    let release = records
        .iter()
        .rfind(|record| record["event"] == "kmip.get" && record["object"]["identifier"] == key.as_str())
        .expect("the release is recorded");
    assert_eq!(release["root_key"]["release_profile"], "client");
    assert_eq!(release["details"]["wrapping_key"], wrapping_key.as_str());
    server.verify_custody_log();
}

#[test]
fn a_key_wrapped_with_its_encoding_opens_to_its_key_value_and_the_record_says_so() {
    let server = Server::start();
    let mut connection = server.client("a").connect();
    let wrapping_key = active(&mut connection, WRAP_KEY);
    let wrapping_bytes = key_material(&connection.exchange(&about(message::GET, &wrapping_key)));
    let key = create(&mut connection, ENCRYPT, vec![]);
    let clear = key_material(&connection.exchange(&about(message::GET, &key)));

    let answer = connection.exchange(&get_under(
        &key,
        Some(&wrapping_key),
        NIST_KEY_WRAP,
        TTLV_ENCODING,
    ));
    let wrapped = outcome(&answer)
        .expect("wrapped")
        .find(&[tag::SYMMETRIC_KEY, tag::KEY_BLOCK, tag::KEY_VALUE])
        .expect("a value")
        .bytes();
    let mut opened = vec![0; wrapped.len() - 8];
    let under = AesKey::new_decrypt(&wrapping_bytes).expect("an AES key");
    unwrap_key(&under, None, &mut opened, wrapped).expect("the client can open what it got");
    // Key Value, a structure; in it Key Material, a byte string.
    assert_eq!(opened[..8], [0x42, 0, 0x45, 1, 0, 0, 0, 40]);
    assert_eq!(opened[8..16], [0x42, 0, 0x43, 8, 0, 0, 0, 32]);
    assert_eq!(opened[16..], clear);

    let records = server.custody_records();
    let release = records
        .iter()
        .rfind(|record| record["event"] == "kmip.get" && record["object"]["identifier"] == key.as_str())
        .expect("the release is recorded");
    assert_eq!(release["root_key"]["release_profile"], "client-ttlv");
    server.verify_custody_log();
}

#[test]
fn a_key_wrapped_with_padding_is_the_same_key_too() {
    let server = Server::start();
    let mut connection = server.client("a").connect();
    let wrapping_key = active(&mut connection, WRAP_KEY);
    let wrapping_bytes = key_material(&connection.exchange(&about(message::GET, &wrapping_key)));
    let key = create(&mut connection, ENCRYPT, vec![]);
    let clear = key_material(&connection.exchange(&about(message::GET, &key)));

    let padded = get_under(&key, Some(&wrapping_key), AES_KEY_WRAP_PADDING, NO_ENCODING);
    let answer = connection.exchange(&padded);
    let wrapped = outcome(&answer)
        .expect("wrapped")
        .find(&[tag::SYMMETRIC_KEY, tag::KEY_BLOCK, tag::KEY_VALUE])
        .expect("a value")
        .bytes();
    let mut context = CipherCtx::new().expect("OpenSSL has memory");
    context.set_flags(CipherCtxFlags::FLAG_WRAP_ALLOW);
    context
        .decrypt_init(Some(Cipher::aes_256_wrap_pad()), Some(&wrapping_bytes), None)
        .expect("an AES-256 key");
    let mut opened = Vec::new();
    context
        .cipher_update_vec(wrapped, &mut opened)
        .expect("it is wrapped as RFC 5649 says");
    assert_eq!(opened, clear);
}

#[test]
fn a_sensitive_key_leaves_only_wrapped() {
    let server = Server::start();
    let client = server.client("a");
    let mut connection = client.connect();
    let wrapping_key = active(&mut connection, WRAP_KEY);
    let sensitive = vec![attribute("Sensitive", support::ttlv::boolean(0, true))];
    let key = create(&mut connection, ENCRYPT, sensitive);
    let (reason, _) = outcome(&connection.exchange(&about(message::GET, &key)))
        .cloned()
        .expect_err("in the clear");
    assert_eq!(reason, SENSITIVE);
    let wrapped = connection.exchange(&get_under(&key, Some(&wrapping_key), NIST_KEY_WRAP, NO_ENCODING));
    outcome(&wrapped).expect("wrapped it may leave");
}

#[test]
fn what_may_not_wrap_is_refused_with_the_standards_reason() {
    let server = Server::start();
    server.adapter("tenant-b");
    let mut connection = server.client("a").connect();
    let mut stranger = server.client_of("tenant-b", "b").connect();
    let key = create(&mut connection, ENCRYPT, vec![]);
    let good = active(&mut connection, WRAP_KEY);
    let for_data = active(&mut connection, ENCRYPT);
    let not_yet_active = create(&mut connection, WRAP_KEY, vec![]);
    let of_another = active(&mut stranger, WRAP_KEY);
    let absent = "6b1f5f0e-3f0a-4c7e-9d1b-0d5b7a3c2e11";
    let cases = [
        (
            "no Wrap Key in the mask",
            get_under(&key, Some(&for_data), NIST_KEY_WRAP, NO_ENCODING),
            PERMISSION_DENIED,
        ),
        (
            "not active",
            get_under(&key, Some(&not_yet_active), NIST_KEY_WRAP, NO_ENCODING),
            PERMISSION_DENIED,
        ),
        (
            "itself",
            get_under(&good, Some(&good), NIST_KEY_WRAP, NO_ENCODING),
            PERMISSION_DENIED,
        ),
        (
            "absent",
            get_under(&key, Some(absent), NIST_KEY_WRAP, NO_ENCODING),
            ITEM_NOT_FOUND,
        ),
        (
            "another adapter's",
            get_under(&key, Some(&of_another), NIST_KEY_WRAP, NO_ENCODING),
            ITEM_NOT_FOUND,
        ),
        (
            "no key named",
            get_under(&key, None, NIST_KEY_WRAP, NO_ENCODING),
            INVALID_FIELD,
        ),
        (
            "another mode",
            get_under(&key, Some(&good), CBC, NO_ENCODING),
            FEATURE_NOT_SUPPORTED,
        ),
    ];
    for (what, wrong, expected) in cases {
        let answer = connection.exchange(&wrong);
        let (reason, words) = outcome(&answer).cloned().expect_err(what);
        assert_eq!(reason, expected, "{what}: {words}");
    }
    let right = connection.exchange(&get_under(&key, Some(&good), NIST_KEY_WRAP, NO_ENCODING));
    outcome(&right).expect("the right one still works");
}
