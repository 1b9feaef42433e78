//! How templates and the attributes of a request become the attributes of a new object (KMIP 1.4, section 4),
//! and what they make of its key.

use super::error::AttributeError;
use super::making::Origin;
use crate::kmip::attribute::{Attribute, AttributeKind, AttributeName, AttributeValue};
use crate::kmip::enumeration::{CryptographicAlgorithm as Algorithm, ObjectType};
use crate::kmip::mask::CryptographicUsageMask;

/// The attributes of a new object: those of the templates, the later before the earlier, and before them all
/// those of the request. Instances of an attribute that can have several come together.
pub fn merge(
    templates: Vec<Vec<Attribute>>,
    request: Vec<Attribute>,
) -> Result<Vec<Attribute>, AttributeError> {
    let mut merged: Vec<Attribute> = Vec::new();
    for group in templates.into_iter().chain([request]) {
        let before = merged.len();
        for attribute in group {
            let name = attribute.name();
            let multiple = name.rules().is_none_or(|rules| rules.multiple_instances);
            if multiple {
                if !merged.iter().any(|other| other.value == attribute.value) {
                    merged.push(attribute);
                }
                continue;
            }
            match merged.iter().position(|other| other.name() == name) {
                None => merged.push(attribute),
                // Of an earlier template: it gives way.
                Some(place) if place < before => merged[place] = attribute,
                Some(_) => return Err(AttributeError::Several { name }),
            }
        }
    }
    Ok(merged)
}

/// The attributes that a template may lend: those that the request which makes a key may have (section 2.2.6).
pub(super) fn lendable(attributes: Vec<Attribute>) -> Result<Vec<Attribute>, AttributeError> {
    for attribute in &attributes {
        let name = attribute.name();
        let AttributeName::Standard(kind) = name else {
            if name.is_client_custom() {
                continue;
            }
            return Err(AttributeError::Unknown { name });
        };
        let of_the_key = matches!(
            kind,
            AttributeKind::CryptographicAlgorithm | AttributeKind::CryptographicLength
        );
        if kind == AttributeKind::Name {
            return Err(AttributeError::Invalid {
                name,
                why: "a template's name belongs in the Template-Attribute of the request",
            });
        }
        if !of_the_key && !kind.rules().initially_set_by.client() {
            return Err(AttributeError::ReadOnly { name });
        }
        if !kind.rules().applies_to.contains(ObjectType::SymmetricKey) {
            return Err(AttributeError::NotApplicable {
                name,
                object_type: ObjectType::Template,
            });
        }
    }
    merge(Vec::new(), attributes)
}

/// What the attributes make of a value.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) algorithm: Option<Algorithm>,
    pub(super) length: Option<i32>,
    pub(super) bytes: usize,
    pub(super) usage_mask: CryptographicUsageMask,
}

/// The attributes of which a shape is made.
struct Wanted {
    algorithm: Option<Algorithm>,
    length: Option<i32>,
    usage_mask: Option<CryptographicUsageMask>,
}

impl Wanted {
    fn of(attributes: &[Attribute]) -> Self {
        let mut wanted = Self {
            algorithm: None,
            length: None,
            usage_mask: None,
        };
        for attribute in attributes {
            match attribute.value {
                AttributeValue::CryptographicAlgorithm(value) => wanted.algorithm = Some(value),
                AttributeValue::CryptographicLength(value) => wanted.length = Some(value),
                AttributeValue::CryptographicUsageMask(value) => wanted.usage_mask = Some(value),
                _ => {}
            }
        }
        wanted
    }

    /// With what the Key Block says of a value that is brought.
    fn and_block(mut self, origin: Origin) -> Result<Self, AttributeError> {
        if let Origin::Registered {
            algorithm, length, ..
        }
        | Origin::Absent {
            algorithm, length, ..
        } = origin
        {
            self.algorithm = agreed(AttributeKind::CryptographicAlgorithm, self.algorithm, algorithm)?;
            self.length = agreed(AttributeKind::CryptographicLength, self.length, length)?;
        }
        Ok(self)
    }
}

/// Reads the shape of a symmetric key from its attributes and, for one that was brought, its Key Block.
pub(super) fn shape(origin: Origin, attributes: &[Attribute]) -> Result<Shape, AttributeError> {
    let mut wanted = Wanted::of(attributes).and_block(origin)?;
    if let Origin::Registered { bytes, .. } = origin {
        wanted.length = wanted.length.or_else(|| i32::try_from(bytes * 8).ok());
    }
    let algorithm = wanted.algorithm.ok_or(AttributeError::Missing {
        name: AttributeKind::CryptographicAlgorithm.into(),
    })?;
    let Some(length) = wanted.length.or_else(|| usual_length(algorithm)) else {
        return Err(unsupported(AttributeKind::CryptographicAlgorithm));
    };
    let bytes = bytes_of(algorithm, length)?;
    if let Origin::Registered { bytes: brought, .. } = origin
        && brought != bytes
    {
        return Err(other_length());
    }
    Ok(Shape {
        algorithm: Some(algorithm),
        length: Some(length),
        bytes,
        usage_mask: wanted.usage_mask.unwrap_or_else(|| usual_usage(algorithm)),
    })
}

