struct Audit {
    log: Arc<Log>,
}
#[automatically_derived]
impl ::mediator_core::Inject for Audit {
    #[inline]
    fn inject(
        __services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        let __field_0 = ::mediator_core::Services::get_for(__services, "log");
        ::core::result::Result::Ok(Self {
            log: match __field_0 {
                ::core::result::Result::Ok(__service) => __service,
                ::core::result::Result::Err(__error) => {
                    return ::core::result::Result::Err(__error);
                }
            },
        })
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::HandlerRegistration::new:: < OrderPlaced, Audit >
    (::core::concat!(::core::module_path!(), "::Audit"), ::core::module_path!(), "1.2.3")
}
#[automatically_derived]
impl ::mediator_core::__private::ModuleService for Audit {}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::ServiceRegistration::of_struct:: < Audit >
    (::core::concat!(::core::module_path!(), "::Audit"), ::core::module_path!())
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::BehaviorRegistration::new:: <
    ::mediator_core::AnyMessage, Audit > (::core::concat!(::core::module_path!(),
    "::Audit"), ::core::module_path!(), "1.2.3")
}
