pub enum StockChanged {
    Counted(u64),
    Moved,
}
#[automatically_derived]
impl ::mediator_core::Notification for StockChanged {
    fn event_name() -> &'static ::core::primitive::str {
        ::core::concat!(::core::module_path!(), "::StockChanged")
    }
    fn declared_at() -> ::core::option::Option<
        &'static ::core::panic::Location<'static>,
    > {
        ::core::option::Option::Some(::core::panic::Location::caller())
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::EventRegistration::new:: < StockChanged > ()
}
