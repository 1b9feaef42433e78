//! An allocator that wipes what it is given back.
//!
//! Key bytes that clients send, and state of cryptography that libraries keep for a moment, lie in memory that is not
//! ours to zeroise: rustls, for one, frees the plaintext of a received record as it is. With this allocator none of it
//! outlives its owner. What a library allocates in C (OpenSSL, SQLite, aws-lc) is not seen by it; those that have
//! secrets cleanse them themselves.
//!
//! # Why the unsafe code here is sound
//!
//! Every call goes to the allocator below with the arguments that it came with, so the contract of [`GlobalAlloc`] holds
//! as it does there. Before a block goes back, as many bytes as its layout says are overwritten: the caller promises that
//! they are its own, and that nobody uses them again. `realloc` is the trait's own: a new block, a copy, and the old
//! block given back through `dealloc`.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

/// An allocator, the system's or another, with each block overwritten with zeros when it is given back.
///
/// For a program's `#[global_allocator]`.
pub struct WipingAllocator<A = System>(A);

impl WipingAllocator {
    /// Over the system's allocator.
    pub const fn new() -> Self {
        Self(System)
    }
}

impl<A> WipingAllocator<A> {
    /// Over another.
    pub const fn over(allocator: A) -> Self {
        Self(allocator)
    }
}

impl Default for WipingAllocator {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: see the module's documentation.
unsafe impl<A: GlobalAlloc> GlobalAlloc for WipingAllocator<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has this size and is the caller's until it is given back in the next line. The pointer is
        // shown to `black_box`, so that the writes are not taken for useless ones in front of a `free`.
        unsafe {
            block.write_bytes(0, layout.size());
            self.0.dealloc(black_box(block), layout);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts the blocks that come back, and looks into each.
    #[derive(Default)]
    struct Looking {
        given_back: AtomicUsize,
        not_wiped: AtomicUsize,
    }

    // SAFETY: all calls go to the system's allocator as they came; a block that comes back was written to by whoever
    // gives it back, and is read within its size.
    unsafe impl GlobalAlloc for Looking {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: as above.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            self.given_back.fetch_add(1, Ordering::Relaxed);
            // SAFETY: as above.
            unsafe {
                if (0..layout.size()).any(|offset| *block.add(offset) != 0) {
                    self.not_wiped.fetch_add(1, Ordering::Relaxed);
                }
                System.dealloc(block, layout);
            }
        }
    }

    #[test]
    fn nothing_of_what_was_in_a_block_goes_back_to_the_system() {
        let allocator = WipingAllocator(Looking::default());
        for size in [1, 7, 8, 32, 4096, 1_000_003] {
            let layout = Layout::from_size_align(size, 8).unwrap();
            // SAFETY: the block is used within its size, and not after it was given back.
            unsafe {
                let block = allocator.alloc(layout);
                block.write_bytes(0xA5, size);
                let grown = allocator.realloc(block, layout, 2 * size);
                assert!((0..size).all(|offset| *grown.add(offset) == 0xA5));
                grown.add(size).write_bytes(0xA5, size);
                allocator.dealloc(grown, Layout::from_size_align(2 * size, 8).unwrap());
            }
        }
        assert_eq!(allocator.0.given_back.into_inner(), 12);
        assert_eq!(allocator.0.not_wiped.into_inner(), 0);
    }
}
