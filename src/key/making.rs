//! The making of an object: a key that a device makes or a client brings, or a template.

use uuid::Uuid;

use super::error::AttributeError;
use super::life_cycle::LifeCycle;
use super::object::{Body, Guard, LEASE_TIME, ManagedObject, SymmetricKey};
use crate::kmip::attribute::{
    Attribute, AttributeKind, AttributeName, AttributeValue, Digest, Name, RngParameters,
};
use crate::kmip::enumeration::{CryptographicAlgorithm, HashingAlgorithm, KeyFormatType, RngAlgorithm};
use crate::kmip::ttlv::DateTime;

/// Where the bytes of a key come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A device makes them.
    Created,
    /// A client brings them, in a Key Block of this format that says this of them.
    Registered {
        /// Raw or Transparent Symmetric Key.
        format: KeyFormatType,
        /// The algorithm that the Key Block names.
        algorithm: Option<CryptographicAlgorithm>,
        /// The length in bits that the Key Block names.
        length: Option<i32>,
        /// The number of bytes that came.
        bytes: usize,
    },
}

/// A key whose attributes are right and whose bytes are still to be made or wrapped.
#[derive(Clone, Debug)]
pub struct KeyDraft(ManagedObject);

impl KeyDraft {
    /// Checks the attributes of a new symmetric key and fills in what they leave to the server.
    pub fn new(
        id: Uuid,
        adapter: Uuid,
        origin: Origin,
        attributes: Vec<Attribute>,
        now: DateTime,
    ) -> Result<Self, AttributeError> {
        let shape = super::template::shape(origin, &attributes)?;
        let format = match origin {
            Origin::Created => KeyFormatType::Raw,
            Origin::Registered { format, .. } => format,
        };
        let key = SymmetricKey {
            algorithm: shape.algorithm,
            length: shape.length,
            bytes: shape.bytes,
            format,
            usage_mask: shape.usage_mask,
            lease_time: LEASE_TIME,
            fresh: true,
            life_cycle: LifeCycle::begin(),
            revocation_reason: None,
        };
        let mut object = ManagedObject::new(id, adapter, Body::SymmetricKey(key), now);
        let made_here = origin == Origin::Created;
        if made_here {
            object.generated_by_the_device(now);
        }
        object.set_initial_attributes(made_here, attributes, now)?;
        Ok(Self(object))
    }

    /// The key as it will be, but for its digest.
    pub const fn object(&self) -> &ManagedObject {
        &self.0
    }

    /// Its names.
    pub fn names(&self) -> Vec<Name> {
        self.0.names()
    }

    /// The object, now that the SHA-256 of its Key Material is known (section 3.17).
    pub fn finish(mut self, sha256: [u8; 32]) -> ManagedObject {
        let digest = Digest {
            hashing_algorithm: HashingAlgorithm::SHA_256,
            digest_value: Some(sha256.to_vec()),
            key_format_type: Some(self.key().format),
        };
        self.0
            .attributes
            .add(AttributeValue::Digest(digest), true)
            .expect("a new key has no Digest");
        self.0
    }

    fn key(&self) -> &SymmetricKey {
        self.0.key().expect("a draft is one of a symmetric key")
    }
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
        let lent = super::template::lendable(lent)?;
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
        match (&mut self.body, value) {
            // These make the shape of a key, which `template::shape` has read.
            (
                Body::SymmetricKey(_),
                AttributeValue::CryptographicAlgorithm(_)
                | AttributeValue::CryptographicLength(_)
                | AttributeValue::CryptographicUsageMask(_),
            ) => Ok(()),
            (Body::SymmetricKey(key), AttributeValue::Fresh(fresh)) => {
                key.fresh = fresh;
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
