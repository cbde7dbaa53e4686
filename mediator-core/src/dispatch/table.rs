//! Which handlers an event has.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::ptr::NonNull;
use std::sync::Arc;

use super::borrow::Borrow;
use super::callee::{Callee, Cursor};
use super::core::Strategy;
use super::dispatch::{Conflict, conflict};
use super::observed::Twin;
use super::passage::{Around, Chain};
use super::plan::{Argument, CallPlan};
use super::vtable::{TakesEvent, Vtable, start_with_event};
use crate::handler::info::HandlerInfo;

/// A handler of any type, kept alive by the list it is in.
pub(crate) type Instance = Arc<dyn Any + Send + Sync>;

/// A handler of a list to be made.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) plan: CallPlan,
    pub(crate) instance: Instance,
    pub(crate) info: HandlerInfo,
    /// The behaviors around it, outermost first.
    pub(crate) around: Vec<Around>,
}

impl Entry {
    /// The same with one more behavior around it, outside of the others.
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    pub(super) fn within(&self, outermost: Around) -> Self {
        let around = std::iter::once(outermost).chain(self.around.iter().cloned()).collect();
        Self { around, ..self.clone() }
    }

    fn into_instances(self) -> impl Iterator<Item = Instance> {
        std::iter::once(self.instance).chain(self.around.into_iter().map(|around| around.instance))
    }

    /// What it borrows from the publish: not what the behaviors around it lend.
    fn borrows(&self) -> impl Iterator<Item = &'static Borrow> {
        borrows_from_outside(self.plan.borrows, self.around.iter().map(|around| around.lends))
    }
}

/// What of the borrows of a handler the behaviors around it do not lend.
pub(crate) fn borrows_from_outside<'a>(
    borrows: &'static [Borrow],
    lends: impl Iterator<Item = &'static [Borrow]> + Clone + 'a,
) -> impl Iterator<Item = &'static Borrow> + 'a {
    borrows.iter().filter(move |borrow| !lends.clone().flatten().any(|lent| lent.serves(borrow)))
}

/// A borrow without which a publish fails before it starts.
pub(super) struct RequiredBorrow {
    pub(super) type_id: TypeId,
    /// The place of the handler.
    pub(super) handler: usize,
    pub(super) borrow: Borrow,
}

/// All handlers of one event type, in the order they are called.
pub(crate) struct HandlerList {
    /// The type of the events, or of the requests; `None` for the list of the observers, which serves events of any type.
    event: Option<TypeId>,
    pub(super) argument: Argument,
    pub(crate) strategy: Strategy,
    /// Whether the handlers take the message and run in order: a publish needs nothing else then.
    pub(super) is_plain: bool,
    /// With `None` behind the last one: see [`Cursor`].
    calls: Box<[Option<Callee>]>,
    infos: Box<[HandlerInfo]>,
    /// What the handlers borrow, without what every publish lends and what they can do without.
    pub(super) required: Box<[RequiredBorrow]>,
    /// The types of the handles that they borrow, which every publish lends.
    pub(super) handles: Box<[TypeId]>,
    /// Two handlers that cannot run at once, if there are any.
    pub(super) conflict: Option<Conflict>,
    /// Keep alive what `calls` point to.
    _instances: Box<[Instance]>,
    /// The same; not in a box, since moving that would end the pointers into it.
    _takes_event: Vec<TakesEvent>,
    _chains: Vec<Chain>,
    /// For when somebody observes.
    #[cfg_attr(not(any(feature = "tracing", feature = "metrics", feature = "testing")), allow(dead_code))]
    pub(super) twin: Twin,
}

impl HandlerList {
    /// The handlers of events of one type, or, without an `event`, the observers. `handles` are the types that every publish
    /// lends.
    ///
    /// # Panics
    ///
    /// If there is neither a handler nor a recording strategy, a handler is for another event, or an instance is not of the type that its plan is for.
    pub(crate) fn new(event: Option<TypeId>, strategy: Strategy, handles: &[TypeId], entries: Vec<Entry>) -> Self {
        let twin = Twin::of(&entries, |entries| Self::without_twin(event, strategy.clone(), handles, entries));
        Self { twin, ..Self::without_twin(event, strategy, handles, entries) }
    }

