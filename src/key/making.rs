//! The making of an object: a key or secret data that a device makes or a client brings, an opaque object, a template.

use uuid::Uuid;

use super::error::AttributeError;
use super::life_cycle::LifeCycle;
use super::object::{Body, Content, Guard, LEASE_TIME, ManagedObject};
use super::template::{self, Shape};
use super::wrapped::RegisteredWrapped;
use crate::kmip::attribute::{
    Attribute, AttributeKind, AttributeName, AttributeValue, Digest, Link, Name, RngParameters,
};
use crate::kmip::enumeration::{
    CryptographicAlgorithm, HashingAlgorithm, KeyFormatType, LinkType, ObjectType, OpaqueDataType,
    RngAlgorithm, SecretDataType,
};
use crate::kmip::ttlv::DateTime;

/// The longest value of secret data in bytes: what a device holds in one piece.
pub const LONGEST_SECRET: usize = 4096;
/// The longest value of an opaque object in bytes.
pub const LONGEST_OPAQUE: usize = 256 * 1024;

/// Where the value of a key or of secret data comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A device makes it.
    Created,
    /// A client brings it, in a Key Block of this format that says this of it.
    Registered {
        /// Raw or Transparent Symmetric Key; of secret data Raw or Opaque.
        format: KeyFormatType,
        /// The algorithm that the Key Block names.
        algorithm: Option<CryptographicAlgorithm>,
        /// The length in bits that the Key Block names.
        length: Option<i32>,
        /// The number of bytes that came.
        bytes: usize,
    },
    /// It does not come, or not in the clear: there is only what a Key Block says of it.
    Absent {
        /// The format that the Key Block names.
        format: KeyFormatType,
        /// The algorithm that the Key Block names.
        algorithm: Option<CryptographicAlgorithm>,
        /// The length in bits that the Key Block names.
        length: Option<i32>,
    },
}

impl Origin {
    fn format(self) -> Option<KeyFormatType> {
        match self {
            Self::Created => None,
            Self::Registered { format, .. } | Self::Absent { format, .. } => Some(format),
        }
    }
}

/// An object whose attributes are right and whose value is still to be made or wrapped.
#[derive(Clone, Debug)]
pub struct KeyDraft {
    object: ManagedObject,
    made_here: bool,
}

impl KeyDraft {
    /// Checks the attributes of a new symmetric key and fills in what they leave to the server.
    pub fn new(
        id: Uuid,
        adapter: Uuid,
        origin: Origin,
        attributes: Vec<Attribute>,
        now: DateTime,
    ) -> Result<Self, AttributeError> {
        let content = content(
            template::shape(origin, &attributes)?,
            Some(origin.format().unwrap_or(KeyFormatType::Raw)),
        );
        let object = ManagedObject::new(id, adapter, Body::SymmetricKey(content), now);
        Self::begin(object, origin == Origin::Created, attributes, now)
    }

    /// Checks the attributes of new secret data. What a device makes is in the format Opaque.
    pub fn secret_data(
        id: Uuid,
        adapter: Uuid,
        data_type: SecretDataType,
        origin: Origin,
        attributes: Vec<Attribute>,
        now: DateTime,
    ) -> Result<Self, AttributeError> {
        let shape = template::shape_of_data(origin, &attributes)?;
        within(ObjectType::SecretData, shape.bytes, LONGEST_SECRET)?;
        let content = content(shape, Some(origin.format().unwrap_or(KeyFormatType::Opaque)));
        let object = ManagedObject::new(id, adapter, Body::SecretData(data_type, content), now);
        Self::begin(object, origin == Origin::Created, attributes, now)
    }

    /// Checks the attributes of a new opaque object whose value has this many bytes.
    pub fn opaque_object(
        id: Uuid,
        adapter: Uuid,
        data_type: OpaqueDataType,
        bytes: usize,
        attributes: Vec<Attribute>,
        now: DateTime,
    ) -> Result<Self, AttributeError> {
        within(ObjectType::OpaqueObject, bytes, LONGEST_OPAQUE)?;
        let content = content(template::shape_of_opaque(bytes, &attributes), None);
        let object = ManagedObject::new(id, adapter, Body::OpaqueObject(data_type, content), now);
        Self::begin(object, false, attributes, now)
    }

    fn begin(
        mut object: ManagedObject,
        made_here: bool,
        attributes: Vec<Attribute>,
        now: DateTime,
    ) -> Result<Self, AttributeError> {
        if made_here {
            object.generated_by_the_device(now);
        }
        object.set_initial_attributes(made_here, attributes, now)?;
        Ok(Self { object, made_here })
    }

    /// The object as it will be, but for its digest.
    pub const fn object(&self) -> &ManagedObject {
        &self.object
    }

    pub(super) const fn object_mut(&mut self) -> &mut ManagedObject {
        &mut self.object
    }

    /// Its names.
    pub fn names(&self) -> Vec<Name> {
        self.object.names()
    }

    /// Keeps the value as it came as well, wrapped under a client's key, with a link to that where it is known (KMIP 2.1,
    /// section 6.1.45).
    #[must_use]
    pub fn registered_as(mut self, registered: RegisteredWrapped, wrapping_key: Option<Uuid>) -> Self {
        if let Some(content) = self.object.content_mut() {
            content.registered = Some(Box::new(registered));
        }
        if let Some(wrapping_key) = wrapping_key {
            let link = Link {
                link_type: LinkType::WrappingKeyLink,
                linked_object_identifier: wrapping_key.hyphenated().to_string(),
            };
            // A client that has linked it already, or as often as is kept, has said enough.
            let _ = self.object.attributes.add(AttributeValue::Link(link), true);
        }
        self
    }

