//! Keys that come wrapped as structures (TTLV Encoding): what they hold is compared, since the bytes depend on how a
//! server writes the structure, and some files show those of the bare key.

use std::collections::BTreeMap;

use claviger::kmip::tag::Tag;
use openssl::aes::{AesKey, unwrap_key};

use crate::oasis::Element;
use crate::support::ttlv::{Item, Value};

/// The keys that the client brought, by the identifiers that they were given.
#[derive(Default)]
pub struct Brought {
    waiting: Vec<Vec<u8>>,
    by_identifier: BTreeMap<String, Vec<u8>>,
}

impl Brought {
    /// A request registers this key.
    pub fn request(&mut self, material: &str) {
        self.waiting.extend(hex::decode(material).ok());
    }

    /// The answer to it.
    pub fn answer(&mut self, answer: &Item) {
        if !matches!(answer.value, Value::Structure(_)) {
            return;
        }
        let items = answer.all(Tag::BATCH_ITEM.number());
        let identifiers = items
            .filter_map(|item| item.find(&[Tag::RESPONSE_PAYLOAD.number(), Tag::UNIQUE_IDENTIFIER.number()]));
        for (identifier, material) in identifiers.zip(std::mem::take(&mut self.waiting)) {
            self.by_identifier.insert(identifier.text().to_owned(), material);
        }
    }

    /// Why what a key block has is no key that the client brought, wrapped as a structure; none where it is one.
    pub fn is_wrong(&self, block: &[Item]) -> Option<String> {
        let find = |tag: Tag| block.iter().find(|item| item.tag == tag.number());
        let Some(Value::Bytes(wrapped)) = find(Tag::KEY_VALUE).map(|item| &item.value) else {
            return Some("the Key Value is no Byte String".to_owned());
        };
        let wrapping_key = find(Tag::KEY_WRAPPING_DATA)
            .and_then(|data| {
                data.find(&[
                    Tag::ENCRYPTION_KEY_INFORMATION.number(),
                    Tag::UNIQUE_IDENTIFIER.number(),
                ])
            })
            .and_then(|identifier| self.by_identifier.get(identifier.text()));
        let Some(wrapping_key) = wrapping_key else {
            return Some("the wrapping key is none that the client brought".to_owned());
        };
        let key = AesKey::new_decrypt(wrapping_key).ok()?;
        let mut opened = vec![0; wrapped.len().saturating_sub(8)];
        if unwrap_key(&key, None, &mut opened, wrapped).is_err() {
            return Some("the Key Value cannot be unwrapped".to_owned());
        }
        let value = Item::decode(&opened);
        let material = value.find(&[Tag::KEY_MATERIAL.number()]).map(Item::bytes);
        let is_brought = |bytes: &[u8]| self.by_identifier.values().any(|brought| brought == bytes);
        if value.tag != Tag::KEY_VALUE.number() || !material.is_some_and(is_brought) {
            return Some(format!("{value:?} is no key that the client brought"));
        }
        if value.all(Tag::ATTRIBUTE.number()).next().is_none() {
            return Some("the attributes that were asked for are not with the key".to_owned());
        }
        None
    }
}

/// Whether a key block is one of a key that is wrapped with its attributes, as a structure.
pub fn is_structure(block: &Element) -> bool {
    let data = block.find(Tag::KEY_WRAPPING_DATA);
    data.is_some_and(|data| data.find(Tag::ENCODING_OPTION).is_none())
}

#[cfg(test)]
mod tests {
    use openssl::aes::wrap_key;

    use super::*;
    use crate::support::ttlv::{bytes, structure, text};

    const WRAPPING: [u8; 16] = [1; 16];
    const KEY: [u8; 16] = [2; 16];

    fn answer(identifier: &str) -> Item {
        let payload = structure(
            Tag::RESPONSE_PAYLOAD.number(),
            vec![text(Tag::UNIQUE_IDENTIFIER.number(), identifier)],
        );
        let item = structure(Tag::BATCH_ITEM.number(), vec![payload]);
        structure(Tag::RESPONSE_MESSAGE.number(), vec![item])
    }

    /// A key block with what is wrapped.
    fn block(plain: &[u8]) -> Vec<Item> {
        let mut wrapped = vec![0; plain.len() + 8];
        let key = AesKey::new_encrypt(&WRAPPING).expect("an AES key");
        wrap_key(&key, None, &mut wrapped, plain).expect("a multiple of eight bytes");
        let information = structure(
            Tag::ENCRYPTION_KEY_INFORMATION.number(),
            vec![text(Tag::UNIQUE_IDENTIFIER.number(), "wrapping")],
        );
        vec![
            bytes(Tag::KEY_VALUE.number(), &wrapped),
            structure(Tag::KEY_WRAPPING_DATA.number(), vec![information]),
        ]
    }

    fn value(key: &[u8], attributes: Vec<Item>) -> Vec<u8> {
        let material = bytes(Tag::KEY_MATERIAL.number(), key);
        structure(
            Tag::KEY_VALUE.number(),
            std::iter::once(material).chain(attributes).collect(),
        )
        .encode()
    }

    #[test]
    fn a_key_that_is_another_or_comes_without_its_attributes_is_found() {
        let mut brought = Brought::default();
        for (identifier, key) in [("wrapping", WRAPPING), ("key", KEY)] {
            brought.request(&hex::encode(key));
            brought.answer(&answer(identifier));
        }
        let attribute = || vec![structure(Tag::ATTRIBUTE.number(), Vec::new())];
        assert_eq!(brought.is_wrong(&block(&value(&KEY, attribute()))), None);
        assert!(brought.is_wrong(&block(&value(&[3; 16], attribute()))).is_some());
        assert!(brought.is_wrong(&block(&value(&KEY, Vec::new()))).is_some());
        let mut changed = block(&value(&KEY, attribute()));
        changed[0] = bytes(Tag::KEY_VALUE.number(), &[0; 64]);
        assert!(brought.is_wrong(&changed).is_some());
    }
}
