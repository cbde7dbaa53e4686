struct Timing {
    log: Arc<Log>,
    calls: AtomicUsize,
}
#[automatically_derived]
impl ::mediator_core::Inject for Timing {
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
            calls: ::core::default::Default::default(),
        })
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::BehaviorRegistration::new:: <
    ::mediator_core::AnyMessage, Timing > (::core::concat!(::core::module_path!(),
    "::Timing"), ::core::module_path!(), "1.2.3")
}
