//! Where the locked memory comes from: blocks of a few sizes, cut from slabs that are mapped once and kept.
//!
//! # Why the unsafe code here is sound
//!
//! - A slab is an anonymous private mapping of its own, never unmapped, and cut into blocks that do not overlap. A
//!   block that is larger than every size has a mapping of its own, unmapped when the block is dropped.
//! - A block's address is either in exactly one [`Block`] or in exactly one free list: [`Block::drop`] is the only place
//!   that puts it into the list, and taking it out is done under the list's lock. So a `Block` has its bytes alone and
//!   may hand out slices that borrow it.
//! - A mapping starts as zeros, so its bytes are always initialised.
#![allow(unsafe_code)]

use std::alloc::{Layout, handle_alloc_error};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap_anonymous, munmap};

/// The sizes of blocks in bytes.
const SIZES: [usize; 4] = [256, 1024, 4096, 16 * 1024];
/// The size of a slab in bytes: a multiple of every block's size and of the page's.
const SLAB: usize = 64 * 1024;

pub(super) static LOCKED_BYTES: AtomicUsize = AtomicUsize::new(0);
pub(super) static UNLOCKED_BYTES: AtomicUsize = AtomicUsize::new(0);

static FREE: [Mutex<FreeList>; SIZES.len()] = [const { Mutex::new(FreeList(Vec::new())) }; SIZES.len()];
static SPARE_SLABS: Mutex<FreeList> = Mutex::new(FreeList(Vec::new()));

/// Addresses of memory that nobody uses.
struct FreeList(Vec<NonNull<u8>>);

// SAFETY: the list owns the memory behind its addresses; nobody else has them.
unsafe impl Send for FreeList {}

fn lock(list: &Mutex<FreeList>) -> MutexGuard<'_, FreeList> {
    // A list is a valid list at every moment: pushing or popping an address can't be seen half done.
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A piece of memory that has one owner. Its bytes are zero when it is taken, and its owner leaves them so.
pub(super) struct Block {
    address: NonNull<u8>,
    capacity: usize,
    /// The index in [`SIZES`]; `None`: a mapping of its own.
    size: Option<usize>,
    /// For a mapping of its own: whether it is locked.
    locked: bool,
}

// SAFETY: a block owns its bytes alone, see the module's documentation; `&Block` only reads.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

impl Block {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let Some(size) = SIZES.iter().position(|size| *size >= bytes) else {
            let capacity = bytes.next_multiple_of(rustix::param::page_size());
            let (address, locked) = map(capacity);
            return Self {
                address,
                capacity,
                size: None,
                locked,
            };
        };
        let mut free = lock(&FREE[size]);
        let address = free.0.pop().unwrap_or_else(|| {
            let spare = lock(&SPARE_SLABS).0.pop();
            let slab = spare.unwrap_or_else(|| map(SLAB).0);
            // SAFETY: every offset is inside of the slab.
            free.0
                .extend((1..SLAB / SIZES[size]).map(|index| unsafe { slab.add(index * SIZES[size]) }));
            slab
        });
        Self {
            address,
            capacity: SIZES[size],
            size: Some(size),
            locked: false,
        }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        // SAFETY: `capacity` initialised bytes that this block owns; the slice borrows it.
        unsafe { std::slice::from_raw_parts(self.address.as_ptr(), self.capacity) }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: as above, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.address.as_ptr(), self.capacity) }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        debug_assert!(
            self.as_slice().iter().all(|byte| *byte == 0),
            "the owner zeroises a block"
        );
        if let Some(size) = self.size {
            lock(&FREE[size]).0.push(self.address);
            return;
        }
        let counter = if self.locked {
            &LOCKED_BYTES
        } else {
            &UNLOCKED_BYTES
        };
        counter.fetch_sub(self.capacity, Ordering::Relaxed);
        // SAFETY: the mapping was made for this block with this length, and nobody has a slice of it any more.
        // A failure would only leave the pages mapped, and they are zeroised.
        let _ = unsafe { munmap(self.address.as_ptr().cast(), self.capacity) };
    }
}

