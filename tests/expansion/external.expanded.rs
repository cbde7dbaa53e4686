#[derive(Serialize, Deserialize)]
pub struct OrderPlaced {
    /// This event's identity, a UUID of version 7.
    pub event_id: ::mediator_core::EventId,
    pub order_id: String,
}
#[automatically_derived]
impl OrderPlaced {
    /// Makes the event, with a fresh `event_id`.
    #[must_use]
    pub fn new(order_id: String) -> Self {
        Self {
            event_id: ::mediator_core::EventId::new(),
            order_id,
        }
    }
}
#[automatically_derived]
impl ::mediator_core::Notification for OrderPlaced {
    fn event_name() -> &'static ::core::primitive::str {
        "orders.placed"
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
impl ::mediator_core::Event for OrderPlaced
where
    for<'any> Self: ::mediator_core::Notification,
{
    fn event_id(&self) -> ::mediator_core::EventId {
        self.event_id
    }
}
#[automatically_derived]
impl ::mediator_core::durable::DurableEvent for OrderPlaced {
    const NAME: &'static ::core::primitive::str = "orders.placed";
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::EventRegistration::new:: < OrderPlaced > ().named()
    .external(const { & ::mediator_core::__private::ExternalOptions::new:: < OrderPlaced
    > () })
}
