//! A handler with behaviors around it.
//!
//! A [`Chain`] stands in a list in place of its handler. Each call of it is a passage: memory with a frame for the future of
//! each behavior and for that of the handler, so that none of them needs an allocation of its own. The memory is what is left
//! in the room of the publish, or one allocation if that is not enough.
//!
//! Three invariants make it sound:
//! 1. [`State`] tells what is in a frame.
//! 2. What is in the frames of a passage is reached only while its outermost future is started, polled or dropped, which borrows
//!    it exclusively; the future at a level starts, polls and drops the one inside it, and is on the same thread meanwhile or
//!    waits for that one. So nothing here needs a lock.
//! 3. What a future in a frame borrows outlives the passage: the dispatch, the list and what the publish lends. What a behavior
//!    lends does not: it has a passage of its own, which [`RunLending`](super::call::RunLending) owns. If that is
//!    forgotten, so are the passage and the futures in it.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::any::{Any, TypeId};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::task::Context;

use super::borrow::Borrow;
use super::callee::Callee;
use super::dispatch::Dispatch;
use super::plan::Argument;
use super::request::Answers;
use super::storage::Storage;
use super::table::{Entry, Instance};
use super::vtable::{Compiled, Polled, Vtable};
use crate::errors::panics::discard_panic;
use crate::errors::refused::NotAnswered;
use crate::handler::error::BoxError;
use crate::handler::info::HandlerInfo;
#[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
use crate::observe::ended::Told;
use crate::request::info::RequestInfo;

/// What something panicked with.
type Panic = Box<dyn Any + Send>;

/// How to run behaviors of one type around the handlers of one message, or of every message.
#[doc(hidden)]
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations)] // Nobody outside can name it.
pub struct BehaviorPlan {
    /// The type of the event or the request; `None` if it is around every message.
    pub(crate) message: Option<TypeId>,
    pub(crate) message_name: &'static str,
    /// Whether it is around a request, so that it leaves an answer in its frame. A type may be an event as well.
    pub(crate) is_of_request: bool,
    pub(crate) behavior: TypeId,
    pub(super) compiled: Compiled,
}

/// A behavior of a chain to be made.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) plan: BehaviorPlan,
    pub(crate) instance: Instance,
    pub(crate) info: HandlerInfo,
    /// What it lends to what is inside.
    pub(crate) lends: &'static [Borrow],
}

