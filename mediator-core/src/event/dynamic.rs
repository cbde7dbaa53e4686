//! Notifications whose type is known only at run time.

use std::any::Any;
use std::fmt;

use super::id::EventId;
use super::notification::Notification;

/// A [`Notification`] whose type is known only at run time.
///
/// Every notification implements it. Boxing is the only cost of the erasure: publishing a box
/// looks its handlers up by the type inside.
///
/// ```
/// use mediator_core::prelude::*;
///
/// #[event]
/// struct Shipped { order_id: u64 }
///
/// let event: Box<dyn DynNotification> = Box::new(Shipped::new(7));
/// assert!(event.event_name().ends_with("::Shipped"));
/// assert_eq!(event.downcast_ref::<Shipped>().unwrap().order_id, 7);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an event nor a notification",
    label = "lacks `#[event]` or `#[derive(Notification)]`"
)]
pub trait DynNotification: Any + Send + Sync {
    #[doc(hidden)]
    fn __event_name(&self) -> &'static str;

    #[doc(hidden)]
    fn __event_id(&self) -> Option<EventId>;
}

#[diagnostic::do_not_recommend]
impl<E: Notification> DynNotification for E {
    fn __event_name(&self) -> &'static str {
        E::event_name()
    }

    fn __event_id(&self) -> Option<EventId> {
        self.notification_id()
    }
}

// Inherent, so that the methods never compete with those of the user's own event types.
impl dyn DynNotification {
    /// The name of the notification inside.
    #[must_use]
    pub fn event_name(&self) -> &'static str {
        self.__event_name()
    }

    /// The id of the notification inside, if it has one.
    #[must_use]
    pub fn event_id(&self) -> Option<EventId> {
        self.__event_id()
    }

    pub(crate) fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }

    /// The notification inside, if it is an `E`.
    #[must_use]
    pub fn downcast_ref<E: Notification>(&self) -> Option<&E> {
        (self as &dyn Any).downcast_ref()
    }
}

impl fmt::Debug for dyn DynNotification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple(self.event_name());
        if let Some(id) = self.event_id() {
            tuple.field(&id);
        }
        tuple.finish()
    }
}
