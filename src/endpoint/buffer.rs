//! Bytes on their way in: what a socket gave, what TLS opened, and what of it is not used yet.

use claviger_hsm::memory::LockedBuffer;
use zeroize::Zeroize;

/// A queue of bytes in locked memory. It holds memory only while it holds bytes or is being filled, and zeroises
/// each byte once it is used: TLS opens records in place, and a request can carry a key.
#[derive(Default)]
pub(super) struct Buffer {
    bytes: LockedBuffer,
    start: usize,
    end: usize,
}

impl Buffer {
    /// The bytes that are not used yet.
    pub(super) fn filled(&self) -> &[u8] {
        &self.bytes.as_slice()[self.start..self.end]
    }

    pub(super) fn filled_mut(&mut self) -> &mut [u8] {
        &mut self.bytes.as_mut_slice()[self.start..self.end]
    }

    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Room for at least `least` bytes behind the filled ones; what is put there is told by [`Buffer::fill`].
    pub(super) fn room(&mut self, least: usize) -> &mut [u8] {
        if self.bytes.len() - self.end < least {
            // The bytes go to the front of another block when there is no room behind; the old block is zeroised.
            let mut moved = LockedBuffer::with_capacity(self.len() + least);
            moved.resize_zeroed(moved.capacity());
            moved.as_mut_slice()[..self.len()].copy_from_slice(self.filled());
            (self.start, self.end) = (0, self.len());
            self.bytes = moved;
        }
        &mut self.bytes.as_mut_slice()[self.end..]
    }

    /// Takes the first `count` bytes of the room as filled.
    pub(super) fn fill(&mut self, count: usize) {
        self.end += count;
        assert!(
            self.end <= self.bytes.len(),
            "more was filled than there was room"
        );
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.room(bytes.len())[..bytes.len()].copy_from_slice(bytes);
        self.fill(bytes.len());
    }

    /// Zeroises the first `count` filled bytes and forgets them. An empty buffer gives its memory back.
    pub(super) fn discard(&mut self, count: usize) {
        self.filled_mut()[..count].zeroize();
        self.start += count;
        if self.is_empty() {
            self.release();
        }
    }

    /// Gives the memory back where nothing is in it.
    pub(super) fn release(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_come_out_in_the_order_they_went_in(
            steps in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..5000), 0_usize..6000), 0..20)
        ) {
            let mut buffer = Buffer::default();
            let mut model: Vec<u8> = Vec::new();
            for (pushed, discarded) in steps {
                buffer.push(&pushed);
                model.extend_from_slice(&pushed);
                prop_assert_eq!(buffer.filled(), &model[..]);
                let discarded = discarded.min(model.len());
                buffer.discard(discarded);
                model.drain(..discarded);
                prop_assert_eq!(buffer.filled(), &model[..]);
                prop_assert!(buffer.bytes.as_slice()[..buffer.start].iter().all(|byte| *byte == 0));
                prop_assert!(!model.is_empty() || buffer.bytes.capacity() == 0);
            }
        }
    }
}
