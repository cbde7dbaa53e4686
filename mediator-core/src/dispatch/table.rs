//! Which handlers an event has.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::Context;
use std::thread;

use super::call::{CallPlan, Functions, Polled};
use super::slot::{Slot, Storage};
use crate::registry::HandlerInfo;
use crate::{DynNotification, Notification};

/// A handler of any type, kept alive by the table it is in.
pub(crate) type Instance = Arc<dyn Any + Send + Sync>;

/// All handlers of one event type, in the order they are called.
pub(crate) struct HandlerList {
    event: TypeId,
    calls: Box<[Call]>,
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

// SAFETY: `handler` points to an `Instance`, which is `Send` and `Sync`.
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
    pub(super) unsafe fn drop(&self, storage: NonNull<Storage>) -> thread::Result<()> {
        // SAFETY: guaranteed by the caller.
        catch_unwind(AssertUnwindSafe(|| unsafe { (self.functions.drop)(storage) }))
    }
}

impl HandlerList {
    /// # Panics
    ///
    /// If a plan is not for this event or its instance not of the plan's handler type.
    pub(crate) fn new(event: TypeId, handlers: Vec<(CallPlan, Instance, HandlerInfo)>) -> Self {
        let mut calls = Vec::with_capacity(handlers.len());
        let mut infos = Vec::with_capacity(handlers.len());
        let mut instances = Vec::with_capacity(handlers.len());
        for (plan, instance, info) in handlers {
            // `Call::start` relies on these two.
            assert_eq!(plan.event(), event, "a handler in the list of another event");
            assert_eq!(plan.handler(), (*instance).type_id(), "a handler called as another type");
            calls.push(Call { functions: plan.functions, handler: NonNull::from(&*instance).cast() });
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
    pub(crate) fn dispatch_of<'a, E: Notification>(&'a self, event: &'a E) -> Dispatch<'a> {
        self.lookup(TypeId::of::<E>(), event)
    }

    /// `event_type` must be the type of `event`.
    #[inline]
    pub(super) fn lookup<'a>(&'a self, event_type: TypeId, event: &'a dyn DynNotification) -> Dispatch<'a> {
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

    pub(super) fn calls(&self) -> &'a [Call] {
        &self.handlers.calls
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
    pub(crate) fn start(&self, index: usize, slot: Pin<&mut Slot<'a>>, cx: &mut Context<'_>) -> Polled {
        let event = NonNull::from(self.event).cast();
        // SAFETY: `Table::lookup` pairs an event with the list of its type only; both are borrowed
        // for `'a`.
        unsafe { slot.start((index, &self.calls()[index]), event, cx) }
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