/// A handler and the behaviors around it.
pub(super) struct Chain {
    /// The behaviors, outermost first, and the handler.
    levels: Vec<Level>,
    /// So many of the outermost behaviors do not know the message. Of a request the others do; of an event it does not matter.
    any: usize,
    request: Option<(RequestInfo, &'static Answers)>,
    pub(super) info: HandlerInfo,
    /// What the handler borrows.
    pub(super) borrows: &'static [Borrow],
    /// The type of the handler's own error.
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    error_type: fn() -> &'static str,
    memory: Layout,
}

/// A behavior in a chain, or the handler.
pub(super) struct Level {
    pub(super) index: usize,
    /// Of the type that `vtable` is for, kept alive by the list.
    pub(super) receiver: NonNull<()>,
    info: HandlerInfo,
    vtable: Vtable,
    takes: Takes,
    frame: usize,
}

/// What the start function of a level gets.
#[derive(Clone, Copy)]
enum Takes {
    /// Of a behavior: the level and the passage.
    Passage,
    /// Of a handler: the receiver and the message.
    Message,
    /// Of a handler: the receiver and the dispatch.
    Dispatch,
}

// SAFETY: `receiver` points to the value in an `Instance`, which is `Send` and `Sync`.
unsafe impl Send for Level {}
// SAFETY: `receiver` points to the value in an `Instance`, which is `Send` and `Sync`.
unsafe impl Sync for Level {}

impl Chain {
    /// # Panics
    ///
    /// If a behavior is for another message, or an instance is not of the type that its plan is for.
    pub(super) fn new(entry: &Entry) -> Self {
        let Entry { plan, instance, info, around } = entry;
        let mut memory = Layout::new::<Head<'_>>();
        let states = Layout::array::<State>((around.len() + 1).max(FEW));
        memory = states.and_then(|states| memory.extend(states)).expect("few behaviors").0;
        let mut frame = |layout: Layout| {
            let (extended, offset) = memory.extend(layout).expect("small frames");
            memory = extended;
            offset
        };
        let (any, request) = (around.iter().take_while(|around| around.plan.message.is_none()).count(), plan.request());
        let mut levels: Vec<Level> = Vec::with_capacity(around.len() + 1);
        for Around { plan: behavior, instance, info, .. } in around {
            // The start functions rely on this, and `settle` on the others.
            assert_eq!(behavior.behavior, (**instance).type_id(), "a behavior called as another type");
            let is_around_it = behavior.message.is_none() || behavior.message == plan.message();
            assert!(is_around_it, "a behavior around another message");
            let leaves_answer = request.is_some() && levels.len() >= any;
            assert_eq!(
                behavior.is_of_request, leaves_answer,
                "a behavior of an event around a request, or the reverse"
            );
            levels.push(Level::new(levels.len(), instance, *info, behavior.compiled, Takes::Passage, &mut frame));
        }
        let takes = if plan.argument == Argument::Message { Takes::Message } else { Takes::Dispatch };
        levels.push(Level::new(levels.len(), instance, *info, plan.compiled, takes, &mut frame));
        Self {
            levels,
            any,
            request,
            info: *info,
            borrows: plan.borrows,
            #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
            error_type: plan.compiled.error_type,
            memory: memory.align_to(align_of::<Storage>()).expect("small frames").pad_to_align(),
        }
    }

    /// What stands in the list.
    pub(super) fn callee(&self) -> Callee {
        let vtable = Vtable { start: start_chain, poll: poll_chain, drop_future: drop_chain };
        Callee { vtable, handler: NonNull::from(self).cast() }
    }

    /// The type of the errors that come out of a level, if nothing but the handler is inside of it.
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    pub(super) fn error_type_inside(&self, level: usize) -> Option<&'static str> {
        (level + 2 == self.len()).then(|| (self.error_type)())
    }

    pub(super) fn behavior(&self, level: usize) -> HandlerInfo {
        self.levels[level].info
    }

    pub(super) fn request(&self) -> Option<&RequestInfo> {
        self.request.as_ref().map(|(request, _)| request)
    }

    pub(super) fn answers(&self) -> Option<&'static Answers> {
        self.request.as_ref().map(|(_, answers)| *answers)
    }

    /// Whether what is at `level` knows its message: it leaves an answer in its frame if that is a request.
    pub(super) fn is_typed(&self, level: usize) -> bool {
        level >= self.any
    }

    fn len(&self) -> usize {
        self.levels.len()
    }

    #[inline]
    fn level(&self, level: usize) -> &Level {
        &self.levels[level]
    }
}

impl Level {
    /// `frame` makes room for what the level uses of the memory of a passage.
    fn new(
        index: usize,
        instance: &Instance,
        info: HandlerInfo,
        compiled: Compiled,
        takes: Takes,
        frame: &mut impl FnMut(Layout) -> usize,
    ) -> Self {
        let Compiled { vtable, frame: layout, .. } = compiled;
        Self { index, receiver: NonNull::from(&**instance).cast(), info, vtable, takes, frame: frame(layout) }
    }
}

/// What is in a frame.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum State {
    Empty,
    /// A future that is pending.
    Pending,
    /// The answer to a request.
    Answer,
}

/// So many states there are at least, so that those of most passages are written at once.
const FEW: usize = 8;

/// The memory of a passage: this, a [`State`] for each level, and the frames.
#[repr(C)]
struct Head<'a> {
    chain: &'a Chain,
    dispatch: &'a Dispatch<'a>,
    /// In so many frames there is something. If there is nothing in any of them, the states are not written: often there never
    /// is.
    occupied: usize,
}

