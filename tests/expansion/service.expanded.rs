struct Smtp {
    url: SmtpUrl,
}
#[automatically_derived]
impl ::mediator_core::Inject for Smtp
where
    for<'any> SmtpUrl: ::mediator_core::Service,
{
    #[inline]
    fn inject(
        __services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        let __field_0 = ::mediator_core::Services::get_for(__services, "url");
        ::core::result::Result::Ok(Self {
            url: match __field_0 {
                ::core::result::Result::Ok(__service) => __service,
                ::core::result::Result::Err(__error) => {
                    return ::core::result::Result::Err(__error);
                }
            },
        })
    }
}
#[automatically_derived]
impl ::mediator_core::__private::ModuleService for Smtp
where
    for<'any> SmtpUrl: ::mediator_core::Service,
{}
#[automatically_derived]
impl ::mediator_core::__private::ProvidedAs<::std::sync::Arc<dyn Mailer>> for Smtp {
    fn provided(__service: ::std::sync::Arc<Self>) -> ::std::sync::Arc<dyn Mailer> {
        __service
    }
}
::mediator_core::__private::inventory::submit! {
    ::mediator_core::__private::ServiceRegistration::of_struct:: < Smtp >
    (::core::concat!(::core::module_path!(), "::Smtp"), ::core::module_path!())
    .also(const { & [::mediator_core::__private::ServiceAlias::new:: < Smtp,
    ::std::sync::Arc < dyn Mailer > > ()] })
}
#[allow(clippy::needless_pass_by_value)]
fn smtp_url(config: Arc<Config>) -> Result<SmtpUrl, std::io::Error> {
    config.smtp_url()
}
const _: () = {
    struct __MediatorService {
        config: Arc<Config>,
    }
    #[automatically_derived]
    impl ::mediator_core::Inject for __MediatorService {
        #[inline]
        fn inject(
            __services: &::mediator_core::Services<'_>,
        ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
            let __field_0 = ::mediator_core::Services::get_for(__services, "config");
            ::core::result::Result::Ok(Self {
                config: match __field_0 {
                    ::core::result::Result::Ok(__service) => __service,
                    ::core::result::Result::Err(__error) => {
                        return ::core::result::Result::Err(__error);
                    }
                },
            })
        }
    }
    #[automatically_derived]
    impl ::mediator_core::__private::ServiceFn for __MediatorService {
        type Provided = SmtpUrl;
        fn make(self) -> ::core::result::Result<SmtpUrl, ::mediator_core::InjectError> {
            match smtp_url(self.config) {
                ::core::result::Result::Ok(__service) => {
                    ::core::result::Result::Ok(__service)
                }
                ::core::result::Result::Err(__error) => {
                    ::core::result::Result::Err(
                        ::mediator_core::__private::service_error(__error),
                    )
                }
            }
        }
    }
    ::mediator_core::__private::inventory::submit! {
        ::mediator_core::__private::ServiceRegistration::of_function:: < SmtpUrl,
        __MediatorService > (::core::concat!(::core::module_path!(), "::smtp_url"),
        ::core::module_path!())
    }
};
