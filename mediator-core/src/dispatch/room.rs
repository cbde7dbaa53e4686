//! Memory of a publish for what is under way.

use std::mem::{ManuallyDrop, MaybeUninit};
use std::pin::Pin;
use std::ptr::NonNull;

use super::core::BoxedRun;
use super::dispatch::Dispatch;
use super::group::Group;
use super::publish::InOrder;
use super::slot::Slots;
use super::storage::Storage;
use crate::errors::publish_error::PublishError;

/// Memory for one future of a handler, for a strategy that is under way, or for an error; for the dispatch that they borrow; and
/// for which handler is pending.
///
/// Which of them is there, the [`Stage`](super::publish::Stage) of the publish tells. Handlers keep pointers into it while they
/// are pending, so it is reached by raw pointers only, which the accessors turn into what the stage says is there.
// The future first: compilers write zeros to all of the room when the field behind it starts as a constant.
#[repr(C)]
pub(super) struct Room {
    work: MaybeUninit<Work>,
    dispatch: MaybeUninit<Dispatch<'static>>,
    pending: MaybeUninit<InOrder>,
}

#[repr(C)]
union Work {
    future: ManuallyDrop<Storage>,
    group: ManuallyDrop<(Group<'static>, Slots<'static>)>,
    custom: ManuallyDrop<BoxedRun<'static>>,
    error: ManuallyDrop<PublishError>,
}

impl Room {
    /// How much memory there is at [`future`](Self::future).
    pub(super) const SIZE: u32 = size_of::<Work>() as u32;

    #[inline]
    pub(super) const fn empty() -> Self {
        Self { work: MaybeUninit::uninit(), dispatch: MaybeUninit::uninit(), pending: MaybeUninit::uninit() }
    }

    /// Where the future of a handler is, or is to be put.
    #[inline]
    pub(super) fn future(&mut self) -> NonNull<Storage> {
        NonNull::from(&mut self.work).cast()
    }

    /// Notes which handler is pending.
    #[inline]
    pub(super) fn put_pending(&mut self, run: InOrder) {
        self.pending.write(run);
    }

    /// Which handler is pending.
    ///
    /// # Safety
    ///
    /// That was put here.
    #[inline]
    pub(super) unsafe fn pending(&self) -> InOrder {
        // SAFETY: guaranteed by the caller.
        unsafe { self.pending.assume_init() }
    }

    /// Puts the dispatch where it stays.
    ///
    /// # Safety
    ///
    /// The room is pinned and not used for another dispatch, until nobody uses the result.
    #[inline]
    pub(super) unsafe fn put_dispatch(&mut self, dispatch: Dispatch<'static>) -> &'static Dispatch<'static> {
        self.dispatch.write(dispatch);
        let dispatch = NonNull::from(&mut self.dispatch).cast::<Dispatch<'static>>();
        // SAFETY: written just now, and left alone as the caller guarantees.
        unsafe { dispatch.as_ref() }
    }

    /// Makes a group where it stays, without copying its slots.
    pub(super) fn put_group(&mut self, group: Group<'static>) {
        let place = self.work.as_mut_ptr().cast::<(Group<'static>, Slots<'static>)>();
        // SAFETY: within the room.
        let slots = unsafe { &raw mut (*place).1 };
        // SAFETY: memory for slots.
        unsafe { Slots::init(slots) };
        // SAFETY: within the room.
        let place = unsafe { &raw mut (*place).0 };
        // SAFETY: memory for a group.
        unsafe { place.write(group) };
    }

    /// # Safety
    ///
    /// A group was put here, and the room is pinned.
    pub(super) unsafe fn group(&mut self) -> (&mut Group<'static>, Pin<&mut Slots<'static>>) {
        let place = self.work.as_mut_ptr().cast::<(Group<'static>, Slots<'static>)>();
        // SAFETY: there is a group.
        let (group, slots) = unsafe { &mut *place };
        // SAFETY: pinned with the room.
        (group, unsafe { Pin::new_unchecked(slots) })
    }

    /// # Safety
    ///
    /// A group was put here, and is not used again.
    pub(super) unsafe fn drop_group(&mut self) {
        let place = self.work.as_mut_ptr().cast::<(Group<'static>, Slots<'static>)>();
        // SAFETY: there is a group, dropped once.
        unsafe { place.drop_in_place() };
    }

    pub(super) fn put_custom(&mut self, run: BoxedRun<'static>) {
        self.work.write(Work { custom: ManuallyDrop::new(run) });
    }

    /// # Safety
    ///
    /// The run of a custom strategy was put here.
    pub(super) unsafe fn custom(
        &mut self,
    ) -> Pin<&mut (dyn Future<Output = Result<(), PublishError>> + Send + 'static)> {
        let place = self.work.as_mut_ptr().cast::<BoxedRun<'static>>();
        // SAFETY: there is one.
        unsafe { &mut *place }.as_mut()
    }

    /// # Safety
    ///
    /// The run of a custom strategy was put here, and is not used again.
    pub(super) unsafe fn drop_custom(&mut self) {
        let place = self.work.as_mut_ptr().cast::<BoxedRun<'static>>();
        // SAFETY: there is one, dropped once.
        unsafe { place.drop_in_place() };
    }

    pub(super) fn put_error(&mut self, error: PublishError) {
        self.work.write(Work { error: ManuallyDrop::new(error) });
    }

    /// # Safety
    ///
    /// An error was put here, and is taken once.
    pub(super) unsafe fn take_error(&mut self) -> PublishError {
        // SAFETY: there is one, taken once.
        unsafe { self.work.as_ptr().cast::<PublishError>().read() }
    }
}