/// One call of a handler, through the behaviors around it.
///
/// Used only until it has ended, when its memory is gone: that is what `'a` stands for.
#[derive(Clone, Copy)]
pub(super) struct Passage<'a>(NonNull<Head<'a>>);

impl<'a> Passage<'a> {
    /// A passage through `chain` in memory that is given.
    ///
    /// # Safety
    ///
    /// `memory` is of the chain's layout and exclusively used by the passage until it has ended. The dispatch is of the chain's list.
    unsafe fn write(memory: NonNull<u8>, chain: &'a Chain, dispatch: &'a Dispatch<'a>) -> Self {
        let passage = Self(memory.cast());
        // SAFETY: within the memory.
        unsafe { passage.0.write(Head { chain, dispatch, occupied: 0 }) };
        passage
    }

    /// The same in memory of its own.
    ///
    /// # Safety
    ///
    /// The dispatch is of the chain's list. To be ended by [`free`](Self::free).
    #[inline(never)]
    unsafe fn allocate(chain: &'a Chain, dispatch: &'a Dispatch<'a>) -> Self {
        // SAFETY: not of size zero.
        let memory = unsafe { alloc(chain.memory) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(chain.memory) };
        // SAFETY: memory of the chain's layout; the rest is guaranteed by the caller.
        unsafe { Self::write(memory, chain, dispatch) }
    }

    /// A passage through the same chain, with another dispatch of the same message.
    ///
    /// # Safety
    ///
    /// To be ended by [`free`](Self::free).
    pub(super) unsafe fn within(self, dispatch: &'a Dispatch<'a>) -> Self {
        // SAFETY: guaranteed by the caller; the dispatch is of the same list.
        unsafe { Self::allocate(self.chain(), dispatch) }
    }

    /// # Safety
    ///
    /// Made by [`allocate`](Self::allocate), not used again, and nothing is in its frames.
    #[inline(never)]
    pub(super) unsafe fn free(self) {
        debug_assert!(self.is_empty(), "what is in a frame is dropped before its memory goes");
        let layout = self.chain().memory;
        // SAFETY: allocated with this layout.
        unsafe { dealloc(self.0.as_ptr().cast(), layout) };
    }

    /// What a behavior's start function gets.
    ///
    /// # Safety
    ///
    /// It points to a passage that does not end before `'a`.
    pub(super) unsafe fn of(argument: NonNull<()>) -> Self {
        Self(argument.cast())
    }

