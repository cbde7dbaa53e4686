//! What is done where somebody observes.

use std::alloc::Layout;
use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Instant;

use super::super::core::{Core, Link};
use super::super::dispatch::{Dispatch, Message};
use super::super::passage::{Around, BehaviorPlan, Level, Passage, resume};
use super::super::publish::{EventVtable, Publishable};
use super::super::send::Asked;
use super::super::storage::Storage;
use super::super::table::{Entry, HandlerList};
use super::super::vtable::{Compiled, Polled, Vtable};
use crate::errors::publish_error::PublishError;
use crate::event::dynamic::DynNotification;
use crate::handler::error::BoxError;
use crate::handler::info::HandlerInfo;
use crate::observe::ended::{Ended, Failure, Told};
use crate::observe::records::{Record, Records};
use crate::observe::spans::{self, Span};
use crate::observe::{Operation, Subject, meters};
use crate::request::request::Request;

type Published = Poll<Result<(), PublishError>>;

/// Whether somebody observes a mediator.
pub(crate) struct Watch {
    /// Whether there was a recorder of metrics when it was built.
    is_metered: bool,
    records: Records,
}

impl Watch {
    pub(crate) fn new() -> Self {
        spans::ask();
        Self { is_metered: meters::describe(), records: Records::NONE }
    }

    /// The same with a recorder.
    #[cfg(feature = "testing")]
    pub(crate) fn recording(self, records: Records) -> Self {
        Self { records, ..self }
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.is_metered || self.records.is_on() || spans::is_on()
    }
}

/// The observed twin of a list, which has none itself.
pub(in super::super) struct Twin(Option<Box<HandlerList>>);

impl Twin {
    pub(in super::super) const NONE: Self = Self(None);

    /// `list` makes one of these handlers, with one more behavior around each.
    pub(in super::super) fn of(entries: &[Entry], list: impl FnOnce(Vec<Entry>) -> HandlerList) -> Self {
        let watched = |(index, entry): (usize, &Entry)| entry.within(watcher(index, entry.info));
        Self(Some(Box::new(list(entries.iter().enumerate().map(watched).collect()))))
    }
}

/// A publish or a send that is observed, until it has ended.
#[derive(Clone)]
pub(crate) struct Seen(Arc<Observed>);

/// Nothing: an `Option<Seen>` takes its place.
pub(in super::super) type Filler = [usize; 0];

struct Observed {
    operation: Operation,
    subject: Subject,
    span: Span,
    /// How far each handler got, once they are known.
    progress: OnceLock<Box<[Progress]>>,
    has_ended: AtomicBool,
    record: Record,
    /// How the message moves into the record.
    keep: OnceLock<Keep>,
}

/// Moves a message out of where the pointer points to; safe if it points to one of the function's type that is not used again.
pub(in super::super) type Keep = unsafe fn(NonNull<()>) -> Arc<dyn Any + Send + Sync>;

struct Progress {
    handler: HandlerInfo,
    stage: AtomicU8,
    /// How often it was called: again by a behavior that retries.
    attempts: AtomicU32,
}

const NOT_RUN: u8 = 0;
/// Or cut off.
const RUNNING: u8 = 1;
const DONE: u8 = 2;
/// Which was told.
const FAILED: u8 = 3;

impl Seen {
    /// The start of a publish that somebody observes.
    #[cold]
    pub(crate) fn of_publish(core: &Core, link: &Link, event: &dyn DynNotification) -> Option<Self> {
        Some(Self::of_event(core, link, event, Operation::Publish))
    }

    /// The same of the delivery of an event to a durable handler.
    #[cfg(feature = "durable")]
    #[cold]
    pub(crate) fn of_delivery(core: &Core, link: &Link, event: &dyn DynNotification) -> Option<Self> {
        Some(Self::of_event(core, link, event, Operation::Deliver))
    }

    fn of_event(core: &Core, link: &Link, event: &dyn DynNotification, operation: Operation) -> Self {
        let (id, subject) = (event.event_id(), subject(event.event_name(), link.running()));
        let conversation = subject.conversation.or(id);
        Self::new(core, link, operation, Subject { id, conversation, ..subject })
    }

