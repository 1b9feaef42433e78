//! How data is encrypted: what a request, or the key's own Cryptographic Parameters, say of it, and how the device and the
//! software here are told.

use async_trait::async_trait;
use claviger_hsm::memory::LockedBuffer;
use zeroize::Zeroizing;

use super::item::Item;
use super::random;
use super::refusal::Refusal;
use super::use_of_key::Work;
use crate::cryptography::{self, CipherParameters, CipherStream, Direction};
use crate::key::ManagedObject;
use crate::kmip::attribute::CryptographicParameters;
use crate::kmip::enumeration::{BlockCipherMode, CryptographicAlgorithm, PaddingMethod};
use crate::kmip::version::V1_4;
use crate::root_key::{self, Aead, Cipher, KeptKey, RootKeyBackend};

/// The block of AES in bytes.
pub(super) const BLOCK: usize = 16;
/// The tag of authenticated encryption where nobody says how long it is, in bytes.
const USUAL_TAG: usize = 16;

/// How data is encrypted, with all that it takes besides the key and the data.
#[derive(Clone)]
pub(super) struct Method {
    algorithm: CryptographicAlgorithm,
    pub(super) mode: Option<BlockCipherMode>,
    pub(super) padding: PaddingMethod,
    pub(super) iv: Vec<u8>,
    additional_data: Vec<u8>,
    pub(super) tag_bytes: usize,
    counter_bits: u8,
    /// Whether `iv` was made here.
    pub(super) iv_is_random: bool,
}

/// How a method goes with data that comes in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Whole blocks, each begun with what the one before left.
    Blocks,
    /// The same, and the last block may be a shorter one.
    Feedback,
    /// The cipher text of a beginning is the beginning of the cipher text; the tag needs the whole.
    Growing,
    /// All at once.
    Whole,
}

/// The Cryptographic Parameters that count: the request's, or the key's own with the lowest Attribute Index.
pub(super) fn parameters<'a>(
    key: &'a ManagedObject,
    asked: Option<&'a CryptographicParameters>,
) -> Option<&'a CryptographicParameters> {
    asked.or_else(|| key.cryptographic_parameters().first().copied())
}

impl Method {
    /// What the request asks for. The vector is made by the device where the parameters say so and none came.
    pub(super) async fn of(
        item: &mut Item<'_>,
        direction: Direction,
        key: &ManagedObject,
        asked: Option<&CryptographicParameters>,
        iv: Option<&[u8]>,
        additional_data: Option<&[u8]>,
    ) -> Result<Self, Refusal> {
        let none = CryptographicParameters::default();
        let parameters = parameters(key, asked).unwrap_or(&none);
        let algorithm = algorithm(key, parameters)?;
        let mode = mode(algorithm, parameters)?;
        let mut method = Self {
            algorithm,
            mode,
            padding: padding(mode, parameters)?,
            iv: Vec::new(),
            additional_data: additional_data.unwrap_or_default().to_vec(),
            tag_bytes: 0,
            counter_bits: counter_bits(parameters)?,
            iv_is_random: false,
        };
        if method.has_tag() {
            if item.version < V1_4 {
                return Err(Refusal::tag_not_in_version());
            }
            method.tag_bytes = match parameters.tag_length {
                None => USUAL_TAG,
                Some(length) => usize::try_from(length)
                    .ok()
                    .filter(|length| (4..=16).contains(length))
                    .ok_or_else(Refusal::tag_length)?,
            };
        } else if !method.additional_data.is_empty() {
            return Err(Refusal::no_additional_data());
        }
        if mode == Some(BlockCipherMode::ECB) {
            return Ok(method);
        }
        let random = direction == Direction::Encrypt && parameters.random_iv == Some(true);
        method.iv = match iv {
            Some(iv) => iv.to_vec(),
            None if random => {
                method.iv_is_random = true;
                let length = method.length_of_random_iv(parameters)?;
                random::from_device(item, length).await?
            }
            None => return Err(Refusal::missing_iv()),
        };
        if !method.takes_iv(method.iv.len()) {
            return Err(Refusal::iv_length(method.iv.len()));
        }
        Ok(method)
    }

    pub(super) fn manner(&self) -> Manner {
        use BlockCipherMode as M;
        match (self.algorithm, self.mode) {
            (CryptographicAlgorithm::AES, Some(M::ECB | M::CBC)) => Manner::Blocks,
            (CryptographicAlgorithm::AES, Some(M::CFB | M::OFB | M::CTR)) => Manner::Feedback,
            (CryptographicAlgorithm::AES, Some(M::GCM)) => Manner::Growing,
            _ => Manner::Whole,
        }
    }

