#[deprecated = "use `OrderAccepted`"]
#[expect(clippy::struct_excessive_bools, reason = "they are independent")]
pub struct OrderPlaced {
    /// This event's identity, a UUID of version 7.
    pub event_id: ::mediator_core::EventId,
    #[allow(non_snake_case, deprecated)]
    pub orderId: OldId,
    #[cfg_attr(feature = "new", deprecated)]
    pub paid: bool,
}
#[automatically_derived]
#[allow(deprecated, clippy::struct_excessive_bools, non_snake_case)]
#[cfg_attr(feature = "new", allow(deprecated))]
impl OrderPlaced {
    /// Makes the event, with a fresh `event_id`.
    #[must_use]
    pub fn new(orderId: OldId, paid: bool) -> Self {
        Self {
            event_id: ::mediator_core::EventId::new(),
            orderId,
            paid,
        }
    }
}
#[automatically_derived]
#[allow(deprecated, clippy::struct_excessive_bools, non_snake_case)]
#[cfg_attr(feature = "new", allow(deprecated))]
impl ::mediator_core::Notification for OrderPlaced {
    fn event_name() -> &'static ::core::primitive::str {
        ::core::concat!(::core::module_path!(), "::OrderPlaced")
    }
    fn declared_at() -> ::core::option::Option<
        &'static ::core::panic::Location<'static>,
    > {
        ::core::option::Option::Some(::core::panic::Location::caller())
    }
    fn notification_id(&self) -> ::core::option::Option<::mediator_core::EventId> {
        ::core::option::Option::Some(self.event_id)
    }
}
#[automatically_derived]
#[allow(deprecated, clippy::struct_excessive_bools, non_snake_case)]
#[cfg_attr(feature = "new", allow(deprecated))]
impl ::mediator_core::Event for OrderPlaced
where
    for<'any> Self: ::mediator_core::Notification,
{
    fn event_id(&self) -> ::mediator_core::EventId {
        self.event_id
    }
}
#[allow(deprecated, clippy::struct_excessive_bools, non_snake_case)]
#[cfg_attr(feature = "new", allow(deprecated))]
const _: () = {
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::EventRegistration::new:: < OrderPlaced > ()
    }
};
