//! The future behind `Mediator::publish`.

#[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
use std::any::Any;
use std::any::TypeId;
use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::callee::Cursor;
use super::core::{Core, Link, Strategy};
use super::dispatch::{Dispatch, Message};
use super::group::Group;
use super::lent::Lender;
use super::observed::{Filler, Reports, Seen};
use super::room::Room;
use super::storage::Storage;
use super::table::HandlerList;
use super::vtable::Polled;
use crate::errors::handler_failure::{Caught, HandlerFailure};
use crate::errors::panics::{discard_panic, discarding_panics};
use crate::errors::publish_error::{PublishError, PublishErrorKind};
use crate::event::dynamic::DynNotification;
use crate::event::notification::Notification;

type Published = Poll<Result<(), PublishError>>;

/// What can be published: a [`Notification`], or a box with one.
///
/// ```
/// use mediator_core::prelude::*;
///
/// # #[derive(Notification)] struct OrderPlaced;
/// # async fn f(mediator: Mediator) -> Result<(), PublishError> {
/// mediator.publish(OrderPlaced).await?;
/// let boxed: Box<dyn DynNotification> = Box::new(OrderPlaced);
/// mediator.publish(boxed).await?;
/// # Ok(()) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be published",
    label = "not an event, or not passed by value",
    note = "an event is published by value: `publish(event)`, not `publish(&event)`, nor in an `Arc`; a request is sent: \
            `send(request)`",
    note = "if the type is to be an event, put `#[event]` on it; or `#[derive(Notification)]`, which adds no field"
)]
pub trait Publishable: Send + sealed::Publishable {}

#[diagnostic::do_not_recommend]
impl<E: Notification> Publishable for E {}

impl Publishable for Box<dyn DynNotification> {}

mod sealed {
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    use super::{Any, Arc};
    use super::{DynNotification, Notification};

    /// As long as `self` stays where it is and is not changed, [`event`](Self::event) gives the same reference.
    pub trait Publishable {
        fn event(&self) -> &dyn DynNotification;

        fn into_box(self) -> Box<dyn DynNotification>;

        /// For a record of what was published.
        #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
        fn into_arc(self) -> Arc<dyn Any + Send + Sync>;
    }

    impl<E: Notification> Publishable for E {
        #[inline]
        fn event(&self) -> &dyn DynNotification {
            self
        }

        fn into_box(self) -> Box<dyn DynNotification> {
            Box::new(self)
        }

        #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
        fn into_arc(self) -> Arc<dyn Any + Send + Sync> {
            Arc::new(self)
        }
    }

    impl Publishable for Box<dyn DynNotification> {
        #[inline]
        fn event(&self) -> &dyn DynNotification {
            &**self
        }

        fn into_box(self) -> Self {
            self
        }

        #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
        fn into_arc(self) -> Arc<dyn Any + Send + Sync> {
            Arc::<dyn DynNotification>::from(self)
        }
    }
}

/// What is to be known of an event's type where a publish of any event is ended.
pub(super) struct EventVtable {
    /// Makes of a pointer to an event one that knows its type; safe if there is an event.
    event: unsafe fn(NonNull<()>) -> NonNull<dyn DynNotification>,
    drop: unsafe fn(NonNull<()>),
    /// Moves the event out; safe if it is not used again.
    into_box: unsafe fn(NonNull<()>) -> Box<dyn DynNotification>,
    /// The same, for a record of what was published.
    #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
    pub(super) keep: unsafe fn(NonNull<()>) -> Arc<dyn Any + Send + Sync>,
}

impl EventVtable {
    // No closures: each would be compiled with a function that calls it.
    const fn of<E: Publishable>() -> Self {
        Self {
            event: event_of::<E>,
            drop: drop_event::<E>,
            into_box: into_box::<E>,
            #[cfg(any(feature = "tracing", feature = "metrics", feature = "testing"))]
            // SAFETY: the conditions are the same.
            keep: |event| unsafe { event.cast::<E>().read() }.into_arc(),
        }
    }
}