/// Maps and locks slabs until `bytes` bytes are spare.
pub(super) fn reserve(bytes: usize) -> Result<(), Errno> {
    for _ in 0..bytes.div_ceil(SLAB) {
        let slab = map_unlocked(SLAB);
        // SAFETY: the mapping is ours and has this length.
        if let Err(refusal) = unsafe { mlock(slab.as_ptr().cast(), SLAB) } {
            // SAFETY: nobody else has the mapping's address.
            let _ = unsafe { munmap(slab.as_ptr().cast(), SLAB) };
            return Err(refusal);
        }
        LOCKED_BYTES.fetch_add(SLAB, Ordering::Relaxed);
        lock(&SPARE_SLABS).0.push(slab);
    }
    Ok(())
}

/// Maps `length` bytes and locks them where the system lets us.
fn map(length: usize) -> (NonNull<u8>, bool) {
    static SAID: AtomicBool = AtomicBool::new(false);
    let address = map_unlocked(length);
    // SAFETY: the mapping is ours and has this length.
    match unsafe { mlock(address.as_ptr().cast(), length) } {
        Ok(()) => {
            LOCKED_BYTES.fetch_add(length, Ordering::Relaxed);
            (address, true)
        }
        Err(refusal) => {
            UNLOCKED_BYTES.fetch_add(length, Ordering::Relaxed);
            if !SAID.swap(true, Ordering::Relaxed) {
                tracing::error!(%refusal, "memory for secrets is used unlocked: raise LimitMEMLOCK= (RLIMIT_MEMLOCK)");
            }
            (address, false)
        }
    }
}

fn map_unlocked(length: usize) -> NonNull<u8> {
    // SAFETY: a new anonymous mapping at an address that the kernel chooses touches no existing memory.
    let mapped = unsafe {
        mmap_anonymous(
            ptr::null_mut(),
            length,
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::PRIVATE,
        )
    };
    let Some(address) = mapped.ok().and_then(|address| NonNull::new(address.cast::<u8>())) else {
        handle_alloc_error(Layout::from_size_align(length, 1).unwrap_or(Layout::new::<u8>()));
    };
    for advice in [Advice::LinuxDontDump, Advice::LinuxDontFork] {
        // SAFETY: the mapping is ours, and neither advice changes what it holds for this process. A kernel that knows
        // neither leaves the memory as safe as any other of the process, which is not dumpable.
        let _ = unsafe { madvise(address.as_ptr().cast(), length, advice) };
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooled_memory_is_locked_and_out_of_dumps() {
        let block = Block::with_capacity(1024);
        let address = block.as_slice().as_ptr() as usize;
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        let flags = maps.lines().find_map(|line| {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            if let Some((from, to)) = range
                && let (Ok(from), Ok(to)) = (usize::from_str_radix(from, 16), usize::from_str_radix(to, 16))
            {
                inside = (from..to).contains(&address);
            }
            line.strip_prefix("VmFlags:").filter(|_| inside)
        });
        let flags: Vec<_> = flags.unwrap().split_whitespace().collect();
        for flag in ["lo", "dd", "dc"] {
            assert!(flags.contains(&flag), "{flag} is missing from {flags:?}");
        }
    }

    #[test]
    fn a_large_block_gives_its_memory_back() {
        let before = LOCKED_BYTES.load(Ordering::Relaxed) + UNLOCKED_BYTES.load(Ordering::Relaxed);
        let block = Block::with_capacity(3 << 20);
        assert_eq!(block.as_slice().len(), 3 << 20);
        drop(block);
        let after = LOCKED_BYTES.load(Ordering::Relaxed) + UNLOCKED_BYTES.load(Ordering::Relaxed);
        assert!(after < before + (3 << 20));
    }
}
