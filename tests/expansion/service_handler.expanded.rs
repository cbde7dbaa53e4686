struct Log {
    lines: Mutex<Vec<String>>,
}
#[automatically_derived]
impl ::mediator_core::Inject for Log {
    #[inline]
    fn inject(
        __services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        ::core::result::Result::Ok(Self {
            lines: ::core::default::Default::default(),
        })
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::HandlerRegistration::new:: < OrderPlaced, Log >
    (::core::concat!(::core::module_path!(), "::Log"), ::core::module_path!(), "1.2.3")
}
#[automatically_derived]
impl ::mediator_core::__private::ModuleService for Log {}
#[automatically_derived]
impl ::mediator_core::__private::ProvidedAs<::std::sync::Arc<dyn Lines>> for Log {
    fn provided(__service: ::std::sync::Arc<Self>) -> ::std::sync::Arc<dyn Lines> {
        __service
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::ServiceRegistration::of_struct:: < Log >
    (::core::concat!(::core::module_path!(), "::Log"), ::core::module_path!()).also(const
    { & [::mediator_core::__private::ServiceAlias::new:: < Log, ::std::sync::Arc < dyn
    Lines > > ()] })
}
