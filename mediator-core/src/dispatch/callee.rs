//! A handler and how to call it.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::task::Context;
use std::thread;

use super::storage::Storage;
use super::vtable::{Polled, Vtable};

/// A handler of a list and the functions for it.
pub(crate) struct Callee {
    pub(super) vtable: Vtable,
    /// Of the type that `vtable` is for, kept alive by the list.
    pub(super) handler: NonNull<()>,
}

// SAFETY: `handler` points to the value in an `Instance`, which is `Send` and `Sync`, or to a `TakesEvent`.
unsafe impl Send for Callee {}
// SAFETY: `handler` points to the value in an `Instance`, which is `Send` and `Sync`, or to a `TakesEvent`.
unsafe impl Sync for Callee {}

impl Callee {
    /// Calls the handler and polls the future in `storage`.
    ///
    /// # Safety
    ///
    /// `argument` is what the list of this call says; it and the list stay borrowed until the future is gone. `storage` holds
    /// no future and is exclusively borrowed; if the result is `Pending`, it holds one of this call, and stays pinned.
    #[inline]
    pub(super) unsafe fn start(
        &self,
        argument: NonNull<()>,
        storage: NonNull<Storage>,
        cx: &mut Context<'_>,
    ) -> Polled {
        // SAFETY: the handler is of the vtable's type, since `HandlerList::new` has checked that, and the list keeps it alive.
        // The rest is guaranteed by the caller.
        unsafe { (self.vtable.start)(self.handler, argument, storage, cx) }
    }

    /// # Safety
    ///
    /// `storage` holds a pending future of this call, which nobody else accesses. It is gone
    /// afterwards, even after a panic, unless the result is `Pending`.
    #[inline]
    pub(super) unsafe fn poll(&self, storage: NonNull<Storage>, cx: &mut Context<'_>) -> Polled {
        // SAFETY: guaranteed by the caller.
        unsafe { (self.vtable.poll)(storage, cx) }
    }

    /// Drops the future in `storage`.
    ///
    /// # Errors
    ///
    /// The panic of the future's `Drop`; it is gone even so.
    ///
    /// # Safety
    ///
    /// `storage` holds a pending future of this call, which nobody else accesses. It is gone
    /// afterwards.
    pub(super) unsafe fn drop_future(&self, storage: NonNull<Storage>) -> thread::Result<()> {
        // SAFETY: guaranteed by the caller.
        catch_unwind(AssertUnwindSafe(|| unsafe { (self.vtable.drop_future)(storage) }))
    }
}

/// A place in the calls of a list, or behind the last one, where there is `None`: one pointer tells
/// where a publish is and whether that is the end.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(NonNull<Option<Callee>>, PhantomData<&'a [Option<Callee>]>);

// SAFETY: as a reference to calls, which are `Sync`.
unsafe impl Send for Cursor<'_> {}
// SAFETY: as a reference to calls, which are `Sync`.
unsafe impl Sync for Cursor<'_> {}

impl<'a> Cursor<'a> {
    /// At the first of `calls`, behind the last of which there is `None`.
    #[inline]
    pub(super) fn first(calls: &'a [Option<Callee>]) -> Self {
        Self(NonNull::from(calls).cast(), PhantomData)
    }

    /// How many calls there are from `first` to this one.
    pub(super) fn index_from(self, first: Self) -> usize {
        (self.0.addr().get() - first.0.addr().get()) / size_of::<Option<Callee>>()
    }

    #[inline]
    pub(super) fn is_at_end(self) -> bool {
        // SAFETY: points into the calls of a list, or to the `None` behind them.
        unsafe { self.0.as_ref() }.is_none()
    }

    /// # Safety
    ///
    /// The cursor is not at the end.
    #[inline]
    pub(super) unsafe fn call(self) -> &'a Callee {
        // SAFETY: points into the calls of a list.
        let call: &'a Option<Callee> = unsafe { self.0.as_ref() };
        // SAFETY: guaranteed by the caller.
        unsafe { call.as_ref().unwrap_unchecked() }
    }

    /// # Safety
    ///
    /// The cursor is not at the end.
    #[inline]
    pub(super) unsafe fn advance(&mut self) {
        // SAFETY: behind a call there is another, or `None`.
        self.0 = unsafe { self.0.add(1) };
    }
}