    fn without_twin(event: Option<TypeId>, strategy: Strategy, handles: &[TypeId], entries: Vec<Entry>) -> Self {
        assert!(!entries.is_empty() || strategy.records(), "a list has handlers");
        for Entry { plan, instance, .. } in &entries {
            // The start functions rely on these two.
            assert!(plan.message().is_none() || plan.message() == event, "a handler in the list of another event");
            assert_eq!(plan.receiver, (**instance).type_id(), "a handler called as another type");
        }
        // A chain takes the dispatch, whatever its handler does.
        let takes_dispatch = |entry: &Entry| entry.plan.argument == Argument::Dispatch || !entry.around.is_empty();
        let any_takes_dispatch = entries.iter().any(takes_dispatch);
        let argument = if any_takes_dispatch { Argument::Dispatch } else { Argument::Message };
        let adapted = |entry: &&Entry| entry.around.is_empty() && entry.plan.argument != argument;
        let takes_event: Vec<TakesEvent> = entries
            .iter()
            .filter(adapted)
            .map(|entry| TakesEvent::new(entry.plan.compiled.vtable, &entry.instance))
            .collect();
        let chains: Vec<Chain> = entries.iter().filter(|entry| !entry.around.is_empty()).map(Chain::new).collect();
        let (mut takes_event_left, mut chains_left) = (takes_event.iter(), chains.iter());
        let mut calls = Vec::with_capacity(entries.len() + 1);
        for entry in &entries {
            let call = if !entry.around.is_empty() {
                chains_left.next().map(Chain::callee)
            } else if adapted(&entry) {
                takes_event_left.next().map(|handler| handler.call(entry.plan.compiled.vtable))
            } else {
                Some(Callee { vtable: entry.plan.compiled.vtable, handler: NonNull::from(&*entry.instance).cast() })
            };
            calls.push(call);
        }
        calls.push(None);
        let borrows: Vec<_> = entries
            .iter()
            .enumerate()
            .flat_map(|(index, entry)| entry.borrows().map(move |borrow| (index, *borrow)))
            .collect();
        let required = borrows.iter().filter(|(_, borrow)| !borrow.optional && !borrow.is_of(handles));
        let required = required.map(|(handler, borrow)| RequiredBorrow {
            type_id: borrow.type_id(),
            handler: *handler,
            borrow: *borrow,
        });
        Self {
            event,
            argument,
            is_plain: argument == Argument::Message && matches!(strategy, Strategy::InOrder),
            strategy,
            calls: calls.into(),
            required: required.collect(),
            handles: handles
                .iter()
                .copied()
                .filter(|handle| borrows.iter().any(|(_, it)| it.is_of(&[*handle])))
                .collect(),
            conflict: conflict(&borrows),
            infos: entries.iter().map(|entry| entry.info).collect(),
            _instances: entries.into_iter().flat_map(Entry::into_instances).collect(),
            _takes_event: takes_event,
            _chains: chains,
            twin: Twin::NONE,
        }
    }

    fn free() -> Self {
        struct Never;

        Self {
            event: Some(TypeId::of::<Never>()),
            argument: Argument::Message,
            strategy: Strategy::InOrder,
            is_plain: true,
            calls: Box::default(),
            infos: Box::default(),
            required: Box::default(),
            handles: Box::default(),
            conflict: None,
            _instances: Box::default(),
            _takes_event: Vec::new(),
            _chains: Vec::new(),
            twin: Twin::NONE,
        }
    }

    #[inline]
    fn is_free(&self) -> bool {
        // Behind the calls of others there is a `None`.
        self.calls.is_empty()
    }

    #[cfg(feature = "durable")]
    pub(super) fn is_for(&self, event: TypeId) -> bool {
        self.event == Some(event)
    }

    pub(crate) fn infos(&self) -> &[HandlerInfo] {
        &self.infos
    }

    #[inline]
    pub(super) fn cursor(&self) -> Cursor<'_> {
        Cursor::first(&self.calls)
    }

    /// Where in the list the call at `cursor` is.
    pub(super) fn index_of(&self, cursor: Cursor<'_>) -> usize {
        cursor.index_from(self.cursor())
    }

    /// # Panics
    ///
    /// If there are no more than `index` handlers.
    #[inline]
    pub(super) fn call(&self, index: usize) -> &Callee {
        self.calls[index].as_ref().expect("a handler of the list")
    }
}

impl TakesEvent {
    fn new(vtable: Vtable, instance: &Instance) -> Self {
        Self { start: vtable.start, handler: NonNull::from(&**instance).cast() }
    }

    /// The call of this handler with a dispatch.
    fn call(&self, vtable: Vtable) -> Callee {
        Callee { vtable: Vtable { start: start_with_event, ..vtable }, handler: NonNull::from(self).cast() }
    }
}

/// Which handlers an event type, or a request type, has; never changes.
///
/// A hash table with open addressing, at most half full: the constant hash of an event's type is
/// the place to look, and what is searched is there or a few places further.
pub(crate) struct Table {
    /// Free places hold an empty list for an event that is never published.
    places: Box<[HandlerList]>,
    /// One less than there are places, which are a power of two.
    mask: usize,
    /// The observers, for events that have no list of their own.
    observers: Option<HandlerList>,
}

/// Without handlers.
impl Default for Table {
    fn default() -> Self {
        Self::new([])
    }
}

impl Table {
    pub(crate) fn new(lists: impl IntoIterator<Item = HandlerList>) -> Self {
        let (lists, observers): (Vec<_>, Vec<_>) = lists.into_iter().partition(|list| list.event.is_some());
        let mut places = Vec::new();
        places.resize_with((2 * lists.len()).next_power_of_two(), HandlerList::free);
        let mask = places.len() - 1;
        for list in lists {
            let mut place = list.event.map_or(0, hash) & mask;
            while !places[place].is_free() {
                place = (place + 1) & mask;
            }
            places[place] = list;
        }
        Self { places: places.into(), mask, observers: observers.into_iter().next() }
    }

    /// The handlers of events of a type, if there are any: one at least, or durable ones.
    #[inline]
    pub(crate) fn handlers_of(&self, event: TypeId) -> Option<&HandlerList> {
        let mut place = hash(event);
        loop {
            // SAFETY: `mask` is the last place.
            let handlers = unsafe { self.places.get_unchecked(place & self.mask) };
            // Never a free one, for whose event there is no name.
            if handlers.event == Some(event) {
                return Some(handlers);
            }
            if handlers.is_free() {
                return self.observers.as_ref();
            }
            place += 1;
        }
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
