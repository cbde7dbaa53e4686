//! The future behind `Mediator::publish`.

use std::any::TypeId;
use std::fmt;
use std::mem::{self, ManuallyDrop, MaybeUninit};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::thread;

use super::call::Polled;
use super::slot::{Slots, Storage};
use super::table::{Call, Dispatch};
use crate::event_publisher::{BoxedPublish, Kind};
use crate::group::Group;
use crate::mediator::{Link, Shared};
use crate::publish_error::{Caught, discard_panic};
use crate::{Deliveries, DynNotification, HandlerFailure, Notification, PublishError};

type Published = Poll<Result<(), PublishError>>;

/// What a publish carries: an event, or a box with one.
///
/// # Safety
///
/// `event_type` is the type of the event behind `event`, which is always the same one.
#[doc(hidden)]
pub unsafe trait Carried: Send {
    fn event(&self) -> &dyn DynNotification;
    fn event_type(&self) -> TypeId;
    fn into_box(self) -> Box<dyn DynNotification>;
}

// SAFETY: the event itself.
unsafe impl<E: Notification> Carried for E {
    #[inline]
    fn event(&self) -> &dyn DynNotification {
        self
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
    fn event(&self) -> &dyn DynNotification {
        &**self
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
// calling two handlers: here next to nothing is written down until a handler is pending, and what
// depends on the type of the event is so little that it goes into the function that awaits the
// publish.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Publish<'m, E> {
    run: Run<'m>,
    /// Dropped when the publish ends, or with it, or given back.
    event: ManuallyDrop<E>,
}

impl<'m, E: Carried> Publish<'m, E> {
    #[inline]
    pub(crate) fn new(link: &'m Link, event: E) -> Self {
        let mediator = ManuallyDrop::new(None);
        // If all of it were constant, compilers would write zeros to all of `room`.
        let run = Run { link, stage: Stage::New, progress: None, room: MaybeUninit::uninit(), mediator };
        Self { run, event: ManuallyDrop::new(event) }
    }

    /// # Safety
    ///
    /// The publish is new and pinned. The mediator lives until the publish has ended or is dropped.
    #[inline]
    unsafe fn start(&mut self, mediator: NonNull<Shared>, cx: &mut Context<'_>) -> Published {
        // SAFETY: see `Carried` for the event's type. The event is pinned, and dropped after what is
        // in `run`; the rest is guaranteed by the caller.
        let polled = unsafe { self.run.start(mediator, self.event.event(), self.event.event_type(), cx) };
        // SAFETY: nothing was done to the event but in `run`.
        unsafe { self.drop_event_after(polled) }
    }

    /// Starts by way of a handle that does not keep the mediator alive.
    ///
    /// # Safety
    ///
    /// The publish is new and pinned.
    #[inline(never)]
    unsafe fn start_as_member(&mut self, mediator: &Weak<Shared>, cx: &mut Context<'_>) -> Published {
        let Some(mediator) = mediator.upgrade() else {
            self.run.stage = Stage::Ended;
            // SAFETY: the stage says that it is gone.
            let event = unsafe { ManuallyDrop::take(&mut self.event) };
            return Poll::Ready(Err(PublishError::mediator_dropped(event.into_box())));
        };
        let shared = NonNull::from(&*mediator);
        *self.run.mediator = Some(mediator);
        // SAFETY: `run` holds the mediator now; the rest is guaranteed by the caller.
        let polled = unsafe { self.start(shared, cx) };
        if polled.is_ready() {
            *self.run.mediator = None;
        }
        polled
    }

    /// # Safety
    ///
    /// The publish had not ended before it was polled, with `polled` as the result.
    #[inline]
    unsafe fn drop_event_after(&mut self, polled: Published) -> Published {
        if polled.is_ready() {
            // SAFETY: the publish has just ended, so the event is still there, and for the last time.
            unsafe { ManuallyDrop::drop(&mut self.event) };
        }
        polled
    }
}

impl<E: Carried> Future for Publish<'_, E> {
    type Output = Result<(), PublishError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Published {
        // SAFETY: what is in `run`, and the event as long as that borrows it, stay where they are.
        let this = unsafe { self.get_unchecked_mut() };
        if this.run.stage != Stage::New {
            let polled = this.run.resume(cx);
            // SAFETY: otherwise `resume` had panicked.
            return unsafe { this.drop_event_after(polled) };
        }
        match this.run.link {
            // SAFETY: new, pinned, and the mediator is borrowed for longer than `self` can live.
            Link::Owner(mediator) => unsafe { this.start(NonNull::from(&**mediator), cx) },
            // SAFETY: new and pinned.
            Link::Member(mediator) => unsafe { this.start_as_member(mediator, cx) },
        }
    }
}

impl<E> Publish<'_, E> {
    #[cold]
    fn cancel(&mut self) {
        self.run.clear();
        // SAFETY: the publish had not ended, so the event is still there; now it has.
        unsafe { ManuallyDrop::drop(&mut self.event) };
    }
}

