//! The future behind `Mediator::publish`.

use std::any::TypeId;
use std::fmt;
use std::mem::{self, ManuallyDrop, MaybeUninit};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use super::call::Polled;
use super::slot::{Slots, Storage};
use super::table::{Cursor, Dispatch};
use crate::event_publisher::{BoxedPublish, Kind};
use crate::group::Group;
use crate::mediator::{Link, Shared};
use crate::publish_error::{Caught, discard_panic, discarding_panics};
use crate::{Deliveries, DynNotification, HandlerFailure, Notification, PublishError};

type Published = Poll<Result<(), PublishError>>;

/// What a publish carries: an event, or a box with one.
///
/// # Safety
///
/// `event_type` is the type of the event that `event` points to. As long as `self` stays where it is
/// and is not changed, so does the event, and it may be read.
#[doc(hidden)]
pub unsafe trait Carried: Send {
    fn event(&self) -> NonNull<()>;
    fn event_type(&self) -> TypeId;
    fn into_box(self) -> Box<dyn DynNotification>;
}

// SAFETY: the event itself.
unsafe impl<E: Notification> Carried for E {
    #[inline]
    fn event(&self) -> NonNull<()> {
        NonNull::from(self).cast()
    }

    #[inline]
    fn event_type(&self) -> TypeId {
        TypeId::of::<E>()
    }

    fn into_box(self) -> Box<dyn DynNotification> {
        Box::new(self)
    }
}

// SAFETY: the event in the box.
unsafe impl Carried for Box<dyn DynNotification> {
    fn event(&self) -> NonNull<()> {
        NonNull::from(&**self).cast()
    }

    fn event_type(&self) -> TypeId {
        (**self).type_id()
    }

    fn into_box(self) -> Self {
        self
    }
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
    /// Dropped when the publish ends, or with it, or given back.
    event: ManuallyDrop<E>,
}

impl<'m, E> Publish<'m, E> {
    #[inline]
    pub(crate) fn new(link: &'m Link, event: E) -> Self {
        let mediator = ManuallyDrop::new(None);
        Self {
            run: Run { room: MaybeUninit::uninit(), link, stage: Stage::New, mediator },
            event: ManuallyDrop::new(event),
        }
    }

    /// Drops the event of a publish that has run to its end.
    ///
    /// # Safety
    ///
    /// To be called once, in the stage `Ended` or `Failed`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn end(&mut self) -> Published {
        if let Stage::Failed = self.run.stage {
            // SAFETY: in this stage; for the rest see the caller.
            return unsafe { self.end_with_error() };
        }
        // SAFETY: nothing borrows the event any more, and it is dropped only here.
        unsafe { ManuallyDrop::drop(&mut self.event) };
        Poll::Ready(Ok(()))
    }

    /// # Safety
    ///
    /// As for [`end`](Self::end), in the stage `Failed`.
    #[cold]
    unsafe fn end_with_error(&mut self) -> Published {
        self.run.stage = Stage::Ended;
        // SAFETY: set in the stage before.
        let error = unsafe { &mut self.run.room.assume_init_mut().error };
        // SAFETY: it was in that stage for the last time.
        let error = unsafe { ManuallyDrop::take(error) };
        // SAFETY: nothing borrows the event any more, and it is dropped only here.
        unsafe { ManuallyDrop::drop(&mut self.event) };
        Poll::Ready(Err(error))
    }

    #[cold]
    fn cancel(&mut self) {
        self.run.clear();
        self.run.stage = Stage::Ended;
        // SAFETY: nothing borrows the event any more, and it is dropped only here: the publish had
        // not ended before.
        unsafe { ManuallyDrop::drop(&mut self.event) };
    }
}

impl<E: Carried> Publish<'_, E> {
    /// Ends a publish because there is no mediator any more.
    ///
    /// # Safety
    ///
    /// The publish is new.
    #[cold]
    unsafe fn give_back(&mut self) -> Published {
        self.run.stage = Stage::Ended;
        // SAFETY: a new publish has its event; from now on that is nobody's to drop.
        let event = unsafe { ManuallyDrop::take(&mut self.event) };
        Poll::Ready(Err(PublishError::mediator_dropped(event.into_box())))
    }
}

