//! What can be published.

use std::any::type_name;
use std::panic::Location;

use super::id::EventId;

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
    note = "an event is published by value: `publish(event)`, not `publish(&event)`, nor in an `Arc`"
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
    fn notification_id(&self) -> Option<EventId> {
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
    fn event_id(&self) -> EventId;
}