impl<E> Drop for Publish<'_, E> {
    #[inline]
    fn drop(&mut self) {
        if self.run.stage != Stage::Ended {
            self.cancel();
        }
    }
}

impl<E> fmt::Debug for Publish<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publish").finish_non_exhaustive()
    }
}

const POLLED_AGAIN: &str = "a publish was polled again after it had ended";

/// How far a publish has come; the same for all types of events.
///
/// What is in it borrows the event and the mediator. Both live longer than a `Run` that is not
/// ended, which is what `'static` stands for here: see [`Run::start`].
struct Run<'m> {
    link: &'m Link,
    stage: Stage,
    /// Set from the start, if there are handlers.
    progress: Option<Progress>,
    room: MaybeUninit<Room>,
    /// Kept alive by this publish until it ends.
    mediator: ManuallyDrop<Option<Arc<Shared>>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    New,
    Ended,
    /// `room.future` is the one of the current handler.
    InOrder,
    /// `room.group` is set.
    Group,
    /// `room.custom` is set.
    Custom,
}

#[derive(Clone, Copy)]
struct Progress {
    dispatch: Dispatch<'static>,
    /// One of the calls in `dispatch`.
    current: &'static Call,
}

/// What is kept while handlers are pending.
union Room {
    /// One handler after another, as [`SequentialEventPublisher`](crate::SequentialEventPublisher)
    /// has it: the future of the current one.
    future: ManuallyDrop<Storage>,
    /// All at once, as [`GroupEventPublisher`](crate::GroupEventPublisher) has it.
    group: ManuallyDrop<(Group<'static>, Slots<'static>)>,
    /// As the user has it.
    custom: ManuallyDrop<BoxedPublish<'static>>,
}