impl<E: Carried> Future for Publish<'_, E> {
    type Output = Result<(), PublishError>;

    // Compilers leave this to a function of its own in programs that publish a lot, where a publish
    // to one handler takes a third more instructions. Unoptimized builds are better off with it.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Published {
        // SAFETY: what is in `run`, and the event as long as that borrows it, stay where they are.
        let this = unsafe { self.get_unchecked_mut() };
        let fresh = matches!(this.run.stage, Stage::New);
        if fresh {
            let event = this.event.event();
            match this.run.link {
                // SAFETY: new and pinned; see `Carried` for the event's type. `self` cannot outlive
                // the mediator, and ends `run` before it drops the event.
                Link::Owner(mediator) => unsafe {
                    this.run.start(NonNull::from(&**mediator), event, this.event.event_type());
                },
                Link::Member(mediator) => {
                    // SAFETY: as above, but for the mediator.
                    if unsafe { this.run.start_as_member(mediator, event, this.event.event_type()) }.is_none() {
                        // SAFETY: still new.
                        return unsafe { this.give_back() };
                    }
                }
            }
            if let Stage::Ended = this.run.stage {
                // SAFETY: for the first time.
                return unsafe { this.end() };
            }
        }
        match this.run.poll(fresh, cx) {
            // SAFETY: for the first time, since `Run::poll` panics when it is called again.
            Poll::Ready(()) => unsafe { this.end() },
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<E> Drop for Publish<'_, E> {
    #[inline]
    fn drop(&mut self) {
        if !matches!(self.run.stage, Stage::Ended) {
            self.cancel();
        }
    }
}

impl<E> fmt::Debug for Publish<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish").finish_non_exhaustive()
    }
}

/// How far a publish has come; the same for all types of events.
///
/// What is in it borrows the event and the mediator. Both live longer than a `Run` that is not
/// ended, which is what `'static` stands for here: see [`Run::start`].
// In this order: compilers write zeros to all of `room` when the field behind it starts as a
// constant.
#[repr(C)]
struct Run<'m> {
    room: MaybeUninit<Room>,
    link: &'m Link,
    stage: Stage,
    /// Kept alive by this publish until it ends.
    mediator: ManuallyDrop<Option<Arc<Shared>>>,
}

/// What is under way, and what `room` is used for.
enum Stage {
    New,
    /// One handler after another, as [`SequentialEventPublisher`](crate::SequentialEventPublisher)
    /// has it.
    InOrder {
        dispatch: Dispatch<'static>,
        /// At the call whose future is `room.future`; from [`Run::start`] until [`Run::poll`] has
        /// polled for the first time, at the first call, without a future. Nothing may come between
        /// the two.
        cursor: Cursor<'static>,
    },
    /// All at once, as [`GroupEventPublisher`](crate::GroupEventPublisher) has it: `room.group` is set.
    Group,
    /// As the user has it: `room.custom` is set.
    Custom,
    /// Nothing is pending any more; what comes of it is still to be said.
    Stopped,
    /// The same, and `room.error` is set, for [`Publish::end`] to take.
    Failed,
    /// Over: the event is gone, or is being dropped.
    Ended,
}

union Room {
    future: ManuallyDrop<Storage>,
    group: ManuallyDrop<(Group<'static>, Slots<'static>)>,
    custom: ManuallyDrop<BoxedPublish<'static>>,
    error: ManuallyDrop<PublishError>,
}

impl Room {
    #[inline]
    fn future(room: &mut MaybeUninit<Self>) -> NonNull<Storage> {
        // SAFETY: within the room.
        let future = unsafe { &raw mut (*room.as_mut_ptr()).future };
        // SAFETY: part of a reference's target, so it is not null.
        unsafe { NonNull::new_unchecked(future.cast()) }
    }
}

