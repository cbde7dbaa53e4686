enum OrderChanged {
    Placed,
}
#[automatically_derived]
impl ::mediator_core::Notification for OrderChanged {
    fn event_name() -> &'static ::core::primitive::str {
        ::core::concat!(::core::module_path!(), "::OrderChanged")
    }
    fn declared_at() -> ::core::option::Option<
        &'static ::core::panic::Location<'static>,
    > {
        ::core::option::Option::Some(::core::panic::Location::caller())
    }
}
#[automatically_derived]
impl ::mediator_core::Event for OrderChanged
where
    for<'any> Self: ::mediator_core::Notification,
{
    fn event_id(&self) -> ::mediator_core::EventId {
        ::core::unimplemented!()
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::EventRegistration::new:: < OrderChanged > ()
}
::core::compile_error! {
    "unknown option `nmae`; there are `name`, `new`, `version`, `alias`, `key`, `upcast`, `external`, `crate`"
}
::core::compile_error! {
    "`#[event]` needs a struct with named fields or none; or use `#[derive(Notification)]`, which adds nothing"
}
struct Moved(u64);
#[automatically_derived]
impl Moved {
    /// Makes the event, with a fresh `event_id`.
    #[must_use]
    fn new(field_0: u64) -> Self {
        let _ = (field_0);
        ::core::unimplemented!()
    }
}
#[automatically_derived]
impl ::mediator_core::Notification for Moved {
    fn event_name() -> &'static ::core::primitive::str {
        ::core::concat!(::core::module_path!(), "::Moved")
    }
    fn declared_at() -> ::core::option::Option<
        &'static ::core::panic::Location<'static>,
    > {
        ::core::option::Option::Some(::core::panic::Location::caller())
    }
}
#[automatically_derived]
impl ::mediator_core::Event for Moved
where
    for<'any> Self: ::mediator_core::Notification,
{
    fn event_id(&self) -> ::mediator_core::EventId {
        ::core::unimplemented!()
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::EventRegistration::new:: < Moved > ()
}
::core::compile_error! {
    "`#[event]` needs named fields; or use `#[derive(Notification)]`, which adds nothing"
}
async fn send_email(event: OrderPlaced, mailer: &Mailer, attempts: u32) {}
::core::compile_error! {
    "the first parameter of a handler is its event, borrowed, as in `event: &OrderPlaced`"
}