/// # Safety
///
/// `event` points to an `E`.
unsafe fn event_of<E: Publishable>(event: NonNull<()>) -> NonNull<dyn DynNotification> {
    // SAFETY: guaranteed by the caller.
    let event: &E = unsafe { event.cast().as_ref() };
    NonNull::from(event.event())
}

/// # Safety
///
/// `event` points to an `E`, which is not used again.
unsafe fn into_box<E: Publishable>(event: NonNull<()>) -> Box<dyn DynNotification> {
    // SAFETY: guaranteed by the caller.
    unsafe { event.cast::<E>().read() }.into_box()
}

/// # Safety
///
/// `event` points to an `E`, which is not used again.
unsafe fn drop_event<E>(event: NonNull<()>) {
    // SAFETY: guaranteed by the caller.
    unsafe { event.cast::<E>().drop_in_place() };
}

/// The future of [`Mediator::publish`](crate::Mediator::publish): an event on its way through its
/// handlers.
///
/// Does nothing until it is awaited. Dropping it cancels: running handlers are dropped at the `.await`
/// they are waiting at, finished ones are not undone. Panics when it is polled after it has ended.
///
/// ```
/// use mediator_core::Publish;
/// use mediator_core::prelude::*;
///
/// #[event]
/// struct OrderPlaced {}
///
/// fn later(mediator: &Mediator) -> Publish<'_, OrderPlaced> {
///     mediator.publish(OrderPlaced::new())
/// }
///
/// let mediator = Mediator::builder().without_discovery().build()?;
/// futures::executor::block_on(later(&mediator))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// By hand what an `async` block would do, because the bookkeeping of a block takes longer than
// calling two handlers: here little is written down until a handler is pending.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Publish<'m, E> {
    run: Run<'m>,
    /// Taken or dropped when the publish ends, or dropped with it.
    event: ManuallyDrop<E>,
}

// Handlers' panics are caught, and leave nothing of a mediator half-done.
impl<E: UnwindSafe> UnwindSafe for Publish<'_, E> {}

impl<'m, E> Publish<'m, E> {
    #[inline]
    pub(crate) fn new(link: &'m Link, event: E) -> Self {
        Self { run: Run::new(link), event: ManuallyDrop::new(event) }
    }

    /// Where the event is, for what is not compiled for its type.
    #[inline]
    fn event(&mut self) -> NonNull<()> {
        let event = &raw mut self.event;
        // SAFETY: points to a field.
        unsafe { NonNull::new_unchecked(event) }.cast()
    }
}

impl<E: Publishable> Publish<'_, E> {
    const VTABLE: &'static EventVtable = &EventVtable::of::<E>();

    #[cfg(debug_assertions)]
    fn enter(&self) -> super::depth::Nested {
        assert!(!matches!(self.run.stage, Stage::Ended), "a publish was polled again after it had ended");
        super::depth::Nested::enter(self.event.event().event_name())
    }

    /// Polls a publish that is observed, or whose handlers do not run in order.
    ///
    /// # Safety
    ///
    /// `self` is pinned.
    #[inline]
    unsafe fn poll_otherwise(&mut self, cx: &mut Context<'_>) -> Published {
        let event = self.event();
        // SAFETY: guaranteed by the caller; the event is of this type.
        unsafe { self.run.poll_otherwise(event, Self::VTABLE, cx) }
    }

    /// Ends a publish whose handlers ran in order and are not pending any more.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn end(&mut self) -> Published {
        if !self.run.ends_without_error() {
            let event = self.event();
            // SAFETY: the event is of this type.
            return unsafe { self.run.end_with_error(event, Self::VTABLE) };
        }
        // SAFETY: not dropped before, nor used again in this stage; no handler is left.
        unsafe { ManuallyDrop::drop(&mut self.event) };
        Poll::Ready(Ok(()))
    }
}

