//! Which handlers an event has.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::Context;
use std::thread;

use super::call::{AsDyn, CallPlan, Functions, Polled, as_dyn};
use super::slot::{Slot, Storage};
use crate::registry::HandlerInfo;
use crate::{DynNotification, Notification};

/// A handler of any type, kept alive by the table it is in.
pub(crate) type Instance = Arc<dyn Any + Send + Sync>;

/// All handlers of one event type, in the order they are called.
pub(crate) struct HandlerList {
    event: TypeId,
    /// Of the same type.
    as_dyn: AsDyn,
    /// With `None` behind the last one: see [`Cursor`].
    calls: Box<[Option<Call>]>,
    infos: Box<[HandlerInfo]>,
    /// Keeps alive what `calls` points to.
    _instances: Box<[Instance]>,
}

/// A handler and how to call it.
pub(super) struct Call {
    functions: Functions,
    /// Of the type that `functions` are for.
    handler: NonNull<()>,
}

// SAFETY: `handler` points to the value in an `Instance`, which is `Send` and `Sync`.
unsafe impl Send for Call {}
// SAFETY: as above.
unsafe impl Sync for Call {}

impl Call {
    /// Calls the handler with the event and polls the future in `storage`.
    ///
    /// # Safety
    ///
    /// The event is of the type of the list that this call is in; it and the list stay borrowed
    /// until the future is gone. `storage` holds no future and is exclusively borrowed; if the
    /// result is `Pending`, it holds one of this call, and is pinned.
    #[inline]
    pub(super) unsafe fn start(&self, event: NonNull<()>, storage: NonNull<Storage>, cx: &mut Context<'_>) -> Polled {
        // SAFETY: `HandlerList::new` has checked that the handler is of the type that the function
        // was made for, and the list keeps it alive. The rest is guaranteed by the caller.
        unsafe { (self.functions.start)(self.handler, event, storage, cx) }
    }

    /// # Safety
    ///
    /// `storage` holds a pending future of this call, which nobody else accesses. It is gone
    /// afterwards, even after a panic, unless the result is `Pending`.
    #[inline]
    pub(super) unsafe fn poll(&self, storage: NonNull<Storage>, cx: &mut Context<'_>) -> Polled {
        // SAFETY: guaranteed by the caller.
        unsafe { (self.functions.poll)(storage, cx) }
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
        catch_unwind(AssertUnwindSafe(|| unsafe { (self.functions.drop_future)(storage) }))
    }
}

impl HandlerList {
    /// # Panics
    ///
    /// If there is no handler, they are not all for one event, or an instance is not of its plan's
    /// handler type.
    pub(crate) fn new(handlers: Vec<(CallPlan, Instance, HandlerInfo)>) -> Self {
        let (first, ..) = handlers.first().expect("a list has handlers");
        let (event, as_dyn) = (first.event(), first.as_dyn);
        let mut calls = Vec::with_capacity(handlers.len() + 1);
        let mut infos = Vec::with_capacity(handlers.len());
        let mut instances = Vec::with_capacity(handlers.len());
        for (plan, instance, info) in handlers {
            // `Call::start` relies on these two.
            assert_eq!(plan.event(), event, "a handler in the list of another event");
            assert_eq!(plan.handler(), (*instance).type_id(), "a handler called as another type");
            calls.push(Some(Call { functions: plan.functions, handler: NonNull::from(&*instance).cast() }));
            infos.push(info);
            instances.push(instance);
        }
        calls.push(None);
        Self { event, as_dyn, calls: calls.into(), infos: infos.into(), _instances: instances.into() }
    }

    fn free() -> Self {
        struct Never;
        impl Notification for Never {}

        Self {
            event: TypeId::of::<Never>(),
            as_dyn: as_dyn::<Never>,
            calls: Box::default(),
            infos: Box::default(),
            _instances: Box::default(),
        }
    }

    #[inline]
    fn is_free(&self) -> bool {
        self.infos.is_empty()
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
    /// One less than there are places, which are a power of two.
    mask: usize,
}

impl Table {
    pub(crate) fn new(lists: impl IntoIterator<Item = HandlerList>) -> Self {
        let lists = Vec::from_iter(lists);
        let mut places = Vec::new();
        places.resize_with((2 * lists.len()).next_power_of_two(), HandlerList::free);
        let mask = places.len() - 1;
        for list in lists {
            let mut place = hash(list.event) & mask;
            while !places[place].is_free() {
                place = (place + 1) & mask;
            }
            places[place] = list;
        }
        Self { places: places.into(), mask }
    }

