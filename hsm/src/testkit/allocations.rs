//! How often code asks for memory.
//!
//! # Why the unsafe code here is sound
//!
//! Every call goes to [`System`] with the arguments that it came with, so the contract of [`GlobalAlloc`] holds as it
//! does there. Counting touches a number of the thread's own that needs no memory and no destructor.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, with a count of the blocks that each thread asks for. For a test's or a bench's
/// `#[global_allocator]`.
pub struct CountingAllocator;

fn count_one() {
    // A thread that ends has no count any more, and nobody who would ask for it.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: see the module's documentation.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_one();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count_one();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count_one();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(block, layout, new_size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Does `work` and tells how often it asked for a block, or for a larger one, in this thread. Always none where
/// [`CountingAllocator`] is not the program's allocator.
pub fn allocations<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = COUNT.get();
    let result = work();
    (result, COUNT.get() - before)
}
