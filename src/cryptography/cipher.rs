//! Encrypting and decrypting, at once or in pieces.

use claviger_hsm::memory::LockedBuffer;
use openssl::cipher::{Cipher, CipherRef};
use openssl::cipher_ctx::CipherCtx;

use super::padding::{data_in, padding};
use super::{Error, locked};
use crate::kmip::enumeration::{BlockCipherMode, CryptographicAlgorithm, PaddingMethod};

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From plaintext to ciphertext.
    Encrypt,
    /// Back.
    Decrypt,
}

/// How it is encrypted.
#[derive(Clone, Copy, Debug)]
pub struct CipherParameters<'a> {
    /// AES, 3DES, `ChaCha20` or `ChaCha20Poly1305`.
    pub algorithm: CryptographicAlgorithm,
    /// The mode of a block cipher: ECB, CBC, CFB, OFB, CTR, GCM, CCM, XTS; not looked at otherwise.
    pub mode: Option<BlockCipherMode>,
    /// The padding of ECB and CBC: None, PKCS5, Zeros, ANSI X9.23, ISO 10126; not looked at otherwise.
    pub padding: PaddingMethod,
    /// The initialisation vector, counter block, nonce, or the tweak of XTS. `ChaCha20` takes a nonce of 12 bytes (RFC 8439) or
    /// of 8, and counts from 0; or a counter and a nonce, 16 bytes together.
    pub iv: &'a [u8],
    /// What is authenticated and not encrypted.
    pub additional_data: &'a [u8],
    /// The length of the tag of GCM, CCM and `ChaCha20Poly1305`, in bytes.
    pub tag_bytes: usize,
}

/// What is left at the end.
#[derive(Debug, PartialEq, Eq)]
pub struct Finished {
    /// The last of the data.
    pub data: Vec<u8>,
    /// The tag, where the mode makes one and it was encrypted.
    pub tag: Option<Vec<u8>>,
}

/// How a mode works with pieces.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Whole blocks, padded.
    Blocks(PaddingMethod),
    /// Any length, as it comes.
    Stream,
    /// Any length, with a tag.
    Aead,
    /// All at once: XTS steals from the last but one block.
    Whole,
    /// All at once, and its length before the rest.
    Ccm,
}

/// Data that is encrypted or decrypted in pieces.
///
/// What an authenticated mode gives before the end is not authenticated yet: whoever passes it on says so. CCM and XTS give
/// all at the end.
pub struct CipherStream {
    context: CipherCtx,
    cipher: &'static CipherRef,
    direction: Direction,
    manner: Manner,
    tag_bytes: usize,
    /// Held until the end: the last block of plaintext with its padding, or all data.
    held: LockedBuffer,
    /// For CCM, whose context begins at the end.
    late: Option<(LockedBuffer, Vec<u8>, Vec<u8>)>,
    /// How many bytes came.
    came: usize,
}

impl CipherStream {
    /// Begins. Fails with [`Error::Unsupported`] or [`Error::Length`].
    pub fn new(
        direction: Direction,
        key: &LockedBuffer,
        parameters: &CipherParameters<'_>,
    ) -> Result<Self, Error> {
        let (cipher, manner) = cipher(parameters, key.len())?;
        if key.len() != cipher.key_length() {
            return Err(Error::Length {
                what: "the key",
                bytes: key.len(),
            });
        }
        let iv = vector(parameters);
        let has_tag = matches!(manner, Manner::Aead | Manner::Ccm);
        if has_tag && !(4..=16).contains(&parameters.tag_bytes) {
            return Err(Error::Length {
                what: "the tag",
                bytes: parameters.tag_bytes,
            });
        }
        let iv_fits = match parameters.mode {
            _ if parameters.algorithm == CryptographicAlgorithm::ChaCha20Poly1305 => iv.len() == 12,
            Some(BlockCipherMode::GCM) => (1..=256).contains(&iv.len()),
            Some(BlockCipherMode::CCM) => (7..=13).contains(&iv.len()),
            _ => iv.len() == cipher.iv_length(),
        };
        if !iv_fits {
            return Err(Error::Length {
                what: "the initialization vector",
                bytes: parameters.iv.len(),
            });
        }
        let mut stream = Self {
            context: CipherCtx::new()?,
            cipher,
            direction,
            manner,
            tag_bytes: parameters.tag_bytes,
            held: LockedBuffer::default(),
            late: None,
            came: 0,
        };
        if manner == Manner::Ccm {
            let additional_data = parameters.additional_data.to_vec();
            stream.late = Some((locked(key.as_slice()), iv, additional_data));
            return Ok(stream);
        }
        stream.init(Some(cipher), None, None)?;
        if manner == Manner::Aead {
            stream.context.set_iv_length(iv.len())?;
        }
        let iv = (cipher.iv_length() > 0).then_some(&iv[..]);
        stream.init(None, Some(key.as_slice()), iv)?;
        stream.context.set_padding(false);
        if manner == Manner::Aead && !parameters.additional_data.is_empty() {
            stream.context.cipher_update(parameters.additional_data, None)?;
        }
        Ok(stream)
    }