impl<E: Publishable> Future for Publish<'_, E> {
    type Output = Result<(), PublishError>;

    // Compilers leave this to a function of its own in programs that publish a lot, where a publish
    // to one handler takes a third more instructions. Unoptimized builds are better off with it.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Published {
        // SAFETY: what is in `run`, and the event as long as that borrows it, stay where they are.
        let this = unsafe { self.get_unchecked_mut() };
        #[cfg(debug_assertions)]
        let _nested = this.enter();
        if this.run.seen.is_some() {
            // SAFETY: pinned.
            return unsafe { this.poll_otherwise(cx) };
        }
        let (run, resumes) = match this.run.stage {
            // SAFETY: put there in this stage.
            Stage::InOrder => (unsafe { this.run.room.pending() }, true),
            Stage::New => {
                // SAFETY: the event stays where it is and is only read until the publish has ended, and what borrows it is gone
                // by then.
                match unsafe { this.run.start(NonNull::from(this.event.event())) } {
                    Some(run) => (run, false),
                    // SAFETY: pinned.
                    None => return unsafe { this.poll_otherwise(cx) },
                }
            }
            // SAFETY: pinned.
            _ => return unsafe { this.poll_otherwise(cx) },
        };
        let event = NonNull::from(this.event.event());
        // SAFETY: `self` is pinned; the run was started with this event, and if it resumes, the future at its cursor is in the
        // room.
        match unsafe { this.run.run_in_order(run, resumes, event, cx) } {
            Poll::Ready(()) => this.end(),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<E> Drop for Publish<'_, E> {
    #[inline]
    fn drop(&mut self) {
        if !matches!(self.run.stage, Stage::Ended) {
            let event = self.event();
            // SAFETY: the event is of this type; the publish has not ended, and is not used again.
            unsafe { self.run.cancel(event, drop_event::<E>) };
        }
    }
}

impl<E> fmt::Debug for Publish<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish").finish_non_exhaustive()
    }
}

/// A publish, whatever the type of its event.
///
/// What is under way borrows the event, the mediator and what is lent. All of that outlives a `Run` that has not ended, which is
/// what `'static` stands for here: the event is beside it, it keeps the mediator or borrows a handle that does, and it borrows
/// the scope that lends.
// What is not initialized stands in front, and there is no padding behind it: what is between initialized fields, or between them
// and the event, is copied with them when the publish moves to where it is awaited, by loads that are wider than the stores just
// before and wait for them for longer than a handler may take.
#[repr(C)]
struct Run<'m> {
    room: Room,
    link: &'m Link,
    /// The mediator of a weak handle, until the publish has ended.
    kept: ManuallyDrop<Option<Arc<Core>>>,
    /// Who observes, from the start of the publish until it has ended.
    seen: ManuallyDrop<Option<Seen>>,
    stage: Stage,
    filler: Filler,
}