    /// The object, now that the SHA-256 of its Key Material is known (section 3.17).
    ///
    /// Of secret data and opaque objects that a client brought no digest is kept: they may be passwords, and who has a
    /// digest of one finds it by guessing.
    pub fn finish(mut self, sha256: [u8; 32]) -> ManagedObject {
        let object = &mut self.object;
        if object.object_type() == ObjectType::SymmetricKey || self.made_here {
            let digest = Digest {
                hashing_algorithm: HashingAlgorithm::SHA_256,
                digest_value: Some(sha256.to_vec()),
                key_format_type: object.format(),
            };
            object
                .attributes
                .add(AttributeValue::Digest(digest), true)
                .expect("a new object has no Digest");
        }
        self.object
    }

    /// The object, whose value is kept elsewhere.
    pub fn elsewhere(mut self) -> ManagedObject {
        if let Some(content) = self.object.content_mut() {
            content.elsewhere = true;
        }
        self.object
    }

    /// The object, whose value is here only as it came wrapped.
    pub fn closed(self) -> ManagedObject {
        self.object
    }
}

fn content(shape: Shape, format: Option<KeyFormatType>) -> Content {
    Content {
        algorithm: shape.algorithm,
        length: shape.length,
        bytes: shape.bytes,
        format,
        usage_mask: shape.usage_mask,
        lease_time: LEASE_TIME,
        fresh: true,
        life_cycle: LifeCycle::begin(),
        revocation_reason: None,
        elsewhere: false,
        registered: None,
    }
}

fn within(object_type: ObjectType, bytes: usize, limit: usize) -> Result<(), AttributeError> {
    if bytes <= limit {
        return Ok(());
    }
    Err(AttributeError::ValueTooLong {
        object_type,
        bytes,
        limit,
    })
}

impl ManagedObject {
    /// A template that lends `lent`, with attributes of its own.
    pub fn template(
        id: Uuid,
        adapter: Uuid,
        own: Vec<Attribute>,
        lent: Vec<Attribute>,
        now: DateTime,
    ) -> Result<Self, AttributeError> {
        let lent = template::lendable(lent)?;
        let mut object = Self::new(id, adapter, Body::Template(lent), now);
        object.set_initial_attributes(false, own, now)?;
        Ok(object)
    }

    /// Sections 3.43 and 3.44: what the server says of a key that it had made. Devices do not tell how their
    /// generator works.
    fn generated_by_the_device(&mut self, now: DateTime) {
        let rng = RngParameters {
            rng_algorithm: RngAlgorithm::Unspecified,
            cryptographic_algorithm: None,
            cryptographic_length: None,
            hashing_algorithm: None,
            drbg_algorithm: None,
            recommended_curve: None,
            fips186_variation: None,
            prediction_resistance: None,
        };
        for value in [
            AttributeValue::OriginalCreationDate(now),
            AttributeValue::RandomNumberGenerator(rng),
        ] {
            self.attributes
                .add(value, false)
                .expect("a new key has none of these");
        }
    }

    /// Sets the attributes that came with the request that makes the object. Of one that is made here the server says
    /// itself how.
    fn set_initial_attributes(
        &mut self,
        made_here: bool,
        attributes: Vec<Attribute>,
        now: DateTime,
    ) -> Result<(), AttributeError> {
        // The last of several dates settles the order that they have to be in, so each is planned before any is
        // judged to have been reached: the Activation Date goes last.
        let (activation, others): (Vec<_>, Vec<_>) = attributes
            .into_iter()
            .partition(|attribute| matches!(attribute.value, AttributeValue::ActivationDate(_)));
        for attribute in others.into_iter().chain(activation) {
            self.set_initial(made_here, attribute.value, now)?;
        }
        Ok(())
    }

    fn set_initial(
        &mut self,
        made_here: bool,
        value: AttributeValue,
        now: DateTime,
    ) -> Result<(), AttributeError> {
        match (self.content_mut(), value) {
            // These make the shape of a value, which `template` has read.
            (
                Some(_),
                AttributeValue::CryptographicAlgorithm(_)
                | AttributeValue::CryptographicLength(_)
                | AttributeValue::CryptographicUsageMask(_),
            ) => Ok(()),
            (Some(content), AttributeValue::Fresh(fresh)) => {
                content.fresh = fresh;
                Ok(())
            }
            (_, AttributeValue::Sensitive(sensitive)) => {
                self.sensitive = Guard::begin(sensitive);
                Ok(())
            }
            (_, AttributeValue::Extractable(extractable)) => {
                self.unextractable = Guard::begin(!extractable);
                Ok(())
            }
            (_, AttributeValue::RandomNumberGenerator(rng)) if made_here => {
                if rng.rng_algorithm == RngAlgorithm::Unspecified {
                    return Ok(());
                }
                Err(AttributeError::Invalid {
                    name: AttributeKind::RandomNumberGenerator.into(),
                    why: "the device's generator cannot be chosen",
                })
            }
            (_, AttributeValue::OriginalCreationDate(_)) if made_here => Err(AttributeError::ReadOnly {
                name: AttributeName::from(AttributeKind::OriginalCreationDate),
            }),
            (_, value) => self.set_new(value, now).map(drop),
        }
    }
}

#[cfg(test)]
#[path = "making_tests.rs"]
mod tests;