    /// The same of a send.
    #[cold]
    pub(in super::super) fn of_send(core: &Core, link: &Link, asked: &Asked) -> Option<Self> {
        let seen = Self::new(core, link, Operation::Send, subject(asked.name(), link.running()));
        seen.0.keep.get_or_init(|| asked.keep());
        Some(seen)
    }

    fn new(core: &Core, link: &Link, operation: Operation, subject: Subject) -> Self {
        // What is delivered was sent when it was published.
        if core.watch.is_metered && operation != Operation::Deliver {
            meters::sent(operation, &subject);
        }
        let span = Span::of_message(operation, &subject);
        let around = link.running().and_then(|running| running.reports().0);
        let record = core.watch.records.start(operation, &subject, around.map(|around| &around.record));
        let (progress, has_ended, keep) = (OnceLock::new(), AtomicBool::new(false), OnceLock::new());
        Self(Arc::new(Observed { operation, subject, span, progress, has_ended, record, keep }))
    }

    /// Of what type the event of this publish is.
    pub(in super::super) fn keep_event(seen: &Option<Self>, vtable: &EventVtable) {
        if let Some(Self(observed)) = seen {
            observed.keep.get_or_init(|| vtable.keep);
        }
    }

    /// Moves the message of a publish or a send that is over into the record, if there is one; whether it did.
    ///
    /// # Safety
    ///
    /// `message` points to the message, which is not used again if this is true.
    #[inline]
    pub(in super::super) unsafe fn take(seen: &Option<Self>, message: NonNull<()>) -> bool {
        // SAFETY: guaranteed by the caller.
        seen.as_ref().is_some_and(|Self(observed)| unsafe { observed.take(message) })
    }

    /// The event of a publish by a strategy of its own, which moves into the record when it is dropped.
    pub(crate) fn keeping<E: Publishable>(seen: &Option<Self>, event: E) -> Keeping<'_, E> {
        Keeping { event: Some(event), seen }
    }

    /// The list whose handlers are to be called.
    #[inline]
    pub(in super::super) fn list<'a>(seen: &Option<Self>, list: &'a HandlerList) -> &'a HandlerList {
        match (seen, &list.twin) {
            (Some(Self(observed)), Twin(Some(twin))) => {
                observed.expect(twin.infos());
                twin
            }
            _ => list,
        }
    }

    /// Runs what polls or drops handlers.
    #[inline]
    pub(in super::super) fn within<R>(seen: &Option<Self>, run: impl FnOnce() -> R) -> R {
        match seen {
            Some(Self(observed)) => observed.span.within(run),
            None => run(),
        }
    }

    /// Polls a publish, and tells how it has ended.
    pub(in super::super) fn poll_publish(seen: &Option<Self>, poll: &mut dyn FnMut() -> Published) -> Published {
        let Some(seen) = seen else { return poll() };
        match catch_unwind(AssertUnwindSafe(|| seen.0.span.within(poll))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(result)) => {
                seen.end_publish(&result);
                Poll::Ready(result)
            }
            Err(payload) => {
                let ended = Ended::with_panic(&*payload);
                seen.0.span.tell_failure(&seen.0.subject, None, &ended);
                seen.0.end(&ended);
                resume_unwind(payload)
            }
        }
    }

    /// A publish by a strategy of its own.
    pub(crate) fn around<F: Future<Output = Result<(), PublishError>>>(seen: &Option<Self>, publish: F) -> Watching<F> {
        Watching { publish: ManuallyDrop::new(publish), seen: seen.clone() }
    }

    fn end_publish(&self, result: &Result<(), PublishError>) {
        let Err(error) = result else { return self.0.end(&Ended::Ok) };
        for failure in error.failures().iter().filter(|failure| !self.0.has_told(failure.handler())) {
            let ended = match (failure.error(), failure.panic_message()) {
                (Some(error), _) => Ended::with_error(error),
                (None, message) => Ended::Panicked(message.unwrap_or_default()),
            };
            self.0.span.tell_failure(&self.0.subject, Some(failure.handler()), &ended);
        }
        let ended = Ended::with_error(error);
        if error.failures().is_empty() {
            self.0.span.tell_failure(&self.0.subject, None, &ended);
        }
        self.0.end(&ended);
    }

    /// What the sender is answered.
    pub(in super::super) fn end_send<R: Request>(self, answer: &Result<R::Response, R::Error>) {
        let error = match answer {
            Ok(response) => {
                self.0.record.note_answer(|| R::response_text(response));
                return self.0.end(&Ended::Ok);
            }
            Err(error) => error,
        };
        let ended = Ended::Failed(Failure::Told(Told::of::<R>(error)));
        if self.0.at(FAILED).next().is_none() {
            self.0.span.tell_failure(&self.0.subject, None, &ended);
        }
        self.0.end(&ended);
    }

    /// Dropped, and so are the handlers that were running; unfinished, unless it has told how it ended.
    pub(in super::super) fn cancel(&self) {
        if self.0.has_ended.load(Ordering::Relaxed) {
            return;
        }
        let Observed { operation, subject, span, .. } = &*self.0;
        span.tell_unfinished(*operation, subject, &Names(|| self.0.at(RUNNING)), &Names(|| self.0.at(NOT_RUN)));
        self.0.end(&Ended::Cancelled);
    }
}

