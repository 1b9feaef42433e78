//! Objects for tests.

use uuid::Uuid;

use super::{KeyDraft, ManagedObject, Origin};
use crate::kmip::attribute::{Attribute, AttributeValue, Name};
use crate::kmip::enumeration::CryptographicAlgorithm;
use crate::kmip::mask::CryptographicUsageMask;
use crate::kmip::ttlv::DateTime;

/// The attributes that vCenter gives a key, in its order.
pub(crate) fn template_of_vcenter() -> Vec<Attribute> {
    vec![
        AttributeValue::CryptographicAlgorithm(CryptographicAlgorithm::AES).into(),
        AttributeValue::CryptographicUsageMask(CryptographicUsageMask::from_bits(12)).into(),
        AttributeValue::CryptographicLength(256).into(),
    ]
}

/// A name as an attribute.
pub(crate) fn named(name: &str) -> Attribute {
    AttributeValue::Name(Name::text(name)).into()
}

/// A key made at `now` with these attributes besides those that vCenter gives.
pub(crate) fn key_with(more: Vec<Attribute>, now: DateTime) -> ManagedObject {
    let attributes = template_of_vcenter().into_iter().chain(more).collect();
    KeyDraft::new(Uuid::now_v7(), Uuid::now_v7(), Origin::Created, attributes, now)
        .expect("the attributes of the test are right")
        .finish([7; 32])
}
