//! The trait of behaviors.

use super::message::{AnyMessage, Message};
use crate::dispatch::Call;

/// The result of a handler, and of a behavior around it.
///
/// Of a request the same as of [`send`](crate::Mediator::send): `Result<Response, Error>`. Of an event, and of
/// [any message](AnyMessage), `Result<(), Box<dyn Error + Send + Sync>>`. A request's own error is in that box, too, and is
/// itself again when it leaves the behaviors that know no type.
pub type Outcome<M = AnyMessage> = Result<<M as Message>::Response, <M as Message>::Error>;

/// Runs around handlers: those of the events and requests of type `M`, or all.
///
/// Registered by [`#[behavior]`](macro@crate::behavior), or given to [`MediatorBuilder::behavior`](crate::MediatorBuilder::behavior).
///
/// ```standalone_crate
/// use std::time::Instant;
/// use mediator_core::prelude::*;
///
/// #[request(u64)]
/// struct CountOrders;
///
/// #[request_handler]
/// fn count_orders(_request: &CountOrders) -> u64 { 3 }
///
/// /// Around every handler.
/// struct Timing;
///
/// impl Behavior for Timing {
///     async fn handle(&self, mut call: Call<'_>) -> Outcome {
///         let started = Instant::now();
///         let outcome = call.run().await;
///         println!("{} took {:?} for {}", call.handler().name(), started.elapsed(), call.name());
///         outcome
///     }
/// }
///
/// /// Around one.
/// struct AtMost(u64);
///
/// impl Behavior<CountOrders> for AtMost {
///     async fn handle(&self, mut call: Call<'_, CountOrders>) -> Result<u64, SendError> {
///         Ok(call.run().await?.min(self.0))
///     }
/// }
///
/// let mediator = Mediator::builder().behavior(Timing).behavior(AtMost(2)).build()?;
/// assert_eq!(futures::executor::block_on(mediator.send(CountOrders))?, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Behaviors around every message are outside of those around one; among either, `order`, `after` and `before` decide. Each
/// call of a handler passes through them on its own. A behavior's panic is its handler's failure, like the handler's own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no behavior around `{M}`",
    label = "no `impl Behavior<{M}> for {Self}`",
    note = "write `impl Behavior for {Self} {{ async fn handle(&self, mut call: Call<'_>) -> Outcome {{ call.run().await }} }}`, \
            or with the message that it is around, `Behavior<PlaceOrder>` and `Call<'_, PlaceOrder>`"
)]
// That `M` is a `Message` is required where the behavior is registered or given to a builder; required here as well, a type that
// is none would be more errors.
pub trait Behavior<M = AnyMessage>: Send + Sync + 'static {
    /// Runs around one call of a handler; written as an `async fn`.
    ///
    /// When the publish or send is cancelled, the future is dropped at the `.await` it is waiting at, and what is inside with it.
    ///
    /// # Errors
    ///
    /// The handler's own error, or another one that the behavior returns instead.
    fn handle(&self, call: Call<'_, M>) -> impl Future<Output = Outcome<M>> + Send
    where
        M: Message;
}