    /// Takes the next piece; gives what can be given of it.
    pub fn update(&mut self, data: &[u8]) -> Result<Vec<u8>, Error> {
        self.came += data.len();
        match self.manner {
            Manner::Whole | Manner::Ccm => {
                self.held.extend_from_slice(data);
                Ok(Vec::new())
            }
            Manner::Stream | Manner::Aead => self.through(data),
            Manner::Blocks(padding) => {
                let mut out = self.through(data)?;
                if self.direction == Direction::Decrypt && padding != PaddingMethod::None && !out.is_empty() {
                    // The last block may be padding.
                    let last = out.split_off(out.len() - self.cipher.block_size());
                    out.splice(0..0, self.held.as_slice().iter().copied());
                    self.held = locked(&last);
                }
                Ok(out)
            }
        }
    }

    /// Ends; `tag` is the one to be compared where a mode with a tag is decrypted.
    ///
    /// Fails with [`Error::Refused`] where the tag or the padding is wrong, and with [`Error::Length`] where data without
    /// padding is no whole blocks.
    pub fn finish(mut self, tag: Option<&[u8]>) -> Result<Finished, Error> {
        match (self.manner, self.direction) {
            (Manner::Blocks(method), Direction::Encrypt) => {
                let padding = padding(method, self.came, self.cipher.block_size())?;
                let data = self.through(&padding)?;
                self.check_blocks(self.came + padding.len())?;
                Ok(Finished { data, tag: None })
            }
            (Manner::Blocks(method), Direction::Decrypt) => {
                self.check_blocks(self.came)?;
                if method != PaddingMethod::None && self.held.is_empty() {
                    // An empty text has a block of padding, except where zeros are put behind.
                    return match method {
                        PaddingMethod::Zeros => Ok(Finished {
                            data: Vec::new(),
                            tag: None,
                        }),
                        _ => Err(Error::Refused),
                    };
                }
                let length = data_in(method, self.held.as_slice())?;
                let data = self.held.as_slice()[..length].to_vec();
                Ok(Finished { data, tag: None })
            }
            (Manner::Stream, _) => Ok(Finished {
                data: Vec::new(),
                tag: None,
            }),
            (Manner::Whole, _) => {
                let held = std::mem::take(&mut self.held);
                if held.len() < self.cipher.block_size().max(16) {
                    return Err(Error::Length {
                        what: "the data",
                        bytes: held.len(),
                    });
                }
                let data = self.through(held.as_slice())?;
                Ok(Finished { data, tag: None })
            }
            (Manner::Aead, Direction::Encrypt) => {
                let mut data = Vec::new();
                self.context.cipher_final_vec(&mut data)?;
                let mut tag = vec![0; self.tag_bytes];
                self.context.tag(&mut tag)?;
                Ok(Finished { data, tag: Some(tag) })
            }
            (Manner::Aead, Direction::Decrypt) => {
                let tag = self.given(tag)?;
                self.context.set_tag(tag)?;
                let mut data = Vec::new();
                let ended = self.context.cipher_final_vec(&mut data);
                ended.map_err(|_| Error::Refused)?;
                Ok(Finished { data, tag: None })
            }
            (Manner::Ccm, _) => self.finish_ccm(tag),
        }
    }

    fn finish_ccm(mut self, tag: Option<&[u8]>) -> Result<Finished, Error> {
        let (key, iv, additional_data) = self.late.take().expect("CCM begins with it");
        let held = std::mem::take(&mut self.held);
        self.init(Some(self.cipher), None, None)?;
        self.context.set_iv_length(iv.len())?;
        if self.direction == Direction::Decrypt {
            let tag = self.given(tag)?;
            self.context.set_tag(tag)?;
        } else {
            self.context.set_tag_length(self.tag_bytes)?;
        }
        self.init(None, Some(key.as_slice()), Some(&iv))?;
        self.context.set_data_len(held.len())?;
        if !additional_data.is_empty() {
            self.context.cipher_update(&additional_data, None)?;
        }
        let out = self.through(held.as_slice());
        if self.direction == Direction::Decrypt {
            // The tag is compared as the data is decrypted.
            let data = out.map_err(|_| Error::Refused)?;
            return Ok(Finished { data, tag: None });
        }
        let data = out?;
        let mut tag = vec![0; self.tag_bytes];
        self.context.tag(&mut tag)?;
        Ok(Finished { data, tag: Some(tag) })
    }

