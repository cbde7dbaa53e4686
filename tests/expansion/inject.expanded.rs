pub struct SendEmail {
    mailer: Arc<dyn Mailer>,
    clock: Option<Arc<dyn Clock>>,
    #[inject(default)]
    sent: AtomicUsize,
    #[inject(with = Duration::from_secs(3))]
    timeout: Duration,
}
#[automatically_derived]
impl ::mediator_core::Inject for SendEmail {
    #[inline]
    fn inject(
        __services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        let __field_0 = ::mediator_core::Services::get_for(__services, "mailer");
        let __field_1 = ::mediator_core::Services::get_optional_for(__services, "clock");
        ::core::result::Result::Ok(Self {
            mailer: match __field_0 {
                ::core::result::Result::Ok(__service) => __service,
                ::core::result::Result::Err(__error) => {
                    return ::core::result::Result::Err(__error);
                }
            },
            clock: match __field_1 {
                ::core::result::Result::Ok(__service) => __service,
                ::core::result::Result::Err(__error) => {
                    return ::core::result::Result::Err(__error);
                }
            },
            sent: ::core::default::Default::default(),
            timeout: Duration::from_secs(3),
        })
    }
}