    // Not a `&Head`, which would claim all of the memory that it was made from.
    #[inline]
    pub(super) fn chain(self) -> &'a Chain {
        // SAFETY: written at first, and the passage has not ended.
        unsafe { (*self.0.as_ptr()).chain }
    }

    #[inline]
    pub(super) fn dispatch(self) -> &'a Dispatch<'a> {
        // SAFETY: written at first, and the passage has not ended.
        unsafe { (*self.0.as_ptr()).dispatch }
    }

    #[inline]
    fn occupied(self) -> usize {
        // SAFETY: written at first, and the passage has not ended.
        unsafe { (*self.0.as_ptr()).occupied }
    }

    #[inline]
    fn state_of(self, level: usize) -> NonNull<State> {
        debug_assert!(level < self.chain().len(), "a passage has this level");
        // SAFETY: the states are behind the head.
        let states = unsafe { self.0.add(1) }.cast::<State>();
        // SAFETY: there are as many as levels.
        unsafe { states.add(level) }
    }

    #[inline]
    fn state(self, level: usize) -> State {
        if self.is_empty() {
            return State::Empty;
        }
        // SAFETY: written when the first frame was filled.
        unsafe { self.state_of(level).read() }
    }

    /// Writes that all frames are empty.
    #[inline]
    fn write_states(self) {
        let (states, len) = (self.state_of(0), self.chain().len());
        // SAFETY: memory for so many states, exclusively used.
        unsafe { states.cast().write([State::Empty; FEW]) };
        for level in FEW..len {
            // SAFETY: memory for a state, exclusively used.
            unsafe { self.state_of(level).write(State::Empty) };
        }
    }

    /// Notes that something is in the frame of a level, which was empty.
    ///
    /// # Safety
    ///
    /// It holds what `state` says.
    // What is ready does not come here: not inlined, so that it need not save registers for it.
    #[inline(never)]
    unsafe fn fill(self, level: usize, state: State) {
        debug_assert!(self.state(level) == State::Empty, "a frame holds one thing at a time");
        if self.is_empty() {
            self.write_states();
        }
        // SAFETY: memory for a state, exclusively used.
        unsafe { self.state_of(level).write(state) };
        // SAFETY: within the head.
        let occupied = unsafe { &raw mut (*self.0.as_ptr()).occupied };
        // SAFETY: exclusively used.
        unsafe { occupied.write(self.occupied() + 1) };
    }

    /// Notes that the frame of a level, in which something was, is empty.
    ///
    /// # Safety
    ///
    /// The caller takes or drops what was there.
    unsafe fn empty(self, level: usize) {
        // SAFETY: memory for a state, exclusively used.
        unsafe { self.state_of(level).write(State::Empty) };
        // SAFETY: within the head.
        let occupied = unsafe { &raw mut (*self.0.as_ptr()).occupied };
        // SAFETY: exclusively used.
        unsafe { occupied.write(self.occupied() - 1) };
    }

    #[inline]
    fn frame(self, level: usize) -> NonNull<Storage> {
        let offset = self.chain().level(level).frame;
        // SAFETY: within the memory of the passage.
        unsafe { self.0.cast::<u8>().add(offset) }.cast()
    }

    /// Whether nothing is in any frame.
    #[inline]
    pub(super) fn is_empty(self) -> bool {
        self.occupied() == 0
    }

    #[inline]
    pub(super) fn is_pending(self, level: usize) -> bool {
        self.state(level) == State::Pending
    }

    /// Calls what is at `level`.
    ///
    /// # Safety
    ///
    /// Nothing is in the frames of this level and those inside it.
    pub(super) unsafe fn start(self, level: usize, cx: &mut Context<'_>) -> Polled {
        #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
        if level + 1 == self.chain().len() {
            self.dispatch().reports().note_attempt(&self.chain().info);
        }
        let entered = self.chain().level(level);
        let (receiver, argument) = match entered.takes {
            Takes::Passage => (NonNull::from(entered).cast(), self.0.cast()),
            Takes::Message => (entered.receiver, self.dispatch().erased_message()),
            Takes::Dispatch => (entered.receiver, NonNull::from(self.dispatch()).cast()),
        };
        // SAFETY: what the level takes, which outlives the passage; the frame is large enough, empty and pinned.
        let polled = unsafe { (entered.vtable.start)(receiver, argument, self.frame(level), cx) };
        self.settle(level, polled)
    }

    /// Polls the future at `level`.
    ///
    /// # Safety
    ///
    /// It is pending.
    pub(super) unsafe fn poll(self, level: usize, cx: &mut Context<'_>) -> Polled {
        let frame = self.frame(level);
        // SAFETY: gone after a panic; otherwise `settle` tells.
        unsafe { self.empty(level) };
        // SAFETY: the frame holds a future of this vtable, pinned and reached by nobody else.
        let polled = unsafe { (self.chain().level(level).vtable.poll)(frame, cx) };
        self.settle(level, polled)
    }

    /// Notes what the start or a poll has left in the frame of `level`.
    #[inline(always)]
    fn settle(self, level: usize, polled: Polled) -> Polled {
        if polled.is_pending() {
            // SAFETY: as the vtable says.
            unsafe { self.fill(level, State::Pending) };
        } else if self.chain().request.is_some() {
            return self.settle_request(level, polled);
        }
        polled
    }

    fn settle_request(self, level: usize, polled: Polled) -> Polled {
        let chain = self.chain();
        let Some(answers) = chain.answers().filter(|_| chain.is_typed(level)) else { return polled };
        // The handler could not borrow.
        if let Polled::Failed(error) = polled {
            // SAFETY: the frame is the handler's, empty, and has room for an answer.
            unsafe { answers.put_error(self.frame(level), *error, chain.info) };
        }
        // SAFETY: what knows the request leaves an answer.
        unsafe { self.fill(level, State::Answer) };
        Polled::Done
    }

    /// The error that the answer at `level` is, if there is one and it is; otherwise the answer remains.
    #[inline]
    pub(super) fn take_error(self, level: usize) -> Option<BoxError> {
        if self.is_empty() { None } else { self.take_error_of_request(level) }
    }

    fn take_error_of_request(self, level: usize) -> Option<BoxError> {
        let answers = self.chain().answers().filter(|_| self.state(level) == State::Answer)?;
        // SAFETY: an answer is in the frame.
        if !unsafe { answers.is_error(self.frame(level)) } {
            return None;
        }
        // SAFETY: an answer, which is taken at once.
        let answer = unsafe { self.give_answer(level) };
        // SAFETY: an error, as asked just now.
        Some(unsafe { answers.take_error(answer) })
    }

    /// What the answer that has come out of the passage says, if it is an error; it remains. Of an event nothing.
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    pub(super) fn told(self) -> Option<Told> {
        let chain = self.chain();
        let answers = chain.answers()?;
        if self.state(chain.any) != State::Answer {
            return Some(Told::not_answered());
        }
        // SAFETY: an answer is in the frame.
        unsafe { answers.told(self.frame(chain.any)) }
    }

    /// Where the answer at `level` is.
    ///
    /// # Safety
    ///
    /// There is one, and the caller takes it.
    pub(super) unsafe fn give_answer(self, level: usize) -> NonNull<Storage> {
        // SAFETY: the caller takes it.
        unsafe { self.empty(level) };
        self.frame(level)
    }

    /// Moves the answer that behaviors around every message have left inside, if there is one, to another passage through the
    /// same chain, in which the frame is empty.
    pub(super) fn move_answer_to(self, other: Self) {
        let level = self.chain().any;
        if let (Some(answers), State::Answer) = (self.chain().answers(), self.state(level)) {
            // SAFETY: there is an answer, which is moved.
            let from = unsafe { self.give_answer(level) };
            // SAFETY: two frames for an answer, of different passages.
            unsafe { from.cast::<u8>().copy_to_nonoverlapping(other.frame(level).cast(), answers.size()) };
            // SAFETY: copied just now.
            unsafe { other.fill(level, State::Answer) };
        }
    }

    /// Drops what is in the frames of `level` and those inside it. All of it is gone afterwards, even after a panic, which is
    /// returned.
    #[inline]
    pub(super) fn clear_from(self, level: usize) -> Option<Panic> {
        if self.is_empty() { None } else { self.clear(level) }
    }

    /// From outside in: what is dropped at a level may run what is inside it once more, in its destructor.
    #[cold]
    fn clear(self, start: usize) -> Option<Panic> {
        let mut first_panic = None;
        for level in start..self.chain().len() {
            let state = self.state(level);
            if state != State::Empty {
                // SAFETY: what was there is dropped at once.
                unsafe { self.empty(level) };
                // SAFETY: what was there.
                match catch_unwind(AssertUnwindSafe(|| unsafe { self.drop_in_frame(level, state) })) {
                    Err(panic) if first_panic.is_some() => discard_panic(panic),
                    Err(panic) => first_panic = Some(panic),
                    Ok(()) => {}
                }
            }
        }
        first_panic
    }

    /// # Safety
    ///
    /// The frame holds what `state` says, and is empty afterwards.
    unsafe fn drop_in_frame(self, level: usize, state: State) {
        let (chain, frame) = (self.chain(), self.frame(level));
        match (state, chain.answers()) {
            // SAFETY: a future of this vtable is in the frame.
            (State::Pending, _) => unsafe { (chain.level(level).vtable.drop_future)(frame) },
            // SAFETY: an answer is in the frame.
            (State::Answer, Some(answers)) => unsafe { answers.drop(frame) },
            (State::Empty | State::Answer, _) => {}
        }
    }
}