    /// The tag that is to be compared, of the length that was said.
    fn given<'t>(&self, tag: Option<&'t [u8]>) -> Result<&'t [u8], Error> {
        tag.filter(|tag| tag.len() == self.tag_bytes)
            .ok_or(Error::Refused)
    }

    fn check_blocks(&self, bytes: usize) -> Result<(), Error> {
        if bytes.is_multiple_of(self.cipher.block_size()) {
            Ok(())
        } else {
            Err(Error::Length {
                what: "the data",
                bytes,
            })
        }
    }

    fn init(
        &mut self,
        cipher: Option<&CipherRef>,
        key: Option<&[u8]>,
        iv: Option<&[u8]>,
    ) -> Result<(), Error> {
        match self.direction {
            Direction::Encrypt => self.context.encrypt_init(cipher, key, iv)?,
            Direction::Decrypt => self.context.decrypt_init(cipher, key, iv)?,
        }
        Ok(())
    }

    fn through(&mut self, data: &[u8]) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        self.context.cipher_update_vec(data, &mut out)?;
        Ok(out)
    }
}

fn vector(parameters: &CipherParameters<'_>) -> Vec<u8> {
    let iv = parameters.iv;
    match (parameters.algorithm, parameters.mode, iv.len()) {
        // The counter of 32 bits (RFC 8439), or of 64 as it first was.
        (CryptographicAlgorithm::ChaCha20, _, 12 | 8) => {
            let mut vector = vec![0; 16 - iv.len()];
            vector.extend_from_slice(iv);
            vector
        }
        (CryptographicAlgorithm::AES | CryptographicAlgorithm::DES3, Some(BlockCipherMode::ECB), _) => {
            Vec::new()
        }
        _ => iv.to_vec(),
    }
}

fn cipher(parameters: &CipherParameters<'_>, key: usize) -> Result<(&'static CipherRef, Manner), Error> {
    use BlockCipherMode as M;
    use CryptographicAlgorithm as A;
    let (algorithm, mode, blocks) = (
        parameters.algorithm,
        parameters.mode,
        Manner::Blocks(parameters.padding),
    );
    let missing = || match mode {
        Some(mode) => Error::unsupported(format!("{algorithm:?} by {mode:?}")),
        None => Error::unsupported(format!("{algorithm:?} without a mode")),
    };
    let by_length = |ciphers: [&'static CipherRef; 3]| match key {
        16 => Ok(ciphers[0]),
        24 => Ok(ciphers[1]),
        32 => Ok(ciphers[2]),
        bytes => Err(Error::Length {
            what: "the key",
            bytes,
        }),
    };
    Ok(match (algorithm, mode) {
        (A::ChaCha20, _) => (Cipher::chacha20(), Manner::Stream),
        (A::ChaCha20Poly1305, _) => (Cipher::chacha20_poly1305(), Manner::Aead),
        (A::AES, Some(M::ECB)) => (
            by_length([
                Cipher::aes_128_ecb(),
                Cipher::aes_192_ecb(),
                Cipher::aes_256_ecb(),
            ])?,
            blocks,
        ),
        (A::AES, Some(M::CBC)) => (
            by_length([
                Cipher::aes_128_cbc(),
                Cipher::aes_192_cbc(),
                Cipher::aes_256_cbc(),
            ])?,
            blocks,
        ),
        (A::AES, Some(M::CFB)) => (
            by_length([
                Cipher::aes_128_cfb128(),
                Cipher::aes_192_cfb128(),
                Cipher::aes_256_cfb128(),
            ])?,
            Manner::Stream,
        ),
        (A::AES, Some(M::OFB)) => (
            by_length([
                Cipher::aes_128_ofb(),
                Cipher::aes_192_ofb(),
                Cipher::aes_256_ofb(),
            ])?,
            Manner::Stream,
        ),
        (A::AES, Some(M::CTR)) => (
            by_length([
                Cipher::aes_128_ctr(),
                Cipher::aes_192_ctr(),
                Cipher::aes_256_ctr(),
            ])?,
            Manner::Stream,
        ),
        (A::AES, Some(M::GCM)) => (
            by_length([
                Cipher::aes_128_gcm(),
                Cipher::aes_192_gcm(),
                Cipher::aes_256_gcm(),
            ])?,
            Manner::Aead,
        ),
        (A::AES, Some(M::CCM)) => (
            by_length([
                Cipher::aes_128_ccm(),
                Cipher::aes_192_ccm(),
                Cipher::aes_256_ccm(),
            ])?,
            Manner::Ccm,
        ),
        (A::AES, Some(M::XTS)) => match key {
            64 => (Cipher::aes_256_xts(), Manner::Whole),
            _ => (Cipher::aes_128_xts(), Manner::Whole),
        },
        (A::DES3, Some(M::ECB)) => (Cipher::des_ede3_ecb(), blocks),
        (A::DES3, Some(M::CBC)) => (Cipher::des_ede3_cbc(), blocks),
        (A::DES3, Some(M::CFB)) => (Cipher::des_ede3_cfb64(), Manner::Stream),
        (A::DES3, Some(M::OFB)) => (Cipher::des_ede3_ofb(), Manner::Stream),
        _ => return Err(missing()),
    })
}
