//! What the options of a handler's attribute put around it.

use std::any::type_name;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::behavior::behavior::{Behavior, Outcome};
use crate::behavior::message::{AnyRequest, Message};
#[cfg(feature = "tokio")]
use crate::behavior::{retry::Retry, timeout::Timeout};
use crate::dispatch::{Around, BehaviorPlan, Call, Instance, MessageKind, OfAny, OfRequest};
use crate::handler::info::HandlerInfo;
use crate::request::request::Request;

/// A shipped behavior around one handler, inside of all others: what `timeout = …` and `retry(…)` write.
#[doc(hidden)]
#[allow(missing_debug_implementations)] // Nobody outside can name it.
pub struct HandlerBehavior {
    name: &'static str,
    plan: BehaviorPlan,
    instance: Instance,
}

#[allow(private_bounds)]
impl HandlerBehavior {
    /// Around a handler of events, which has no answer, so that it does not matter which event it is.
    #[must_use]
    pub fn of_event<B: Shipped + Behavior>(behavior: B) -> Self {
        Self { name: type_name::<B>(), plan: OfAny::plan::<B>(), instance: Arc::new(behavior) }
    }

    /// Around the handler of a request.
    // No bound on `R` but that of the registration: a mistake would be two errors.
    #[must_use]
    pub fn of_request<R: Request, B: Shipped>(behavior: B, _request: PhantomData<R>) -> Self {
        let plan = <OfRequest as MessageKind<AnyRequest<R>>>::plan::<OfOne<B>>();
        Self { name: type_name::<B>(), plan, instance: Arc::new(OfOne(behavior)) }
    }

    /// The same in a passage to `handler`, at whose place it was written.
    pub(crate) fn around(self, handler: HandlerInfo) -> Around {
        let Self { name, plan, instance } = self;
        Around { plan, instance, info: HandlerInfo { name, ..handler }, lends: &[] }
    }
}

/// A behavior that does the same around whatever it is.
trait Shipped: Send + Sync + 'static {
    fn run<M: Message>(&self, call: &mut Call<'_, M>) -> impl Future<Output = Outcome<M>> + Send;
}

#[cfg(feature = "tokio")]
impl Shipped for Timeout {
    fn run<M: Message>(&self, call: &mut Call<'_, M>) -> impl Future<Output = Outcome<M>> + Send {
        Self::run(self, call)
    }
}

#[cfg(feature = "tokio")]
impl Shipped for Retry {
    fn run<M: Message>(&self, call: &mut Call<'_, M>) -> impl Future<Output = Outcome<M>> + Send {
        Self::run(self, call)
    }
}

/// A shipped behavior around the handlers of one message, not of all.
struct OfOne<B>(B);

impl<M: Message, B: Shipped> Behavior<M> for OfOne<B> {
    async fn handle(&self, mut call: Call<'_, M>) -> Outcome<M> {
        self.0.run(&mut call).await
    }
}