    pub(super) fn has_tag(&self) -> bool {
        self.algorithm == CryptographicAlgorithm::ChaCha20Poly1305
            || matches!(self.mode, Some(BlockCipherMode::GCM | BlockCipherMode::CCM))
    }

    fn takes_iv(&self, bytes: usize) -> bool {
        match (self.algorithm, self.mode) {
            (CryptographicAlgorithm::ChaCha20, _) => matches!(bytes, 8 | 12 | 16),
            (CryptographicAlgorithm::ChaCha20Poly1305, _) => bytes == 12,
            (_, Some(BlockCipherMode::GCM)) => (1..=256).contains(&bytes),
            (_, Some(BlockCipherMode::CCM)) => (7..=13).contains(&bytes),
            _ => bytes == BLOCK,
        }
    }

    fn length_of_random_iv(&self, parameters: &CryptographicParameters) -> Result<usize, Refusal> {
        let usual = if self.has_tag() || self.algorithm == CryptographicAlgorithm::ChaCha20 {
            12
        } else {
            BLOCK
        };
        let Some(bits) = parameters.iv_length else {
            return Ok(usual);
        };
        let bytes = usize::try_from(bits).unwrap_or_default().div_ceil(8);
        if self.takes_iv(bytes) {
            Ok(bytes)
        } else {
            Err(Refusal::iv_length(bytes))
        }
    }

    /// Begins what follows this plain text and its cipher text, whole blocks, where it left off.
    pub(super) fn go_on_after(&mut self, plain: &[u8], cipher: &[u8]) {
        let (Some(last_plain), Some(last_cipher)) =
            (plain.last_chunk::<BLOCK>(), cipher.last_chunk::<BLOCK>())
        else {
            return;
        };
        match self.mode {
            Some(BlockCipherMode::CBC | BlockCipherMode::CFB) => self.iv = last_cipher.to_vec(),
            Some(BlockCipherMode::OFB) => {
                let pairs = last_plain.iter().zip(last_cipher);
                self.iv = pairs.map(|(plain, cipher)| plain ^ cipher).collect();
            }
            Some(BlockCipherMode::CTR) => self.count_up(plain.len() / BLOCK),
            _ => {}
        }
    }

    fn count_up(&mut self, blocks: usize) {
        let Ok(block) = <[u8; BLOCK]>::try_from(self.iv.as_slice()) else {
            return;
        };
        let counter = u128::from_be_bytes(block);
        let mask = match self.counter_bits {
            128 => u128::MAX,
            bits => (1 << bits) - 1,
        };
        let next = counter.wrapping_add(blocks as u128) & mask | counter & !mask;
        self.iv = next.to_be_bytes().to_vec();
    }

    /// The same for the device; nothing where it has no such mechanism. Padding is put on and taken off by who asks.
    fn for_device(&self) -> Option<Cipher> {
        if self.algorithm != CryptographicAlgorithm::AES {
            return None;
        }
        let block = || <[u8; BLOCK]>::try_from(self.iv.as_slice()).ok();
        let aead = || Aead {
            nonce: self.iv.clone(),
            additional_data: self.additional_data.clone(),
            tag_bytes: u8::try_from(self.tag_bytes).unwrap_or(u8::MAX),
        };
        Some(match self.mode? {
            BlockCipherMode::ECB => Cipher::Ecb,
            BlockCipherMode::CBC => Cipher::Cbc { iv: block()? },
            BlockCipherMode::CFB => Cipher::Cfb { iv: block()? },
            BlockCipherMode::OFB => Cipher::Ofb { iv: block()? },
            BlockCipherMode::CTR => Cipher::Ctr {
                counter_block: block()?,
                counter_bits: self.counter_bits,
            },
            BlockCipherMode::GCM => Cipher::Gcm(aead()),
            BlockCipherMode::CCM => Cipher::Ccm(aead()),
            _ => return None,
        })
    }

    fn for_software(&self) -> Result<CipherParameters<'_>, cryptography::Error> {
        if self.mode == Some(BlockCipherMode::CTR) && self.counter_bits != 128 {
            return Err(cryptography::Error::Unsupported {
                what: "a counter of less than 128 bits".to_owned(),
            });
        }
        Ok(CipherParameters {
            algorithm: self.algorithm,
            mode: self.mode,
            padding: PaddingMethod::None,
            iv: &self.iv,
            additional_data: &self.additional_data,
            tag_bytes: self.tag_bytes,
        })
    }

    /// What a record and a refusal call it.
    pub(super) fn name(&self) -> String {
        match self.mode {
            Some(mode) => format!("{} in {mode} mode", self.algorithm),
            None => self.algorithm.to_string(),
        }
    }
}

