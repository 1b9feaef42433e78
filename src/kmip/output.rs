//! Where a message is written, and how key material gets there.
//!
//! A response can hold a key in the clear, so the place it is written to must not leave bytes behind when it grows
//! or is cut. The endpoint brings locked memory; [`ZeroizingOutput`] serves where that is not at hand.

use zeroize::Zeroize;

/// A growing run of bytes that holds secrets. Implementors zeroise whatever they leave behind: when they move to
/// grow, when they are cut, and when they are dropped.
pub trait Output {
    /// How many bytes were written.
    fn len(&self) -> usize;

    /// Whether nothing was written.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All that was written, to be filled in.
    fn as_mut_slice(&mut self) -> &mut [u8];

    /// Adds these bytes at the end.
    fn append(&mut self, bytes: &[u8]);

    /// Adds `count` zero bytes at the end.
    fn append_zeroed(&mut self, count: usize);

    /// Cuts to the first `length` bytes and zeroises the rest. Does nothing where less was written.
    fn truncate(&mut self, length: usize);
}

/// Key material that is not in the clear until it is written.
pub trait Material: Send {
    /// The number of bytes.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes the key in the clear. `out` is exactly [`Material::len`] bytes, and is zeroised by the caller where
    /// this fails.
    fn open_into(&self, out: &mut [u8]) -> Result<(), MaterialError>;
}

/// The key material could not be opened. The reason is known, and logged, where the material came from; it is no
/// matter of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key material could not be opened")]
pub struct MaterialError;

/// An [`Output`] in ordinary memory.
#[derive(Default)]
pub struct ZeroizingOutput(Vec<u8>);

impl ZeroizingOutput {
    /// An empty output.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// An empty output that does not move until it holds more than `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// What was written.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// Forgets what was written and keeps the memory.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Makes room for `more` bytes. `Vec` would free the old bytes as they are, so the move is made here.
    fn reserve(&mut self, more: usize) {
        let needed = self.0.len() + more;
        if needed > self.0.capacity() {
            let mut grown = Vec::with_capacity(needed.max(self.0.capacity() * 2).max(512));
            grown.extend_from_slice(&self.0);
            self.0.zeroize();
            self.0 = grown;
        }
    }
}

impl Output for ZeroizingOutput {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.0
    }

    fn append(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn append_zeroed(&mut self, count: usize) {
        self.reserve(count);
        self.0.resize(self.0.len() + count, 0);
    }

    fn truncate(&mut self, length: usize) {
        if let Some(rest) = self.0.get_mut(length..) {
            rest.zeroize();
            self.0.truncate(length);
        }
    }
}

impl Drop for ZeroizingOutput {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_survives_growth() {
        let mut out = ZeroizingOutput::new();
        let mut expected = Vec::new();
        for round in 0..2000_u32 {
            out.append(&round.to_be_bytes());
            expected.extend_from_slice(&round.to_be_bytes());
        }
        out.append_zeroed(3);
        expected.extend_from_slice(&[0; 3]);
        assert_eq!(out.as_slice(), expected);
    }

    #[test]
    fn what_is_cut_off_is_zeroised_in_place() {
        let mut out = ZeroizingOutput::with_capacity(64);
        out.append(&[0xAA; 64]);
        out.truncate(8);
        out.truncate(16);
        assert_eq!(out.as_slice(), [0xAA; 8]);
        out.append_zeroed(56);
        assert_eq!(&out.as_slice()[8..], [0; 56]);
    }
}
