//! The traits of handlers and of what they return.

use std::any::type_name;
use std::sync::Arc;

use super::error::{BoxError, boxed};
/// Handles events of type `E`.
///
/// ```
/// use mediator_core::prelude::*;
///
/// #[event]
/// struct OrderPlaced { total: u32 }
///
/// struct FraudCheck;
///
/// impl EventHandler<OrderPlaced> for FraudCheck {
///     async fn handle(&self, event: &OrderPlaced) -> Result<(), String> {
///         if event.total > 10_000 {
///             return Err(format!("suspicious total: {}", event.total));
///         }
///         Ok(())
///     }
/// }
/// ```
///
/// One instance serves all publishes of a mediator, concurrent ones too.
///
/// One implementation can serve many events, where `#[event_handler(…)]` says which:
///
/// ```
/// use mediator_core::prelude::*;
/// # #[event] struct OrderPlaced {}
/// # #[event] struct OrderCancelled {}
///
/// #[event_handler(OrderPlaced, OrderCancelled)]
/// struct Audit;
///
/// impl<E: Event> EventHandler<E> for Audit {
///     async fn handle(&self, event: &E) {
///         println!("{} {}", event.event_id(), E::event_name());
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle `{E}`",
    label = "no `impl EventHandler<{E}> for {Self}`",
    note = "write `impl EventHandler<{E}> for {Self} {{ async fn handle(&self, event: &{E}) {{ … }} }}`"
)]
// That `E` is a `Notification` is required where the handler is registered or bound; required here as well, a type that is
// none would be two errors.
pub trait EventHandler<E: ?Sized>: Send + Sync + 'static {
    /// Reacts to `event`; written as an `async fn` that returns `()` or `Result<(), E>` for any
    /// error that converts into `Box<dyn Error + Send + Sync>`.
    ///
    /// Without `#[async_trait]`, which writes another signature: rustc would say that lifetime parameters do not match (E0195).
    ///
    /// An error or a panic fails the publish. When the publish is cancelled, the future is
    /// dropped at the `.await` it is waiting at.
    fn handle(&self, event: &E) -> impl HandlerFuture; // is written as an `async fn`, without `#[async_trait]`

    /// Passes on the handler that `bind_handler` registers: of an `Arc`, the one inside.
    #[doc(hidden)]
    fn __visit<V: VisitHandler<E>>(this: Arc<Self>, visitor: V) -> V::Output
    where
        Self: Sized,
    {
        visitor.visit(this)
    }
}

/// What is done with a ready-made handler once its own type is known.
#[doc(hidden)]
pub trait VisitHandler<E: ?Sized> {
    type Output;

    fn visit<H: EventHandler<E>>(self, handler: Arc<H>) -> Self::Output;
}

#[diagnostic::do_not_recommend]
impl<E: ?Sized, H: EventHandler<E>> EventHandler<E> for Arc<H> {
    fn handle(&self, event: &E) -> impl HandlerFuture {
        H::handle(self, event)
    }

    fn __visit<V: VisitHandler<E>>(this: Arc<Self>, visitor: V) -> V::Output {
        H::__visit(Self::clone(&this), visitor)
    }
}

/// The future of a handler: any `Send` future with a [`HandlerOutput`].
///
/// This is `Future<Output: HandlerOutput>` spelled so that an `async fn` with any such output is
/// exactly what the trait asks for, where the direct spelling makes rustc warn at every impl
/// that it refines the trait.
#[diagnostic::on_unimplemented(
    message = "`handle` returns `{Self}`, which is not a future",
    label = "not a future",
    note = "write `async fn handle`"
)]
pub trait HandlerFuture: Future<Output = <Self as HandlerFuture>::Returned> + Send {
    /// What the future resolves to.
    type Returned: HandlerOutput;
}

impl<F: Future<Output: HandlerOutput> + Send> HandlerFuture for F {
    type Returned = F::Output;
}

/// What a handler may return: `()` or `Result<(), E>` where `E` converts into
/// `Box<dyn Error + Send + Sync>`.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "neither `()` nor a `Result<(), E>` whose `E` converts into `Box<dyn Error + Send + Sync>`",
    note = "implement `std::error::Error` for an error of your own; `anyhow::Error` and `String` convert as well",
    note = "a `Box<dyn Error>` does not: threads share errors, so write `Box<dyn Error + Send + Sync>`"
)]
pub trait HandlerOutput {
    /// The error, boxed, if there is one.
    ///
    /// # Errors
    ///
    /// The handler's own error.
    fn into_result(self) -> Result<(), BoxError>;

    /// The type of that error, for those who observe.
    #[doc(hidden)]
    fn error_type() -> &'static str {
        type_name::<BoxError>()
    }
}

impl HandlerOutput for () {
    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> HandlerOutput for Result<(), E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map_err(boxed)
    }

    fn error_type() -> &'static str {
        type_name::<E>()
    }
}
