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
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::{self, NonNull};
use std::task::Context;

use super::borrow::Borrow;
use super::callee::Callee;
use super::dispatch::Dispatch;
use super::request::Answers;
use super::storage::Storage;
use super::table::{Entry, Instance};
use super::vtable::{Argument, Compiled, Polled, Vtable};
use crate::errors::panics::discard_panic;
use crate::errors::refused::NotAnswered;
use crate::handler::error::BoxError;
use crate::handler::info::HandlerInfo;
#[cfg(any(feature = "tracing", feature = "metrics"))]
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
    /// Outermost first.
    behaviors: Vec<Level>,
    handler: Callee,
    /// What `handler` is called with.
    argument: Argument,
    handler_frame: usize,
    /// So many behaviors are around every message, the outermost ones.
    any: usize,
    request: Option<(RequestInfo, &'static Answers)>,
    pub(super) info: HandlerInfo,
    memory: Layout,
}

/// A behavior in a chain.
pub(super) struct Level {
    pub(super) index: usize,
    /// Of the type that `vtable` is for, kept alive by the list.
    pub(super) behavior: NonNull<()>,
    info: HandlerInfo,
    vtable: Vtable,
    frame: usize,
}

// SAFETY: `behavior` points to the value in an `Instance`, which is `Send` and `Sync`.
unsafe impl Send for Level {}
// SAFETY: `behavior` points to the value in an `Instance`, which is `Send` and `Sync`.
unsafe impl Sync for Level {}

impl Chain {
    /// # Panics
    ///
    /// If a behavior is for another message, or an instance is not of the type that its plan is for.
    pub(super) fn new(entry: &Entry) -> Self {
        let Entry { plan, instance, info, around } = entry;
        let mut memory = Layout::new::<Head>();
        let states = Layout::array::<State>(around.len() + 1);
        memory = states.and_then(|states| memory.extend(states)).expect("few behaviors").0;
        let mut frame = |layout: Layout| {
            let (extended, offset) = memory.extend(layout).expect("small frames");
            memory = extended;
            offset
        };
        let level = |(index, Around { plan, instance, info, .. }): (usize, &Around)| {
            // The start functions rely on this.
            assert_eq!(plan.behavior, (**instance).type_id(), "a behavior called as another type");
            let frame = frame(plan.compiled.frame);
            Level {
                index,
                behavior: NonNull::from(&**instance).cast(),
                info: *info,
                vtable: plan.compiled.vtable,
                frame,
            }
        };
        let behaviors = around.iter().enumerate().map(level).collect();
        let handler_frame = frame(plan.compiled.frame);
        Self {
            behaviors,
            handler: Callee { vtable: plan.compiled.vtable, handler: NonNull::from(&**instance).cast() },
            argument: plan.argument,
            handler_frame,
            any: around.iter().filter(|around| around.plan.message.is_none()).count(),
            request: plan.request(),
            info: *info,
            memory: memory.align_to(align_of::<Storage>()).expect("small frames").pad_to_align(),
        }
    }

    /// What stands in the list.
    pub(super) fn callee(&self) -> Callee {
        let vtable = Vtable { start: start_chain, poll: poll_chain, drop_future: drop_chain };
        Callee { vtable, handler: NonNull::from(self).cast() }
    }

