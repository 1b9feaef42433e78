//! Data that is encrypted or decrypted in parts, or in one.
//!
//! A stream keeps no key and no session of the device between two requests: what it keeps is data and the vector that the
//! next part begins with, and each part uses the key anew, so that a key that was revoked meanwhile is not used again. Whole
//! blocks are given out as they come in ECB, CBC, CFB, OFB and CTR. Of GCM the cipher text is given out as it comes, and the
//! plain text at the end, when the tag has been found right; CCM, XTS and `ChaCha20` give all at the end.

use zeroize::Zeroizing;

use super::cipher_method::{BLOCK, Manner, Method, Pass};
use super::item::Item;
use super::refusal::Refusal;
use super::use_of_key;
use crate::cryptography::{Direction, data_in, padding};
use crate::kmip::enumeration::PaddingMethod;
use crate::kmip::output::{Output as _, ZeroizingOutput};
use crate::store::KeyRow;

/// Data on its way through a cipher.
pub(super) struct CipherParts {
    method: Method,
    direction: Direction,
    /// What came and has not gone on yet; of GCM all that came.
    held: ZeroizingOutput,
    /// How much of the cipher text of GCM was given out.
    given: usize,
}

/// What a part gives.
pub(super) struct Given {
    pub(super) data: Zeroizing<Vec<u8>>,
    /// The tag, where the last part was encrypted by a mode that has one.
    pub(super) tag: Option<Vec<u8>>,
}

impl CipherParts {
    pub(super) fn new(direction: Direction, method: Method) -> Self {
        Self {
            method,
            direction,
            held: ZeroizingOutput::new(),
            given: 0,
        }
    }

    /// How much is held, in bytes.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// What the record calls the cipher.
    pub(super) fn name(&self) -> String {
        self.method.name()
    }

    /// Takes the next part. `tag` is the one to be compared where the last part is decrypted.
    pub(super) async fn step(
        &mut self,
        item: &mut Item<'_>,
        key: &KeyRow,
        data: &[u8],
        is_last: bool,
        tag: Option<&[u8]>,
    ) -> Result<Given, Refusal> {
        self.held.append(data);
        match (self.method.manner(), self.direction) {
            (Manner::Growing, Direction::Encrypt) => self.grow(item, key, is_last).await,
            (Manner::Growing | Manner::Whole, _) => self.wait(item, key, is_last, tag).await,
            (Manner::Blocks | Manner::Feedback, _) => self.chain(item, key, is_last).await,
        }
    }

    async fn pass(
        &self,
        item: &mut Item<'_>,
        key: &KeyRow,
        data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let pass = Pass {
            method: &self.method,
            direction: self.direction,
            data,
        };
        use_of_key::carry_out(item, key, &pass).await
    }

    /// The cipher text of all that came is made anew; what was not given out yet is.
    async fn grow(&mut self, item: &mut Item<'_>, key: &KeyRow, is_last: bool) -> Result<Given, Refusal> {
        if !is_last && self.held.len() == self.given {
            return Ok(Given::nothing());
        }
        let sealed = self.pass(item, key, self.held.as_slice()).await?;
        let (text, tag) = sealed.split_at(sealed.len().saturating_sub(self.method.tag_bytes));
        let new = text.get(self.given..).unwrap_or_default().to_vec();
        self.given = text.len();
        Ok(Given {
            data: Zeroizing::new(new),
            tag: is_last.then(|| tag.to_vec()),
        })
    }

    /// Nothing is given out before the end.
    async fn wait(
        &mut self,
        item: &mut Item<'_>,
        key: &KeyRow,
        is_last: bool,
        tag: Option<&[u8]>,
    ) -> Result<Given, Refusal> {
        if !is_last {
            return Ok(Given::nothing());
        }
        if !self.method.has_tag() {
            let data = self.pass(item, key, self.held.as_slice()).await?;
            return Ok(Given { data, tag: None });
        }
        if self.direction == Direction::Encrypt {
            let sealed = self.pass(item, key, self.held.as_slice()).await?;
            let (text, tag) = sealed.split_at(sealed.len().saturating_sub(self.method.tag_bytes));
            return Ok(Given {
                data: Zeroizing::new(text.to_vec()),
                tag: Some(tag.to_vec()),
            });
        }
        let tag = tag.ok_or_else(Refusal::missing_tag)?;
        if tag.len() != self.method.tag_bytes {
            return Err(Refusal::data_refused());
        }
        self.held.append(tag);
        let data = self.pass(item, key, self.held.as_slice()).await?;
        Ok(Given { data, tag: None })
    }

    /// Whole blocks go on, and at the end what is left.
    async fn chain(&mut self, item: &mut Item<'_>, key: &KeyRow, is_last: bool) -> Result<Given, Refusal> {
        let pads = self.method.padding != PaddingMethod::None;
        let is_encrypted = self.direction == Direction::Encrypt;
        if is_last && is_encrypted && pads {
            let padding = padding(self.method.padding, self.held.len(), BLOCK);
            self.held
                .append(&padding.map_err(|error| Refusal::of_cryptography(&error))?);
        }
        let ready = if is_last {
            self.held.len()
        } else if pads && !is_encrypted {
            // The last block may be padding.
            self.held.len().saturating_sub(1) / BLOCK * BLOCK
        } else {
            self.held.len() / BLOCK * BLOCK
        };
        if self.method.manner() == Manner::Blocks && !ready.is_multiple_of(BLOCK) {
            return Err(Refusal::data_length(self.held.len()));
        }
        let (now, rest) = self.held.as_slice().split_at(ready);
        let mut out = if now.is_empty() {
            Zeroizing::default()
        } else {
            self.pass(item, key, now).await?
        };
        if is_last {
            if pads && !is_encrypted {
                let last = out.len().saturating_sub(BLOCK);
                let length = match out.get(last..) {
                    // An empty text has a block of padding, except where zeros are put behind.
                    Some([]) | None if self.method.padding != PaddingMethod::Zeros => {
                        return Err(Refusal::data_refused());
                    }
                    block => data_in(self.method.padding, block.unwrap_or_default())
                        .map_err(|error| Refusal::of_cryptography(&error))?,
                };
                out.truncate(last + length);
            }
        } else if is_encrypted {
            self.method.go_on_after(now, &out);
        } else {
            self.method.go_on_after(&out, now);
        }
        let mut left = ZeroizingOutput::with_capacity(rest.len());
        left.append(rest);
        self.held = left;
        Ok(Given { data: out, tag: None })
    }
}

impl Given {
    fn nothing() -> Self {
        Self {
            data: Zeroizing::default(),
            tag: None,
        }
    }
}
