use mediator_core::{EventHandler, HandlerFuture, Notification};

/// A handler made of a closure, for `bind_handler`; each closure is a type of its own.
pub struct On<F>(pub F);

impl<E, F, Fut> EventHandler<E> for On<F>
where
    E: Notification,
    F: Fn(&E) -> Fut + Send + Sync + 'static,
    Fut: HandlerFuture,
{
    fn handle(&self, event: &E) -> impl HandlerFuture {
        (self.0)(event)
    }
}
