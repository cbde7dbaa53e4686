//! What can be published.

use std::any::{Any, type_name};
use std::fmt;
use std::panic::Location;

use crate::Uuid;

/// Anything that can be published: owned data that threads may share.
///
/// Implement it by [`#[event]`](macro@crate::event), which also gives the type an identity, by
/// `#[derive(Notification)]`, or by hand:
///
/// ```
/// use mediator_core::prelude::*;
///
/// struct CacheWarmed;
///
/// impl Notification for CacheWarmed {}
/// ```
///
/// A publish reaches the handlers of exactly this Rust type. Names are for people: two types with
/// one name never meet.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an event nor a notification",
    label = "lacks `#[event]` or `#[derive(Notification)]`",
    note = "put `#[event]` on the type; or `#[derive(Notification)]`, which adds no field",
    note = "an event is published by value: `publish(event)`, not `publish(&event)`"
)]
pub trait Notification: Send + Sync + 'static {
    /// The name that errors and reports show: by default the type's path.
    #[must_use]
    fn event_name() -> &'static str
    where
        Self: Sized,
    {
        type_name::<Self>()
    }

    /// Where the type is declared, if the macros declared it.
    #[must_use]
    fn declared_at() -> Option<&'static Location<'static>>
    where
        Self: Sized,
    {
        None
    }

    /// The id to name in errors, if this notification has one.
    ///
    /// `#[event]` answers with the event's id. Implementing [`Event`] by hand, do the same here.
    #[must_use]
    fn notification_id(&self) -> Option<Uuid> {
        None
    }
}

/// A [`Notification`] with an identity.
///
/// Two events are the same event only if their ids are equal. Ids made by
/// [`#[event]`](macro@crate::event) are UUIDs of version 7, which sort by time of creation.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event with an id",
    label = "lacks `#[event]`",
    note = "put `#[event]` on the type; `#[derive(Notification)]` alone gives it no id"
)]
///
/// ```
/// use mediator_core::prelude::*;
///
/// #[event]
/// struct OrderPlaced { order_id: u64 }
///
/// let (first, second) = (OrderPlaced::new(1), OrderPlaced::new(1));
/// assert!(first.event_id() < second.event_id());
/// ```
pub trait Event: Notification {
    /// This event's identity.
    fn event_id(&self) -> Uuid;
}

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
    fn __event_id(&self) -> Option<Uuid>;
}

#[diagnostic::do_not_recommend]
impl<E: Notification> DynNotification for E {
    fn __event_name(&self) -> &'static str {
        E::event_name()
    }

    fn __event_id(&self) -> Option<Uuid> {
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
    pub fn event_id(&self) -> Option<Uuid> {
        self.__event_id()
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
