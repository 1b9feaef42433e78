//! MAC and MAC Verify (KMIP 1.4, sections 4.33 and 4.34): on the device, or here where it can't and the operator allowed it.
//!
//! Of several parts the data is kept until the last has come.

use async_trait::async_trait;
use claviger_hsm::memory::LockedBuffer;

use super::cipher_method;
use super::item::Item;
use super::refusal::Refusal;
use super::streams::{Part, Stream};
use super::use_of_key::{self, Cost, Purpose, Work};
use crate::cryptography::{self, MacStream};
use crate::key::ManagedObject;
use crate::kmip::attribute::CryptographicParameters;
use crate::kmip::enumeration::{
    BlockCipherMode, CryptographicAlgorithm, HashingAlgorithm, Operation, ValidityIndicator,
};
use crate::kmip::output::{Output as _, ZeroizingOutput};
use crate::kmip::payload::{
    Data, MacRequest, MacResponse, MacVerifyRequest, MacVerifyResponse, UniqueIdentifier,
};
use crate::root_key::{self, KeptKey, RootKeyBackend};
use crate::store::KeyRow;

/// How a code is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Hmac(HashingAlgorithm),
    Cmac,
}

impl Algorithm {
    /// What the request, or the key's own Cryptographic Parameters, or the key's algorithm say.
    fn of(key: &ManagedObject, asked: Option<&CryptographicParameters>) -> Result<Self, Refusal> {
        let none = CryptographicParameters::default();
        let parameters = cipher_method::parameters(key, asked).unwrap_or(&none);
        let algorithm = parameters.cryptographic_algorithm.or_else(|| key.algorithm());
        let algorithm = algorithm.ok_or_else(Refusal::value_not_here)?;
        if let Some(hash) = hash_of_hmac(algorithm) {
            return Ok(Self::Hmac(hash));
        }
        match (algorithm, parameters.block_cipher_mode) {
            (CryptographicAlgorithm::AES, None | Some(BlockCipherMode::CMAC)) if key.is_aes() => {
                Ok(Self::Cmac)
            }
            (algorithm, Some(mode)) => Err(Refusal::no_such_mac(&format!("{algorithm} in {mode} mode"))),
            (algorithm, None) => Err(Refusal::no_such_mac(&algorithm.to_string())),
        }
    }

    const fn for_device(self) -> Option<root_key::MacAlgorithm> {
        use root_key::MacAlgorithm as M;
        Some(match self {
            Self::Cmac => M::AesCmac,
            Self::Hmac(HashingAlgorithm::SHA_1) => M::HmacSha1,
            Self::Hmac(HashingAlgorithm::SHA_224) => M::HmacSha224,
            Self::Hmac(HashingAlgorithm::SHA_256) => M::HmacSha256,
            Self::Hmac(HashingAlgorithm::SHA_384) => M::HmacSha384,
            Self::Hmac(HashingAlgorithm::SHA_512) => M::HmacSha512,
            Self::Hmac(_) => return None,
        })
    }

    const fn for_software(self) -> cryptography::MacAlgorithm<'static> {
        match self {
            Self::Hmac(hash) => cryptography::MacAlgorithm::Hmac(hash),
            Self::Cmac => cryptography::MacAlgorithm::Cmac,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Hmac(hash) => format!("HMAC with {hash}"),
            Self::Cmac => "CMAC with AES".to_owned(),
        }
    }
}

