//! The buffer that a secret lies in.

use super::pool::Block;

/// Bytes in locked memory. Zeroised when it is dropped, cleared, shortened, and when it moves in order to grow.
///
/// It has no `Debug`, `Clone` or `Serialize`, so that a secret can't leave it by mistake.
#[derive(Default)]
pub struct LockedBuffer {
    block: Option<Block>,
    length: usize,
}

impl LockedBuffer {
    /// An empty buffer that can take `capacity` bytes without moving.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            block: (capacity > 0).then(|| Block::with_capacity(capacity)),
            length: 0,
        }
    }

    /// A buffer of `length` zeros.
    pub fn zeroed(length: usize) -> Self {
        let mut buffer = Self::with_capacity(length);
        buffer.resize_zeroed(length);
        buffer
    }

    /// How many bytes it holds.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many bytes it can hold without moving.
    pub fn capacity(&self) -> usize {
        self.block.as_ref().map_or(0, |block| block.as_slice().len())
    }

    /// What it holds.
    pub fn as_slice(&self) -> &[u8] {
        self.block
            .as_ref()
            .map_or(&[], |block| &block.as_slice()[..self.length])
    }

    /// What it holds, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        let length = self.length;
        self.block
            .as_mut()
            .map_or(&mut [], |block| &mut block.as_mut_slice()[..length])
    }

    /// Puts `bytes` behind what it holds.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        let start = self.length;
        self.resize_zeroed(start + bytes.len());
        self.as_mut_slice()[start..].copy_from_slice(bytes);
    }

    /// Makes it `length` bytes long: zeros are put behind, or what is too much is zeroised.
    pub fn resize_zeroed(&mut self, length: usize) {
        if length < self.length {
            wipe(&mut self.as_mut_slice()[length..]);
        } else if length > self.capacity() {
            let mut larger = Block::with_capacity(length.max(self.capacity() * 2));
            larger.as_mut_slice()[..self.length].copy_from_slice(self.as_slice());
            self.clear();
            self.block = Some(larger);
        }
        // What lies behind the old length is zero already: a block comes zeroed and every shortening zeroises.
        self.length = length;
    }

    /// Zeroises and forgets what it holds; keeps the memory.
    pub fn clear(&mut self) {
        wipe(self.as_mut_slice());
        self.length = 0;
    }
}

/// Overwrites with zeros, many bytes at a time.
///
/// The compiler can't leave this out: the memory is the kernel's mapping, and its address goes back to the pool or to
/// `munmap`, so that to the compiler others may read it. `black_box` keeps that true should the pool change.
fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    std::hint::black_box(bytes);
}

impl Drop for LockedBuffer {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Extend(Vec<u8>),
        Resize(usize),
        Clear,
        Replace(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..3000).prop_map(Step::Extend),
            (0_usize..40_000).prop_map(Step::Resize),
            Just(Step::Clear),
            (0_usize..40_000).prop_map(Step::Replace),
        ];
        proptest::collection::vec(step, 0..24)
    }

    proptest! {
        #[test]
        fn a_buffer_holds_what_was_put_in_and_nothing_of_what_was_before(steps in steps()) {
            let mut buffer = LockedBuffer::default();
            let mut model: Vec<u8> = Vec::new();
            for step in steps {
                match step {
                    Step::Extend(bytes) => {
                        buffer.extend_from_slice(&bytes);
                        model.extend_from_slice(&bytes);
                    }
                    Step::Resize(length) => {
                        buffer.resize_zeroed(length);
                        model.resize(length, 0);
                    }
                    Step::Clear => {
                        buffer.clear();
                        model.clear();
                    }
                    Step::Replace(capacity) => {
                        buffer = LockedBuffer::with_capacity(capacity);
                        prop_assert!(buffer.capacity() >= capacity);
                        model.clear();
                    }
                }
                prop_assert_eq!(buffer.as_slice(), &model[..]);
                let behind = buffer.block.as_ref().map_or(&[][..], |block| &block.as_slice()[buffer.length..]);
                prop_assert!(behind.iter().all(|byte| *byte == 0));
            }
        }
    }

    #[test]
    fn a_buffer_that_is_given_back_leaves_no_byte_for_the_next() {
        for round in 0..200 {
            let mut buffer = LockedBuffer::with_capacity(512);
            buffer.resize_zeroed(512);
            assert!(
                buffer.as_slice().iter().all(|byte| *byte == 0),
                "round {round} sees an old byte"
            );
            buffer.as_mut_slice().fill(0xA5);
        }
    }

    #[test]
    fn buffers_of_several_threads_never_overlap() {
        std::thread::scope(|scope| {
            for mark in 1..=8_u8 {
                scope.spawn(move || {
                    for length in (1..400).map(|step| step * 17) {
                        let mut buffer = LockedBuffer::zeroed(length);
                        buffer.as_mut_slice().fill(mark);
                        std::thread::yield_now();
                        assert!(buffer.as_slice().iter().all(|byte| *byte == mark));
                    }
                });
            }
        });
    }
}
