//! Places for the futures of handlers.

use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::Context;

use super::callee::Callee;
use super::storage::Storage;
use super::vtable::Polled;
use crate::errors::panics::discard_panic;

/// A place for the future of one handler at a time.
///
/// The future may borrow for `'a`.
pub(crate) struct Slot<'a> {
    /// Whose future is in `storage`; `None` when it is empty.
    pending: Option<Pending<'a>>,
    storage: Storage,
    /// Invariant in `'a`: a slot must not be passed off as one for shorter or longer borrows.
    _borrows: PhantomData<fn(&'a ()) -> &'a ()>,
}

#[derive(Clone, Copy)]
struct Pending<'a> {
    call: &'a Callee,
    /// The handler's place in its list.
    handler: usize,
}

impl<'a> Slot<'a> {
    pub(crate) const fn empty() -> Self {
        Self { pending: None, storage: Storage::empty(), _borrows: PhantomData }
    }

    /// Calls a handler and polls its future; the slot keeps it only if it is pending. A panic of
    /// the handler passes through, and leaves the slot empty.
    ///
    /// # Panics
    ///
    /// If the slot is in use, or the handler panics.
    ///
    /// # Safety
    ///
    /// `argument` is what the call takes, borrowed for `'a`. Calls are only in lists, so the list is borrowed for `'a` as
    /// well.
    #[inline]
    pub(super) unsafe fn start(
        self: Pin<&mut Self>,
        (handler, call): (usize, &'a Callee),
        argument: NonNull<()>,
        cx: &mut Context<'_>,
    ) -> Polled {
        // SAFETY: nothing is moved out of the slot; the reference only serves to reach its fields.
        let this = unsafe { self.get_unchecked_mut() };
        assert!(this.pending.is_none(), "a slot keeps one future at a time");
        // SAFETY: the argument is what the call takes. The storage is empty and, since the slot is
        // pinned, stays where it is until `pending` is dropped.
        let polled = unsafe { call.start(argument, NonNull::from(&mut this.storage), cx) };
        if polled.is_pending() {
            this.pending = Some(Pending { call, handler });
        }
        polled
    }

    /// The handler whose future is in this slot, if there is one.
    #[inline]
    pub(crate) fn handler(&self) -> Option<usize> {
        self.pending.map(|pending| pending.handler)
    }

    /// Polls the future in this slot; `None` if there is none.
    ///
    /// When it is ready or panics, it is dropped and the slot is empty.
    #[inline]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<Polled> {
        // SAFETY: nothing is moved out of the slot; the reference only serves to reach its fields.
        let this = unsafe { self.get_unchecked_mut() };
        let pending = this.pending.take()?;
        // SAFETY: `pending` says that the storage holds the future of this call, pinned since it was
        // written. Taking `pending` leaves the future to `poll`.
        let polled = unsafe { pending.call.poll(NonNull::from(&mut this.storage), cx) };
        if polled.is_pending() {
            this.pending = Some(pending);
        }
        Some(polled)
    }

    /// Drops the future in this slot, if there is one.
    ///
    /// # Errors
    ///
    /// The panic of the future's `Drop`; the slot is empty even so.
    pub(crate) fn clear(self: Pin<&mut Self>) -> std::thread::Result<()> {
        // SAFETY: nothing is moved out of the slot; the reference only serves to reach its fields.
        unsafe { self.get_unchecked_mut() }.drop_pending()
    }

    fn drop_pending(&mut self) -> std::thread::Result<()> {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        let storage = NonNull::from(&mut self.storage);
        // SAFETY: `pending` says that the storage holds the future of this call, which is dropped where it was pinned.
        // `pending` was taken first, so that a panic in its `Drop` cannot drop it twice.
        unsafe { pending.call.drop_future(storage) }
    }

    /// Drops the future of a publish that is cancelled.
    #[cold]
    fn cancel(&mut self) {
        // Nobody is left to tell of a panic, which the panic hook has seen. Passing it on would
        // tear down the task, or the process if it is the second one.
        if let Err(panic) = self.drop_pending() {
            discard_panic(panic);
        }
    }
}

impl Drop for Slot<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.pending.is_some() {
            self.cancel();
        }
    }
}

/// Slots for the futures of several handlers: two in place, the others in one allocation.
pub(crate) struct Slots<'a> {
    inline: [Slot<'a>; 2],
    more: Box<[Slot<'a>]>,
}

impl<'a> Slots<'a> {
    pub(crate) fn empty() -> Self {
        Self { inline: [Slot::empty(), Slot::empty()], more: Box::default() }
    }

    /// Makes empty slots where they are to stay, without copying their storages, which compilers do
    /// with what [`empty`](Self::empty) returns.
    ///
    /// # Safety
    ///
    /// `slots` points to memory for slots that is exclusively borrowed.
    pub(super) unsafe fn init(slots: *mut Self) {
        // SAFETY: within the memory, as the caller guarantees.
        let inline = unsafe { &raw mut (*slots).inline }.cast::<Slot<'a>>();
        for index in 0..2 {
            // SAFETY: there are two.
            let slot = unsafe { inline.add(index) };
            // SAFETY: within the memory. The storage needs nothing to be written.
            let pending = unsafe { &raw mut (*slot).pending };
            // SAFETY: exclusively borrowed, as the caller guarantees.
            unsafe { pending.write(None) };
        }
        // SAFETY: within the memory.
        let more = unsafe { &raw mut (*slots).more };
        // SAFETY: exclusively borrowed, as the caller guarantees.
        unsafe { more.write(Box::default()) };
    }

    pub(crate) fn len(&self) -> usize {
        self.inline.len() + self.more.len()
    }

    /// Adds slots behind those there are; once.
    ///
    /// # Panics
    ///
    /// When called again.
    pub(crate) fn extend(self: Pin<&mut Self>, additional: usize) {
        assert!(self.more.is_empty(), "slots are pinned: they cannot move to make room for more");
        // SAFETY: nothing is moved out; the box that is replaced holds no slots.
        unsafe { self.get_unchecked_mut() }.more = (0..additional).map(|_| Slot::empty()).collect();
    }

    /// # Panics
    ///
    /// If there are no more than `index` slots.
    #[inline]
    pub(crate) fn slot(self: Pin<&mut Self>, index: usize) -> Pin<&mut Slot<'a>> {
        // SAFETY: nothing is moved out; the reference only serves to reach the slot.
        let this = unsafe { self.get_unchecked_mut() };
        let slot = match index.checked_sub(this.inline.len()) {
            None => &mut this.inline[index],
            Some(index) => &mut this.more[index],
        };
        // SAFETY: the slots are pinned with `self`: those in place are part of it; those in the box
        // never move, because `extend` replaces a box only while it holds none, and nothing else
        // gives access to it.
        unsafe { Pin::new_unchecked(slot) }
    }
}