/// The hash of an algorithm that is HMAC; none for others.
pub(super) const fn hash_of_hmac(algorithm: CryptographicAlgorithm) -> Option<HashingAlgorithm> {
    use CryptographicAlgorithm as A;
    Some(match algorithm {
        A::HMAC_MD5 => HashingAlgorithm::MD5,
        A::HMAC_SHA1 => HashingAlgorithm::SHA_1,
        A::HMAC_SHA224 => HashingAlgorithm::SHA_224,
        A::HMAC_SHA256 => HashingAlgorithm::SHA_256,
        A::HMAC_SHA384 => HashingAlgorithm::SHA_384,
        A::HMAC_SHA512 => HashingAlgorithm::SHA_512,
        A::HMAC_SHA3_224 => HashingAlgorithm::SHA_3_224,
        A::HMAC_SHA3_256 => HashingAlgorithm::SHA_3_256,
        A::HMAC_SHA3_384 => HashingAlgorithm::SHA_3_384,
        A::HMAC_SHA3_512 => HashingAlgorithm::SHA_3_512,
        _ => return None,
    })
}

/// Data on its way to a code.
pub(super) struct MacParts {
    algorithm: Algorithm,
    data: ZeroizingOutput,
    /// The code to be compared, where it has come.
    code: Option<Vec<u8>>,
}

impl MacParts {
    /// How much is held, in bytes.
    pub(super) fn held(&self) -> usize {
        self.data.len()
    }
}

/// Makes a code.
struct Make<'a>(&'a MacParts);

#[async_trait]
impl Work for Make<'_> {
    type Done = Vec<u8>;

    fn name(&self) -> String {
        self.0.algorithm.name()
    }

    async fn on_device(
        &self,
        backend: &dyn RootKeyBackend,
        key: KeptKey<'_>,
    ) -> Result<Option<Self::Done>, root_key::Error> {
        match self.0.algorithm.for_device() {
            Some(algorithm) => backend
                .mac(key, algorithm, self.0.data.as_slice())
                .await
                .map(Some),
            None => Ok(None),
        }
    }

    fn in_server(&self, key: &LockedBuffer) -> Result<Self::Done, cryptography::Error> {
        let mut stream = MacStream::new(self.0.algorithm.for_software(), key)?;
        stream.update(self.0.data.as_slice())?;
        stream.finish()
    }
}

/// Compares a code.
struct Compare<'a>(&'a MacParts, &'a [u8]);

#[async_trait]
impl Work for Compare<'_> {
    type Done = bool;

    fn name(&self) -> String {
        self.0.algorithm.name()
    }

    async fn on_device(
        &self,
        backend: &dyn RootKeyBackend,
        key: KeptKey<'_>,
    ) -> Result<Option<Self::Done>, root_key::Error> {
        let Some(algorithm) = self.0.algorithm.for_device() else {
            return Ok(None);
        };
        let data = self.0.data.as_slice();
        backend.verify_mac(key, algorithm, data, self.1).await.map(Some)
    }

    fn in_server(&self, key: &LockedBuffer) -> Result<Self::Done, cryptography::Error> {
        let mut stream = MacStream::new(self.0.algorithm.for_software(), key)?;
        stream.update(self.0.data.as_slice())?;
        stream.verify(self.1)
    }
}

pub(super) async fn mac(item: &mut Item<'_>, request: MacRequest<'_>) -> Result<MacResponse, Refusal> {
    let part = Part::of(
        request.correlation_value,
        request.init_indicator,
        request.final_indicator,
    )?;
    let asked = Asked {
        operation: Operation::MAC,
        purpose: Purpose::MAC,
        unique_identifier: request.unique_identifier,
        parameters: request.cryptographic_parameters.as_deref(),
        data: request.data,
        code: None,
        part,
    };
    let begun = begin(item, &asked).await?;
    let mac_data = if part.is_last() {
        Some(use_of_key::carry_out(item, &begun.row, &Make(&begun.parts)).await?)
    } else {
        None
    };
    let (unique_identifier, correlation_value) = end(item, &asked, begun).await?;
    Ok(MacResponse {
        unique_identifier,
        mac_data,
        correlation_value,
    })
}

