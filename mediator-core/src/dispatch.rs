//! The call of a handler: the only unsafe code of the crate.
//!
//! A publish must not allocate, yet handlers' futures have types and sizes of their own. So a
//! [`Slot`] keeps one future of any type in place, and a [`Table`] keeps, for each event type,
//! function pointers that are made for one (event, handler) pair, with the handler they belong to.
//!
//! Everything that leaves this module is safe to use in any way; see the `SAFETY` comments for why.
#![allow(unsafe_code)]

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::marker::{PhantomData, PhantomPinned};
use std::mem::{self, MaybeUninit};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::handler::{BoxError, HandlerOutput};
use crate::registry::HandlerInfo;
use crate::{DynNotification, EventHandler, HandlerFuture, Notification};

/// What came of a handler that finished.
pub(crate) type Outcome = Result<(), BoxError>;

/// Futures up to this size stay inside the publish future; larger ones are boxed.
pub(crate) const INLINE_SIZE: usize = 128;

/// Never `Unpin`, like the futures in it: they may point into themselves, so a `&mut Storage` must
/// not claim to be the only way to its bytes.
#[repr(C, align(16))]
struct Storage(MaybeUninit<[u8; INLINE_SIZE]>, PhantomPinned);

/// A place for the future of one handler at a time.
///
/// The future may borrow for `'a`.
pub(crate) struct Slot<'a> {
    /// How to go on with the future in `storage`; `None` when there is none.
    pending: Option<&'static PendingVTable>,
    storage: Storage,
    /// Invariant in `'a`: a slot must not be passed off as one for shorter or longer borrows.
    _borrows: PhantomData<fn(&'a ()) -> &'a ()>,
}

struct PendingVTable {
    /// Polls the future; unless it is still pending afterwards, it has been dropped.
    poll: unsafe fn(NonNull<Storage>, &mut Context<'_>) -> Poll<Outcome>,
    drop: unsafe fn(NonNull<Storage>),
}

// SAFETY: the only thing in a slot that could be bound to a thread is the future in `storage`,
// and `start` takes none that is not `Send`.
unsafe impl Send for Slot<'_> {}

impl<'a> Slot<'a> {
    pub(crate) const fn empty() -> Self {
        Self { pending: None, storage: Storage(MaybeUninit::uninit(), PhantomPinned), _borrows: PhantomData }
    }

    /// Builds a future, in place if it is small enough, and polls it; the slot keeps it only if it
    /// is pending.
    ///
    /// When building or polling panics, the future is dropped and the slot is empty.
    #[inline]
    fn start<F: HandlerFuture + 'a>(
        self: Pin<&mut Self>,
        future: impl FnOnce() -> F,
        cx: &mut Context<'_>,
    ) -> Poll<Outcome> {
        if const { size_of::<F>() <= size_of::<Storage>() && align_of::<F>() <= align_of::<Storage>() } {
            self.start_in_place(future, cx)
        } else {
            self.start_in_place(|| Box::pin(future()), cx)
        }
    }

    #[inline]
    fn start_in_place<F: HandlerFuture + 'a>(
        mut self: Pin<&mut Self>,
        future: impl FnOnce() -> F,
        cx: &mut Context<'_>,
    ) -> Poll<Outcome> {
        assert!(size_of::<F>() <= size_of::<Storage>() && align_of::<F>() <= align_of::<Storage>());
        self.as_mut().clear();
        // SAFETY: nothing is moved out of the slot; the reference only serves to reach its fields.
        let this = unsafe { self.get_unchecked_mut() };
        let storage = NonNull::from(&mut this.storage);
        // SAFETY: the storage is large and aligned enough for an `F` (asserted above), it is
        // exclusively borrowed, and it holds no future: `clear` has emptied it.
        unsafe { storage.cast::<F>().write(future()) };
        // SAFETY: an `F` was written just now. It stays where it is until it is dropped, because
        // the slot is pinned, and pinned data is dropped before its memory is reused.
        let polled = unsafe { poll_in_place::<F>(storage, cx) };
        if polled.is_pending() {
            this.pending = Some(const { &PendingVTable { poll: poll_in_place::<F>, drop: drop_in_place::<F> } });
        }
        polled
    }

    /// Polls the future in this slot; `None` if there is none.
    ///
    /// When it is ready or panics, it is dropped and the slot is empty.
    #[inline]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<Poll<Outcome>> {
        // SAFETY: nothing is moved out of the slot; the reference only serves to reach its fields.
        let this = unsafe { self.get_unchecked_mut() };
        let pending = this.pending.take()?;
        // SAFETY: `pending` says that the storage holds the future that this vtable was made for,
        // pinned since it was written. Taking `pending` leaves the future to `poll`.
        let polled = unsafe { (pending.poll)(NonNull::from(&mut this.storage), cx) };
        if polled.is_pending() {
            this.pending = Some(pending);
        }
        Some(polled)
    }

    /// Drops the future in this slot, if there is one.
    #[inline]
    pub(crate) fn clear(self: Pin<&mut Self>) {
        // SAFETY: nothing is moved out of the slot; the reference only serves to reach its fields.
        unsafe { self.get_unchecked_mut() }.drop_pending();
    }

    #[inline]
    fn drop_pending(&mut self) {
        if let Some(pending) = self.pending.take() {
            // SAFETY: as in `poll`; the future is dropped where it was pinned, and `pending` was
            // taken first, so that a panic in its `Drop` cannot drop it twice.
            unsafe { (pending.drop)(NonNull::from(&mut self.storage)) };
        }
    }
}

