//! Messages that many tests send, in version 1.4, and what is read out of their answers.

use super::tag;
use super::ttlv::{Item, enumeration, integer, structure, text};

pub const CREATE: u32 = 0x01;
pub const REGISTER: u32 = 0x03;
pub const LOCATE: u32 = 0x08;
pub const GET: u32 = 0x0a;
pub const GET_ATTRIBUTES: u32 = 0x0b;
pub const GET_ATTRIBUTE_LIST: u32 = 0x0c;
pub const ADD_ATTRIBUTE: u32 = 0x0d;
pub const MODIFY_ATTRIBUTE: u32 = 0x0e;
pub const DELETE_ATTRIBUTE: u32 = 0x0f;
pub const CHECK: u32 = 0x09;
pub const ACTIVATE: u32 = 0x12;
pub const REVOKE: u32 = 0x13;
pub const DESTROY: u32 = 0x14;
pub const DISCOVER_VERSIONS: u32 = 0x1e;

/// A request header of version 1.`minor`.
pub fn header(minor: i32, batch_count: i32) -> Item {
    structure(
        tag::REQUEST_HEADER,
        vec![
            structure(
                tag::PROTOCOL_VERSION,
                vec![
                    integer(tag::PROTOCOL_VERSION_MAJOR, 1),
                    integer(tag::PROTOCOL_VERSION_MINOR, minor),
                ],
            ),
            integer(tag::BATCH_COUNT, batch_count),
        ],
    )
}

/// A request of one item.
pub fn request(operation: u32, payload: Vec<Item>) -> Item {
    structure(
        tag::REQUEST_MESSAGE,
        vec![
            header(4, 1),
            structure(
                tag::BATCH_ITEM,
                vec![
                    enumeration(tag::OPERATION, operation),
                    structure(tag::REQUEST_PAYLOAD, payload),
                ],
            ),
        ],
    )
}

/// A request about one object that needs nothing but its identifier.
pub fn about(operation: u32, identifier: &str) -> Item {
    request(operation, vec![text(tag::UNIQUE_IDENTIFIER, identifier)])
}

/// An attribute with a name and a value, whose tag is set here.
pub fn attribute(name: &str, mut value: Item) -> Item {
    value.tag = tag::ATTRIBUTE_VALUE;
    structure(tag::ATTRIBUTE, vec![text(tag::ATTRIBUTE_NAME, name), value])
}

/// A new AES-256 key to encrypt and decrypt.
pub fn create() -> Item {
    create_with(vec![])
}

/// The same with more attributes.
pub fn create_with(more: Vec<Item>) -> Item {
    let mut attributes = vec![
        attribute("Cryptographic Algorithm", enumeration(0, 3)),
        attribute("Cryptographic Length", integer(0, 256)),
        attribute("Cryptographic Usage Mask", integer(0, 12)),
    ];
    attributes.extend(more);
    request(
        CREATE,
        vec![
            enumeration(tag::OBJECT_TYPE, 2),
            structure(tag::TEMPLATE_ATTRIBUTE, attributes),
        ],
    )
}

/// Revoke for a reason: 1 Unspecified, 2 Key Compromise, 6 Cessation Of Operation.
pub fn revoke(identifier: &str, reason: u32) -> Item {
    request(
        REVOKE,
        vec![
            text(tag::UNIQUE_IDENTIFIER, identifier),
            structure(
                tag::REVOCATION_REASON,
                vec![enumeration(tag::REVOCATION_REASON_CODE, reason)],
            ),
        ],
    )
}

/// What a key that was made goes through to its end, a release among it.
pub fn life(identifier: &str) -> [Item; 4] {
    [
        about(ACTIVATE, identifier),
        about(GET, identifier),
        revoke(identifier, 6),
        about(DESTROY, identifier),
    ]
}

/// What the one item of an answer says: its payload, or its Result Reason and message.
pub fn outcome(answer: &Item) -> Result<&Item, (u32, String)> {
    let item = answer.find(&[tag::BATCH_ITEM]).expect("an answer has an item");
    if item.find(&[tag::RESULT_STATUS]).expect("a status").number() == 0 {
        return Ok(item.find(&[tag::RESPONSE_PAYLOAD]).unwrap_or(item));
    }
    let reason = item
        .find(&[tag::RESULT_REASON])
        .expect("a failure has a reason")
        .number();
    let message = item
        .find(&[tag::RESULT_MESSAGE])
        .map(|message| message.text().to_owned());
    Err((
        u32::try_from(reason).expect("a reason"),
        message.unwrap_or_default(),
    ))
}

/// The identifier that an answer names.
pub fn identifier(answer: &Item) -> String {
    let payload = outcome(answer).expect("the operation succeeds");
    payload
        .find(&[tag::UNIQUE_IDENTIFIER])
        .expect("an identifier")
        .text()
        .to_owned()
}

/// The key's bytes in the answer to a Get.
pub fn key_material(answer: &Item) -> Vec<u8> {
    let payload = outcome(answer).expect("the key is handed out");
    let path = [
        tag::SYMMETRIC_KEY,
        tag::KEY_BLOCK,
        tag::KEY_VALUE,
        tag::KEY_MATERIAL,
    ];
    payload.find(&path).expect("key material").bytes().to_vec()
}
