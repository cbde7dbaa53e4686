//! Memory for the future of one handler.

use std::cell::UnsafeCell;
use std::marker::PhantomPinned;
use std::mem::MaybeUninit;

/// Futures up to this size stay inside the publish future; larger ones are boxed.
///
/// Enough for a handler that awaits a boxed future (40 bytes) or a timer or a semaphore of tokio
/// (120). One that sends a request or queries a database is larger by far, and there an allocation
/// goes unnoticed. Every publish future has this room twice, used or not.
const INLINE_SIZE: usize = 128;

/// Futures may point into themselves, so no reference to a `Storage` may claim to be the only way to its bytes: not a `&mut`,
/// hence `PhantomPinned`, nor a `&`, hence `UnsafeCell`.
#[repr(C, align(16))]
pub(super) struct Storage(UnsafeCell<MaybeUninit<[u8; INLINE_SIZE]>>, PhantomPinned);

// SAFETY: a shared reference gives no access to the bytes.
unsafe impl Sync for Storage {}

impl Storage {
    pub(super) const SIZE: u32 = size_of::<Self>() as u32;

    pub(super) const fn empty() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()), PhantomPinned)
    }

    pub(super) const fn fits<F>() -> bool {
        size_of::<F>() <= size_of::<Self>() && align_of::<F>() <= align_of::<Self>()
    }
}
