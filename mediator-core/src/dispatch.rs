//! The call of a handler: the only unsafe code of the crate.
//!
//! A publish must not allocate, yet handlers' futures have types and sizes of their own. So a
//! [`Slot`] keeps one future of any type in place, and a [`Table`] keeps, for each event type,
//! function pointers that are made for one (event, handler) pair, with the handler they belong to.
//!
//! Everything that leaves this module is safe to use in any way; see the `SAFETY` comments for why.
//!
//! What is generic here is compiled for each handler, so it works with raw pointers: unoptimized
//! builds compile every method of `NonNull` for every type.
//!
//! The tests below run under Miri: `cargo +nightly miri test -p mediator-core --lib dispatch`. Those of
//! the other packages do not, since Miri does not run the constructors that `inventory` registers
//! with; `tests/sanitize.sh` covers them.
#![allow(unsafe_code)]

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::marker::{PhantomData, PhantomPinned};
use std::mem::{self, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::handler::{BoxError, HandlerOutput};
use crate::publish_error::discard_panic;
use crate::registry::HandlerInfo;
use crate::{DynNotification, EventHandler, HandlerFuture, Notification};

/// What came of a handler that finished.
///
/// The error is boxed once more, so that `Poll<Outcome>` is returned in registers.
pub(crate) type Outcome = Result<(), Box<BoxError>>;

/// Futures up to this size stay inside the publish future; larger ones are boxed.
///
/// Enough for a handler that awaits a boxed future (40 bytes) or a timer or a semaphore of tokio
/// (120). One that sends a request or queries a database is larger by far, and there an allocation
/// goes unnoticed. Every publish future has this room twice, used or not.
pub(crate) const INLINE_SIZE: usize = 128;

/// Never `Unpin`, like the futures in it: they may point into themselves, so a `&mut Storage` must
/// not claim to be the only way to its bytes.
#[repr(C, align(16))]
struct Storage(MaybeUninit<[u8; INLINE_SIZE]>, PhantomPinned);

/// A place for the future of one handler at a time.
///
/// The future may borrow for `'a`.
pub(crate) struct Slot<'a> {
    /// What is in `storage`; `None` when it is empty.
    pending: Option<Pending>,
    storage: Storage,
    /// Invariant in `'a`: a slot must not be passed off as one for shorter or longer borrows.
    _borrows: PhantomData<fn(&'a ()) -> &'a ()>,
}

#[derive(Clone, Copy)]
struct Pending {
    vtable: &'static PendingVTable,
    /// Whose future it is: the handler's place in its list.
    handler: usize,
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
    ///
    /// # Safety
    ///
    /// The slot is empty.
    #[inline]
    unsafe fn start<F: HandlerFuture + 'a>(
        self: Pin<&mut Self>,
        handler: usize,
        future: impl FnOnce() -> F,
        cx: &mut Context<'_>,
    ) -> Poll<Outcome> {
        if const { size_of::<F>() <= size_of::<Storage>() && align_of::<F>() <= align_of::<Storage>() } {
            // SAFETY: guaranteed by the caller.
            unsafe { self.start_in_place(handler, future, cx) }
        } else {
            // SAFETY: guaranteed by the caller.
            unsafe { self.start_in_place(handler, || Box::pin(future()), cx) }
        }
    }

    /// # Safety
    ///
    /// The slot is empty.
    #[inline]
    unsafe fn start_in_place<F: HandlerFuture + 'a>(
        self: Pin<&mut Self>,
        handler: usize,
        future: impl FnOnce() -> F,
        cx: &mut Context<'_>,
    ) -> Poll<Outcome> {
        assert!(size_of::<F>() <= size_of::<Storage>() && align_of::<F>() <= align_of::<Storage>());
        // SAFETY: nothing is moved out of the slot; the reference only serves to reach its fields.
        let this = unsafe { self.get_unchecked_mut() };
        let storage = NonNull::from(&mut this.storage);
        // SAFETY: the storage is large and aligned enough for an `F` (asserted above), it is
        // exclusively borrowed, and it holds no future, as the caller guarantees.
        unsafe { ptr::write(storage.as_ptr() as *mut F, future()) };
        // SAFETY: an `F` was written just now. It stays where it is until it is dropped, because
        // the slot is pinned, and pinned data is dropped before its memory is reused.
        let polled = unsafe { poll_in_place::<F>(storage, cx) };
        if polled.is_pending() {
            let vtable = const { &PendingVTable { poll: poll_in_place::<F>, drop: drop_in_place::<F> } };
            this.pending = Some(Pending { vtable, handler });
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
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<Poll<Outcome>> {
        // SAFETY: nothing is moved out of the slot; the reference only serves to reach its fields.
        let this = unsafe { self.get_unchecked_mut() };
        let pending = this.pending.take()?;
        // SAFETY: `pending` says that the storage holds the future that this vtable was made for,
        // pinned since it was written. Taking `pending` leaves the future to `poll`.
        let polled = unsafe { (pending.vtable.poll)(NonNull::from(&mut this.storage), cx) };
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
        // SAFETY: as in `poll`; the future is dropped where it was pinned, and `pending` was taken
        // first, so that a panic in its `Drop` cannot drop it twice.
        catch_unwind(AssertUnwindSafe(|| unsafe { (pending.vtable.drop)(storage) }))
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

/// Polls the `F` in `storage`, and drops it unless it is still pending.
///
/// # Safety
///
/// `storage` holds an `F` that is pinned there and that nobody else accesses. It is gone
/// afterwards unless the result is `Pending`.
#[inline]
unsafe fn poll_in_place<F: HandlerFuture>(storage: NonNull<Storage>, cx: &mut Context<'_>) -> Poll<Outcome> {
    struct DropOnExit<F>(*mut F);

    impl<F> Drop for DropOnExit<F> {
        #[inline]
        fn drop(&mut self) {
            // SAFETY: made from the storage below, whose future is the guard's to drop.
            unsafe { ptr::drop_in_place(self.0) };
        }
    }

    let guard = DropOnExit(storage.as_ptr() as *mut F);
    // SAFETY: the caller guarantees a valid `F` that is not accessed otherwise.
    let future = unsafe { &mut *guard.0 };
    // SAFETY: the caller guarantees that it is pinned.
    let future = unsafe { Pin::new_unchecked(future) };
    match future.poll(cx) {
        Poll::Ready(output) => Poll::Ready(output.into_result().map_err(Box::new)),
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
    unsafe { ptr::drop_in_place(storage.as_ptr() as *mut F) };
}

/// A handler of any type, kept alive by the table it is in.
pub(crate) type Instance = Arc<dyn Any + Send + Sync>;

/// Starts the handler at the first pointer, whose place in its list is given, on the event at the
/// second.
type StartFn =
    for<'a> unsafe fn(usize, NonNull<()>, NonNull<()>, Pin<&mut Slot<'a>>, &mut Context<'_>) -> Poll<Outcome>;

/// How to call handlers of one type with events of one type.
#[derive(Clone, Copy)]
pub(crate) struct CallPlan {
    event: TypeId,
    handler: TypeId,
    /// An `Arc` of `handler` handles the event too, and is the same handler.
    shared: TypeId,
    start: StartFn,
}

impl CallPlan {
    pub(crate) fn new<E: Notification, H: EventHandler<E>>() -> Self {
        let (event, handler, shared) = (TypeId::of::<E>(), TypeId::of::<H>(), TypeId::of::<Arc<H>>());
        Self { event, handler, shared, start: start::<E, H> }
    }

    pub(crate) fn event(&self) -> TypeId {
        self.event
    }

    pub(crate) fn handler(&self) -> TypeId {
        self.handler
    }

    pub(crate) fn shared_handler(&self) -> TypeId {
        self.shared
    }
}

/// Calls the handler at `handler` with the event at `event`, its future in `slot`.
///
/// # Safety
///
/// `handler` points to an `H` and `event` to an `E`, both are borrowed for `'a`, and `slot` is
/// empty.
unsafe fn start<'a, E: Notification, H: EventHandler<E>>(
    index: usize,
    handler: NonNull<()>,
    event: NonNull<()>,
    slot: Pin<&mut Slot<'a>>,
    cx: &mut Context<'_>,
) -> Poll<Outcome> {
    // SAFETY: guaranteed by the caller.
    let handler: &'a H = unsafe { &*(handler.as_ptr() as *const H) };
    // SAFETY: guaranteed by the caller.
    let event: &'a E = unsafe { &*(event.as_ptr() as *const E) };
    // SAFETY: guaranteed by the caller.
    unsafe { slot.start(index, || handler.handle(event), cx) }
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

    fn free() -> Self {
        struct Never;
        Self::new(TypeId::of::<Never>(), Vec::new())
    }

    #[inline]
    fn is_free(&self) -> bool {
        self.calls.is_empty()
    }

    pub(crate) fn infos(&self) -> &[HandlerInfo] {
        &self.infos
    }
}

/// Which handlers an event type has; never changes.
///
/// A hash table with open addressing, at most half full: the constant hash of an event's type is
/// the place to look, and what is searched is there or a few places further.
pub(crate) struct Table {
    /// Free places hold an empty list for an event that is never published.
    places: Box<[HandlerList]>,
}

impl Table {
    pub(crate) fn new(lists: impl IntoIterator<Item = HandlerList>) -> Self {
        let lists = Vec::from_iter(lists);
        let mut places = Vec::new();
        places.resize_with((2 * lists.len()).next_power_of_two(), HandlerList::free);
        for list in lists {
            let mut place = hash(list.event) & (places.len() - 1);
            while !places[place].is_free() {
                place = (place + 1) & (places.len() - 1);
            }
            places[place] = list;
        }
        Self { places: places.into() }
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

    /// `event_type` must be the type of `event`.
    #[inline]
    fn lookup<'a>(&'a self, event_type: TypeId, event: &'a dyn DynNotification) -> Dispatch<'a> {
        let mut place = hash(event_type);
        loop {
            let handlers = &self.places[place & (self.places.len() - 1)];
            if handlers.event == event_type || handlers.is_free() {
                return Dispatch { event, handlers };
            }
            place += 1;
        }
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

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.handlers.calls.len()
    }

    /// Starts one handler in `slot` and polls it; a panic of the handler passes through.
    ///
    /// # Panics
    ///
    /// If there are no more than `index` handlers, the slot is in use, or the handler panics.
    #[inline]
    pub(crate) fn start(&self, index: usize, slot: Pin<&mut Slot<'a>>, cx: &mut Context<'_>) -> Poll<Outcome> {
        assert!(slot.pending.is_none(), "a slot keeps one future at a time");
        let call = &self.handlers.calls[index];
        let event = NonNull::from(self.event).cast();
        // SAFETY: `HandlerList::new` has checked that the handler is of the type that `call.start`
        // was made for, and the list, borrowed for `'a`, keeps it alive. `Table::lookup` pairs an
        // event with the list of its type only, and the event is borrowed for `'a` too. That the
        // slot is empty is asserted above.
        unsafe { (call.start)(index, call.handler, event, slot, cx) }
    }
}

/// A `TypeId` is a hash already, and a constant one; hashing it again would only cost time.
#[inline]
fn hash(event: TypeId) -> usize {
    let mut hasher = TypeIdHasher(0);
    event.hash(&mut hasher);
    hasher.0 as usize
}

/// A map by type that does not hash the hash.
pub(crate) type TypeIdMap<V> = HashMap<TypeId, V, BuildHasherDefault<TypeIdHasher>>;

#[derive(Default)]
pub(crate) struct TypeIdHasher(u64);

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

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::pin::{Pin, pin};
    use std::slice::from_ref;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    use super::{CallPlan, HandlerList, Slot, Slots, Table};
    use crate::registry::Registration;
    use crate::{EventHandler, Notification};

    struct Placed(String);

    impl Notification for Placed {}

    /// Counts what becomes of its futures, which hold `SIZE` bytes.
    #[derive(Default)]
    struct Counts<const SIZE: usize> {
        polls: AtomicUsize,
        drops: AtomicUsize,
    }

    struct CountDrop<'a>(&'a AtomicUsize);

    impl Drop for CountDrop<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl<const SIZE: usize> EventHandler<Placed> for Counts<SIZE> {
        async fn handle(&self, event: &Placed) -> Result<(), String> {
            let _drop = CountDrop(&self.drops);
            let bytes = [1_u8; SIZE];
            // Points into the future itself, as locals borrowed over an `.await` do.
            let sum = bytes.iter();
            let wait = event.0.len();
            std::future::poll_fn(|_| match self.polls.fetch_add(1, Ordering::Relaxed) < wait {
                true => Poll::Pending,
                false => Poll::Ready(()),
            })
            .await;
            assert_eq!(sum.map(|byte| usize::from(*byte)).sum::<usize>(), SIZE);
            match event.0.as_str() {
                "panic" => panic!("told to"),
                "fail" => Err(event.0.clone()),
                _ => Ok(()),
            }
        }
    }

    fn table<const SIZE: usize>(handlers: &[Arc<Counts<SIZE>>]) -> Table {
        let plan = CallPlan::new::<Placed, Counts<SIZE>>();
        let info = Registration::ready_made::<Placed, Counts<SIZE>>().handler_info();
        let list = handlers.iter().map(|handler| (plan, handler.clone() as _, info)).collect();
        Table::new([HandlerList::new(plan.event(), list)])
    }

    fn cx() -> Context<'static> {
        Context::from_waker(Waker::noop())
    }

    fn to_the_end<const SIZE: usize>() {
        let handler = Arc::new(Counts::<SIZE>::default());
        let (table, event) = (table(from_ref(&handler)), Placed("ab".into()));
        let mut slot = pin!(Slot::empty());
        assert!(table.dispatch_of(&event).start(0, slot.as_mut(), &mut cx()).is_pending());
        assert_eq!(slot.handler(), Some(0));
        assert!(slot.as_mut().poll(&mut cx()).unwrap().is_pending());
        assert!(matches!(slot.as_mut().poll(&mut cx()), Some(Poll::Ready(Ok(())))));
        assert!(slot.as_mut().poll(&mut cx()).is_none());
        assert_eq!(handler.drops.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_future_in_place_runs_to_its_end() {
        to_the_end::<8>();
    }

    #[test]
    fn a_boxed_future_runs_to_its_end() {
        to_the_end::<1000>();
    }

    #[test]
    fn an_error_comes_out_of_the_slot() {
        let handler = Arc::new(Counts::<8>::default());
        let (table, event) = (table(from_ref(&handler)), Placed("fail".into()));
        let mut slot = pin!(Slot::empty());
        handler.polls.store(9, Ordering::Relaxed);
        let outcome = table.dispatch_of(&event).start(0, slot.as_mut(), &mut cx());
        assert!(matches!(outcome, Poll::Ready(Err(error)) if error.to_string() == "fail"));
    }

    fn cancelled<const SIZE: usize>(cancel: impl FnOnce(Pin<&mut Slot<'_>>)) {
        let handler = Arc::new(Counts::<SIZE>::default());
        {
            let (table, event) = (table(from_ref(&handler)), Placed("ab".into()));
            let mut slot = pin!(Slot::empty());
            assert!(table.dispatch_of(&event).start(0, slot.as_mut(), &mut cx()).is_pending());
            cancel(slot);
        }
        assert_eq!(handler.drops.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_cleared_or_dropped_slot_drops_its_future_once() {
        cancelled::<8>(|slot| slot.clear().unwrap());
        cancelled::<8>(|_| {});
        cancelled::<1000>(|slot| slot.clear().unwrap());
        cancelled::<1000>(|_| {});
    }

    #[test]
    fn a_future_that_panics_is_dropped_and_leaves_the_slot_empty() {
        let handler = Arc::new(Counts::<8>::default());
        let (table, event) = (table(from_ref(&handler)), Placed("panic".into()));
        let mut slot = pin!(Slot::empty());
        assert!(table.dispatch_of(&event).start(0, slot.as_mut(), &mut cx()).is_pending());
        handler.polls.store(9, Ordering::Relaxed);
        assert!(catch_unwind(AssertUnwindSafe(|| slot.as_mut().poll(&mut cx()))).is_err());
        assert_eq!(handler.drops.load(Ordering::Relaxed), 1);
        assert!(slot.as_mut().poll(&mut cx()).is_none());
    }

    #[test]
    #[should_panic = "one future at a time"]
    fn a_slot_in_use_takes_no_second_future() {
        let handler = Arc::new(Counts::<8>::default());
        let (table, event) = (table(&[handler.clone(), handler]), Placed("ab".into()));
        let mut slot = pin!(Slot::empty());
        let _ = table.dispatch_of(&event).start(0, slot.as_mut(), &mut cx());
        let _ = table.dispatch_of(&event).start(1, slot.as_mut(), &mut cx());
    }

    #[test]
    fn slots_keep_many_futures_where_they_are() {
        let handlers: Vec<_> = (0..5).map(|_| Arc::new(Counts::<8>::default())).collect();
        let (table, event) = (table(&handlers), Placed("a".into()));
        let mut slots = pin!(Slots::empty());
        let dispatch = table.dispatch_of(&event);
        for index in 0..dispatch.len() {
            if index == slots.len() {
                slots.as_mut().extend(dispatch.len() - index);
            }
            assert!(dispatch.start(index, slots.as_mut().slot(index), &mut cx()).is_pending());
        }
        assert!(catch_unwind(AssertUnwindSafe(|| slots.as_mut().extend(1))).is_err());
        for index in 0..4 {
            let polled = slots.as_mut().slot(index).poll(&mut cx());
            assert!(matches!(polled, Some(Poll::Ready(Ok(())))));
        }
        assert_eq!(slots.as_mut().slot(4).handler(), Some(4));
    }

    #[test]
    fn an_event_nobody_handles_has_no_handlers() {
        struct Other;
        impl Notification for Other {}
        let table = table(&[Arc::new(Counts::<8>::default())]);
        assert_eq!(table.dispatch_of(&Other).len(), 0);
        assert_eq!(table.dispatch(&Placed(String::new())).len(), 1);
    }
}