    /// The handlers of events of a type, one at least, if there are any.
    #[inline]
    pub(super) fn handlers_of(&self, event: TypeId) -> Option<&HandlerList> {
        let mut place = hash(event);
        loop {
            // SAFETY: `mask` is the last place.
            let handlers = unsafe { self.places.get_unchecked(place & self.mask) };
            // Never a free one, for whose event there is no name.
            if handlers.event == event {
                return Some(handlers);
            }
            if handlers.is_free() {
                return None;
            }
            place += 1;
        }
    }

    /// The handlers of `event`, ready to be started, if there are any.
    pub(crate) fn dispatch_of<'a, E: Notification>(&'a self, event: &'a E) -> Option<Dispatch<'a>> {
        let handlers = self.handlers_of(TypeId::of::<E>())?;
        // SAFETY: the handlers are those of this type.
        Some(unsafe { Dispatch::new(handlers, NonNull::from(event).cast()) })
    }
}

/// One event and its handlers.
#[derive(Clone, Copy)]
pub(crate) struct Dispatch<'a> {
    handlers: &'a HandlerList,
    /// Of the type that `handlers` is for.
    event: NonNull<()>,
    _event: PhantomData<&'a dyn DynNotification>,
}

// SAFETY: a `DynNotification` is `Sync`, and so is a `HandlerList`.
unsafe impl Send for Dispatch<'_> {}
// SAFETY: as above.
unsafe impl Sync for Dispatch<'_> {}

impl<'a> Dispatch<'a> {
    /// # Safety
    ///
    /// `event` points to an event of the type that `handlers` is for, borrowed for `'a`; there is one
    /// handler at least.
    #[inline]
    pub(super) unsafe fn new(handlers: &'a HandlerList, event: NonNull<()>) -> Self {
        Self { handlers, event, _event: PhantomData }
    }

    pub(crate) fn event(&self) -> &'a dyn DynNotification {
        // SAFETY: guaranteed by the caller of `new`.
        unsafe { (self.handlers.as_dyn)(self.event).as_ref() }
    }

    pub(crate) fn handlers(&self) -> &'a [HandlerInfo] {
        self.handlers.infos()
    }

    /// What to start the calls with.
    #[inline]
    pub(super) fn erased_event(&self) -> NonNull<()> {
        self.event
    }

    /// At the first call.
    #[inline]
    pub(super) fn cursor(&self) -> Cursor<'a> {
        Cursor(NonNull::from(&*self.handlers.calls).cast(), PhantomData)
    }

    /// Where in the list the call at `cursor` is.
    pub(super) fn index_of(&self, cursor: Cursor<'a>) -> usize {
        let first = self.cursor().0;
        (cursor.0.addr().get() - first.addr().get()) / size_of::<Option<Call>>()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.handlers.infos.len()
    }

    /// Starts one handler in `slot` and polls it; a panic of the handler passes through.
    ///
    /// # Panics
    ///
    /// If there are no more than `index` handlers, the slot is in use, or the handler panics.
    #[inline]
    pub(crate) fn start(&self, index: usize, slot: Pin<&mut Slot<'a>>, cx: &mut Context<'_>) -> Polled {
        let call = self.handlers.calls[index].as_ref().expect("a handler of the list");
        // SAFETY: the event is of the type that the list and its calls are for; both are borrowed
        // for `'a`.
        unsafe { slot.start((index, call), self.event, cx) }
    }
}

/// A place in the calls of a list, or behind the last one, where there is `None`: one pointer tells
/// where a publish is and whether that is the end.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(NonNull<Option<Call>>, PhantomData<&'a [Option<Call>]>);

// SAFETY: as a reference to calls, which are `Sync`.
unsafe impl Send for Cursor<'_> {}
// SAFETY: as above.
unsafe impl Sync for Cursor<'_> {}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) fn is_at_end(&self) -> bool {
        // SAFETY: points into the calls of a list, or to the `None` behind them.
        unsafe { self.0.as_ref() }.is_none()
    }

    /// # Safety
    ///
    /// The cursor is not at the end.
    #[inline]
    pub(super) unsafe fn call(&self) -> &'a Call {
        // SAFETY: points into the calls of a list.
        let call: &'a Option<Call> = unsafe { self.0.as_ref() };
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
