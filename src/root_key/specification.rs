//! What a backend has to know of a value: what it is, and which one.

use uuid::Uuid;

use crate::adapter::RootKey;
use crate::key::ManagedObject;

/// What kind of key, and how long. AES keys have 16, 24 or 32 bytes; generic ones up to 4,096, and may have none.
pub use claviger_hsm::KeyKind;

/// Which value it is: bound to the wrapped key where the backend can do that (additional authenticated data), so that it
/// opens as no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binding {
    /// The adapter of the object.
    pub adapter: Uuid,
    /// The object's Unique Identifier.
    pub object: Uuid,
    /// Which piece of a value that is kept in several; 0 is the first.
    pub part: u16,
}

/// What a backend has to know of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpecification {
    /// What it is.
    pub kind: KeyKind,
    /// Which one it is.
    pub binding: Binding,
}

impl KeySpecification {
    /// Of a value of an object, which is kept in one piece.
    pub fn new(kind: KeyKind, object: &ManagedObject) -> Self {
        let binding = Binding {
            adapter: object.adapter(),
            object: object.id(),
            part: 0,
        };
        Self { kind, binding }
    }

    /// Of the seal key of a root key: a secret of 32 bytes, for HMAC-SHA-256.
    pub fn of_seal_key(root_key: &RootKey) -> Self {
        let id = root_key.id.uuid();
        Self {
            kind: KeyKind::Generic { bytes: 32 },
            binding: Binding {
                adapter: id,
                object: id,
                part: 0,
            },
        }
    }

    /// The value's length in bytes.
    pub fn bytes(&self) -> usize {
        self.kind.bytes()
    }
}

/// What a backend has to know of a key or of secret data, which it holds in one piece; none for an object that is
/// neither.
pub fn specification(object: &ManagedObject) -> Option<KeySpecification> {
    if object.opaque_data_type().is_some() {
        return None;
    }
    let bytes = u16::try_from(object.bytes()?).ok()?;
    let kind = if object.is_aes() {
        KeyKind::Aes { bytes }
    } else {
        KeyKind::Generic { bytes }
    };
    Some(KeySpecification::new(kind, object))
}
