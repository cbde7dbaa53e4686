//! Handlers that stand in for others.

use std::error::Error;
use std::future::ready;
use std::sync::Arc;

use crate::handler::error::BoxError;
use crate::handler::event_handler::{EventHandler, HandlerFuture, HandlerOutput};

/// A closure stands in for a handler, with the feature `testing`.
#[diagnostic::do_not_recommend]
impl<E, F, R> EventHandler<E> for F
where
    E: ?Sized,
    F: Fn(&E) -> R + Send + Sync + 'static,
    R: HandlerOutput + Send,
{
    fn handle(&self, event: &E) -> impl HandlerFuture {
        ready(self(event))
    }
}

/// Fails with one error every time.
pub(super) struct Failing(Arc<dyn Error + Send + Sync>);

impl Failing {
    pub(super) fn new(error: impl Into<BoxError>) -> Self {
        Self(error.into().into())
    }
}

impl<E: ?Sized> EventHandler<E> for Failing {
    fn handle(&self, _event: &E) -> impl HandlerFuture {
        ready(Err::<(), _>(self.0.clone()))
    }
}