fn algorithm(
    key: &ManagedObject,
    parameters: &CryptographicParameters,
) -> Result<CryptographicAlgorithm, Refusal> {
    use CryptographicAlgorithm::{AES, ChaCha20, ChaCha20Poly1305};
    let own = key.algorithm().ok_or_else(Refusal::value_not_here)?;
    let asked = parameters.cryptographic_algorithm.unwrap_or(own);
    match (own, asked) {
        (AES, AES) | (ChaCha20 | ChaCha20Poly1305, ChaCha20 | ChaCha20Poly1305) => Ok(asked),
        (AES | ChaCha20 | ChaCha20Poly1305, _) => Err(Refusal::other_algorithm(own, asked)),
        _ => Err(Refusal::no_such_cipher(&own.to_string())),
    }
}

fn mode(
    algorithm: CryptographicAlgorithm,
    parameters: &CryptographicParameters,
) -> Result<Option<BlockCipherMode>, Refusal> {
    use BlockCipherMode as M;
    match (algorithm, parameters.block_cipher_mode) {
        (CryptographicAlgorithm::AES, None) => Err(Refusal::no_mode()),
        (
            CryptographicAlgorithm::AES,
            Some(mode @ (M::ECB | M::CBC | M::CFB | M::OFB | M::CTR | M::GCM | M::CCM | M::XTS)),
        ) => Ok(Some(mode)),
        (CryptographicAlgorithm::ChaCha20, None) => Ok(None),
        (CryptographicAlgorithm::ChaCha20Poly1305, None | Some(M::AEAD)) => Ok(Some(M::AEAD)),
        (algorithm, Some(mode)) => Err(Refusal::no_such_cipher(&format!("{algorithm} in {mode} mode"))),
        (algorithm, None) => Err(Refusal::no_such_cipher(&algorithm.to_string())),
    }
}

/// The padding of the modes that take whole blocks; others have none, whatever is said.
fn padding(
    mode: Option<BlockCipherMode>,
    parameters: &CryptographicParameters,
) -> Result<PaddingMethod, Refusal> {
    use PaddingMethod as P;
    match (mode, parameters.padding_method) {
        (Some(BlockCipherMode::ECB | BlockCipherMode::CBC), Some(padding)) => match padding {
            P::None | P::PKCS5 | P::Zeros | P::ANSIX9_23 | P::ISO10126 => Ok(padding),
            other => Err(Refusal::no_such_cipher(&format!("the padding {other}"))),
        },
        _ => Ok(P::None),
    }
}

fn counter_bits(parameters: &CryptographicParameters) -> Result<u8, Refusal> {
    match parameters.counter_length {
        None => Ok(128),
        Some(bits) => u8::try_from(bits)
            .ok()
            .filter(|bits| (1..=128).contains(bits))
            .ok_or_else(Refusal::counter_length),
    }
}

/// Data that goes through a cipher once. A tag stands behind the cipher text.
pub(super) struct Pass<'a> {
    pub(super) method: &'a Method,
    pub(super) direction: Direction,
    pub(super) data: &'a [u8],
}

#[async_trait]
impl Work for Pass<'_> {
    type Done = Zeroizing<Vec<u8>>;

    fn name(&self) -> String {
        self.method.name()
    }

    async fn on_device(
        &self,
        backend: &dyn RootKeyBackend,
        key: KeptKey<'_>,
    ) -> Result<Option<Self::Done>, root_key::Error> {
        let Some(cipher) = self.method.for_device() else {
            return Ok(None);
        };
        let done = match self.direction {
            Direction::Encrypt => backend.encrypt(key, &cipher, self.data).await?,
            Direction::Decrypt => backend.decrypt(key, &cipher, self.data).await?,
        };
        Ok(Some(Zeroizing::new(done)))
    }

    fn in_server(&self, key: &LockedBuffer) -> Result<Self::Done, cryptography::Error> {
        let (data, tag) = match self.direction {
            Direction::Encrypt => (self.data, None),
            Direction::Decrypt => {
                let end = self.data.len().saturating_sub(self.method.tag_bytes);
                let (data, tag) = self.data.split_at(end);
                (data, self.method.has_tag().then_some(tag))
            }
        };
        let mut stream = CipherStream::new(self.direction, key, &self.method.for_software()?)?;
        let begun = Zeroizing::new(stream.update(data)?);
        let ended = stream.finish(tag)?;
        let rest = Zeroizing::new(ended.data);
        let tag = ended.tag.unwrap_or_default();
        // In one piece that does not move, so that nothing of it is left behind.
        let mut done = Zeroizing::new(Vec::with_capacity(begun.len() + rest.len() + tag.len()));
        done.extend_from_slice(&begun);
        done.extend_from_slice(&rest);
        done.extend_from_slice(&tag);
        Ok(done)
    }
}