impl Drop for Slot<'_> {
    #[inline]
    fn drop(&mut self) {
        self.drop_pending();
    }
}

/// Polls the `F` in `storage`, and drops it unless it is still pending.
///
/// # Safety
///
/// `storage` holds an `F` that is pinned there and that nobody else accesses. It is gone
/// afterwards unless the result is `Pending`.
#[inline]
unsafe fn poll_in_place<F: HandlerFuture>(storage: NonNull<Storage>, cx: &mut Context<'_>) -> Poll<Outcome> {
    struct DropOnExit<F>(NonNull<F>);

    impl<F> Drop for DropOnExit<F> {
        #[inline]
        fn drop(&mut self) {
            // SAFETY: made from the storage below, whose future is the guard's to drop.
            unsafe { self.0.drop_in_place() };
        }
    }

    let mut guard = DropOnExit(storage.cast::<F>());
    // SAFETY: the caller guarantees a valid `F` that is not accessed otherwise.
    let future = unsafe { guard.0.as_mut() };
    // SAFETY: the caller guarantees that it is pinned.
    let future = unsafe { Pin::new_unchecked(future) };
    match future.poll(cx) {
        Poll::Ready(output) => Poll::Ready(output.into_result()),
        Poll::Pending => {
            mem::forget(guard);
            Poll::Pending
        }
    }
}

/// Drops the `F` in `storage`.
///
/// # Safety
///
/// `storage` holds an `F` that nobody else accesses. It is gone afterwards.
unsafe fn drop_in_place<F>(storage: NonNull<Storage>) {
    // SAFETY: guaranteed by the caller.
    unsafe { storage.cast::<F>().drop_in_place() };
}

/// A handler of any type, kept alive by the table it is in.
pub(crate) type Instance = Arc<dyn Any + Send + Sync>;

/// Starts the handler at the first pointer on the event at the second.
type StartFn = for<'a> unsafe fn(NonNull<()>, NonNull<()>, Pin<&mut Slot<'a>>, &mut Context<'_>) -> Poll<Outcome>;

/// How to call handlers of one type with events of one type.
#[derive(Clone, Copy)]
pub(crate) struct CallPlan {
    event: TypeId,
    handler: TypeId,
    start: StartFn,
}

impl CallPlan {
    pub(crate) fn new<E: Notification, H: EventHandler<E>>() -> Self {
        Self { event: TypeId::of::<E>(), handler: TypeId::of::<H>(), start: start::<E, H> }
    }

    pub(crate) fn event(&self) -> TypeId {
        self.event
    }

    pub(crate) fn handler(&self) -> TypeId {
        self.handler
    }
}

/// Calls the handler at `handler` with the event at `event`, its future in `slot`.
///
/// # Safety
///
/// `handler` points to an `H` and `event` to an `E`, and both are borrowed for `'a`.
unsafe fn start<'a, E: Notification, H: EventHandler<E>>(
    handler: NonNull<()>,
    event: NonNull<()>,
    slot: Pin<&mut Slot<'a>>,
    cx: &mut Context<'_>,
) -> Poll<Outcome> {
    // SAFETY: guaranteed by the caller.
    let handler: &'a H = unsafe { handler.cast().as_ref() };
    // SAFETY: guaranteed by the caller.
    let event: &'a E = unsafe { event.cast().as_ref() };
    slot.start(|| handler.handle(event), cx)
}

