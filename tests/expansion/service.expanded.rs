struct Smtp {
    url: SmtpUrl,
}
#[automatically_derived]
impl ::mediator_core::Inject for Smtp {
    fn inject(
        __services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        let __field_0 = __services.get_for::<SmtpUrl>("url");
        ::core::result::Result::Ok(Self { url: __field_0? })
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::ServiceRegistration::of_struct:: < Smtp >
    (::core::concat!(::core::module_path!(), "::Smtp"), ::core::module_path!())
    .also(const { & [::mediator_core::__private::ServiceAlias::new:: < ::std::sync::Arc <
    dyn Mailer >> (| service | { let service = service.downcast_ref:: < ::std::sync::Arc
    < Smtp >> () ?; let service : ::std::sync::Arc < Smtp > =
    ::core::clone::Clone::clone(service); let service : ::std::sync::Arc < dyn Mailer > =
    service; ::core::option::Option::Some(::std::boxed::Box::new(service)) })] })
}
fn smtp_url(config: Arc<Config>) -> Result<SmtpUrl, std::io::Error> {
    config.smtp_url()
}
const _: () = {
    struct __MediatorService {
        config: Arc<Config>,
    }
    #[automatically_derived]
    impl ::mediator_core::Inject for __MediatorService {
        fn inject(
            __services: &::mediator_core::Services<'_>,
        ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
            let __field_0 = __services.get_for::<Arc<Config>>("config");
            ::core::result::Result::Ok(Self { config: __field_0? })
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::ServiceRegistration::of_function:: < SmtpUrl > (|
        services | { let parameters = < __MediatorService as ::mediator_core::Inject >
        ::inject(services) ?; let service : SmtpUrl = smtp_url(parameters.config)
        .map_err(::mediator_core::InjectError::new) ?;
        ::core::result::Result::Ok(::std::boxed::Box::new(service)) },
        ::core::concat!(::core::module_path!(), "::smtp_url"), ::core::module_path!())
    }
};