impl Run<'_> {
    /// Starts the handlers, as the mediator's strategy has it.
    ///
    /// # Safety
    ///
    /// `self` is new and pinned. `event` is of type `event_type`. The event and the mediator stay
    /// where they are and are not changed until `self` has ended.
    #[inline(never)]
    unsafe fn start(
        &mut self,
        mediator: NonNull<Shared>,
        event: &dyn DynNotification,
        event_type: TypeId,
        cx: &mut Context<'_>,
    ) -> Published {
        // SAFETY: only used in `self`, until it has ended.
        let mediator: &'static Shared = unsafe { mediator.as_ref() };
        // SAFETY: only used in `self`, until it has ended.
        let event: &'static dyn DynNotification = unsafe { &*ptr::from_ref(event) };
        let dispatch = mediator.table.lookup(event_type, event);
        let [first, ..] = dispatch.calls() else {
            self.stage = Stage::Ended;
            return Poll::Ready(Ok(()));
        };
        if !matches!(mediator.strategy.0, Kind::Sequential) {
            return self.start_other(mediator, event, event_type, cx);
        }
        self.progress = Some(Progress { dispatch, current: first });
        let future = self.future();
        let Range { start: mut current, end } = dispatch.calls().as_ptr_range();
        // Caught once for all handlers: `current` tells whose panic it was.
        let caught = catch_unwind(AssertUnwindSafe(|| {
            while current != end {
                // SAFETY: before the end it is one of the calls.
                let call = unsafe { &*current };
                // SAFETY: the call is for this event, and both live until `self` has ended. There is
                // room for the future, pinned with `self`, and none in it; while it is pending,
                // nothing else is put there.
                match unsafe { call.start(NonNull::from(event).cast(), future, cx) } {
                    // SAFETY: to the end at most.
                    Polled::Done => current = unsafe { current.add(1) },
                    not_done => return not_done,
                }
            }
            Polled::Done
        }));
        // SAFETY: the loop stopped at the call that is not done.
        unsafe { self.settle(caught, current) }
    }

    /// Goes on after a wake.
    ///
    /// # Panics
    ///
    /// If the publish has ended.
    #[inline(never)]
    fn resume(&mut self, cx: &mut Context<'_>) -> Published {
        let Progress { dispatch, current } = match (self.stage, self.progress) {
            (Stage::InOrder, Some(progress)) => progress,
            _ => return self.resume_other(cx),
        };
        let future = self.future();
        let event = NonNull::from(dispatch.event()).cast();
        let (mut current, end) = (ptr::from_ref(current), dispatch.calls().as_ptr_range().end);
        let caught = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: one of the calls.
            let call = unsafe { &*current };
            // SAFETY: in this stage there is a future of the current call, pinned with `self`.
            let mut polled = unsafe { call.poll(future, cx) };
            while let Polled::Done = polled {
                // SAFETY: to the end at most.
                current = unsafe { current.add(1) };
                if current == end {
                    break;
                }
                // SAFETY: before the end it is one of the calls.
                let call = unsafe { &*current };
                // SAFETY: as in `start`; the future that was there has been dropped.
                polled = unsafe { call.start(event, future, cx) };
            }
            polled
        }));
        // SAFETY: the loop stopped at the call that is not done.
        let polled = unsafe { self.settle(caught, current) };
        if polled.is_ready() {
            *self.mediator = None;
        }
        polled
    }

    /// Where the handlers' futures are kept, one after another.
    #[inline]
    fn future(&mut self) -> NonNull<Storage> {
        // SAFETY: within `room`.
        let future = unsafe { &raw mut (*self.room.as_mut_ptr()).future };
        // SAFETY: part of `self`, so it is not null.
        unsafe { NonNull::new_unchecked(future.cast()) }
    }

    /// Ends a pass over the handlers, which got as far as the `current` one.
    ///
    /// # Safety
    ///
    /// Unless all handlers are done, `current` is one of the calls in `progress`; if it is pending,
    /// `room.future` is its future.
    #[inline]
    unsafe fn settle(&mut self, caught: thread::Result<Polled>, current: *const Call) -> Published {
        let caught = match caught {
            Ok(Polled::Done) => {
                self.stage = Stage::Ended;
                return Poll::Ready(Ok(()));
            }
            Ok(Polled::Pending) => None,
            Ok(Polled::Failed(error)) => Some(Ok(error)),
            Err(panic) => Some(Err(panic)),
        };
        if let Some(progress) = &mut self.progress {
            // SAFETY: guaranteed by the caller.
            progress.current = unsafe { &*current };
        }
        match caught {
            None => {
                self.stage = Stage::InOrder;
                Poll::Pending
            }
            Some(caught) => self.fail(caught),
        }
    }

    /// Ends the publish with the failure of the current handler.
    #[cold]
    fn fail(&mut self, caught: Caught) -> Published {
        self.stage = Stage::Ended;
        let Some(Progress { dispatch, current }) = self.progress else { unreachable!("no handler was started") };
        // SAFETY: one of the calls.
        let current = unsafe { ptr::from_ref(current).offset_from_unsigned(dispatch.calls().as_ptr()) };
        let (handler, not_run) = (dispatch.handlers()[current], &dispatch.handlers()[current + 1..]);
        let error = PublishError::new(dispatch.event())
            .with_failures([HandlerFailure::new(handler, caught)])
            .with_not_run(not_run.iter().copied());
        Poll::Ready(Err(error))
    }

    /// Looks the handlers up once more: it takes longer to pass on what was found, in memory.
    #[inline(never)]
    fn start_other(
        &mut self,
        mediator: &'static Shared,
        event: &'static dyn DynNotification,
        event_type: TypeId,
        cx: &mut Context<'_>,
    ) -> Published {
        let dispatch = mediator.table.lookup(event_type, event);
        match &mediator.strategy.0 {
            Kind::Custom(strategy) => {
                let custom = strategy.publish_boxed(Deliveries::new(dispatch));
                self.room.write(Room { custom: ManuallyDrop::new(custom) });
                self.stage = Stage::Custom;
            }
            Kind::Sequential | Kind::Group => {
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
        }
        self.resume_other(cx)
    }

    fn resume_other(&mut self, cx: &mut Context<'_>) -> Published {
        let polled = match self.stage {
            Stage::Group => {
                // SAFETY: set in this stage.
                let (group, slots) = unsafe { &mut *self.room.assume_init_mut().group };
                // SAFETY: pinned with `self`.
                group.poll(unsafe { Pin::new_unchecked(slots) }, cx)
            }
            Stage::Custom => {
                // SAFETY: set in this stage.
                let custom = unsafe { &mut self.room.assume_init_mut().custom };
                custom.as_mut().poll(cx)
            }
            Stage::New | Stage::InOrder | Stage::Ended => panic!("{POLLED_AGAIN}"),
        };
        if polled.is_ready() {
            self.clear();
        }
        polled
    }

    /// Ends the publish: drops what is pending.
    fn clear(&mut self) {
        // The stage first, so that a panic does not make anything be dropped twice.
        match (mem::replace(&mut self.stage, Stage::Ended), self.progress) {
            (Stage::InOrder, Some(Progress { current, .. })) => {
                let future = self.future();
                // SAFETY: in this stage there is a future of the current call.
                let dropped = unsafe { current.drop(future) };
                // As in `Slot`: nobody is left to tell of it.
                dropped.unwrap_or_else(discard_panic);
            }
            (Stage::Group, _) => {
                // SAFETY: set in this stage.
                let group = unsafe { &mut self.room.assume_init_mut().group };
                // SAFETY: it was in this stage for the last time.
                unsafe { ManuallyDrop::drop(group) };
            }
            (Stage::Custom, _) => {
                // SAFETY: set in this stage.
                let custom = unsafe { &mut self.room.assume_init_mut().custom };
                // SAFETY: it was in this stage for the last time.
                unsafe { ManuallyDrop::drop(custom) };
            }
            _ => {}
        }
        *self.mediator = None;
    }
}
