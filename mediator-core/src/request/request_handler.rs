//! The trait of handlers of requests.

use std::sync::Arc;

use super::request::Request;

/// Handles requests of type `R`, and answers them.
///
/// ```standalone_crate
/// use mediator_core::prelude::*;
///
/// #[request(u32)]
/// struct Add { a: u32, b: u32 }
///
/// struct Calculator;
///
/// impl RequestHandler<Add> for Calculator {
///     async fn handle(&self, request: &Add) -> u32 {
///         request.a + request.b
///     }
/// }
///
/// let builder = Mediator::builder().without_discovery();
/// let mediator = builder.bind_request_handler::<Add, _>(Calculator).build()?;
/// assert_eq!(futures::executor::block_on(mediator.send(Add { a: 1, b: 2 }))?, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// One instance serves all sends of a mediator, concurrent ones too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle `{R}`",
    label = "no `impl RequestHandler<{R}> for {Self}`",
    note = "write `impl RequestHandler<{R}> for {Self} {{ async fn handle(&self, request: &{R}) -> … {{ … }} }}`"
)]
pub trait RequestHandler<R: Request>: Send + Sync + 'static {
    /// Answers `request`; written as an `async fn` that returns what the request says: `Result<T, E>` for
    /// `#[request(T, error = E)]`, `T` for `#[request(T)]`.
    ///
    /// Without `#[async_trait]`, which writes another signature: rustc would say that lifetime parameters do not match (E0195).
    ///
    /// A panic fails the send. When the send is cancelled, the future is dropped at the `.await` it is waiting at.
    fn handle(&self, request: &R) -> impl Future<Output = R::Output> + Send;

    /// Passes on the handler that `bind_request_handler` registers: of an `Arc`, the one inside.
    #[doc(hidden)]
    fn __visit<V: VisitRequestHandler<R>>(this: Arc<Self>, visitor: V) -> V::Output
    where
        Self: Sized,
    {
        visitor.visit::<Self>(this)
    }
}

/// What is done with a ready-made handler once its own type is known.
#[doc(hidden)]
pub trait VisitRequestHandler<R: Request> {
    type Output;

    fn visit<H: RequestHandler<R>>(self, handler: Arc<H>) -> Self::Output;
}

#[diagnostic::do_not_recommend]
impl<R: Request, H: RequestHandler<R>> RequestHandler<R> for Arc<H> {
    fn handle(&self, request: &R) -> impl Future<Output = R::Output> + Send {
        H::handle(self, request)
    }

    fn __visit<V: VisitRequestHandler<R>>(this: Arc<Self>, visitor: V) -> V::Output {
        H::__visit(Self::clone(&this), visitor)
    }
}

/// What the handler of `R` returns, which is `Expected`: a trait, so that a mistake is explained.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the handler of `{R}` returns `{Self}`, but it has to return `{Expected}`",
    label = "not `{Expected}`",
    note = "a handler returns what its request says: `Result<T, E>` for `#[request(T, error = E)]`, and `T` for `#[request(T)]`"
)]
pub trait Answer<R, Expected> {
    fn into_answer(self) -> Expected;
}

impl<R, T> Answer<R, T> for T {
    #[inline]
    fn into_answer(self) -> T {
        self
    }
}