impl Observed {
    fn expect(&self, handlers: &[HandlerInfo]) {
        let not_run = |handler: &HandlerInfo| Progress {
            handler: *handler,
            stage: AtomicU8::new(NOT_RUN),
            attempts: AtomicU32::new(0),
        };
        self.progress.get_or_init(|| {
            self.record.expect(handlers);
            handlers.iter().map(not_run).collect()
        });
    }

    /// # Safety
    ///
    /// As for [`Seen::take`].
    #[cold]
    unsafe fn take(&self, message: NonNull<()>) -> bool {
        let Some(keep) = self.keep.get().filter(|_| self.record.is_kept()) else { return false };
        // SAFETY: guaranteed by the caller; `keep` was set for this message.
        self.record.keep(unsafe { keep(message) });
        true
    }

    fn progress(&self) -> &[Progress] {
        self.progress.get().map_or(&[], |progress| progress)
    }

    /// The handlers that got so far.
    fn at(&self, stage: u8) -> impl Iterator<Item = &HandlerInfo> {
        let there = self.progress().iter().filter(move |progress| progress.stage.load(Ordering::Relaxed) == stage);
        there.map(|progress| &progress.handler)
    }

    fn has_told(&self, handler: &HandlerInfo) -> bool {
        self.at(FAILED).any(|told| told == handler)
    }

    fn end(&self, ended: &Ended<'_>) {
        self.has_ended.store(true, Ordering::Relaxed);
        self.record.end(ended);
        self.span.end(ended);
    }
}

/// A publish by a strategy of its own, which may be observed.
pub(crate) struct Watching<F> {
    /// Dropped before the end is told.
    publish: ManuallyDrop<F>,
    seen: Option<Seen>,
}

impl<F: Future<Output = Result<(), PublishError>>> Future for Watching<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Published {
        // SAFETY: the publish stays where it is.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: pinned with `self`.
        let mut publish = unsafe { Pin::new_unchecked(&mut *this.publish) };
        Seen::poll_publish(&this.seen, &mut || publish.as_mut().poll(cx))
    }
}

impl<F> Drop for Watching<F> {
    fn drop(&mut self) {
        // SAFETY: not dropped before, and not used again.
        Seen::within(&self.seen, || unsafe { ManuallyDrop::drop(&mut self.publish) });
        if let Some(seen) = self.seen.take() {
            seen.cancel();
        }
    }
}

/// An event that moves into the record when it is dropped, if there is one.
pub(crate) struct Keeping<'s, E: Publishable> {
    /// Until it is given back.
    event: Option<E>,
    seen: &'s Option<Seen>,
}

impl<E: Publishable> Keeping<'_, E> {
    pub(crate) fn event(&self) -> &dyn DynNotification {
        self.event.as_ref().expect("not given back").event()
    }

    /// Gives the event back.
    pub(crate) fn into_box(mut self) -> Box<dyn DynNotification> {
        self.event.take().expect("not given back").into_box()
    }
}