/// Passes on a panic of what was dropped, unless another one is on its way.
#[inline]
pub(super) fn resume(panic: Option<Panic>) {
    #[cold]
    fn pass_on(panic: Panic) {
        if std::thread::panicking() { discard_panic(panic) } else { resume_unwind(panic) }
    }

    if let Some(panic) = panic {
        pass_on(panic);
    }
}

/// What a storage holds while a chain is pending in it: where the passage is, and the passage behind it if there is room.
#[repr(C, align(16))]
struct Stored<'a> {
    passage: Passage<'a>,
}

/// The passage in a storage.
///
/// # Safety
///
/// There is one, which does not end before `'a`.
unsafe fn stored<'a>(storage: NonNull<Storage>) -> Passage<'a> {
    // SAFETY: guaranteed by the caller.
    unsafe { storage.cast::<Stored<'a>>().as_ref() }.passage
}

/// Where the passage is if it is in the storage.
fn in_place(storage: NonNull<Storage>) -> NonNull<u8> {
    // SAFETY: within the storage.
    unsafe { storage.cast::<Stored<'_>>().add(1) }.cast()
}

#[inline]
fn is_in(storage: NonNull<Storage>, passage: Passage<'_>) -> bool {
    passage.0.cast() == in_place(storage)
}

/// Ends the passage in a storage.
///
/// # Safety
///
/// A passage is there, and not used again.
#[inline(never)]
unsafe fn end(storage: NonNull<Storage>) -> Option<Panic> {
    // SAFETY: guaranteed by the caller.
    let passage = unsafe { stored(storage) };
    let panic = passage.clear_from(0);
    // SAFETY: guaranteed by the caller; the frames are empty.
    unsafe { free_unless_in(storage, passage) };
    panic
}

/// # Safety
///
/// As for [`end`]; nothing is in the frames.
unsafe fn free_unless_in(storage: NonNull<Storage>, passage: Passage<'_>) {
    if !is_in(storage, passage) {
        // SAFETY: not in place, so it was allocated.
        unsafe { passage.free() };
    }
}

/// # Safety
///
/// The invariant of `start` functions, with a chain as the handler and a dispatch of its list as the argument, whose `room` the
/// storage has.
unsafe fn start_chain(
    chain: NonNull<()>,
    dispatch: NonNull<()>,
    storage: NonNull<Storage>,
    cx: &mut Context<'_>,
) -> Polled {
    // SAFETY: points to a chain, borrowed.
    let chain: &Chain = unsafe { chain.cast().as_ref() };
    // SAFETY: points to a dispatch, borrowed.
    let dispatch: &Dispatch<'_> = unsafe { dispatch.cast().as_ref() };
    let passage = if size_of::<Stored<'_>>() + chain.memory.size() <= dispatch.room() {
        // SAFETY: so much is there, aligned as a storage is; the rest is guaranteed by the caller.
        unsafe { Passage::write(in_place(storage), chain, dispatch) }
    } else {
        // SAFETY: guaranteed by the caller; `free_unless_in` frees it.
        unsafe { Passage::allocate(chain, dispatch) }
    };
    // SAFETY: within the storage.
    unsafe { storage.cast().write(Stored { passage }) };
    // SAFETY: a new passage, whose frames are empty.
    let start = |cx: &mut Context<'_>| unsafe { passage.start(0, cx) };
    // SAFETY: it is there.
    unsafe { drive(storage, start, cx) }
}

/// # Safety
///
/// `storage` holds a pending passage.
unsafe fn poll_chain(storage: NonNull<Storage>, cx: &mut Context<'_>) -> Polled {
    // SAFETY: guaranteed by the caller.
    let passage = unsafe { stored(storage) };
    // SAFETY: a passage is pending if its outermost future is.
    let poll = |cx: &mut Context<'_>| unsafe { passage.poll(0, cx) };
    // SAFETY: it is there.
    unsafe { drive(storage, poll, cx) }
}

/// # Safety
///
/// `storage` holds a pending passage.
unsafe fn drop_chain(storage: NonNull<Storage>) {
    // SAFETY: guaranteed by the caller.
    resume(unsafe { end(storage) });
}

/// Polls the outermost future, and ends the passage unless it is pending.
///
/// # Safety
///
/// `storage` holds the passage whose outermost future it is.
#[inline]
unsafe fn drive(
    storage: NonNull<Storage>,
    poll: impl FnOnce(&mut Context<'_>) -> Polled,
    cx: &mut Context<'_>,
) -> Polled {
    let guard = EndOnPanic(storage);
    let polled = poll(cx);
    mem::forget(guard);
    if polled.is_pending() {
        return Polled::Pending;
    }
    // SAFETY: guaranteed by the caller.
    let passage = unsafe { stored(storage) };
    if passage.chain().request.is_some() {
        // SAFETY: the passage is over.
        return unsafe { leave_answer(storage, passage, polled) };
    }
    if !(passage.is_empty() && is_in(storage, passage)) {
        // SAFETY: the passage is over.
        resume(unsafe { end(storage) });
    }
    polled
}

/// Ends the passage in a storage unless it is forgotten.
struct EndOnPanic(NonNull<Storage>);

impl Drop for EndOnPanic {
    fn drop(&mut self) {
        // SAFETY: made of a storage with a passage, which the guard ends unless it is forgotten.
        if let Some(panic) = unsafe { end(self.0) } {
            discard_panic(panic);
        }
    }
}

/// Leaves in a storage the answer of the passage of a request that was there.
///
/// # Safety
///
/// It is there, over, and not used again.
#[inline(never)]
unsafe fn leave_answer(storage: NonNull<Storage>, passage: Passage<'_>, polled: Polled) -> Polled {
    let Some(answers) = passage.chain().answers() else { return polled };
    let guard = EndOnPanic(storage);
    let place = answer_place(passage, answers, polled);
    mem::forget(guard);
    // SAFETY: a frame for an answer and a storage, which may overlap. What else was in the storage is not needed any more.
    unsafe { place.cast::<u8>().copy_to(storage.cast(), answers.size()) };
    // SAFETY: the frames are empty.
    unsafe { free_unless_in(storage, passage) };
    Polled::Done
}

/// The place of the answer of a passage that is over, which the caller takes; the other frames are empty.
fn answer_place(passage: Passage<'_>, answers: &Answers, polled: Polled) -> NonNull<Storage> {
    let (chain, level) = (passage.chain(), passage.chain().any);
    let error = match polled {
        Polled::Failed(error) => *error,
        _ if has_answered(passage, level) => {
            // SAFETY: the answer is there, and nothing else.
            return unsafe { passage.give_answer(level) };
        }
        _ => Box::new(NotAnswered) as BoxError,
    };
    resume(passage.clear_from(0));
    let place = passage.frame(level);
    // SAFETY: an empty frame for an answer.
    unsafe { answers.put_error(place, error, chain.info) };
    place
}

/// Whether an answer is at the level, which has come through all behaviors outside of it. Then nothing else is in the frames.
fn has_answered(passage: Passage<'_>, level: usize) -> bool {
    if passage.occupied() == 1 {
        return passage.state(level) == State::Answer;
    }
    // What forgotten runs have left. One outside of the answer has not seen it.
    let is_forgotten = (0..level).any(|outer| passage.state(outer) != State::Empty);
    resume(passage.clear_from(level + 1));
    !is_forgotten && passage.occupied() == 1 && passage.state(level) == State::Answer
}
