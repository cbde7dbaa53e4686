//! What the options of a handler's attribute put around it.

use std::any::type_name;
use std::sync::Arc;

use crate::behavior::behavior::Behavior;
use crate::behavior::message::Message;
#[cfg(feature = "tokio")]
use crate::behavior::{behavior::Outcome, retry::Retry, timeout::Timeout};
#[cfg(feature = "tokio")]
use crate::dispatch::Call;
use crate::dispatch::{Around, BehaviorPlan, Instance, MessageKind, OfAny};
use crate::handler::info::HandlerInfo;

/// A shipped behavior around one handler, inside of all others: what `timeout = …` and `retry(…)` write.
#[doc(hidden)]
#[allow(missing_debug_implementations)] // Nobody outside can name it.
pub struct HandlerBehavior {
    name: &'static str,
    plan: BehaviorPlan,
    instance: Instance,
}

impl HandlerBehavior {
    /// Around a handler of events, which has no answer, so that it does not matter which event it is.
    #[must_use]
    pub fn of_event<B: Behavior>(behavior: B) -> Self {
        Self { name: type_name::<B>(), plan: OfAny::plan::<B>(), instance: Arc::new(behavior) }
    }

    /// Around the handler of a request.
    #[allow(private_bounds)]
    #[must_use]
    pub fn of_request<R: Message, B: Send + Sync + 'static>(behavior: B) -> Self
    where
        Typed<B>: Behavior<R>,
    {
        let plan = <R::Kind as MessageKind<R>>::plan::<Typed<B>>();
        Self { name: type_name::<B>(), plan, instance: Arc::new(Typed(behavior)) }
    }

    /// The same in a passage to `handler`, at whose place it was written.
    pub(crate) fn around(self, handler: HandlerInfo) -> Around {
        let Self { name, plan, instance } = self;
        Around { plan, instance, info: HandlerInfo { name, ..handler }, lends: &[] }
    }
}

/// A shipped behavior around the handlers of one message, not of all.
struct Typed<B>(B);

#[cfg(feature = "tokio")]
impl<M: Message> Behavior<M> for Typed<Timeout> {
    async fn handle(&self, mut call: Call<'_, M>) -> Outcome<M> {
        self.0.run(&mut call).await
    }
}

#[cfg(feature = "tokio")]
impl<M: Message> Behavior<M> for Typed<Retry> {
    async fn handle(&self, mut call: Call<'_, M>) -> Outcome<M> {
        self.0.run(&mut call).await
    }
}