impl<E: Publishable> Drop for Keeping<'_, E> {
    fn drop(&mut self) {
        let record = self.seen.as_ref().map(|Seen(observed)| &observed.record).filter(|record| record.is_kept());
        if let (Some(event), Some(record)) = (self.event.take(), record) {
            record.keep(event.into_arc());
        }
    }
}

/// The names of handlers, in one line.
struct Names<F>(F);

impl<'a, I: Iterator<Item = &'a HandlerInfo>, F: Fn() -> I> fmt::Display for Names<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, handler) in (self.0)().enumerate() {
            let before = if index == 0 { "" } else { ", " };
            write!(f, "{before}{}", handler.name())?;
        }
        Ok(())
    }
}

/// A message without an id, published or sent within `around`.
fn subject(name: &'static str, around: Option<&Dispatch<'_>>) -> Subject {
    Subject {
        name,
        id: None,
        conversation: around.and_then(Dispatch::correlation_id),
        causation: around.and_then(Dispatch::cause).and_then(|event| event.event_id()),
    }
}

/// Whom the handlers of a dispatch tell how far they got.
#[derive(Clone, Copy)]
pub(crate) struct Reports<'a>(Option<&'a Observed>);

impl<'a> Reports<'a> {
    pub(in super::super) const NONE: Self = Self(None);

    #[inline]
    pub(in super::super) fn to(seen: &'a Option<Seen>) -> Self {
        Self(seen.as_ref().map(|Seen(observed)| &**observed))
    }

    fn note(self, handler: usize, stage: u8) {
        let progress = self.0.and_then(|observed| observed.progress().get(handler));
        progress.inspect(|progress| progress.stage.store(stage, Ordering::Relaxed));
    }

