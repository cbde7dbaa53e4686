struct NightFell {
    /// This event's identity, a UUID of version 7.
    pub event_id: ::facade::mediator_core::EventId,
}
#[automatically_derived]
impl ::facade::mediator_core::Notification for NightFell {
    fn event_name() -> &'static ::core::primitive::str {
        ::core::concat!(::core::module_path!(), "::NightFell")
    }
    fn declared_at() -> ::core::option::Option<
        &'static ::core::panic::Location<'static>,
    > {
        ::core::option::Option::Some(::core::panic::Location::caller())
    }
    fn notification_id(
        &self,
    ) -> ::core::option::Option<::facade::mediator_core::EventId> {
        ::core::option::Option::Some(self.event_id)
    }
}
#[automatically_derived]
impl ::facade::mediator_core::Event for NightFell
where
    for<'any> Self: ::facade::mediator_core::Notification,
{
    fn event_id(&self) -> ::facade::mediator_core::EventId {
        self.event_id
    }
}
::facade::mediator_core::__private::inventory::submit! {
    ::facade::mediator_core::__private::EventRegistration::new:: < NightFell > ()
}