const _: () = assert!(size_of::<Run<'_>>() == size_of::<Room>() + 4 * size_of::<usize>());

/// What is under way, and what is in the room.
#[repr(usize)]
enum Stage {
    New,
    /// One handler after another; the one at the cursor is pending, and its future is in the room.
    InOrder,
    /// All at once: a group is in the room.
    AtOnce,
    /// By a strategy of the user's, whose run is in the room.
    Custom,
    /// Nothing is under way, and nothing is in the room.
    Stopped,
    /// Every handler has run.
    Done,
    /// An error is in the room.
    Failed,
    /// No handler has started; an error is in the room, and the event is to go with it.
    Refused,
    /// The event is gone.
    Ended,
}

#[derive(Clone, Copy)]
pub(super) struct InOrder {
    handlers: &'static HandlerList,
    /// What the calls of the list take.
    argument: NonNull<()>,
    cursor: Cursor<'static>,
}

// SAFETY: `argument` stands for a reference to the event or the dispatch, which are `Sync`.
unsafe impl Send for InOrder {}
// SAFETY: `argument` stands for a reference to the event or the dispatch, which are `Sync`.
unsafe impl Sync for InOrder {}

impl<'m> Run<'m> {
    #[inline]
    fn new(link: &'m Link) -> Self {
        Self {
            room: Room::empty(),
            link,
            kept: ManuallyDrop::new(None),
            seen: ManuallyDrop::new(None),
            stage: Stage::New,
            filler: Filler::default(),
        }
    }

    /// Finds the handlers. If there are none that are to be run in order, the stage tells what is there instead.
    ///
    /// # Safety
    ///
    /// `self` is new and pinned. The event stays where it is and is not changed until `self` has ended.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn start(&mut self, event: NonNull<dyn DynNotification>) -> Option<InOrder> {
        // SAFETY: guaranteed by the caller.
        #[cfg(debug_assertions)]
        if self.is_too_deep(unsafe { event.as_ref() }) {
            return None;
        }
        let core = match self.link.core() {
            Some(core) => NonNull::from(core),
            // SAFETY: guaranteed by the caller.
            None => self.keep_core(unsafe { event.as_ref() })?,
        };
        // SAFETY: guaranteed by the caller; this publish or its handle keeps the mediator.
        let core: &'static Core = unsafe { core.as_ref() };
        // SAFETY: guaranteed by the caller.
        if core.watch.is_on() && self.see(core, unsafe { event.as_ref() }) {
            return None;
        }
        // SAFETY: guaranteed by the caller.
        let event_type: TypeId = unsafe { event.as_ref() }.type_id();
        let Some(handlers) = core.table.handlers_of(event_type) else {
            self.stage = Stage::Done;
            return None;
        };
        let handlers = Seen::list(&self.seen, handlers);
        let argument = if handlers.is_plain {
            // The calls take the event, which is of their type.
            event.cast()
        } else {
            // SAFETY: guaranteed by the caller; these are the handlers of the event's type.
            unsafe { self.start_otherwise(core, handlers, event) }?
        };
        Some(InOrder { handlers, argument, cursor: handlers.cursor() })
    }

    /// Notes that somebody observes this publish; whether that is new.
    #[cold]
    fn see(&mut self, core: &Core, event: &dyn DynNotification) -> bool {
        let is_new = self.seen.is_none();
        if is_new {
            *self.seen = Seen::of_publish(core, self.link, event);
        }
        is_new
    }

    /// Polls a publish that is observed, or whose handlers do not run in order.
    ///
    /// # Safety
    ///
    /// `self` is pinned; the vtable is of the event's type, which stays where it is until the publish has ended.
    #[inline(never)]
    unsafe fn poll_otherwise(&mut self, event: NonNull<()>, vtable: &EventVtable, cx: &mut Context<'_>) -> Published {
        if self.seen.is_some() {
            // SAFETY: guaranteed by the caller.
            return unsafe { self.poll_seen(event, vtable, cx) };
        }
        match self.poll_strategy(cx) {
            // SAFETY: guaranteed by the caller.
            Poll::Ready(()) => unsafe { self.end(event, vtable) },
            Poll::Pending => Poll::Pending,
        }
    }

    /// Polls a publish that is observed.
    ///
    /// # Safety
    ///
    /// As for [`poll_otherwise`](Self::poll_otherwise).
    #[cold]
    unsafe fn poll_seen(&mut self, event: NonNull<()>, vtable: &EventVtable, cx: &mut Context<'_>) -> Published {
        let seen = Option::clone(&self.seen);
        Seen::keep_event(&seen, vtable);
        // SAFETY: guaranteed by the caller.
        let polled = Seen::poll_publish(&seen, &mut || match unsafe { self.poll_handlers(event, vtable, cx) } {
            // SAFETY: guaranteed by the caller.
            Poll::Ready(()) => unsafe { self.end(event, vtable) },
            Poll::Pending => Poll::Pending,
        });
        if polled.is_ready() {
            self.seen.take();
        }
        polled
    }

    /// Starts a publish that is new, and polls what is under way.
    ///
    /// # Safety
    ///
    /// As for [`poll_otherwise`](Self::poll_otherwise).
    unsafe fn poll_handlers(&mut self, event: NonNull<()>, vtable: &EventVtable, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the event is there and of this type.
        let event = unsafe { (vtable.event)(event) };
        let in_order = match self.stage {
            // SAFETY: put there in this stage.
            Stage::InOrder => Some((unsafe { self.room.pending() }, true)),
            // SAFETY: guaranteed by the caller.
            Stage::New => unsafe { self.start(event) }.map(|run| (run, false)),
            _ => None,
        };
        match in_order {
            // SAFETY: guaranteed by the caller; the run was started with this event.
            Some((run, resumes)) => unsafe { self.run_in_order(run, resumes, event, cx) },
            None => self.poll_strategy(cx),
        }
    }

    /// Ends a publish that is not pending any more.
    ///
    /// # Safety
    ///
    /// The vtable is of the event's type, and the event is not used again.
    unsafe fn end(&mut self, event: NonNull<()>, vtable: &EventVtable) -> Published {
        if !self.ends_without_error() {
            // SAFETY: guaranteed by the caller.
            return unsafe { self.end_with_error(event, vtable) };
        }
        // SAFETY: guaranteed by the caller; no handler is left.
        unsafe { self.drop_unless_recorded(event, vtable.drop) };
        Poll::Ready(Ok(()))
    }

    /// Ends the publish if it is done; whether it is. Its event is left to be dropped.
    #[inline]
    fn ends_without_error(&mut self) -> bool {
        let is_done = matches!(self.stage, Stage::Done);
        if is_done {
            self.stage = Stage::Ended;
            self.release_core();
        }
        is_done
    }

    /// Ends a publish whose handlers failed, or that was refused.
    ///
    /// # Safety
    ///
    /// As for [`end`](Self::end).
    #[cold]
    unsafe fn end_with_error(&mut self, event: NonNull<()>, vtable: &EventVtable) -> Published {
        let refused = match mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Failed => false,
            Stage::Refused => true,
            _ => unreachable!("a publish that is not pending is done or has failed"),
        };
        self.release_core();
        // SAFETY: there is one in these stages, which are over.
        let error = unsafe { self.room.take_error() };
        if refused {
            // SAFETY: guaranteed by the caller; no handler has started.
            let event = unsafe { (vtable.into_box)(event) };
            return Poll::Ready(Err(error.with_unpublished([event])));
        }
        // The error tells what was wrong first; a panic of the event's destructor must not take its place.
        // SAFETY: guaranteed by the caller; no handler is left.
        discarding_panics(|| unsafe { self.drop_unless_recorded(event, vtable.drop) });
        Poll::Ready(Err(error))
    }

    /// Cancels a publish that has not ended.
    ///
    /// # Safety
    ///
    /// `drop` is of the event's type, and the event is not used again.
    #[cold]
    unsafe fn cancel(&mut self, event: NonNull<()>, drop: unsafe fn(NonNull<()>)) {
        let seen = Option::clone(&self.seen);
        Seen::within(&seen, || self.clear());
        if let Some(seen) = &seen {
            seen.cancel();
        }
        self.release_core();
        self.stage = Stage::Ended;
        // SAFETY: guaranteed by the caller; what borrowed the event was dropped.
        unsafe { self.drop_unless_recorded(event, drop) };
        self.seen.take();
    }

    /// Drops the event of a publish that has ended, unless it is recorded.
    ///
    /// # Safety
    ///
    /// As for [`cancel`](Self::cancel); nothing borrows the event any more.
    unsafe fn drop_unless_recorded(&self, event: NonNull<()>, drop: unsafe fn(NonNull<()>)) {
        // SAFETY: guaranteed by the caller.
        if !unsafe { Seen::take(&self.seen, event) } {
            // SAFETY: as before.
            unsafe { drop(event) };
        }
    }

    /// Refuses a publish that is nested too deep.
    #[cfg(debug_assertions)]
    fn is_too_deep(&mut self, event: &dyn DynNotification) -> bool {
        let refused = super::depth::check(event.event_name()).err();
        let refused = refused.map(|reason| PublishError::new(PublishErrorKind::TooDeep, event).with_reason(reason));
        refused.map(|error| self.refuse(error)).is_some()
    }

    /// The mediator of a weak handle, kept until the publish has ended; `None` if it is gone.
    #[inline(never)]
    fn keep_core(&mut self, event: &dyn DynNotification) -> Option<NonNull<Core>> {
        *self.kept = self.link.upgrade();
        let core = self.kept.as_deref().map(NonNull::from);
        if core.is_none() {
            self.refuse(PublishError::mediator_dropped(event));
        }
        core
    }

    /// Puts into the room what handlers that borrow are called with, if they can borrow it, or starts a strategy.
    ///
    /// # Safety
    ///
    /// As for [`start`](Self::start); the mediator outlives what is under way, and the handlers are those of the event's type.
    #[inline(never)]
    unsafe fn start_otherwise(
        &mut self,
        core: &'static Core,
        handlers: &'static HandlerList,
        event: NonNull<dyn DynNotification>,
    ) -> Option<NonNull<()>> {
        if !matches!(handlers.strategy, Strategy::InOrder) {
            // SAFETY: guaranteed by the caller.
            unsafe { self.start_strategy(core, handlers, event) };
            return None;
        }
        // SAFETY: guaranteed by the caller.
        let dispatch = unsafe { self.put_dispatch(core, handlers, event, false, Room::SIZE) };
        match dispatch.check_borrows() {
            Ok(()) => Some(NonNull::from(dispatch).cast()),
            Err(error) => {
                self.refuse(error);
                None
            }
        }
    }

    /// Starts a strategy.
    ///
    /// # Safety
    ///
    /// As for [`start_otherwise`](Self::start_otherwise).
    #[inline(never)]
    unsafe fn start_strategy(
        &mut self,
        core: &'static Core,
        handlers: &'static HandlerList,
        event: NonNull<dyn DynNotification>,
    ) {
        // SAFETY: guaranteed by the caller.
        let dispatch =
            unsafe { self.put_dispatch(core, handlers, event, handlers.strategy.is_concurrent(), Storage::SIZE) };
        if let Err(error) = dispatch.check_borrows() {
            return self.refuse(error);
        }
        match &handlers.strategy {
            Strategy::InOrder => unreachable!("handlers that run in order have no strategy to start"),
            Strategy::AtOnce { stop_on_failure } => {
                self.room.put_group(Group::new(dispatch, *stop_on_failure));
                self.stage = Stage::AtOnce;
            }
            Strategy::Custom(strategy) => {
                // If this panics, it is not to be called again.
                self.stage = Stage::Stopped;
                self.room.put_custom(strategy.run(dispatch));
                self.stage = Stage::Custom;
            }
        }
    }

    /// Puts a dispatch into the room.
    ///
    /// # Safety
    ///
    /// As for [`start_otherwise`](Self::start_otherwise).
    #[inline(always)]
    unsafe fn put_dispatch(
        &mut self,
        core: &'static Core,
        handlers: &'static HandlerList,
        event: NonNull<dyn DynNotification>,
        is_concurrent: bool,
        room: u32,
    ) -> &'static Dispatch<'static> {
        // SAFETY: borrowed from `link`, and so outlives `self`.
        let lender = unsafe { mem::transmute::<Lender<'_>, Lender<'static>>(self.link.lender()) };
        // SAFETY: guaranteed by the caller.
        let event: &'static dyn DynNotification = unsafe { event.as_ref() };
        // SAFETY: kept by `self` until nothing is under way any more.
        let reports = unsafe { mem::transmute::<Reports<'_>, Reports<'static>>(Reports::to(&self.seen)) };
        let dispatch = Dispatch::new(core, handlers, Message::Event(event), lender, is_concurrent, room);
        let dispatch = dispatch.reporting(reports);
        // SAFETY: pinned with `self`, and the only one.
        unsafe { self.room.put_dispatch(dispatch) }
    }

    /// Runs the handlers from the cursor on; `resumes` if the future of the one at the cursor is in the room.
    ///
    /// # Safety
    ///
    /// `self` is pinned, and the argument is what the calls take, both until this is ready. Without `resumes` no future is in
    /// the room.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_order(
        &mut self,
        run: InOrder,
        resumes: bool,
        event: NonNull<dyn DynNotification>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let InOrder { argument, mut cursor, .. } = run;
        let future = self.room.future();
        // Caught once for all handlers: `cursor` tells whose panic it was.
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let mut resumes = resumes;
            loop {
                // SAFETY: not at the end, since a list has handlers.
                let call = unsafe { cursor.call() };
                let polled = if resumes {
                    // SAFETY: the room holds the future of this call, pinned with `self`.
                    unsafe { call.poll(future, cx) }
                } else {
                    // SAFETY: the argument is what the call takes, and outlives the future. The room is pinned, and no future
                    // is in it.
                    unsafe { call.start(argument, future, cx) }
                };
                let Polled::Done = polled else { return polled };
                resumes = false;
                // SAFETY: not at the end.
                unsafe { cursor.advance() };
                if cursor.is_at_end() {
                    return Polled::Done;
                }
            }
        }));
        match caught {
            Ok(Polled::Done) => self.finish(),
            Ok(Polled::Pending) => {
                self.room.put_pending(InOrder { cursor, ..run });
                self.stage = Stage::InOrder;
                Poll::Pending
            }
            // SAFETY: guaranteed by the caller.
            Ok(Polled::Failed(error)) => unsafe { self.fail(InOrder { cursor, ..run }, Ok(error), event) },
            // SAFETY: guaranteed by the caller.
            Err(panic) => unsafe { self.fail(InOrder { cursor, ..run }, Err(panic), event) },
        }
    }

    #[inline]
    fn finish(&mut self) -> Poll<()> {
        self.stage = Stage::Done;
        Poll::Ready(())
    }

    /// Ends the publish with the failure of the handler at the cursor.
    ///
    /// # Safety
    ///
    /// The event can be read.
    #[cold]
    unsafe fn fail(&mut self, run: InOrder, caught: Caught, event: NonNull<dyn DynNotification>) -> Poll<()> {
        self.stage = Stage::Stopped;
        let index = run.handlers.index_of(run.cursor);
        let infos = run.handlers.infos();
        // SAFETY: guaranteed by the caller.
        let error = PublishError::new(PublishErrorKind::Handlers, unsafe { event.as_ref() })
            .with_failures([HandlerFailure::new(infos[index], caught)])
            .with_not_run(infos[index + 1..].iter().copied());
        self.room.put_error(error);
        self.stage = Stage::Failed;
        Poll::Ready(())
    }

    #[cold]
    fn refuse(&mut self, error: PublishError) {
        self.room.put_error(error);
        self.stage = Stage::Refused;
    }

    /// Polls a strategy, if there is one; when it is ready, the stage is `Done`, `Failed` or `Refused`.
    ///
    /// # Panics
    ///
    /// If the publish has ended.
    #[inline(never)]
    fn poll_strategy(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if matches!(self.stage, Stage::Done | Stage::Refused) {
            return Poll::Ready(());
        }
        let is_under_way = matches!(self.stage, Stage::AtOnce | Stage::Custom);
        assert!(is_under_way, "a publish was polled again after it had ended");
        let polled = catch_unwind(AssertUnwindSafe(|| match self.stage {
            Stage::AtOnce => {
                // SAFETY: a group is there in this stage, and `self` is pinned.
                let (group, slots) = unsafe { self.room.group() };
                group.poll(slots, cx)
            }
            // SAFETY: a run is there in the only other stage that this is called in.
            _ => unsafe { self.room.custom() }.poll(cx),
        }));
        if let Ok(Poll::Pending) = polled {
            return Poll::Pending;
        }
        self.clear();
        match polled.unwrap_or_else(|panic| resume_unwind(panic)) {
            Poll::Ready(Err(error)) if error.is_refusal() => self.refuse(error),
            Poll::Ready(Err(error)) => {
                self.room.put_error(error);
                self.stage = Stage::Failed;
            }
            _ => self.stage = Stage::Done,
        }
        Poll::Ready(())
    }

    /// Lets the mediator go, which may drop it: not while a function that was given a reference to a part of it is running.
    #[inline]
    fn release_core(&mut self) {
        if self.kept.is_some() {
            self.release_kept_core();
        }
    }

    #[cold]
    fn release_kept_core(&mut self) {
        let core = self.kept.take();
        discarding_panics(|| drop(core));
    }

    /// Drops what is in the room.
    fn clear(&mut self) {
        match mem::replace(&mut self.stage, Stage::Stopped) {
            Stage::InOrder => {
                // SAFETY: put there in this stage.
                let run = unsafe { self.room.pending() };
                let future = self.room.future();
                // SAFETY: not at the end, since the call is pending.
                let call = unsafe { run.cursor.call() };
                // SAFETY: the room holds the future of this call.
                unsafe { call.drop_future(future) }.unwrap_or_else(discard_panic);
            }
            // SAFETY: a group is there in this stage, which is over.
            Stage::AtOnce => discarding_panics(|| unsafe { self.room.drop_group() }),
            // SAFETY: a run is there in this stage, which is over.
            Stage::Custom => discarding_panics(|| unsafe { self.room.drop_custom() }),
            // SAFETY: an error is there in these stages, which are over.
            Stage::Failed | Stage::Refused => drop(unsafe { self.room.take_error() }),
            Stage::New | Stage::Stopped | Stage::Done | Stage::Ended => {}
        }
    }
}