    /// A handler is called, not for the first time if a behavior calls it again.
    pub(in super::super) fn note_attempt(self, handler: &HandlerInfo) {
        let mut progress = self.0.into_iter().flat_map(Observed::progress);
        progress.find(|progress| progress.handler == *handler).inspect(|progress| {
            progress.attempts.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// How often a handler was called.
    fn attempts(self, handler: usize) -> u32 {
        let progress = self.0.and_then(|observed| observed.progress().get(handler));
        progress.map_or(0, |progress| progress.attempts.load(Ordering::Relaxed))
    }

    fn record(self) -> Option<&'a Record> {
        self.0.map(|observed| &observed.record)
    }
}

/// The behavior around a handler of a twin, outside of all others.
struct Watcher {
    /// The handler's place in its list.
    position: usize,
}

fn watcher(position: usize, info: HandlerInfo) -> Around {
    let compiled = Compiled {
        vtable: Vtable { start, poll, drop_future },
        frame: const { Layout::new::<Watched<'_>>() },
        error_type: type_name::<BoxError>,
    };
    let plan = BehaviorPlan {
        message: None,
        message_name: "any message",
        is_of_request: false,
        behavior: TypeId::of::<Watcher>(),
        compiled,
    };
    Around { plan, instance: Arc::new(Watcher { position }), info, lends: &[] }
}

/// A call of a handler that is observed. While it is pending, the frame of the watcher holds it.
struct Watched<'a> {
    passage: Passage<'a>,
    /// Of the watcher.
    level: usize,
    position: usize,
    subject: Subject,
    span: Span,
    started: Instant,
}

impl<'a> Watched<'a> {
    fn new(passage: Passage<'a>, level: &Level, watcher: &Watcher) -> Self {
        let (chain, dispatch) = (passage.chain(), passage.dispatch());
        let conversation = dispatch.correlation_id();
        let subject = match dispatch.message() {
            Message::Event(event) => {
                Subject { name: event.event_name(), id: event.event_id(), conversation, causation: None }
            }
            Message::Request(_) => {
                let name = chain.request().map_or("", |request| request.name());
                Subject { name, id: None, conversation, causation: None }
            }
        };
        let span = Span::of_handler(&subject, &chain.info);
        dispatch.reports().note(watcher.position, RUNNING);
        dispatch.reports().record().inspect(|record| record.note_start(watcher.position));
        Self { passage, level: level.index, position: watcher.position, subject, span, started: Instant::now() }
    }

    /// Runs what is inside, and puts itself into the frame if that is pending.
    ///
    /// # Safety
    ///
    /// `frame` is that of the watcher, in which nothing is. `run` starts or polls what is inside.
    unsafe fn run(self, frame: NonNull<Storage>, run: impl FnOnce(Passage<'a>, usize) -> Polled) -> Polled {
        let (passage, inside) = (self.passage, self.level + 1);
        let run = || catch_unwind(AssertUnwindSafe(|| self.span.within(|| run(passage, inside))));
        let caught = match passage.dispatch().reports().record() {
            Some(record) => record.within(self.position, run),
            None => run(),
        };
        match caught {
            Ok(Polled::Pending) => {
                // SAFETY: guaranteed by the caller.
                unsafe { frame.cast().write(self) };
                Polled::Pending
            }
            Ok(polled) => {
                self.end(&ended(passage, self.level, &polled));
                polled
            }
            Err(payload) => {
                self.end(&Ended::with_panic(&*payload));
                resume_unwind(payload)
            }
        }
    }

    fn end(&self, ended: &Ended<'_>) {
        let (chain, dispatch) = (self.passage.chain(), self.passage.dispatch());
        match ended {
            Ended::Ok => dispatch.reports().note(self.position, DONE),
            Ended::Failed(_) | Ended::Panicked(_) => dispatch.reports().note(self.position, FAILED),
            Ended::Cancelled => {}
        }
        dispatch.reports().record().inspect(|record| record.note_end(self.position, ended));
        if dispatch.core().watch.is_metered {
            meters::handled(&self.subject, &chain.info, self.started.elapsed(), ended);
        }
        self.span.note_attempts(dispatch.reports().attempts(self.position));
        self.span.tell_failure(&self.subject, Some(&chain.info), ended);
        self.span.end(ended);
    }
}

/// How a call has ended that came to `polled` inside the watcher.
fn ended<'p>(passage: Passage<'_>, level: usize, polled: &'p Polled) -> Ended<'p> {
    if let Polled::Failed(error) = polled {
        return match passage.chain().error_type_inside(level) {
            Some(type_name) => Ended::with_error_of(&***error, type_name),
            None => Ended::with_error(&***error),
        };
    }
    passage.told().map_or(Ended::Ok, |told| Ended::Failed(Failure::Told(told)))
}

/// # Safety
///
/// The invariant of `start` functions, with a level of a watcher as the handler and the passage that it is in as the argument.
unsafe fn start(level: NonNull<()>, passage: NonNull<()>, frame: NonNull<Storage>, cx: &mut Context<'_>) -> Polled {
    // SAFETY: points to a level, borrowed.
    let level: &Level = unsafe { level.cast().as_ref() };
    // SAFETY: points to a watcher, borrowed.
    let watcher: &Watcher = unsafe { level.receiver.cast().as_ref() };
    // SAFETY: points to the passage, which ends after what is in its frames.
    let watched = Watched::new(unsafe { Passage::of(passage) }, level, watcher);
    // SAFETY: nothing is in the frames inside of this one.
    let run = |passage: Passage<'_>, inside| unsafe { passage.start(inside, cx) };
    // SAFETY: the frame is empty.
    unsafe { watched.run(frame, run) }
}

/// # Safety
///
/// `frame` holds a [`Watched`]. It is gone afterwards unless the result is `Pending`.
unsafe fn poll(frame: NonNull<Storage>, cx: &mut Context<'_>) -> Polled {
    // SAFETY: guaranteed by the caller.
    let watched: Watched<'_> = unsafe { frame.cast().read() };
    // SAFETY: what is inside is pending, or there would be nothing in this frame.
    let run = |passage: Passage<'_>, inside| unsafe { passage.poll(inside, cx) };
    // SAFETY: taken out just now.
    unsafe { watched.run(frame, run) }
}

/// # Safety
///
/// `frame` holds a [`Watched`], which is gone afterwards.
unsafe fn drop_future(frame: NonNull<Storage>) {
    // SAFETY: guaranteed by the caller.
    let watched: Watched<'_> = unsafe { frame.cast().read() };
    let (passage, inside) = (watched.passage, watched.level + 1);
    let panic = watched.span.within(|| passage.clear_from(inside));
    watched.end(&Ended::Cancelled);
    resume(panic);
}