impl Run<'_> {
    /// Looks the handlers up, for [`poll`](Self::poll) to run them; without any the publish has ended.
    ///
    /// # Safety
    ///
    /// `self` is new and pinned. The event is of type `event_type`. The event and the mediator stay
    /// where they are and are not changed until `self` has ended.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn start(&mut self, mediator: NonNull<Shared>, event: NonNull<()>, event_type: TypeId) {
        // SAFETY: only used in `self`, until it has ended, and by strategies that are written for any
        // lifetime, so that they cannot keep it for longer.
        let mediator: &'static Shared = unsafe { mediator.as_ref() };
        let Some(handlers) = mediator.table.handlers_of(event_type) else {
            self.stage = Stage::Ended;
            return;
        };
        // SAFETY: these are the handlers of the event's type, and it is borrowed until `self` has
        // ended.
        let dispatch = unsafe { Dispatch::new(handlers, event) };
        match mediator.strategy.0 {
            // For `poll` to go on with at once.
            Kind::Sequential => {
                self.stage = Stage::InOrder { dispatch, cursor: dispatch.cursor() };
            }
            Kind::Group | Kind::Custom(_) => self.start_other(&mediator.strategy.0, dispatch),
        }
    }

    /// Starts by way of a handle that does not keep the mediator alive; `None` if it is gone.
    ///
    /// # Safety
    ///
    /// As for [`start`](Self::start), but for the mediator.
    #[cold]
    unsafe fn start_as_member(
        &mut self,
        mediator: &Weak<Shared>,
        event: NonNull<()>,
        event_type: TypeId,
    ) -> Option<()> {
        let mediator = &*self.mediator.insert(mediator.upgrade()?);
        let mediator = NonNull::from(&**mediator);
        // SAFETY: guaranteed by the caller, and `self` keeps the mediator until it has ended.
        unsafe { self.start(mediator, event, event_type) };
        if let Stage::Ended = self.stage {
            self.release_mediator();
        }
        Some(())
    }

    #[cold]
    fn start_other(&mut self, strategy: &'static Kind, dispatch: Dispatch<'static>) {
        if let Kind::Custom(strategy) = strategy {
            // If this panics, it is not to be called again.
            self.stage = Stage::Stopped;
            let custom = strategy.publish_boxed(Deliveries::new(dispatch));
            self.room.write(Room { custom: ManuallyDrop::new(custom) });
            self.stage = Stage::Custom;
            return;
        }
        let room = self.room.as_mut_ptr();
        // SAFETY: within `room`.
        let group = unsafe { &raw mut (*room).group }.cast::<(Group<'_>, Slots<'_>)>();
        // SAFETY: within `room`.
        let slots = unsafe { &raw mut (*group).1 };
        // SAFETY: memory for slots.
        unsafe { Slots::init(slots) };
        // SAFETY: within `room`.
        let group = unsafe { &raw mut (*group).0 };
        // SAFETY: memory for a group.
        unsafe { group.write(Group::new(dispatch)) };
        self.stage = Stage::Group;
    }

    /// Polls the handlers. When it is ready, the stage is `Ended` or `Failed`.
    ///
    /// `fresh` if it was started just now: in order, no future is in the room yet. Told by the caller,
    /// because each wake would have to write it down otherwise.
    ///
    /// # Panics
    ///
    /// If the publish has ended before.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn poll(&mut self, fresh: bool, cx: &mut Context<'_>) -> Poll<()> {
        let Stage::InOrder { dispatch, cursor } = &mut self.stage else { return self.poll_other(cx) };
        let future = Room::future(&mut self.room);
        let mut current = *cursor;
        // Caught once for all handlers: `current` tells whose panic it was.
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let mut pending = !fresh;
            loop {
                // SAFETY: not at the end: there is one call at least.
                let call = unsafe { current.call() };
                let polled = if pending {
                    // SAFETY: the room holds the future of this call, pinned with `self`.
                    unsafe { call.poll(future, cx) }
                } else {
                    // SAFETY: the call is for this event, and both live until `self` has ended.
                    // There is room for the future, pinned with `self`, and none in it.
                    unsafe { call.start(dispatch.erased_event(), future, cx) }
                };
                let Polled::Done = polled else { return polled };
                pending = false;
                // SAFETY: not at the end.
                unsafe { current.advance() };
                if current.is_at_end() {
                    return Polled::Done;
                }
            }
        }));
        match caught {
            Ok(Polled::Done) => {
                self.stage = Stage::Ended;
                if self.mediator.is_some() {
                    self.release_mediator();
                }
                Poll::Ready(())
            }
            Ok(Polled::Pending) => {
                *cursor = current;
                Poll::Pending
            }
            Ok(Polled::Failed(error)) => self.fail(current, Ok(error)),
            Err(panic) => self.fail(current, Err(panic)),
        }
    }

    #[cold]
    fn poll_other(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (Stage::Group | Stage::Custom) = self.stage else {
            panic!("a publish was polled again after it had ended");
        };
        let polled = catch_unwind(AssertUnwindSafe(|| {
            if let Stage::Group = self.stage {
                // SAFETY: set in this stage.
                let (group, slots) = unsafe { &mut *self.room.assume_init_mut().group };
                // SAFETY: pinned with `self`.
                group.poll(unsafe { Pin::new_unchecked(slots) }, cx)
            } else {
                // SAFETY: set in this stage.
                let custom = unsafe { &mut self.room.assume_init_mut().custom };
                custom.as_mut().poll(cx)
            }
        }));
        if let Ok(Poll::Pending) = polled {
            return Poll::Pending;
        }
        self.clear();
        match polled.unwrap_or_else(|panic| resume_unwind(panic)) {
            Poll::Ready(Err(error)) => self.keep_error(error),
            _ => self.stage = Stage::Ended,
        }
        Poll::Ready(())
    }

    /// Ends the publish with the failure of the handler at `current`.
    #[cold]
    fn fail(&mut self, current: Cursor<'static>, caught: Caught) -> Poll<()> {
        let Stage::InOrder { dispatch, .. } = mem::replace(&mut self.stage, Stage::Stopped) else {
            unreachable!("the handlers run in order")
        };
        let index = dispatch.index_of(current);
        let (handler, not_run) = (dispatch.handlers()[index], &dispatch.handlers()[index + 1..]);
        let error = PublishError::new(dispatch.event())
            .with_failures([HandlerFailure::new(handler, caught)])
            .with_not_run(not_run.iter().copied());
        self.release_mediator();
        self.keep_error(error);
        Poll::Ready(())
    }

    fn keep_error(&mut self, error: PublishError) {
        self.room.write(Room { error: ManuallyDrop::new(error) });
        self.stage = Stage::Failed;
    }

    #[cold]
    fn release_mediator(&mut self) {
        let mediator = self.mediator.take();
        discarding_panics(|| drop(mediator));
    }

    /// Drops what is pending.
    fn clear(&mut self) {
        match mem::replace(&mut self.stage, Stage::Stopped) {
            Stage::InOrder { cursor, .. } => {
                let future = Room::future(&mut self.room);
                // SAFETY: not at the end: the call is pending.
                let call = unsafe { cursor.call() };
                // SAFETY: the room holds the future of this call.
                let dropped = unsafe { call.drop_future(future) };
                dropped.unwrap_or_else(discard_panic);
            }
            Stage::Group => {
                // SAFETY: set in this stage.
                let group = unsafe { &mut self.room.assume_init_mut().group };
                // SAFETY: it was in this stage for the last time.
                discarding_panics(|| unsafe { ManuallyDrop::drop(group) });
            }
            Stage::Custom => {
                // SAFETY: set in this stage.
                let custom = unsafe { &mut self.room.assume_init_mut().custom };
                // SAFETY: it was in this stage for the last time.
                discarding_panics(|| unsafe { ManuallyDrop::drop(custom) });
            }
            Stage::New | Stage::Stopped | Stage::Failed | Stage::Ended => {}
        }
        self.release_mediator();
    }
}
