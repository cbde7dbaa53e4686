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
    fn inject(
        __services: &::mediator_core::Services<'_>,
    ) -> ::core::result::Result<Self, ::mediator_core::InjectError> {
        let __field_0 = __services.get_for::<Arc<dyn Mailer>>("mailer");
        let __field_1 = __services.get_optional_for::<Arc<dyn Clock>>("clock");
        ::core::result::Result::Ok(Self {
            mailer: __field_0?,
            clock: __field_1?,
            sent: <AtomicUsize as ::core::default::Default>::default(),
            timeout: Duration::from_secs(3),
        })
    }
}