    pub(super) fn behavior(&self, level: usize) -> HandlerInfo {
        self.behaviors[level].info
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

    fn levels(&self) -> usize {
        self.behaviors.len() + 1
    }

    fn vtable(&self, level: usize) -> &Vtable {
        self.behaviors.get(level).map_or(&self.handler.vtable, |level| &level.vtable)
    }

    fn frame(&self, level: usize) -> usize {
        self.behaviors.get(level).map_or(self.handler_frame, |level| level.frame)
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

/// The memory of a passage: this, a [`State`] for each level, and the frames.
#[repr(C)]
struct Head {
    chain: NonNull<Chain>,
    dispatch: NonNull<Dispatch<'static>>,
}

/// One call of a handler, through the behaviors around it.
#[derive(Clone, Copy)]
pub(super) struct Passage(NonNull<Head>);

impl Passage {
    /// A passage through `chain` in memory that is given.
    ///
    /// # Safety
    ///
    /// `memory` is of the chain's layout and exclusively used by the passage until it has ended. The dispatch is of the chain's list.
    /// All three outlive it.
    unsafe fn write(memory: NonNull<u8>, chain: NonNull<Chain>, dispatch: NonNull<Dispatch<'static>>) -> Self {
        let passage = Self(memory.cast());
        // SAFETY: within the memory.
        unsafe { passage.0.write(Head { chain, dispatch }) };
        // SAFETY: borrowed while the passage lasts.
        for level in 0..unsafe { chain.as_ref() }.levels() {
            // SAFETY: within the memory.
            unsafe { passage.set_state(level, State::Empty) };
        }
        passage
    }

    /// The same in memory of its own.
    ///
    /// # Safety
    ///
    /// As for [`write`](Self::write); to be ended by [`free`](Self::free).
    unsafe fn allocate(chain: NonNull<Chain>, dispatch: NonNull<Dispatch<'static>>) -> Self {
        // SAFETY: borrowed while the passage lasts.
        let layout = unsafe { chain.as_ref() }.memory;
        // SAFETY: not of size zero.
        let memory = unsafe { alloc(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        // SAFETY: memory of the chain's layout; the rest is guaranteed by the caller.
        unsafe { Self::write(memory, chain, dispatch) }
    }

    /// A passage through the same chain, with another dispatch of the same message.
    ///
    /// # Safety
    ///
    /// `dispatch` outlives the result, which is to be ended by [`free`](Self::free).
    pub(super) unsafe fn within(self, dispatch: NonNull<Dispatch<'static>>) -> Self {
        // SAFETY: the passage has not ended; the rest is guaranteed by the caller.
        unsafe { Self::allocate(self.0.as_ref().chain, dispatch) }
    }

    /// # Safety
    ///
    /// Made by [`allocate`](Self::allocate), not used again, and nothing is in its frames.
    pub(super) unsafe fn free(self) {
        // SAFETY: the chain outlives it.
        let layout = unsafe { self.chain() }.memory;
        // SAFETY: allocated with this layout.
        unsafe { dealloc(self.0.as_ptr().cast(), layout) };
    }

    pub(super) fn of(argument: NonNull<()>) -> Self {
        Self(argument.cast())
    }

    /// # Safety
    ///
    /// The passage has not ended; the result is not used any longer.
    pub(super) unsafe fn chain<'a>(self) -> &'a Chain {
        // SAFETY: outlives the passage.
        unsafe { self.0.as_ref().chain.as_ref() }
    }

    /// # Safety
    ///
    /// The passage has not ended; the result is not used any longer.
    pub(super) unsafe fn dispatch<'a>(self) -> &'a Dispatch<'a> {
        // SAFETY: outlives the passage.
        unsafe { self.0.as_ref().dispatch.as_ref() }
    }

    /// # Safety
    ///
    /// The passage has not ended, and has this level.
    unsafe fn state(self, level: usize) -> State {
        // SAFETY: behind the head there are as many as levels, all written.
        unsafe { self.0.add(1).cast::<State>().add(level).read() }
    }

    /// # Safety
    ///
    /// The passage has not ended, and has this level, in whose frame is what `state` says.
    unsafe fn set_state(self, level: usize, state: State) {
        // SAFETY: behind the head there are as many as levels.
        unsafe { self.0.add(1).cast::<State>().add(level).write(state) };
    }

    /// # Safety
    ///
    /// The passage has not ended, and has this level.
    pub(super) unsafe fn frame(self, level: usize) -> NonNull<Storage> {
        // SAFETY: within the memory of the passage.
        unsafe { self.0.cast::<u8>().add(self.chain().frame(level)).cast() }
    }

    /// # Safety
    ///
    /// The passage has not ended, and has this level.
    pub(super) unsafe fn is_pending(self, level: usize) -> bool {
        // SAFETY: guaranteed by the caller.
        unsafe { self.state(level) == State::Pending }
    }

    /// Calls what is at `level`.
    ///
    /// # Safety
    ///
    /// The passage has not ended, and nothing is in the frames of this level and those inside it.
    pub(super) unsafe fn start(self, level: usize, cx: &mut Context<'_>) -> Polled {
        // SAFETY: guaranteed by the caller.
        let (chain, frame) = unsafe { (self.chain(), self.frame(level)) };
        let polled = match chain.behaviors.get(level) {
            // SAFETY: a level of the vtable's type and this passage; the frame is large enough, empty and pinned.
            Some(behavior) => unsafe {
                (behavior.vtable.start)(NonNull::from(behavior).cast(), self.0.cast(), frame, cx)
            },
            None => {
                // SAFETY: guaranteed by the caller.
                let dispatch = unsafe { self.dispatch() };
                let argument = match chain.argument {
                    Argument::Message => dispatch.erased_message(),
                    Argument::Dispatch => NonNull::from(dispatch).cast(),
                };
                // SAFETY: what the call takes, which outlives the passage; the frame is large enough, empty and pinned.
                unsafe { chain.handler.start(argument, frame, cx) }
            }
        };
        // SAFETY: guaranteed by the caller.
        unsafe { self.settle(level, polled) }
    }

    /// Polls the future at `level`.
    ///
    /// # Safety
    ///
    /// The passage has not ended, and a future is pending at this level.
    pub(super) unsafe fn poll(self, level: usize, cx: &mut Context<'_>) -> Polled {
        // SAFETY: gone after a panic; otherwise `settle` tells.
        unsafe { self.set_state(level, State::Empty) };
        // SAFETY: the frame holds a future of this vtable, pinned and reached by nobody else.
        let polled = unsafe { (self.chain().vtable(level).poll)(self.frame(level), cx) };
        // SAFETY: guaranteed by the caller.
        unsafe { self.settle(level, polled) }
    }

    /// Notes what was left in the frame of `level`.
    unsafe fn settle(self, level: usize, polled: Polled) -> Polled {
        // SAFETY: guaranteed by the callers.
        let chain = unsafe { self.chain() };
        let (state, polled) = match (polled, chain.answers()) {
            (Polled::Pending, _) => (State::Pending, Polled::Pending),
            // The handler of a request could not borrow.
            (Polled::Failed(error), Some(answers)) if chain.is_typed(level) => {
                // SAFETY: the frame is the handler's, empty, and has room for an answer.
                unsafe { answers.put_error(self.frame(level), *error, chain.info) };
                (State::Answer, Polled::Done)
            }
            (Polled::Done, Some(_)) if chain.is_typed(level) => (State::Answer, Polled::Done),
            (polled, _) => (State::Empty, polled),
        };
        // SAFETY: as it says.
        unsafe { self.set_state(level, state) };
        polled
    }

    /// The error in the answer at `level`, if it is one; otherwise the answer remains.
    ///
    /// # Safety
    ///
    /// The passage has not ended, and is of a request.
    pub(super) unsafe fn take_error(self, level: usize) -> Option<BoxError> {
        // SAFETY: guaranteed by the caller.
        let (answers, frame) = unsafe { (self.chain().answers()?, self.frame(level)) };
        // SAFETY: guaranteed by the caller.
        if unsafe { self.state(level) } != State::Answer {
            return None;
        }
        // SAFETY: an answer is in the frame.
        let error = unsafe { answers.take_error(frame) }?;
        // SAFETY: taken just now.
        unsafe { self.set_state(level, State::Empty) };
        Some(error)
    }

    /// What the answer that has come out of the passage says, if it is an error; it remains. Of an event nothing.
    ///
    /// # Safety
    ///
    /// The passage has not ended.
    #[cfg(any(feature = "tracing", feature = "metrics"))]
    pub(super) unsafe fn told(self) -> Option<Told> {
        // SAFETY: guaranteed by the caller.
        let chain = unsafe { self.chain() };
        let answers = chain.answers()?;
        // SAFETY: guaranteed by the caller.
        if unsafe { self.state(chain.any) } != State::Answer {
            return Some(Told::of(&(Box::new(NotAnswered) as BoxError)));
        }
        // SAFETY: an answer is in the frame.
        unsafe { answers.told(self.frame(chain.any)) }
    }

    /// Where the answer at `level` is, which the caller takes.
    ///
    /// # Safety
    ///
    /// The passage has not ended, and what is at `level` has answered just now.
    pub(super) unsafe fn give_answer(self, level: usize) -> NonNull<Storage> {
        // SAFETY: guaranteed by the caller, who takes the answer.
        unsafe { self.set_state(level, State::Empty) };
        // SAFETY: guaranteed by the caller.
        unsafe { self.frame(level) }
    }

    /// Moves the answer that behaviors around every message have left inside, if there is one, to another passage through the
    /// same chain, in which the frame is empty.
    ///
    /// # Safety
    ///
    /// Neither has ended.
    pub(super) unsafe fn move_answer_to(self, other: Self) {
        // SAFETY: guaranteed by the caller.
        let chain = unsafe { self.chain() };
        let level = chain.any;
        // SAFETY: guaranteed by the caller.
        if let (Some(answers), State::Answer) = (chain.answers(), unsafe { self.state(level) }) {
            // SAFETY: guaranteed by the caller.
            let (from, to) = unsafe { (self.give_answer(level), other.frame(level)) };
            // SAFETY: two frames for an answer, of different passages.
            unsafe { ptr::copy_nonoverlapping(from.cast::<u8>().as_ptr(), to.cast::<u8>().as_ptr(), answers.size()) };
            // SAFETY: copied just now.
            unsafe { other.set_state(level, State::Answer) };
        }
    }

    /// Drops what is in the frames of `level` and those inside it. All of it is gone afterwards, even after a panic, which is
    /// returned.
    ///
    /// # Safety
    ///
    /// The passage has not ended.
    pub(super) unsafe fn clear_from(self, level: usize) -> Option<Panic> {
        // SAFETY: guaranteed by the caller.
        unsafe { self.clear(level..self.chain().levels()) }
    }

    unsafe fn clear(self, levels: Range<usize>) -> Option<Panic> {
        // SAFETY: guaranteed by the callers.
        let chain = unsafe { self.chain() };
        let mut first_panic = None;
        for level in levels {
            // SAFETY: guaranteed by the caller.
            let (state, frame) = unsafe { (self.state(level), self.frame(level)) };
            // SAFETY: dropped below, at once.
            unsafe { self.set_state(level, State::Empty) };
            let dropped = catch_unwind(AssertUnwindSafe(|| match state {
                State::Empty => {}
                // SAFETY: a future of this vtable is in the frame.
                State::Pending => unsafe { (chain.vtable(level).drop_future)(frame) },
                State::Answer => {
                    if let Some(answers) = chain.answers() {
                        // SAFETY: an answer is in the frame.
                        unsafe { answers.drop(frame) };
                    }
                }
            }));
            match dropped {
                Err(panic) if first_panic.is_some() => discard_panic(panic),
                Err(panic) => first_panic = Some(panic),
                Ok(()) => {}
            }
        }
        first_panic
    }
}

/// Passes on a panic of what was dropped, unless another one is on its way.
pub(super) fn resume(panic: Option<Panic>) {
    match panic {
        Some(panic) if std::thread::panicking() => discard_panic(panic),
        Some(panic) => resume_unwind(panic),
        None => {}
    }
}

/// What a storage holds while a chain is pending in it: where the passage is, and the passage if there is room for it.
#[repr(C, align(16))]
struct Stored {
    passage: Passage,
}

/// Ends the passage in a storage.
///
/// # Safety
///
/// A passage is there, and not used again.
unsafe fn end(storage: NonNull<Storage>) -> Option<Panic> {
    // SAFETY: guaranteed by the caller.
    let passage = unsafe { storage.cast::<Stored>().as_ref() }.passage;
    // SAFETY: guaranteed by the caller.
    let panic = unsafe { passage.clear_from(0) };
    // SAFETY: guaranteed by the caller.
    unsafe { free_unless_in(storage, passage) };
    panic
}

/// # Safety
///
/// As for [`end`]; nothing is in the frames.
unsafe fn free_unless_in(storage: NonNull<Storage>, passage: Passage) {
    // SAFETY: within the storage.
    let in_place = unsafe { storage.cast::<Stored>().add(1) };
    if passage.0 != in_place.cast() {
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
    let (chain, dispatch) = (chain.cast::<Chain>(), dispatch.cast::<Dispatch<'static>>());
    // SAFETY: guaranteed by the caller.
    let (needed, room) = unsafe { (size_of::<Stored>() + chain.as_ref().memory.size(), dispatch.as_ref().room()) };
    let passage = if needed <= room {
        // SAFETY: within the storage.
        let memory = unsafe { storage.cast::<Stored>().add(1) }.cast();
        // SAFETY: so much is there, aligned as a storage is; the rest is guaranteed by the caller.
        unsafe { Passage::write(memory, chain, dispatch) }
    } else {
        // SAFETY: guaranteed by the caller; `free_unless_in` frees it.
        unsafe { Passage::allocate(chain, dispatch) }
    };
    // SAFETY: within the storage.
    unsafe { storage.cast().write(Stored { passage }) };
    // SAFETY: a new passage, whose frames are empty.
    unsafe { drive(storage, passage, |passage| passage.start(0, cx)) }
}

/// # Safety
///
/// `storage` holds a pending passage.
unsafe fn poll_chain(storage: NonNull<Storage>, cx: &mut Context<'_>) -> Polled {
    // SAFETY: guaranteed by the caller.
    let passage = unsafe { storage.cast::<Stored>().as_ref() }.passage;
    // SAFETY: the outermost future is pending.
    unsafe { drive(storage, passage, |passage| passage.poll(0, cx)) }
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
/// `storage` holds the passage.
unsafe fn drive(storage: NonNull<Storage>, passage: Passage, poll: impl FnOnce(Passage) -> Polled) -> Polled {
    struct EndOnPanic(NonNull<Storage>);

    impl Drop for EndOnPanic {
        fn drop(&mut self) {
            // SAFETY: made from the storage below, whose passage the guard ends unless it is forgotten.
            if let Some(panic) = unsafe { end(self.0) } {
                discard_panic(panic);
            }
        }
    }

    let guard = EndOnPanic(storage);
    let polled = poll(passage);
    if polled.is_pending() {
        mem::forget(guard);
        return Polled::Pending;
    }
    // SAFETY: not ended.
    let chain = unsafe { passage.chain() };
    let Some(answers) = chain.answers() else {
        mem::forget(guard);
        // SAFETY: the passage is over.
        resume(unsafe { end(storage) });
        return polled;
    };
    // SAFETY: the level is there.
    let place = unsafe { answer_place(passage, chain, answers, polled) };
    mem::forget(guard);
    // SAFETY: a frame for an answer and a storage, which may overlap. What else was in the storage is not needed any more.
    unsafe { ptr::copy(place.cast::<u8>().as_ptr(), storage.cast::<u8>().as_ptr(), answers.size()) };
    // SAFETY: the frames are empty.
    unsafe { free_unless_in(storage, passage) };
    Polled::Done
}

/// Where the answer is that a passage has come to, which the caller takes; nothing else is in its frames any more.
///
/// # Safety
///
/// The passage has not ended, and nothing is pending at its outermost level.
unsafe fn answer_place(passage: Passage, chain: &Chain, answers: &Answers, polled: Polled) -> NonNull<Storage> {
    // SAFETY: guaranteed by the caller.
    let has_answer = unsafe { passage.state(chain.any) } == State::Answer;
    let error = match polled {
        Polled::Failed(error) => Some(*error),
        _ if has_answer => None,
        _ => Some(Box::new(NotAnswered) as BoxError),
    };
    if let Some(error) = error {
        // SAFETY: guaranteed by the caller.
        resume(unsafe { passage.clear_from(0) });
        // SAFETY: an empty frame for an answer.
        unsafe { answers.put_error(passage.frame(chain.any), error, chain.info) };
    } else {
        // SAFETY: guaranteed by the caller.
        resume(unsafe { passage.clear(0..chain.any) });
        // SAFETY: guaranteed by the caller.
        resume(unsafe { passage.clear_from(chain.any + 1) });
    }
    // SAFETY: the answer is there.
    unsafe { passage.give_answer(chain.any) }
}
