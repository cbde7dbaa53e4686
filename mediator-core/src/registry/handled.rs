//! What a handler can be registered for.

use crate::dispatch::{FnHandler, StaticPlan};
use crate::event::dynamic::DynNotification;
use crate::event::notification::Notification;
use crate::handler::event_handler::EventHandler;

/// What a handler is bound to: the events of one type, or `dyn DynNotification`, which is every event.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use mediator_core::prelude::*;
///
/// #[event]
/// struct OrderPlaced {}
///
/// #[derive(Default)]
/// struct Recorder(Mutex<Vec<&'static str>>);
///
/// impl EventHandler<dyn DynNotification> for Recorder {
///     async fn handle(&self, event: &dyn DynNotification) {
///         self.0.lock().unwrap().push(event.event_name());
///     }
/// }
///
/// let recorder = Arc::new(Recorder::default());
/// let builder = Mediator::builder().without_discovery();
/// let mediator = builder.bind_handler::<dyn DynNotification, _>(recorder.clone()).build()?;
/// futures::executor::block_on(mediator.publish(OrderPlaced::new()))?;
/// assert!(recorder.0.lock().unwrap()[0].ends_with("::OrderPlaced"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an event nor a notification",
    label = "lacks `#[event]` or `#[derive(Notification)]`",
    note = "put `#[event]` on the type; or `#[derive(Notification)]`, which adds no field"
)]
pub trait Handled: 'static {
    #[doc(hidden)]
    fn plan_of_type<H: EventHandler<Self>>() -> &'static StaticPlan;

    #[doc(hidden)]
    fn plan_of_fn<F: FnHandler<Self>, Item: 'static>() -> &'static StaticPlan;
}

#[diagnostic::do_not_recommend]
impl<E: Notification> Handled for E {
    fn plan_of_type<H: EventHandler<E>>() -> &'static StaticPlan {
        const { &StaticPlan::of_type::<E, H>() }
    }

    fn plan_of_fn<F: FnHandler<E>, Item: 'static>() -> &'static StaticPlan {
        const { &StaticPlan::of_fn::<E, F, Item>() }
    }
}

#[diagnostic::do_not_recommend]
impl Handled for dyn DynNotification {
    fn plan_of_type<H: EventHandler<Self>>() -> &'static StaticPlan {
        const { &StaticPlan::of_observer::<H>() }
    }

    fn plan_of_fn<F: FnHandler<Self>, Item: 'static>() -> &'static StaticPlan {
        const { &StaticPlan::of_observer_fn::<F, Item>() }
    }
}