/// Runs the handlers of a dispatch one after another, for a strategy that was given it.
pub(crate) struct RunInOrder<'a> {
    run: Run<'a>,
    dispatch: &'a Dispatch<'a>,
}

impl<'a> RunInOrder<'a> {
    pub(crate) fn new(dispatch: &'a Dispatch<'a>) -> Self {
        Self { run: Run::new(&dispatch.link), dispatch }
    }
}

impl Future for RunInOrder<'_> {
    type Output = Result<(), PublishError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Published {
        // SAFETY: what is in `run` stays where it is.
        let this = unsafe { self.get_unchecked_mut() };
        let event = NonNull::from(this.dispatch.event());
        assert!(!matches!(this.run.stage, Stage::Ended), "a publish was polled again after it had ended");
        let (run, resumes) = match this.run.stage {
            // SAFETY: put there in this stage.
            Stage::InOrder => (unsafe { this.run.room.pending() }, true),
            _ => {
                let handlers = NonNull::from(this.dispatch.list());
                // SAFETY: used only in `run`, which borrows the dispatch, and with it the list, for longer.
                let handlers: &'static HandlerList = unsafe { handlers.as_ref() };
                (InOrder { handlers, argument: this.dispatch.argument(), cursor: handlers.cursor() }, false)
            }
        };
        // SAFETY: the argument is what the calls of the list take, borrowed for longer than `self`, which is pinned. If it
        // resumes, the future at the cursor is in the room.
        let polled = unsafe { this.run.run_in_order(run, resumes, event, cx) };
        polled.map(|()| match mem::replace(&mut this.run.stage, Stage::Ended) {
            // SAFETY: an error is there in this stage, which is over.
            Stage::Failed => Err(unsafe { this.run.room.take_error() }),
            _ => Ok(()),
        })
    }
}

impl Drop for RunInOrder<'_> {
    fn drop(&mut self) {
        self.run.clear();
    }
}