/// All handlers of one event type, in the order they are called.
pub(crate) struct HandlerList {
    event: TypeId,
    calls: Box<[Call]>,
    infos: Box<[HandlerInfo]>,
    /// Keeps alive what `calls` points to.
    _instances: Box<[Instance]>,
}

struct Call {
    start: StartFn,
    handler: NonNull<()>,
}

// SAFETY: `handler` points to an `Instance`, which is `Send` and `Sync`.
unsafe impl Send for Call {}
// SAFETY: as above.
unsafe impl Sync for Call {}

impl HandlerList {
    /// # Panics
    ///
    /// If a plan is not for this event or its instance not of the plan's handler type.
    pub(crate) fn new(event: TypeId, handlers: Vec<(CallPlan, Instance, HandlerInfo)>) -> Self {
        let mut calls = Vec::with_capacity(handlers.len());
        let mut infos = Vec::with_capacity(handlers.len());
        let mut instances = Vec::with_capacity(handlers.len());
        for (plan, instance, info) in handlers {
            // `start` below relies on these two.
            assert_eq!(plan.event, event, "a handler in the list of another event");
            assert_eq!(plan.handler, (*instance).type_id(), "a handler called as another type");
            calls.push(Call { start: plan.start, handler: NonNull::from(&*instance).cast() });
            infos.push(info);
            instances.push(instance);
        }
        Self { event, calls: calls.into(), infos: infos.into(), _instances: instances.into() }
    }

    pub(crate) fn infos(&self) -> &[HandlerInfo] {
        &self.infos
    }
}

/// Which handlers an event type has; never changes.
pub(crate) struct Table {
    lists: HashMap<TypeId, HandlerList, BuildHasherDefault<TypeIdHasher>>,
    none: HandlerList,
}

impl Table {
    pub(crate) fn new(lists: impl IntoIterator<Item = HandlerList>) -> Self {
        Self {
            lists: lists.into_iter().map(|list| (list.event, list)).collect(),
            none: HandlerList::new(TypeId::of::<()>(), Vec::new()),
        }
    }

    /// The handlers of `event`, ready to be started.
    #[inline]
    pub(crate) fn dispatch_of<'a, E: Notification>(&'a self, event: &'a E) -> Dispatch<'a> {
        self.lookup(TypeId::of::<E>(), event)
    }

    /// The handlers of the event behind `event`, ready to be started.
    pub(crate) fn dispatch<'a>(&'a self, event: &'a dyn DynNotification) -> Dispatch<'a> {
        self.lookup(event.type_id(), event)
    }

    #[inline]
    fn lookup<'a>(&'a self, event_type: TypeId, event: &'a dyn DynNotification) -> Dispatch<'a> {
        // Keyed by its own `event`, a list found has handlers for exactly this type; `none` has none.
        let handlers = self.lists.get(&event_type).unwrap_or(&self.none);
        Dispatch { event, handlers }
    }
}

/// One event and its handlers.
#[derive(Clone, Copy)]
pub(crate) struct Dispatch<'a> {
    event: &'a dyn DynNotification,
    /// Has handlers for exactly the type of `event`.
    handlers: &'a HandlerList,
}

impl<'a> Dispatch<'a> {
    pub(crate) fn event(&self) -> &'a dyn DynNotification {
        self.event
    }

    pub(crate) fn handlers(&self) -> &'a [HandlerInfo] {
        self.handlers.infos()
    }

    pub(crate) fn len(&self) -> usize {
        self.handlers.calls.len()
    }

    /// Starts one handler in `slot` and polls it; a panic of the handler passes through.
    ///
    /// # Panics
    ///
    /// If there are no more than `index` handlers, or the handler panics.
    #[inline]
    pub(crate) fn start(&self, index: usize, slot: Pin<&mut Slot<'a>>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let call = &self.handlers.calls[index];
        let event = NonNull::from(self.event).cast();
        // SAFETY: `HandlerList::new` has checked that the handler is of the type that `call.start`
        // was made for, and the list, borrowed for `'a`, keeps it alive. `Table::lookup` pairs an
        // event with the list of its type only, and the event is borrowed for `'a` too.
        unsafe { (call.start)(call.handler, event, slot, cx) }
    }
}

/// A `TypeId` is a hash already; hashing it again would only cost time.
#[derive(Default)]
struct TypeIdHasher(u64);

impl Hasher for TypeIdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