/// Reads the shape of secret data. What a device is to make needs a length; of what is brought the length is kept where
/// the request tells it.
pub(super) fn shape_of_data(origin: Origin, attributes: &[Attribute]) -> Result<Shape, AttributeError> {
    let wanted = Wanted::of(attributes).and_block(origin)?;
    let told = match wanted.length {
        Some(length) => Some(whole_bytes(length)?),
        None => None,
    };
    let bytes = match (origin, told) {
        (Origin::Registered { bytes, .. }, Some(told)) if bytes != told => return Err(other_length()),
        (Origin::Registered { bytes, .. }, _) => bytes,
        (Origin::Absent { .. }, told) => told.unwrap_or(0),
        (Origin::Created, Some(told)) if told > 0 => told,
        (Origin::Created, _) => {
            return Err(AttributeError::Missing {
                name: AttributeKind::CryptographicLength.into(),
            });
        }
    };
    Ok(Shape {
        algorithm: wanted.algorithm,
        length: wanted.length,
        bytes,
        usage_mask: wanted.usage_mask.unwrap_or_default(),
    })
}

/// The shape of an opaque object: nothing is made of what its attributes say.
pub(super) fn shape_of_opaque(bytes: usize, attributes: &[Attribute]) -> Shape {
    let wanted = Wanted::of(attributes);
    Shape {
        algorithm: wanted.algorithm,
        length: wanted.length,
        bytes,
        usage_mask: wanted.usage_mask.unwrap_or_default(),
    }
}

fn whole_bytes(bits: i32) -> Result<usize, AttributeError> {
    match usize::try_from(bits) {
        Ok(bits) if bits.is_multiple_of(8) => Ok(bits / 8),
        _ => Err(AttributeError::Invalid {
            name: AttributeKind::CryptographicLength.into(),
            why: "it is not a length in whole bytes",
        }),
    }
}

fn other_length() -> AttributeError {
    AttributeError::Invalid {
        name: AttributeKind::CryptographicLength.into(),
        why: "it is not the length of the value that came",
    }
}

/// What the attributes and the Key Block say, where they do not contradict each other.
fn agreed<T: Copy + PartialEq>(
    kind: AttributeKind,
    attribute: Option<T>,
    block: Option<T>,
) -> Result<Option<T>, AttributeError> {
    match (attribute, block) {
        (Some(one), Some(other)) if one != other => Err(AttributeError::Invalid {
            name: kind.into(),
            why: "the attribute and the Key Block contradict each other",
        }),
        (one, other) => Ok(one.or(other)),
    }
}

/// The number of bytes of a key, if it is one that is kept here.
fn bytes_of(algorithm: Algorithm, length: i32) -> Result<usize, AttributeError> {
    let fits = match algorithm {
        Algorithm::AES | Algorithm::Camellia | Algorithm::Twofish => matches!(length, 128 | 192 | 256),
        Algorithm::ChaCha20 | Algorithm::Poly1305 | Algorithm::ChaCha20Poly1305 => length == 256,
        // Counted with or without parity. The parity bits of a key that is made here are as random as the rest;
        // ciphers do not look at them.
        Algorithm::DES3 => match length {
            112 | 128 => return Ok(16),
            168 | 192 => return Ok(24),
            _ => false,
        },
        algorithm if is_hmac(algorithm) => length % 8 == 0 && (64..=4096).contains(&length),
        _ => return Err(unsupported(AttributeKind::CryptographicAlgorithm)),
    };
    match usize::try_from(length / 8) {
        Ok(bytes) if fits => Ok(bytes),
        _ => Err(unsupported(AttributeKind::CryptographicLength)),
    }
}

/// The length that a request which names none gets.
fn usual_length(algorithm: Algorithm) -> Option<i32> {
    Some(match algorithm {
        Algorithm::AES
        | Algorithm::Camellia
        | Algorithm::Twofish
        | Algorithm::ChaCha20
        | Algorithm::Poly1305
        | Algorithm::ChaCha20Poly1305
        | Algorithm::HMAC_SHA256
        | Algorithm::HMAC_SHA3_256 => 256,
        Algorithm::DES3 => 168,
        Algorithm::HMAC_MD5 => 128,
        Algorithm::HMAC_SHA1 => 160,
        Algorithm::HMAC_SHA224 | Algorithm::HMAC_SHA3_224 => 224,
        Algorithm::HMAC_SHA384 | Algorithm::HMAC_SHA3_384 => 384,
        Algorithm::HMAC_SHA512 | Algorithm::HMAC_SHA3_512 => 512,
        _ => return None,
    })
}

/// The usage mask that a request which names none gets.
fn usual_usage(algorithm: Algorithm) -> CryptographicUsageMask {
    if is_hmac(algorithm) || algorithm == Algorithm::Poly1305 {
        CryptographicUsageMask::MAC_GENERATE | CryptographicUsageMask::MAC_VERIFY
    } else {
        CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT
    }
}

const fn is_hmac(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::HMAC_MD5
            | Algorithm::HMAC_SHA1
            | Algorithm::HMAC_SHA224
            | Algorithm::HMAC_SHA256
            | Algorithm::HMAC_SHA384
            | Algorithm::HMAC_SHA512
            | Algorithm::HMAC_SHA3_224
            | Algorithm::HMAC_SHA3_256
            | Algorithm::HMAC_SHA3_384
            | Algorithm::HMAC_SHA3_512
    )
}

fn unsupported(kind: AttributeKind) -> AttributeError {
    AttributeError::Invalid {
        name: kind.into(),
        why: match kind {
            AttributeKind::CryptographicLength => "it is not a length of keys of this algorithm",
            _ => "it is not an algorithm of symmetric keys that are kept here",
        },
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
