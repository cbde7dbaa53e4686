//! Recording the durable deliveries of an event before its handlers run.

use std::any::TypeId;
use std::sync::Arc;

use super::core::{BoxedRun, ErasedStrategy};
use super::dispatch::Dispatch;
use super::lent::{Exclusive, Lender};
use crate::durable::event::{Codec, Encoded};
use crate::durable::outbox::{Due, Outbox, Recording};
use crate::errors::publish_error::{PublishError, PublishErrorKind};
use crate::event::dynamic::DynNotification;
use crate::handler::error::BoxError;

/// Records the deliveries of events of one type.
pub(crate) struct DeliveryRecorder {
    outbox: Arc<dyn Outbox>,
    codec: Codec,
    /// The names of the durable handlers.
    handlers: Box<[&'static str]>,
}

impl DeliveryRecorder {
    pub(crate) fn new(outbox: Arc<dyn Outbox>, codec: Codec, handlers: Box<[&'static str]>) -> Self {
        Self { outbox, codec, handlers }
    }

    /// Records the deliveries of one event.
    ///
    /// # Errors
    ///
    /// Of the kind `NotRecorded`; then nothing is recorded.
    pub(crate) async fn record(
        &self,
        event: &dyn DynNotification,
        lender: Lender<'_>,
        due: Due,
    ) -> Result<(), PublishError> {
        let recorded = match (self.codec.encode)(event) {
            Ok(encoded) => self.outbox.record(self.recording(event, encoded, lender, due)).await,
            Err(error) => Err(error),
        };
        recorded.map_err(|error| PublishError::new(PublishErrorKind::NotRecorded, event).with_cause(error))
    }

    /// Records the deliveries, then runs the ordinary handlers, if there are any.
    pub(crate) async fn run_first<F>(
        &self,
        dispatch: &Dispatch<'_>,
        handlers: impl FnOnce() -> F,
    ) -> Result<(), PublishError>
    where
        F: Future<Output = Result<(), PublishError>>,
    {
        self.record(dispatch.event(), dispatch.lender(), Due::Now).await?;
        if dispatch.len() == 0 {
            return Ok(());
        }
        handlers().await.map_err(PublishError::after_recording)
    }

    fn recording<'a>(
        &'a self,
        event: &dyn DynNotification,
        encoded: Encoded,
        lender: Lender<'a>,
        due: Due,
    ) -> Recording<'a> {
        let outer = lender.enclosing();
        Recording {
            event_id: event.event_id().unwrap_or_default(),
            name: self.codec.name,
            version: self.codec.version,
            key: encoded.key,
            payload: encoded.payload,
            correlation_id: outer.and_then(Dispatch::correlation_id),
            causation_id: outer.and_then(|outer| outer.cause()?.event_id()),
            handlers: &self.handlers,
            due,
            lent: LentToOutbox(lender),
        }
    }
}

/// The strategy of an event that has durable handlers: records their deliveries, then runs the others.
pub(crate) struct RecordFirst {
    pub(crate) recorder: DeliveryRecorder,
    /// The event's strategy.
    pub(crate) then: Arc<dyn ErasedStrategy>,
}

impl ErasedStrategy for RecordFirst {
    fn is_concurrent(&self) -> bool {
        self.then.is_concurrent()
    }

    fn run<'a>(&'a self, dispatch: &'a Dispatch<'a>) -> BoxedRun<'a> {
        Box::pin(self.recorder.run_first(dispatch, || self.then.run(dispatch)))
    }

    fn recorder(&self) -> Option<&DeliveryRecorder> {
        Some(&self.recorder)
    }
}

/// What a publish lends to the outbox that records it.
#[derive(Clone, Copy)]
pub struct LentToOutbox<'a>(Lender<'a>);

impl<'a> LentToOutbox<'a> {
    pub(crate) fn by(lender: Lender<'a>) -> Self {
        Self(lender)
    }

    /// Which of these types the innermost lent value among them has, whether it can be borrowed or not.
    #[must_use]
    pub fn innermost(&self, types: &[TypeId]) -> Option<usize> {
        self.0.innermost(types)
    }

    /// Borrows the innermost lent `&mut T`.
    ///
    /// # Errors
    ///
    /// When it is not lent so, a handler holds it, or it is not inherited because handlers run at once.
    pub fn exclusive<T: Send + 'static>(&self) -> Result<Exclusive<'a, T>, BoxError> {
        self.0.borrow_exclusive()
    }
}

impl std::fmt::Debug for LentToOutbox<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LentToOutbox").finish_non_exhaustive()
    }
}