pub(super) async fn verify(
    item: &mut Item<'_>,
    request: MacVerifyRequest<'_>,
) -> Result<MacVerifyResponse, Refusal> {
    let part = Part::of(
        request.correlation_value,
        request.init_indicator,
        request.final_indicator,
    )?;
    let asked = Asked {
        operation: Operation::MACVerify,
        purpose: Purpose::MAC_VERIFY,
        unique_identifier: request.unique_identifier,
        parameters: request.cryptographic_parameters.as_deref(),
        data: request.data,
        code: request.mac_data,
        part,
    };
    let begun = begin(item, &asked).await?;
    let mut validity_indicator = None;
    if part.is_last() {
        let code = begun.parts.code.as_deref().ok_or_else(Refusal::no_mac_data)?;
        let is_right = use_of_key::carry_out(item, &begun.row, &Compare(&begun.parts, code)).await?;
        item.detail("valid", is_right.to_string());
        validity_indicator = Some(if is_right {
            ValidityIndicator::Valid
        } else {
            ValidityIndicator::Invalid
        });
    }
    let (unique_identifier, correlation_value) = end(item, &asked, begun).await?;
    Ok(MacVerifyResponse {
        unique_identifier,
        validity_indicator,
        correlation_value,
    })
}

/// What either asks.
struct Asked<'a> {
    operation: Operation,
    purpose: Purpose,
    unique_identifier: Option<UniqueIdentifier<'a>>,
    parameters: Option<&'a CryptographicParameters>,
    data: Option<Data<'a>>,
    code: Option<Data<'a>>,
    part: Part<'a>,
}

/// The key and all data that has come.
struct Begun {
    row: KeyRow,
    parts: MacParts,
    cost: Cost,
}

async fn begin(item: &mut Item<'_>, asked: &Asked<'_>) -> Result<Begun, Refusal> {
    let data = match asked.data {
        Some(data) => item.data(data)?,
        None if asked.part == Part::Only => return Err(Refusal::no_data()),
        None => &[],
    };
    let code = asked.code.map(|code| item.data(code)).transpose()?;
    // What verifies takes nothing off the Usage Limits.
    let cost = if asked.purpose == Purpose::MAC {
        Cost {
            bytes: data.len(),
            objects: u32::from(asked.part.is_first()),
        }
    } else {
        Cost::default()
    };
    item.detail("data-bytes", data.len().to_string());
    item.detail("part", asked.part.name());
    let (row, mut parts) = if let Part::Later(correlation, _) = asked.part {
        let stream = item.services.streams.take(item, asked.operation, correlation)?;
        let Stream::Mac(id, parts) = stream else {
            return Err(Refusal::no_such_stream());
        };
        item.is_key_of_stream(asked.unique_identifier, &id)?;
        let id = Some(UniqueIdentifier::Text(&id));
        (use_of_key::find(item, id, asked.purpose, cost).await?, parts)
    } else {
        let row = use_of_key::find(item, asked.unique_identifier, asked.purpose, cost).await?;
        let parts = MacParts {
            algorithm: Algorithm::of(&row.object, asked.parameters)?,
            data: ZeroizingOutput::new(),
            code: None,
        };
        (row, parts)
    };
    item.detail("mac", parts.algorithm.name());
    parts.data.append(data);
    if let Some(code) = code {
        parts.code = Some(code.to_vec());
    }
    Ok(Begun { row, parts, cost })
}

/// Records it. Returns the key's Unique Identifier and, where the stream goes on, its Correlation Value.
async fn end(
    item: &mut Item<'_>,
    asked: &Asked<'_>,
    begun: Begun,
) -> Result<(String, Option<Vec<u8>>), Refusal> {
    let id = begun.row.object.id().hyphenated().to_string();
    let correlation = if asked.part.is_last() {
        None
    } else {
        let stream = Stream::Mac(id.clone(), begun.parts);
        let streams = &item.services.streams;
        Some(streams.keep(item, asked.operation, asked.part, stream)?)
    };
    use_of_key::record(item, begun.row, asked.purpose, begun.cost).await?;
    Ok((id, correlation))
}
